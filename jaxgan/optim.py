"""Optimizers, learning-rate schedules and weight averages, as plain values.

Values print, compare and go to JSON; ``build`` turns one into an optax transformation.

>>> sgd = Sgd(learning_rate=0.5, clip_norm=1.0).build(total_updates=100)
>>> gradient = jnp.array([0.0, 4.0])
>>> updates, state = sgd.update(gradient, sgd.init(gradient))
>>> updates.tolist()
[-0.0, -0.5]
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any, Literal, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Int

from jaxgan.typing import Params, Scalar


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)


def _check_fractions(value: object, *names: str) -> None:
    """Raises unless the fields named are at least 0 and below 1."""
    for name in names:
        number = getattr(value, name)
        _require(0.0 <= number < 1.0, f"{name} = {number}: must be at least 0 and below 1")


_DECAYS = {  # from the first update to the last, which are so many apart
    "constant": lambda peak, apart, final: optax.constant_schedule(peak),
    "linear": lambda peak, apart, final: optax.linear_schedule(peak, peak * final, apart),
    "cosine": lambda peak, apart, final: optax.cosine_decay_schedule(peak, apart, alpha=final),
}


@dataclasses.dataclass(frozen=True)
class Schedule:
    """How the learning rate changes: up to its peak, then down.

    Update ``t`` (from 0) of a warm-up of W has the rate ``peak t / W``. After it the rate stays
    (constant), or falls to ``final_fraction`` of its peak at the last update, which is number
    ``total_updates - 1``, on a line or on half a cosine wave (Loshchilov and Hutter, SGDR, 2017,
    eq. 5). Where only one update is left, it has the peak.

    >>> rate = Schedule("linear", final_fraction=0.5, warmup_steps=10).build(1.0, total_updates=31)
    >>> [float(rate(t)) for t in (0, 5, 10, 20, 30)]
    [0.0, 0.5, 1.0, 0.75, 0.5]
    """

    kind: Literal["constant", "linear", "cosine"] = "constant"
    """Shape of the decay."""
    final_fraction: float = 0.0
    """Learning rate of the last update, as a fraction of its peak; constant schedules have none."""
    warmup_steps: int = 0
    """Updates over which the rate first rises from 0; 0: none."""

    def __post_init__(self) -> None:
        _require(self.kind in _DECAYS, f"kind = {self.kind!r}: must be one of {', '.join(_DECAYS)}")
        _require(
            0.0 <= self.final_fraction <= 1.0,
            f"final_fraction = {self.final_fraction}: must be between 0 and 1",
        )
        _require(self.warmup_steps >= 0, f"warmup_steps = {self.warmup_steps}: must be at least 0")

    def build(self, peak: float | Scalar, total_updates: int) -> optax.Schedule:
        """The learning rate as a function of the number of updates done.

        Args:
            peak: the highest rate.
            total_updates: updates from first to last, warm-up included.

        Raises:
            ValueError: when the warm-up leaves no update.
        """
        updates = total_updates - self.warmup_steps
        _require(
            updates > 0,
            f"warmup_steps = {self.warmup_steps} with {total_updates} updates in all: the warm-up"
            " must end before the training does",
        )
        decay = _DECAYS[self.kind](peak, max(updates - 1, 1), self.final_fraction)
        if not self.warmup_steps:
            return decay
        warmup = optax.linear_schedule(0.0, peak, self.warmup_steps)
        return optax.join_schedules([warmup, decay], [self.warmup_steps])


@runtime_checkable
class Optimizer(Protocol):
    """What an algorithm asks of an optimizer's value."""

    def build(self, total_updates: int) -> optax.GradientTransformation:
        """The transformation from gradients to updates, for so many updates in all."""
        ...


def _check_rates(value: Adam | RmsProp | Sgd) -> None:
    """Raises unless the fields that all optimizers have are sound."""
    rate, norm = value.learning_rate, value.clip_norm
    _require(0.0 <= rate < math.inf, f"learning_rate = {rate}: must be at least 0 and finite")
    _require(norm is None or norm > 0.0, f"clip_norm = {norm}: must be positive, or None")


def _clipped(update: optax.GradientTransformation, clip_norm: Any) -> optax.GradientTransformation:
    """Clips gradients to a global norm before anything else sees them."""
    if clip_norm is None:
        return update
    return optax.chain(optax.clip_by_global_norm(clip_norm), update)


def _through_roots(update: optax.GradientTransformation) -> optax.GradientTransformation:
    """An update by roots of mean squares that can be differentiated; bit for bit the same.

    A root's slope at 0 (a unit that no example reaches) is infinite: such gradients are constants.
    """

    def still(gradient: Any) -> Any:
        return jnp.where(jnp.abs(gradient) < 1e-15, jax.lax.stop_gradient(gradient), gradient)

    def apply(updates: Any, state: Any, params: Any = None) -> Any:
        return update.update(jax.tree.map(still, updates), state, params)

    return optax.GradientTransformation(update.init, apply)


@dataclasses.dataclass(frozen=True)
class Adam:
    """Adam (Kingma and Ba 2015, algorithm 1), with the settings of DCGAN (Radford et al. 2016)."""

    learning_rate: float = 2e-4
    """Peak learning rate."""
    b1: float = 0.5
    """Decay of the mean of gradients."""
    b2: float = 0.999
    """Decay of the mean of squared gradients."""
    eps: float = 1e-8
    """Added to the root of the mean square."""
    schedule: Schedule = Schedule()
    """Course of the learning rate."""
    clip_norm: float | None = None
    """Largest global norm of a gradient; None: any."""

    def __post_init__(self) -> None:
        _check_rates(self)
        _check_fractions(self, "b1", "b2")
        _require(self.eps > 0.0, f"eps = {self.eps}: must be positive")

    def build(self, total_updates: int) -> optax.GradientTransformation:
        """See `Optimizer.build`."""
        rate = self.schedule.build(self.learning_rate, total_updates)
        update = optax.adam(rate, self.b1, self.b2, self.eps)
        return _clipped(_through_roots(update), self.clip_norm)


