"""Generative adversarial networks (Goodfellow et al. 2014) by parts, which are values."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgan import rng
from jaxgan.algorithms import apply, base, gan_checks, gan_step
from jaxgan.algorithms.gan_game import Game, Networks
from jaxgan.algorithms.gan_parts import packed
from jaxgan.algorithms.sheets import sheets_of
from jaxgan.algorithms.state import State, new_player, new_state
from jaxgan.config import Experiment, Model, describe
from jaxgan.objectives.gan.augmentations import Augmentation
from jaxgan.objectives.gan.auxiliaries import Auxiliary
from jaxgan.objectives.gan.constraints import Constraint
from jaxgan.objectives.gan.generator_penalties import GeneratorPenalty
from jaxgan.objectives.gan.losses import GanLoss, NonSaturating, StatefulLoss, read
from jaxgan.objectives.gan.penalties import Penalty
from jaxgan.objectives.priors import Normal, Prior
from jaxgan.optim import Adam, Ema, Optimizer
from jaxgan.typing import Batch, Latents, Metrics, Params, Pixels, PRNGKey, Sums


@dataclasses.dataclass(frozen=True)
class Gan(Model):
    """Settings of a GAN. What is not there is left out of a tuple."""

    family: ClassVar[str] = "GAN"

    generator: nn.Module
    """Network from latents to images."""
    discriminator: nn.Module
    """Network from images to one logit each, or to a `jaxgan.objectives.gan.verdict.Verdict`."""
    loss: GanLoss = NonSaturating()
    """Adversarial loss of both players."""
    generator_optimizer: Optimizer = Adam()
    """Optimizer of the generator."""
    discriminator_optimizer: Optimizer = Adam()
    """Optimizer of the discriminator."""
    prior: Prior = Normal()
    """Distribution of latents; one with labels makes both players conditional."""
    n_critic: int = 1
    """Discriminator updates before each generator update, each on its own real batch."""
    penalties: tuple[Penalty, ...] = ()
    """Added to the discriminator's loss, such as a gradient penalty (WGAN-GP) or R1."""
    constraints: tuple[Constraint, ...] = ()
    """Put on the discriminator's parameters after each update, such as clipping (WGAN)."""
    auxiliaries: tuple[Auxiliary, ...] = ()
    """Added to both players' losses, such as an auxiliary classifier (AC-GAN)."""
    augmentations: tuple[Augmentation, ...] = ()
    """Of real and generated images alike, before the discriminator sees them."""
    diagnostics: bool = False
    """Whether steps log ``diagnostics/``, which tell how training goes. Gap and sign of the logits,
    slope of the discriminator, sizes of updates, variety of generated images."""
    ema: Ema = Ema()
    """Average of the generator's weights that is evaluated."""
    generator_penalties: tuple[GeneratorPenalty, ...] = ()
    """Added to the generator's loss, such as gradient regularization or consensus optimization."""
    pack: int = 1
    """Images that the discriminator judges together, side by side in channels (PacGAN)."""
    unrolled_steps: int = 0
    """Updates of the discriminator that the generator looks ahead, and learns through (unrolled
    GAN)."""

    def __post_init__(self) -> None:
        gan_checks.check_model(self)

    @property
    def batches_per_step(self) -> int:
        """One real batch for each discriminator update."""
        return self.n_critic

    @property
    def optimizers(self) -> dict[str, tuple[Optimizer, int]]:
        """The discriminator's makes ``n_critic`` updates a step."""
        rest = {"discriminator": (self.discriminator_optimizer, self.n_critic)}
        return {"generator": (self.generator_optimizer, 1), **rest}

    def objective(self) -> str:
        """``Wasserstein(), 5 critic updates a step, Clip()``."""
        said = {
            f"{self.n_critic} critic updates a step": self.n_critic > 1,
            f"packs of {self.pack}": self.pack > 1,
            f"{self.unrolled_steps} unrolled steps": self.unrolled_steps > 0,
        }
        parts = (
            *self.penalties, *self.generator_penalties, *self.constraints, *self.auxiliaries,
            *self.augmentations,
        )  # fmt: skip
        labels = ["conditional"] if self.prior.conditional else []
        numbers = [what for what, holds in said.items() if holds]
        return ", ".join([describe(self.loss), *numbers, *map(describe, parts), *labels])

    def warnings(self) -> tuple[str, ...]:
        """See `jaxgan.algorithms.gan_checks.warnings`."""
        return gan_checks.warnings(self)

    def build(self, experiment: Experiment, *, axis_name: str | None = None) -> base.Algorithm:
        """See `gan`."""
        return gan(experiment, self, axis_name=axis_name)


