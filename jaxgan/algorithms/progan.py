"""Progressive growing of GANs (Karras et al. 2018): a plain GAN in phases, whose levels fade in."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgan.algorithms import apply, base, gan_step
from jaxgan.algorithms.gan import Gan, game_of, gan
from jaxgan.algorithms.state import State
from jaxgan.config import ConfigError, Experiment
from jaxgan.networks.layers.growth import enlarged, faded, shrunk
from jaxgan.networks.progan import ProganDiscriminator, ProganGenerator, level_sizes
from jaxgan.objectives.gan.drift import Drift
from jaxgan.objectives.gan.losses import GanLoss, Wasserstein
from jaxgan.objectives.gan.penalties import GradientPenalty, Penalty
from jaxgan.objectives.priors import Normal, Prior
from jaxgan.optim import Adam, Ema, Optimizer
from jaxgan.typing import Batch, Metrics, PRNGKey


class Stage(NamedTuple):
    """A stretch of training with one finest level.

    Attributes:
        start: steps done when it begins.
        end: steps done when it ends.
        level: the finest that takes part, at least in a share; 0 is the coarsest.
    """

    start: int
    end: int
    level: int


SLOW = Adam(learning_rate=1e-3, b1=0.0, b2=0.99)
"""Adam as the paper has it."""


@dataclasses.dataclass(frozen=True)
class ProGan(Gan):
    """Settings of a GAN that grows; the defaults are those of the paper.

    The coarsest level is trained for ``steady_kimg``, then the next fades in for ``fade_kimg``, and
    so on; the finest stays. How far a level takes part is a function of the images seen.

    Real images fade in with it: they are mixed with their own means over 2 x 2 pixels. Images of
    coarser levels are enlarged, so that both players see one size from the first step to the last,
    and lengths of gradients are those with respect to images of that size.

    Both optimizers start anew when a level begins to fade in and when it has.

    Unlike in the authors' code, the generator is updated with the latents that the discriminator's
    update had, as everywhere in `jaxgan.algorithms.gan`, and the average is taken after its update,
    not before; the batch and the learning rate stay the same at all levels; there are no labels.

    References:
        Karras et al., Progressive Growing of GANs for Improved Quality, Stability, and Variation,
        2018.
    """

    loss: GanLoss = Wasserstein()
    """Adversarial loss of both players."""
    generator_optimizer: Optimizer = SLOW
    """Optimizer of the generator."""
    discriminator_optimizer: Optimizer = SLOW
    """Optimizer of the discriminator."""
    prior: Prior = Normal(512)
    """Distribution of latents."""
    penalties: tuple[Penalty, ...] = (GradientPenalty(), Drift())
    """Added to the discriminator's loss."""
    ema: Ema = Ema(0.999, warmup=False)
    """Average of the generator's weights that is evaluated."""
    steady_kimg: float = 600.0
    """Thousands of real images between the end of a fade and the next one's start."""
    fade_kimg: float = 600.0
    """Thousands of real images in which a level fades in."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("steady_kimg", "fade_kimg"):
            if not 0.0 < (kimg := getattr(self, name)) < math.inf:
                raise ConfigError(f"{name} = {kimg}: must be positive and finite")
        for name, kind in (("generator", ProganGenerator), ("discriminator", ProganDiscriminator)):
            if not isinstance(network := getattr(self, name), kind):
                raise ConfigError(
                    f"the {name}, {type(network).__name__}, does not grow: give a {kind.__name__}"
                )
        if self.pack != 1:
            raise ConfigError(f"pack = {self.pack}: growing networks judge one image at a time")

    def levels_at(self, images: float | Array, count: int) -> Float[Array, ""]:
        """Levels that take part beside the coarsest, after so many images, of ``count`` in all.

        >>> model = ProGan(ProganGenerator(), ProganDiscriminator(), steady_kimg=2, fade_kimg=4)
        >>> [float(model.levels_at(1000.0 * n, 3)) for n in (1, 2, 3, 6, 7, 12, 90)]
        [0.0, 0.0, 0.25, 1.0, 1.0, 2.0, 2.0]
        """
        kimg, whole = images / 1000.0, self.steady_kimg + self.fade_kimg
        done = jnp.floor(kimg / whole)
        fading = jnp.maximum(kimg - done * whole - self.steady_kimg, 0.0) / self.fade_kimg
        return jnp.asarray(jnp.minimum(done + fading, count - 1), jnp.float32)

    def stages(self, experiment: Experiment) -> list[Stage]:
        """What is trained when, to the end of the experiment.

        Raises:
            ConfigError: a stage has no step, for it is shorter than the images of one.
        """
        images, whole = experiment.images_per_step, self.steady_kimg + self.fade_kimg
        starts = [(0, 0)]
        for level in range(1, len(level_sizes(experiment.data.image_shape))):
            grown = 1000.0 * level * whole
            begun = grown - 1000.0 * self.fade_kimg
            # A step belongs to where the images seen before it are: at the very start of a fade
            # nothing has faded in, at its end all has.
            starts += [(math.floor(begun / images) + 1, level), (math.ceil(grown / images), level)]
        ends = [start for start, _ in starts[1:]] + [math.inf]
        found = [
            Stage(start, int(min(end, experiment.steps)), level)
            for (start, level), end in zip(starts, ends, strict=True)
            if start < experiment.steps
        ]
        if empty := [one for one in found if one.start >= one.end]:
            raise ConfigError(
                f"level {empty[0].level} would be trained for no step: {images} images a step are"
                f" too many for steady_kimg = {self.steady_kimg}, fade_kimg = {self.fade_kimg}"
            )
        return found

    def build(self, experiment: Experiment, *, axis_name: str | None = None) -> base.Algorithm:
        """See `progan`."""
        return progan(experiment, self, axis_name=axis_name)


def progan(
    experiment: Experiment, model: ProGan, *, axis_name: str | None = None
) -> base.Algorithm:
    """The algorithm of progressive growing: `jaxgan.algorithms.gan.gan`, in phases.

    Each level has a train step that computes no finer ones, and that is compiled once for its fade
    and once for what comes after it. The state has all layers from the start.

    Args:
        experiment: the images' shape in ``experiment.data``, the number of steps.
        model: networks, loss, optimizers and durations.
        axis_name: mapped axis over which the batch is sharded; None on one device.

    Raises:
        ConfigError: as `jaxgan.algorithms.gan.gan`, a stage has no step, or the data has no images.
        ValueError: the images are not square.
    """
    if experiment.data.dtype != "uint8":
        raise ConfigError("progressive growing is for images, and these are points")
    algorithm = gan(experiment, model, axis_name=axis_name)
    game = game_of(experiment, model, axis_name=axis_name)
    sizes = level_sizes(experiment.data.image_shape)

    def init(key: PRNGKey, batch: Batch) -> State:
        return grown(algorithm.init(key, batch), jnp.zeros((), jnp.float32))

    def step_of(level: int) -> Any:
        making, judging = (
            network.clone(finest=level) for network in (model.generator, model.discriminator)
        )
        own = game._replace(networks=game.networks._replace(making=making, judging=judging))
        factor = sizes[-1] // sizes[level]

        def train_step(state: State, batch: Batch, key: PRNGKey) -> tuple[State, Metrics]:
            seen = state.step * jnp.float32(experiment.images_per_step)
            levels = model.levels_at(seen, len(sizes))
            images = apply.to_symmetric(jnp.asarray(batch["image"]))
            images = (
                faded(images, factor, levels - (level - 1))
                if level
                else enlarged(shrunk(images, factor), factor)
            )
            state, metrics = gan_step.train_step(
                own, grown(state, levels), {**batch, "image": images}, key
            )
            return state, {**metrics, "growth/levels": levels}

        return train_step

    def renewed(state: State) -> State:
        players = {n: p.renewed(game.optimizers[n]) for n, p in state.players.items()}
        return state.replace(players=players)

    phases = tuple(
        base.Phase(one.end, step_of(one.level), renewed if one.start else None)
        for one in model.stages(experiment)
    )
    return algorithm._replace(init=init, phases=phases)


def grown(state: State, levels: Any) -> State:
    """The state in which so many levels take part, in the players and in the average."""
    growth = {"growth": {"levels": levels}}
    players = {
        name: player.replace(model_state={**player.model_state, **growth})
        for name, player in state.players.items()
    }
    ema = {name: {**variables, **growth} for name, variables in state.ema.items()}
    return state.replace(players=players, ema=ema)
