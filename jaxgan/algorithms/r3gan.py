"""R3GAN: relativistic pairs, both gradient penalties in every step, and nothing else.

Huang et al., The GAN is dead; long live the GAN! A Modern GAN Baseline, 2024.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any, ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgan import rng
from jaxgan.algorithms import apply, base, gan_checks
from jaxgan.algorithms.cosine import Cosine, CosineAdam
from jaxgan.algorithms.gan import Gan, gan
from jaxgan.algorithms.gan_game import Networks, keys_of
from jaxgan.algorithms.gan_step import iterated
from jaxgan.algorithms.state import Player, State
from jaxgan.config import ConfigError, Experiment, Model
from jaxgan.objectives.gan.ada_pipe import AdaPipe
from jaxgan.objectives.gan.penalties import R1, R2
from jaxgan.objectives.gan.relativistic import RelativisticSoftplus
from jaxgan.objectives.gan.slopes import squared_slopes
from jaxgan.objectives.gan.verdict import Verdict
from jaxgan.objectives.priors import Normal, Prior
from jaxgan.optim import Optimizer
from jaxgan.typing import Batch, Metrics, Params, PRNGKey

LOSS = RelativisticSoftplus()


@dataclasses.dataclass(frozen=True)
class R3Gan(Model):
    """Settings of R3GAN. Every `Cosine` is a function of the images that were seen.

    The discriminator minimizes

        softplus(D(G(z)) - D(x)) + gamma / 2 (|grad_x D(x)|^2 + |grad D(G(z))|^2)

    and then the generator ``softplus(D(x) - D(G(z)))``, on real images and latents of its own. Both
    images of a pair have the same label, that of the real one. Where images are augmented, ``D`` is
    the discriminator of augmented images, and slopes are those with respect to the images before
    augmentation.

    As in the authors' code, images seen are those that discriminator updates were made with:
    batches are counted once, though a step takes two.
    """

    family: ClassVar[str] = "GAN"

    generator: nn.Module
    """Network from latents to images."""
    discriminator: nn.Module
    """Network from images to one logit each."""
    generator_optimizer: Optimizer = CosineAdam()
    """Optimizer of the generator; a `CosineAdam` decays over ``decay_images``."""
    discriminator_optimizer: Optimizer = CosineAdam()
    """Optimizer of the discriminator; likewise."""
    prior: Prior = Normal(64)
    """Distribution of latents; one with labels makes both players conditional."""
    gamma: Cosine = Cosine(2.0, 0.2)
    """Weight of the penalties."""
    half_life: Cosine = Cosine(0.0, 500_000.0)
    """Half-life of the generator's average, in images."""
    pipes: tuple[AdaPipe, ...] = (AdaPipe(color=0.5, cutout=1.0),)
    """Augmentations of real and generated images alike."""
    strength: Cosine = Cosine(0.0, 0.3)
    """Their strength p."""
    decay_images: float = 20e6
    """Images over which all of these change; afterwards they stay."""

    def __post_init__(self) -> None:
        if not 0.0 < self.decay_images < math.inf:
            raise ConfigError(f"decay_images = {self.decay_images}: must be positive and finite")
        for name in ("gamma", "half_life", "strength"):
            course = getattr(self, name)
            if not (0.0 <= course.first < math.inf and 0.0 <= course.last < math.inf):
                raise ConfigError(f"{name} = {course}: must be at least 0 and finite")
        gan_checks.check_model(self.parts)

    @property
    def batches_per_step(self) -> int:
        """One for each player."""
        return 2

    @property
    def parts(self) -> Gan:
        """The plain GAN that has the same players, and is evaluated alike."""
        return Gan(
            self.generator, self.discriminator, LOSS, self.generator_optimizer,
            self.discriminator_optimizer, self.prior, penalties=(R1(), R2()),
        )  # fmt: skip

    def build(self, experiment: Experiment, *, axis_name: str | None = None) -> base.Algorithm:
        """See `r3gan`."""
        return r3gan(experiment, self, axis_name=axis_name)


