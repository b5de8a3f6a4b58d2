"""Steps of R3GAN against the same steps worked out by hand, in double precision."""

import dataclasses
import math

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from linear_gan import as_numbers, close
from scipy.special import expit

from jaxgan import rng
from jaxgan.algorithms.cosine import Cosine, CosineAdam
from jaxgan.algorithms.gan_game import keys_of
from jaxgan.algorithms.r3gan import R3Gan, averaged
from jaxgan.algorithms.r3gan_published import PUBLISHED
from jaxgan.config import ConfigError, Experiment
from jaxgan.data.pipeline import Data
from jaxgan.data.sources.gaussians import Ring
from jaxgan.networks.dcgan import DcganDiscriminator, DcganGenerator
from jaxgan.objectives.gan.ada_pipe import AdaPipe
from jaxgan.objectives.priors import Labelled, Normal
from jaxgan.optim import Sgd
from jaxgan.program import compile_program

CLASSES, ROWS, SEED, DECAY_IMAGES = 3, 4, 7, 10.0
PRIOR = Labelled(Normal(3))
DATA = Data(source=Ring(), image_size=1, channels=2, classes=CLASSES)


class LabelledLinear(nn.Module):
    """``z W + L[y]``."""

    @nn.compact
    def __call__(self, latents, *, image_shape, classes, train, axis_name=None):
        normal, size = nn.initializers.normal(1.0), math.prod(image_shape)
        weight = self.param("w", normal, (latents["noise"].shape[-1], size))
        by_label = self.param("l", normal, (classes, size))
        made = latents["noise"] @ weight + by_label[latents["label"]]
        return made.reshape(-1, *image_shape)


class LabelledQuadratic(nn.Module):
    """``x^2 v + x U[y]``, whose slope is ``2 x v + U[y]``."""

    @nn.compact
    def __call__(self, images, labels, *, classes, train, axis_name=None):
        values, normal = images.reshape(images.shape[0], -1), nn.initializers.normal(0.5)
        weight = self.param("v", normal, values.shape[-1:])
        by_label = self.param("u", normal, (classes, values.shape[-1]))
        return values**2 @ weight + (values * by_label[labels]).sum(1)


MODEL = R3Gan(
    LabelledLinear(),
    LabelledQuadratic(),
    CosineAdam(Cosine(0.1, 0.02), b2=Cosine(0.5, 0.9), eps=0.1),
    CosineAdam(Cosine(0.2, 0.05), b2=Cosine(0.6, 0.8), eps=0.1),
    PRIOR,
    gamma=Cosine(0.8, 0.2),
    half_life=Cosine(0.0, 9.0),
    pipes=(),
    decay_images=DECAY_IMAGES,
)


def experiment_of(model=MODEL, data=DATA):
    return Experiment(name="by-hand", model=model, data=data, steps=10, batch_size=ROWS)


def noise(step, update):
    """What the prior draws for one of a step's updates."""
    key = rng.role_key(rng.step_key(rng.base_key(SEED), step), "latent", update)
    draws = [PRIOR.draw(jax.random.fold_in(key, i), CLASSES)["noise"] for i in range(ROWS)]
    return np.asarray(draws, np.float64)


def made(g, z, y):
    return z @ g["w"] + g["l"][y]


def slope(d, x, y):
    return 2 * x * d["v"] + d["u"][y]


def judged(d, x, y):
    return x**2 @ d["v"] + (x * d["u"][y]).sum(1)


def discriminator_by_hand(d, x, fake, y, gamma):
    """Loss, penalties and gradients of softplus(f - r) + gamma / 2 (|slope|^2 + |slope|^2)."""
    one_hot, n = np.eye(CLASSES), len(x)
    wrong = expit(judged(d, fake, y) - judged(d, x, y))[:, None]
    gradients = {"v": (wrong * (fake**2 - x**2)).sum(0), "u": one_hot[y].T @ (wrong * (fake - x))}
    penalties = []
    for points in (x, fake):
        steep = slope(d, points, y)
        penalties.append(gamma / 2 * (steep**2).sum(1))
        gradients["v"] += gamma * (2 * points * steep).sum(0)
        gradients["u"] += gamma * one_hot[y].T @ steep
    value = np.logaddexp(0, judged(d, fake, y) - judged(d, x, y)) + sum(penalties)
    return value.mean(), [p.mean() for p in penalties], {n_: g / n for n_, g in gradients.items()}