def gan(experiment: Experiment, model: Gan, *, axis_name: str | None = None) -> base.Algorithm:
    """The algorithm of a GAN.

    One step is ``n_critic`` discriminator updates, each on its own real batch and fresh latents,
    and then one generator update. As in the reference code of DCGAN, the generator's update sees
    the fakes of the last discriminator update, so they are made only once.

    Args:
        experiment: the images' shape and classes in ``experiment.data``, the number of steps.
        model: networks, loss and optimizers.
        axis_name: mapped axis over which the batch is sharded; None on one device.

    Raises:
        ConfigError: labels are wanted, and the data's classes are not said; the data or the batch
            does not suit the parts.
    """
    data, prior = experiment.data, model.prior
    is_image = data.dtype == "uint8"
    game = game_of(experiment, model, axis_name=axis_name)
    networks, classes = game.networks, game.networks.classes

    def draw(key: PRNGKey, count: int) -> Latents:
        return game.draw(key, count, None)

    def init(key: PRNGKey, batch: Batch) -> State:
        images = apply.to_symmetric(jnp.asarray(batch["image"])[:1])
        latents = jax.tree.map(jnp.zeros_like, draw(key, 1))
        seen = jnp.concatenate([images] * model.pack, axis=-1)
        given = (seen, networks.labels_of(latents)) if classes else (seen,)
        making = apply.initial(
            "generator", model.generator, key, latents, prefix="generator-",
            image_shape=data.image_shape, **networks.labelled,
        )  # fmt: skip
        judging = apply.initial(
            "discriminator", model.discriminator, key, *given, prefix="discriminator-",
            **networks.labelled,
        )  # fmt: skip
        players = {
            "generator": new_player(making, game.optimizers["generator"]),
            "discriminator": new_player(judging, game.optimizers["discriminator"]),
        }
        extras: dict[str, Any] = {
            "penalties": tuple(penalty.init() for penalty in model.penalties),
            "augmentations": tuple(one.init() for one in model.augmentations),
        }
        if model.generator_penalties:
            extras["generator_penalties"] = tuple(one.init() for one in model.generator_penalties)
        if isinstance(model.loss, StatefulLoss):
            extras["loss"] = model.loss.init()
        if model.diagnostics:
            extras["slope"] = jnp.zeros(())
        return new_state(players, averaged=("generator",), extras=extras)

    def train_step(state: State, batch: Batch, key: PRNGKey) -> tuple[State, Metrics]:
        return gan_step.train_step(game, state, batch, key)

    def in_range(images: Any) -> Any:
        return apply.to_unit(images) if is_image else images

    def pixels(state: State, latents: Latents) -> Pixels:
        return in_range(networks.generator(state.evaluated("generator"), latents, train=False)[0])

    def normalized(
        state: State, latents: Latents, key: PRNGKey
    ) -> tuple[Pixels, dict[str, Params]]:
        images, found = apply.batch_statistics(
            lambda variables: networks.generator(variables, latents, key),
            state.evaluated("generator"),
        )
        return in_range(images), {"generator": found}

    def evaluate(state: State, batch: Batch, key: PRNGKey) -> Sums:
        real = apply.to_symmetric(jnp.asarray(batch["image"]))
        latents = draw(key, real.shape[0])
        fake = pixels(state, latents)
        # Fakes pass through eight bits, as the real images did.
        fake = apply.to_symmetric(apply.quantized(fake)) if is_image else fake
        judging = state.players["discriminator"].variables
        labels = jnp.asarray(batch["label"]) if classes else None
        # A pack counts where all of its images do; what is left over of a batch is no pack.
        whole = real.shape[0] // model.pack * model.pack
        mask = jnp.asarray(batch.get("mask", jnp.ones(real.shape[0])))[:whole]
        mask = jnp.min(mask.reshape(-1, model.pack), axis=1)
        real, fake = packed(real[:whole], model.pack), packed(fake[:whole], model.pack)
        of_real, _ = networks.discriminator(judging, real, labels, train=False)
        of_fake, _ = networks.discriminator(judging, fake, networks.labels_of(latents), train=False)
        loss = model.loss
        loss = loss.at(state.extras["loss"]) if isinstance(loss, StatefulLoss) else loss
        correct = loss.correct(real=read(loss, of_real), fake=read(loss, of_fake))
        values = {f"discriminator_{name}": value for name, value in correct.items()}
        trials = {"discriminator_accuracy": 2}  # real and fake
        return apply.sums_of_shares(values, {"mask": mask}, trials)

    generation = base.Generation(
        draw, pixels, normalized, project=prior.project, between=prior.between,
        truncate=prior.truncate if prior.truncates else None,
        sheets=lambda key: sheets_of(prior, data.classes, draw, key),
    )  # fmt: skip
    return base.Algorithm(
        init,
        (base.Phase(experiment.steps, train_step),),
        evaluate,
        base.with_label(generation) if classes else generation,
    )


def game_of(experiment: Experiment, model: Gan, *, axis_name: str | None = None) -> Game:
    """What does not change from step to step, for train steps that are not `gan`'s own.

    Args:
        experiment: as of `gan`.
        model: as of `gan`.
        axis_name: as of `gan`.

    Raises:
        ConfigError: as of `gan`.
    """
    data, prior = experiment.data, model.prior
    classes = base.classes_of(data) if prior.conditional else 0
    gan_checks.check_experiment(experiment, model)

    def draw(key: PRNGKey, count: int, axis: str | None = None) -> Latents:
        return rng.per_example(lambda k: prior.draw(k, classes), key, count, axis)

    return Game(
        model,
        Networks(model.generator, model.discriminator, data.image_shape, classes, axis_name),
        {
            "generator": model.generator_optimizer.build(experiment.steps),
            "discriminator": model.discriminator_optimizer.build(experiment.steps * model.n_critic),
        },
        draw,
        experiment.batch_size,
    )
