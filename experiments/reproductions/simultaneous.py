"""A GAN whose players move at once, as the code of PacGAN's mixtures of Gaussians trains it.

`jaxgan.algorithms.gan.Gan` moves the discriminator first, and the generator against what that has
become. Here both gradients are taken where both players stood. Training batches are packs that were
made beforehand, instead of images that are packed in the step.
"""

from __future__ import annotations

import dataclasses
import functools

import flax.linen as nn
import jax.numpy as jnp

from jaxgan import rng
from jaxgan.algorithms import base, gan_generator, gan_step
from jaxgan.algorithms.gan import Gan
from jaxgan.algorithms.gan_game import Game, Networks
from jaxgan.algorithms.gan_parts import unpacked
from jaxgan.algorithms.state import State
from jaxgan.config import Experiment
from jaxgan.networks.mlp import MlpGenerator
from jaxgan.typing import Batch, ImageShape, Latents, Metrics, Pixels, PRNGKey


class Passes(nn.Module):
    """A generator that makes each part of all packs in a pass of its own.

    Batch normalization takes each pass by itself, so that a batch is as large as without packing.
    """

    generator: MlpGenerator
    count: int
    """Images a pack."""

    def __call__(
        self, latent: Latents, *, image_shape: ImageShape, train: bool, axis_name: str | None = None
    ) -> Pixels:
        """Images ``(batch, *image_shape)``; those of one pack follow each other."""
        make = functools.partial(
            self.generator, image_shape=image_shape, train=train, axis_name=axis_name
        )
        if not train:
            return make(latent)
        parts = [make(latent[part :: self.count]) for part in range(self.count)]
        return jnp.stack(parts, axis=1).reshape(-1, *image_shape)


@dataclasses.dataclass(frozen=True)
class Simultaneous(Gan):
    """A GAN whose players move at once. An experiment's batch size is of packs.

    Averages of weights stay what they were at first: measure ``state.raw``.
    """

    def build(self, experiment: Experiment, *, axis_name: str | None = None) -> base.Algorithm:
        """As `Gan.build`, with `step` for its train step.

        Raises:
            ConfigError: the data or the batch does not suit the parts.
        """
        images = dataclasses.replace(experiment, batch_size=experiment.batch_size * self.pack)
        algorithm = super().build(images, axis_name=axis_name)

        def draw(key: PRNGKey, count: int, axis: str | None = None) -> Latents:
            return rng.per_example(lambda one: self.prior.draw(one, 0), key, count, axis)

        game = Game(
            self,
            Networks(
                self.generator, self.discriminator, experiment.data.image_shape, 0, axis_name
            ),
            {
                "generator": self.generator_optimizer.build(experiment.steps),
                "discriminator": self.discriminator_optimizer.build(experiment.steps),
            },
            draw,
            images.batch_size,
        )  # fmt: skip
        phase = base.Phase(experiment.steps, functools.partial(step, game))
        return algorithm._replace(phases=(phase,))


def step(game: Game, state: State, batch: Batch, key: PRNGKey) -> tuple[State, Metrics]:
    """Both players' updates, each against what the other was before.

    Args:
        game: the settings.
        state: before the step.
        batch: packs, ``image`` ``(batch, height, width, pack * channels)``.
        key: of the step.
    """
    making, judging = state.players["generator"], state.players["discriminator"]
    own = {"image": unpacked(jnp.asarray(batch["image"]), game.model.pack)}
    judged, extras, last = gan_step.discriminate(game, state, judging, state.extras, own, key, 0)
    # Not `judged`: that would be one after the other.
    made, extras, more = gan_generator.generate(
        game, making, judging, extras, last, key, state.step
    )
    players = {"generator": made, "discriminator": judged}
    new = state.replace(step=state.step + 1, players=players, extras=extras)
    return new, last.metrics | more
