"""A conditional GAN with every part there is, of linear networks, and its steps by hand."""

import dataclasses
import math

import flax.linen as nn
import jax
import numpy as np
from linear_gan import note
from scipy.special import expit, log_expit, log_softmax, softmax

from jaxgan.algorithms.gan import Gan
from jaxgan.config import Experiment
from jaxgan.data.pipeline import Data
from jaxgan.data.sources.gaussians import Ring
from jaxgan.objectives.gan.auxiliaries import AuxiliaryClassifier
from jaxgan.objectives.gan.constraints import Clip
from jaxgan.objectives.gan.penalties import R1
from jaxgan.objectives.gan.verdict import Verdict
from jaxgan.objectives.priors import Labelled, Normal
from jaxgan.optim import Ema, Schedule, Sgd

CLASSES, ROWS, N_CRITIC, STEPS = 3, 6, 2, 10
DATA = Data(source=Ring(), image_size=1, channels=2, classes=CLASSES)
RATE_D, RATE_G, DECAY = 0.4, 0.3, 0.999
PENALTY, EVERY, CLASSIFIER, BOUND, SHRINK = 0.3, 3, 0.7, 0.35, 0.95


class LabelledLinear(nn.Module):
    """``z W + L[y]``."""

    @nn.compact
    def __call__(self, latents, *, image_shape, classes, train, axis_name=None):
        noise, label = latents["noise"], latents["label"]
        size, normal = math.prod(image_shape), nn.initializers.normal(1.0)
        weight = self.param("w", normal, (noise.shape[-1], size))
        by_label = self.param("l", normal, (classes, size))
        if train:
            note("noise", noise)
            note("label", label)
        return (noise @ weight + by_label[label]).reshape(-1, *image_shape)


class LabelledJudge(nn.Module):
    """``x (v + U[y]) + c[y]``, and ``x A`` as logits of the classes."""

    @nn.compact
    def __call__(self, images, labels, *, classes, train, axis_name=None):
        values, normal = images.reshape(images.shape[0], -1), nn.initializers.normal(0.5)
        weight = self.param("v", normal, values.shape[-1:])
        by_label = self.param("u", normal, (classes, values.shape[-1]))
        bias = self.param("c", normal, (classes,))
        head = self.param("a", normal, (values.shape[-1], classes))
        logits = (values * (weight + by_label[labels])).sum(1) + bias[labels]
        return Verdict(logits, {"class": values @ head})


@dataclasses.dataclass(frozen=True)
class Shrink:
    """A constraint that shows how often it is put on, and whether before or after others."""

    factor: float

    def __call__(self, params):
        return jax.tree.map(lambda leaf: self.factor * leaf, params)


def experiment_of(**changes):
    linear = Schedule("linear")
    model = Gan(
        generator=LabelledLinear(),
        discriminator=LabelledJudge(),
        generator_optimizer=Sgd(RATE_G, schedule=linear),
        discriminator_optimizer=Sgd(RATE_D, schedule=linear),
        prior=Labelled(Normal(3)),
        n_critic=N_CRITIC,
        penalties=(R1(PENALTY, every=EVERY),),
        constraints=(Clip(BOUND), Shrink(SHRINK)),
        auxiliaries=(AuxiliaryClassifier(CLASSIFIER),),
        ema=Ema(DECAY, warmup=True),
    )
    return Experiment(name="labelled", model=dataclasses.replace(model, **changes), data=DATA,
                      steps=STEPS, batch_size=ROWS)  # fmt: skip


def judged(d, x, y):
    """Logits, and the classifier's cross-entropy of each example."""
    logits = (x * (d["v"] + d["u"][y])).sum(1) + d["c"][y]
    return logits, -log_softmax(x @ d["a"], axis=1)[np.arange(len(y)), y]


def critic_update(d, real, real_label, fake, fake_label, update):
    """The discriminator after its update of that number, counted from 0 over all steps."""
    n, one_hot = len(real), np.eye(CLASSES)
    r, real_entropy = judged(d, real, real_label)
    f, fake_entropy = judged(d, fake, fake_label)
    slopes = {name: np.zeros_like(value) for name, value in d.items()}
    # -log D(x) - log(1 - D(G(z))), with D = expit.
    for x, y, slope in ((real, real_label, -expit(-r)), (fake, fake_label, expit(f))):
        slopes["v"] += slope @ x / n
        slopes["u"] += one_hot[y].T @ (slope[:, None] * x) / n
        slopes["c"] += one_hot[y].T @ slope / n
        slopes["a"] += CLASSIFIER * x.T @ (softmax(x @ d["a"], axis=1) - one_hot[y]) / n
    penalty = np.zeros(n)
    if update % EVERY == 0:
        # gamma / 2 |v + U[y]|^2, where y is the label of the real image.
        gradients = d["v"] + d["u"][real_label]
        penalty = EVERY * PENALTY / 2 * (gradients**2).sum(1)
        slopes["v"] += EVERY * PENALTY * gradients.sum(0) / n
        slopes["u"] += EVERY * PENALTY * one_hot[real_label].T @ gradients / n
    rate = RATE_D * (1 - update / (STEPS * N_CRITIC - 1))
    metrics = {
        "loss/discriminator": np.mean(
            -log_expit(r) - log_expit(-f) + penalty + CLASSIFIER * (real_entropy + fake_entropy)
        ),
        "logits/real": r.mean(),
        "logits/fake": f.mean(),
        "penalty/r1": penalty.mean(),
        "classification/real": CLASSIFIER * real_entropy.mean(),
        "classification/fake": CLASSIFIER * fake_entropy.mean(),
        "discriminator_grad_norm": np.sqrt(sum(np.sum(slope**2) for slope in slopes.values())),
    }
    after = {name: np.clip(value - rate * slopes[name], -BOUND, BOUND) * SHRINK
             for name, value in d.items()}  # fmt: skip
    return after, metrics


def generator_update(g, d, noise, label, step):
    """The generator after a step against the discriminator of the same step."""
    n, one_hot = len(noise), np.eye(CLASSES)
    fake = noise @ g["w"] + g["l"][label]
    f, entropy = judged(d, fake, label)
    to_fake = -expit(-f)[:, None] * (d["v"] + d["u"][label])
    to_fake += CLASSIFIER * (softmax(fake @ d["a"], axis=1) - one_hot[label]) @ d["a"].T
    rate = RATE_G * (1 - step / (STEPS - 1))
    slopes = {"w": noise.T @ to_fake / n, "l": one_hot[label].T @ to_fake / n}
    after = {name: g[name] - rate * slope for name, slope in slopes.items()}
    norm = np.sqrt(sum(np.sum(slope**2) for slope in slopes.values()))
    loss = np.mean(-log_expit(f) + CLASSIFIER * entropy)
    told = CLASSIFIER * entropy.mean()
    return after, {
        "loss/generator": loss, "generator_grad_norm": norm, "classification/generator": told
    }  # fmt: skip
