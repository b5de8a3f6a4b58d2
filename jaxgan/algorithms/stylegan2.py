"""StyleGAN2 with adaptive discriminator augmentation (Karras et al. 2020, twice)."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

import flax.linen as nn

from jaxgan import rng
from jaxgan.algorithms import base, stylegan2_step
from jaxgan.algorithms.gan import Gan, gan
from jaxgan.algorithms.gan_game import Game, Networks
from jaxgan.algorithms.state import State
from jaxgan.algorithms.stylegan2_latents import Styled, style_sheets
from jaxgan.config import ConfigError, Experiment
from jaxgan.networks.style_levels import styles_of
from jaxgan.networks.stylegan2 import StyleImages
from jaxgan.objectives.gan.augmentations import Replacing
from jaxgan.objectives.gan.losses import NonSaturating
from jaxgan.objectives.gan.path_length import PathLength
from jaxgan.objectives.gan.penalties import R1, Penalty
from jaxgan.objectives.priors import Normal, Prior
from jaxgan.optim import Adam, Ema, Optimizer
from jaxgan.typing import Batch, Latents, Metrics, PRNGKey


def lazy(optimizer: Adam, every: int) -> Adam:
    """Adam for a player with one more update, for a regularizer, in each ``every`` steps.

    With c = k / (k + 1), as many updates as a step has without regularizers then have the effect
    that they had: the learning rate times c, and both decays to the power c.

    >>> lazy(Adam(learning_rate=2.5e-3, b1=0.0, b2=0.99), every=4).learning_rate
    0.002

    Args:
        optimizer: as it is without.
        every: steps from one regularization to the next (k).

    References:
        Karras et al., Analyzing and Improving the Image Quality of StyleGAN, 2020, appendix B.
    """
    c = every / (every + 1)
    rate, b1, b2 = optimizer.learning_rate * c, optimizer.b1**c, optimizer.b2**c
    return dataclasses.replace(optimizer, learning_rate=rate, b1=b1, b2=b2)


@dataclasses.dataclass(frozen=True)
class StyleGan2(Gan):
    """Settings of StyleGAN2: those of a GAN, path lengths and style mixing.

    Penalties are updates of their own here, and a step's order is another one than that of `Gan`:
    see `jaxgan.algorithms.stylegan2_step`. Optimizers are taken as they are (`lazy`).
    """

    family: ClassVar[str] = "GAN"

    generator: nn.Module
    """`jaxgan.networks.stylegan2.StyleGan2Generator`, or its sibling with labels."""
    generator_optimizer: Optimizer = lazy(Adam(learning_rate=2.5e-3, b1=0.0, b2=0.99), 4)
    """Optimizer of the generator."""
    discriminator_optimizer: Optimizer = lazy(Adam(learning_rate=2.5e-3, b1=0.0, b2=0.99), 16)
    """Optimizer of the discriminator."""
    prior: Prior = Normal(512)
    """Distribution of latents; one with labels makes both players conditional."""
    penalties: tuple[Penalty, ...] = (R1(every=16),)
    """Of the discriminator, each in updates of its own."""
    path_lengths: tuple[PathLength, ...] = (PathLength(),)
    """Regularizer of the generator, in updates of its own; one at most."""
    mixing: float | None = 0.9
    """Share of batches in which styles from a random layer on are other latents'; None: no batch
    has any."""
    ema: Ema = Ema()
    """Average of the generator's weights that is evaluated; the mean of w is copied."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check(self)

    def objective(self) -> str:
        """As that of `Gan`, with path lengths and mixing."""
        said = [f"path length every {one.every}" for one in self.path_lengths]
        mixed = [] if self.mixing is None else [f"styles mixed at {self.mixing}"]
        return ", ".join([super().objective(), *said, *mixed])

    def build(self, experiment: Experiment, *, axis_name: str | None = None) -> base.Algorithm:
        """See `stylegan2`."""
        return stylegan2(experiment, self, axis_name=axis_name)