def generator_by_hand(g, d, x, z, y):
    """Loss and gradients of softplus(r - f)."""
    fake = made(g, z, y)
    behind = judged(d, x, y) - judged(d, fake, y)
    to_fake = -expit(behind)[:, None] * slope(d, fake, y) / len(x)
    gradients = {"w": z.T @ to_fake, "l": np.eye(CLASSES)[y].T @ to_fake}
    return np.logaddexp(0, behind).mean(), gradients


def adam(params, gradients, squares, step, rate, b2):
    """Without momentum; moments made up for by the beta2 of now."""
    squares = {n: b2 * squares[n] + (1 - b2) * g**2 for n, g in gradients.items()}
    short = 1 - b2 ** (step + 1)
    moved = {
        n: params[n] - rate * g / (np.sqrt(squares[n] / short) + 0.1) for n, g in gradients.items()
    }
    return moved, squares


def test_four_steps_by_hand():
    """Schedules at 0, 4, 8 and 12 of 10 images; a batch and latents of their own for each player,
    and the label of the real image for both of a pair."""
    program = compile_program(experiment_of(), "none")
    draws = np.random.default_rng(0)
    batch = {
        "image": draws.normal(1.0, 1.0, (2 * ROWS, 1, 1, 2)).astype(np.float32),
        "label": draws.integers(0, CLASSES, 2 * ROWS).astype(np.int32),
    }
    # Rows of the players' batches take turns.
    x, y = as_numbers(batch["image"]).reshape(ROWS, 2, 2), batch["label"].reshape(ROWS, 2)
    state = program.init(1, batch)
    start = jax.device_get(state)
    g, d = (as_numbers(start.players[n].params) for n in ("generator", "discriminator"))
    ema = g
    of_g, of_d = ({n: np.zeros_like(p) for n, p in params.items()} for params in (g, d))
    for step in range(4):
        state, metrics = program.phases[0].streaming_step(state, batch, np.uint32(SEED))
        gone = (1 - math.cos(math.pi * min(step * ROWS / DECAY_IMAGES, 1.0))) / 2
        gamma, half_life = 0.8 - 0.6 * gone, 9.0 * gone
        fake = made(g, noise(step, 0), y[:, 0])
        d_loss, (r1, r2), slopes = discriminator_by_hand(d, x[:, 0], fake, y[:, 0], gamma)
        d, of_d = adam(d, slopes, of_d, step, 0.2 - 0.15 * gone, 0.6 + 0.2 * gone)
        g_loss, slopes = generator_by_hand(g, d, x[:, 1], noise(step, 1), y[:, 1])
        g, of_g = adam(g, slopes, of_g, step, 0.1 - 0.08 * gone, 0.5 + 0.4 * gone)
        kept = 0.5 ** (ROWS / half_life) if half_life else 0.0
        ema = {n: kept * ema[n] + (1 - kept) * g[n] for n in g}
        told = jax.device_get(metrics)
        expected = {
            "loss/discriminator": d_loss, "loss/generator": g_loss, "penalty/r1": r1,
            "penalty/r2": r2, "schedule/gamma": gamma, "schedule/half_life": half_life,
            "schedule/p": 0.3 * gone, "schedule/d_learning_rate": 0.2 - 0.15 * gone,
            "schedule/d_b2": 0.6 + 0.2 * gone, "schedule/g_learning_rate": 0.1 - 0.08 * gone,
            "schedule/g_b2": 0.5 + 0.4 * gone,
        }  # fmt: skip
        close({name: told[name] for name in expected}, expected)
        after = jax.device_get(state)
        close(after.parameters, {"generator": g, "discriminator": d})
        close(after.ema["generator"]["params"], ema)
    assert kept > 0.5


class Seeing(nn.Module):
    """``x v``: its slope with respect to an augmented image is v wherever it is shown the image."""

    @nn.compact
    def __call__(self, images, *, train, axis_name=None):
        weight = self.param("v", nn.initializers.normal(0.5), images.shape[1:])
        return (images * weight).sum(axis=(1, 2, 3))


class Making(nn.Module):
    @nn.compact
    def __call__(self, latents, *, image_shape, train, axis_name=None):
        weight = self.param("w", nn.initializers.normal(), (latents.shape[-1], *image_shape))
        return jnp.einsum("nz,zhwc->nhwc", latents, weight)