def r3gan(experiment: Experiment, model: R3Gan, *, axis_name: str | None = None) -> base.Algorithm:
    """The algorithm of R3GAN: all but the train step is that of `jaxgan.algorithms.gan`.

    Args:
        experiment: the images' shape and classes in ``experiment.data``, steps, batch size.
        model: networks, optimizers and schedules.
        axis_name: mapped axis over which the batch is sharded; None on one device.

    Raises:
        ConfigError: as `jaxgan.algorithms.gan.gan`.
        ValueError: the augmentations are not for such images.
    """
    data, prior, over = experiment.data, model.prior, apply.reduce(axis_name)
    for pipe in model.pipes:
        pipe.check(data.image_shape, data.dtype)
    algorithm = gan(experiment, model.parts, axis_name=axis_name)
    classes = base.classes_of(data) if prior.conditional else 0
    networks = Networks(model.generator, model.discriminator, data.image_shape, classes, axis_name)
    # A number of updates that need not be whole: it is images over images.
    decay = model.decay_images / experiment.batch_size
    optimizers = {
        player: one.build(decay if isinstance(one, CosineAdam) else experiment.steps)  # pyright: ignore[reportArgumentType]
        for player, one in (
            ("generator", model.generator_optimizer),
            ("discriminator", model.discriminator_optimizer),
        )
    }

    def latents_for(labels: Any, count: int, key: PRNGKey, update: int) -> Any:
        own = rng.role_key(key, "latent", update)
        drawn = rng.per_example(lambda k: prior.draw(k, classes), own, count, axis_name)
        return {**drawn, "label": labels} if classes else drawn

    def judge(player: Player, params: Params, images: Any, labels: Any, role: str, now: Any) -> Any:
        """Verdict and changed collections; what is drawn depends on role and update alone."""
        key, update, p = now
        keys = keys_of(key, role, update, images.shape[0], axis_name)
        for index, pipe in enumerate(model.pipes):
            with jax.named_scope("augmentation"):
                images = pipe(images, keys(f"augmentation-{index}"), p)
        dropout = rng.role_key(key, f"{role}-dropout", update)
        return networks.discriminator(
            {**player.variables, "params": params}, images, labels, dropout
        )

    def train_step(state: State, batch: Batch, key: PRNGKey) -> tuple[State, Metrics]:
        rows = {"image": apply.to_symmetric(jnp.asarray(batch["image"]))}
        if classes:
            rows["label"] = jnp.asarray(batch["label"])
        # Rows of one update are two apart, however many devices share them.
        rows = {n: a.reshape(-1, 2, *a.shape[1:]) for n, a in rows.items()}
        firsts, seconds = ({n: a[:, i] for n, a in rows.items()} for i in range(2))
        share = state.step / decay
        gamma, p = model.gamma.at(share), model.strength.at(share)
        making, judging = (iterated(state.players[n]) for n in ("generator", "discriminator"))

        def discriminate(params: Params) -> Any:
            real, labels, now = firsts["image"], firsts.get("label"), (key, 0, p)
            latents = latents_for(labels, real.shape[0], key, 0)
            made, _ = networks.generator(making.variables, latents, rng.role_key(key, "dropout", 0))
            fake = jax.lax.stop_gradient(made)
            on_real, after = judge(judging, params, real, labels, "real", now)
            judged = judging.replace(model_state=after)
            on_fake, after = judge(judged, params, fake, labels, "fake", now)

            def slopes(images: Any, role: str) -> Any:
                def critic(images: Any) -> Verdict:
                    return judge(judging, params, images, labels, role, now)[0]

                return squared_slopes(critic, images)

            r1, r2 = (0.5 * gamma * slopes(*of) for of in ((real, "real"), (fake, "fake")))
            values = LOSS.discriminator(real=on_real.logits, fake=on_fake.logits) + r1 + r2
            metrics = {
                "loss/discriminator": jnp.mean(values),
                "logits/real": jnp.mean(on_real.logits),
                "logits/fake": jnp.mean(on_fake.logits),
                "penalty/r1": jnp.mean(r1),
                "penalty/r2": jnp.mean(r2),
            }
            return metrics["loss/discriminator"], (after, metrics)

        slopes, (after, metrics) = jax.grad(discriminate, has_aux=True)(judging.params)
        slopes = over.mean(slopes)
        metrics |= apply.gradient_norm("discriminator", slopes)
        judging = judging.update(optimizers["discriminator"], slopes, after)

        def generate(params: Params) -> Any:
            real, labels, now = seconds["image"], seconds.get("label"), (key, 1, p)
            latents = latents_for(labels, real.shape[0], key, 1)
            variables = {**making.variables, "params": params}
            fake, after = networks.generator(variables, latents, rng.role_key(key, "dropout", 1))
            on_real, on_fake = (
                judge(judging, judging.params, images, labels, role, now)[0]
                for images, role in ((real, "real"), (fake, "fake"))
            )
            value = jnp.mean(LOSS.generator(real=on_real.logits, fake=on_fake.logits))
            return value, (after, {"loss/generator": value})

        slopes, (after, more) = jax.grad(generate, has_aux=True)(making.params)
        slopes = over.mean(slopes)
        metrics |= more | apply.gradient_norm("generator", slopes)
        making = making.update(optimizers["generator"], slopes, after)
        half_life = model.half_life.at(share)
        average = averaged(
            state.ema["generator"], making.variables, experiment.batch_size / half_life
        )
        known = {"gamma": gamma, "p": p, "half_life": half_life}
        for player, one in (("g", model.generator_optimizer), ("d", model.discriminator_optimizer)):
            if isinstance(one, CosineAdam):
                known[f"{player}_learning_rate"] = one.learning_rate.at(share)
                known[f"{player}_b2"] = one.b2.at(share)
        metrics |= {f"schedule/{name}": value for name, value in known.items()}
        new = state.replace(
            step=state.step + 1,
            players={"generator": making, "discriminator": judging},
            ema={"generator": average},
        )
        return new, over.mean(metrics)

    return algorithm._replace(phases=(base.Phase(experiment.steps, train_step),))


def averaged(average: Params, new: Params, half_lives: Any) -> Params:
    """An average that so many half-lives went by for; leaves that are no floats are copied.

    >>> float(averaged(jnp.float32(4.0), jnp.float32(8.0), 2.0))
    7.0

    Args:
        average: before.
        new: what it gets nearer to.
        half_lives: infinitely many leave ``new``.
    """
    # One minus the decay as such: in float32, 1 - 0.9999 would be off by 0.02 %.
    share = -jnp.expm1(-math.log(2.0) * half_lives)

    def mix(old: Any, fresh: Any) -> Any:
        if not jnp.issubdtype(fresh.dtype, jnp.floating):
            return fresh
        return (old + share * (fresh - old)).astype(old.dtype)

    return jax.tree.map(mix, average, new)