def check(model: StyleGan2) -> None:
    """Refuses parts of a GAN that StyleGAN2's step has no place for.

    Raises:
        ConfigError: names the part.
    """
    if not isinstance(model.generator, StyleImages):
        raise ConfigError(
            f"the generator, {type(model.generator).__name__}, has no styles: use"
            " StyleGan2Generator or LabelledStyleGan2Generator"
        )
    if not isinstance(model.loss, NonSaturating):
        raise ConfigError(f"StyleGAN2 has the non-saturating loss, not {type(model.loss).__name__}")
    if len(model.path_lengths) > 1:
        raise ConfigError("two path length regularizers would be logged under one name: keep one")
    mixing = model.mixing
    if isinstance(mixing, int | float) and not 0.0 <= mixing <= 1.0:
        raise ConfigError(f"mixing = {mixing}: must be between 0 and 1")
    parts = {
        "n_critic": model.n_critic > 1,
        "pack": model.pack > 1,
        "unrolled_steps": model.unrolled_steps > 0,
        "diagnostics": model.diagnostics,
        "constraints": bool(model.constraints),
        "auxiliaries": bool(model.auxiliaries),
        "generator_penalties": bool(model.generator_penalties),
    }
    if asked := [name for name, is_there in parts.items() if is_there]:
        raise ConfigError(f"StyleGAN2's step has no {asked[0]}: leave it as it is by default")
    if replacing := [one for one in model.augmentations if isinstance(one, Replacing)]:
        name = type(replacing[0]).__name__
        raise ConfigError(f"StyleGAN2's step shows no generated images as real ones: no {name}")


def updates_of(steps: int, regularizers: tuple[Any, ...]) -> int:
    """Updates that a player makes in so many steps, those of its regularizers included."""
    return steps + sum(-(-steps // one.every) for one in regularizers)


def stylegan2(
    experiment: Experiment, model: StyleGan2, *, axis_name: str | None = None
) -> base.Algorithm:
    """The algorithm of StyleGAN2: that of `jaxgan.algorithms.gan.gan` with another step.

    Latents of samples are those of `Styled`, so that truncation is in w.

    Args:
        experiment: as in `jaxgan.algorithms.gan.gan`.
        model: settings.
        axis_name: mapped axis over which the batch is sharded; None on one device.

    Raises:
        ConfigError: as that does, or the data has no images.
    """
    data, prior = experiment.data, model.prior
    if data.dtype != "uint8":
        raise ConfigError("StyleGAN2 is for images, and these are points")
    # Samples' latents say how their styles are made; those of training are the prior's own.
    sampled = dataclasses.replace(model, prior=Styled(prior))
    algorithm = gan(experiment, sampled, axis_name=axis_name)
    generation = algorithm.generation
    assert generation is not None
    classes = base.classes_of(data) if prior.conditional else 0
    networks = Networks(model.generator, model.discriminator, data.image_shape, classes, axis_name)
    regularizers = {"generator": model.path_lengths, "discriminator": model.penalties}
    optimizers = {
        player: optimizer.build(updates_of(experiment.steps, regularizers[player]))
        for player, (optimizer, _) in model.optimizers.items()
    }

    def draw(key: PRNGKey, count: int, axis: str | None = None) -> Latents:
        return rng.per_example(lambda k: prior.draw(k, classes), key, count, axis)

    game = Game(model, networks, optimizers, draw, experiment.batch_size)

    def init(key: PRNGKey, batch: Batch) -> State:
        state = algorithm.init(key, batch)
        own = tuple(one.init() for one in model.path_lengths)
        return state.replace(extras={**state.extras, "path_lengths": own})

    def train_step(state: State, batch: Batch, key: PRNGKey) -> tuple[State, Metrics]:
        return stylegan2_step.train_step(game, state, batch, key)

    def sheets(key: PRNGKey) -> dict[str, base.Sheet]:
        more = style_sheets(generation.prior, styles_of(data.image_shape), key)
        return {**generation.sheets(key), **more}

    # What is mixed in by no share has no slope, and train mode would draw other noise maps.
    shown = generation._replace(gradients=False, normalized=None, sheets=sheets)
    return algorithm._replace(
        init=init, phases=(base.Phase(experiment.steps, train_step),), generation=shown
    )