def test_slopes_are_those_with_respect_to_images_before_augmentation():
    """What a cutout hides has no slope; as strong as its schedule says, it hides half of them."""
    pipe = AdaPipe(blit=0.0, geom=0.0, color=0.0, cutout=1.0)
    model = R3Gan(
        Making(), Seeing(), Sgd(0.0), Sgd(0.0), Normal(3), Cosine(2.0, 2.0), pipes=(pipe,),
        strength=Cosine(0.5, 0.5),
    )  # fmt: skip
    program = compile_program(experiment_of(model, Data(image_size=4)), "none")
    images = np.random.default_rng(0).integers(0, 256, (2 * ROWS, 4, 4, 1), np.uint8)
    state = program.init(1, {"image": images})
    weight = as_numbers(jax.device_get(state.players["discriminator"].params["v"]))
    _, metrics = program.phases[0].streaming_step(state, {"image": images}, np.uint32(SEED))
    key = rng.step_key(rng.base_key(SEED), 0)
    seen = {}
    for role in ("real", "fake"):
        keys = keys_of(key, role, 0, ROWS, None)("augmentation-0")
        seen[role] = as_numbers(pipe(jnp.ones((ROWS, 4, 4, 1)), keys, jnp.float32(0.5)))
        # gamma / 2 = 1.
        expected = (seen[role] * weight**2).sum(axis=(1, 2, 3)).mean()
        name = {"real": "penalty/r1", "fake": "penalty/r2"}[role]
        assert float(metrics[name]) == pytest.approx(expected, rel=1e-5)
    real = as_numbers(images[::2]) / 127.5 - 1
    expected = (seen["real"] * real * weight).sum(axis=(1, 2, 3)).mean()
    assert float(metrics["logits/real"]) == pytest.approx(expected, rel=1e-4)
    hidden = np.concatenate([*seen.values()]).min(axis=(1, 2, 3)) == 0.0
    assert 0 < hidden.sum() < 2 * ROWS


def test_averages_by_half_lives():
    old, new = {"w": jnp.float32(1.0), "n": jnp.int32(3)}, {"w": jnp.float32(2.0), "n": 5}
    new["n"] = jnp.int32(new["n"])
    for half_lives, expected in ((0.0, 1.0), (1.0, 1.5), (2.0, 1.75), (math.inf, 2.0)):
        found = averaged(old, new, half_lives)
        assert float(found["w"]) == pytest.approx(expected)
        assert int(found["n"]) == 5
    # A published step: 512 images of a half-life of 5 million.
    found = averaged({"w": jnp.float32(0.0)}, {"w": jnp.float32(1.0)}, 512 / 5e6)
    assert float(found["w"]) == pytest.approx(-math.expm1(-math.log(2) * 512 / 5e6), rel=1e-6)


@pytest.mark.parametrize(
    ("name", "gamma", "p", "half_life", "batch_size", "decay", "fine"),
    [
        ("CIFAR-10", (0.05, 0.005), 0.55, 5e6, 512, 20e6, 3),
        ("FFHQ-64", (2.0, 0.2), 0.3, 5e5, 256, 20e6, 4),
        ("FFHQ-256", (150.0, 15.0), 0.3, 5e5, 256, 20e6, 4),
        ("ImageNet-32", (0.5, 0.05), 0.5, 50e6, 4096, 200e6, 3),
        ("ImageNet-64", (1.0, 0.1), 0.4, 50e6, 4096, 200e6, 4),
    ],
)
def test_published_values(name, gamma, p, half_life, batch_size, decay, fine):
    """The table of the reference; learning rate and beta2 are alike in all."""
    one = PUBLISHED[name]
    model = one.model
    assert (model.gamma.first, model.gamma.last) == pytest.approx(gamma)
    assert model.strength == Cosine(0.0, p)
    assert model.half_life == Cosine(0.0, half_life)
    assert (one.batch_size, model.decay_images) == (batch_size, decay)
    assert model.generator_optimizer == model.discriminator_optimizer == CosineAdam()
    assert CosineAdam() == CosineAdam(Cosine(2e-4, 5e-5), 0.0, Cosine(0.9, 0.99), 1e-8)
    assert model.prior.conditional == bool(one.classes)
    for network in (model.generator, model.discriminator):
        assert (network.blocks, network.expansion, network.bfloat16_stages) == (2, 2, fine)
    assert model.pipes == (AdaPipe(blit=1.0, geom=1.0, color=0.5, cutout=1.0),)


def test_parts_that_do_not_go_together_are_refused():
    with pytest.raises(ConfigError, match="batch norm mixes"):
        R3Gan(DcganGenerator(), DcganDiscriminator())
    for settings, message in (
        ({"decay_images": 0.0}, "decay_images"),
        ({"gamma": Cosine(-1.0, 1.0)}, "gamma"),
        ({"half_life": Cosine(0.0, math.inf)}, "half_life"),
    ):
        with pytest.raises(ConfigError, match=message):
            dataclasses.replace(MODEL, **settings)