@dataclasses.dataclass(frozen=True)
class AdamW(Adam):
    """`Adam` with weight decay apart from the gradient (Loshchilov and Hutter 2019, algorithm 2).

    A weight ``w`` also loses ``rate weight_decay w`` in each update, where the rate is that of the
    schedule, as in PyTorch. All weights decay, those of biases and normalization too.
    """

    weight_decay: float = 0.01
    """Factor of the weights themselves (lambda); 0.01 in PyTorch."""

    def __post_init__(self) -> None:
        super().__post_init__()
        decay = self.weight_decay
        _require(0.0 <= decay < math.inf, f"weight_decay = {decay}: must be at least 0 and finite")

    def build(self, total_updates: int) -> optax.GradientTransformation:
        """See `Optimizer.build`."""
        rate = self.schedule.build(self.learning_rate, total_updates)
        update = optax.adamw(rate, self.b1, self.b2, self.eps, weight_decay=self.weight_decay)
        return _clipped(_through_roots(update), self.clip_norm)


@dataclasses.dataclass(frozen=True)
class RmsProp:
    """RMSProp (Tieleman and Hinton 2012), with the learning rate of WGAN (Arjovsky et al. 2017).

    ``eps`` is added outside the root, as in PyTorch, which the code of WGAN runs on.
    """

    learning_rate: float = 5e-5
    """Peak learning rate."""
    decay: float = 0.9
    """Decay of the mean of squared gradients."""
    eps: float = 1e-8
    """Added to the root of the mean square."""
    schedule: Schedule = Schedule()
    """Course of the learning rate."""
    clip_norm: float | None = None
    """Largest global norm of a gradient; None: any."""

    def __post_init__(self) -> None:
        _check_rates(self)
        _check_fractions(self, "decay")
        _require(self.eps > 0.0, f"eps = {self.eps}: must be positive")

    def build(self, total_updates: int) -> optax.GradientTransformation:
        """See `Optimizer.build`."""
        rate = self.schedule.build(self.learning_rate, total_updates)
        update = optax.rmsprop(rate, self.decay, self.eps, eps_in_sqrt=False)
        return _clipped(_through_roots(update), self.clip_norm)


@dataclasses.dataclass(frozen=True)
class Sgd:
    """Gradient descent, with heavy-ball momentum where asked (Polyak 1964)."""

    learning_rate: float = 1e-2
    """Peak learning rate."""
    momentum: float = 0.0
    """Fraction of the last update's direction that is kept; 0: none."""
    schedule: Schedule = Schedule()
    """Course of the learning rate."""
    clip_norm: float | None = None
    """Largest global norm of a gradient; None: any."""

    def __post_init__(self) -> None:
        _check_rates(self)
        _check_fractions(self, "momentum")

    def build(self, total_updates: int) -> optax.GradientTransformation:
        """See `Optimizer.build`."""
        rate = self.schedule.build(self.learning_rate, total_updates)
        # Without momentum no updates are kept. One that members of a population differ in is not 0.
        kept = self.momentum if isinstance(self.momentum, jax.Array) else self.momentum or None
        return _clipped(optax.sgd(rate, kept), self.clip_norm)


@dataclasses.dataclass(frozen=True)
class Ema:
    """Exponential moving average of weights; what is evaluated.

    >>> import jax.numpy as jnp
    >>> old, new = {"w": jnp.array(4.0)}, {"w": jnp.array(8.0)}
    >>> float(Ema(decay=0.75, warmup=False).update(old, new, step=0)["w"])
    5.0
    """

    decay: float = 0.999
    """Fraction of the average that one step keeps; 0: no averaging."""
    warmup: bool = True
    """Forget faster early: step t keeps at most (1 + t) / (10 + t)."""
    start: int = 0
    """Steps over which the average is the weights themselves, such as BigGAN's first 20,000."""

    def __post_init__(self) -> None:
        _check_fractions(self, "decay")
        _require(self.start >= 0, f"start = {self.start}: must be at least 0")

    @classmethod
    def from_half_life(cls, images: int | float, batch_size: int, *, warmup: bool = True) -> Ema:
        """The average in which a weight's share halves with every so many images seen.

        Args:
            images: half-life, in real images (Karras et al. 2020 use 10,000 with batch 32).
            batch_size: images a step.
            warmup: see the field.

        Raises:
            ValueError: when either number is not positive.
        """
        _require(images > 0, f"images = {images}: a half-life is positive")
        _require(batch_size > 0, f"batch_size = {batch_size}: must be positive")
        return cls(decay=0.5 ** (batch_size / images), warmup=warmup)

    def update(self, average: Params, new: Params, step: int | Int[Array, ""]) -> Params:
        """The average after one more step.

        Args:
            average: average so far.
            new: what to take into it; same structure. Leaves that are no floats are copied.
            step: steps done before this one.
        """
        # One minus the decay is computed as such: in float32, 1 - 0.9999 would be off by 0.02 %.
        share = 1.0 - self.decay
        if self.warmup:
            share = jnp.maximum(share, 9 / (10 + jnp.asarray(step)))
        if self.start:
            share = jnp.where(jnp.asarray(step) < self.start, 1.0, share)

        def mix(old: Any, fresh: Any) -> Any:
            if not jnp.issubdtype(fresh.dtype, jnp.floating):
                return fresh
            # In this form an average of equal weights stays exactly what it is.
            return (old + share * (fresh - old)).astype(old.dtype)

        return jax.tree.map(mix, average, new)
