"""A weight of the KL that rises again and again."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any, ClassVar

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from jaxgan.typing import Scalar


@dataclasses.dataclass(frozen=True)
class Cyclical:
    """In each cycle the weight rises linearly from 0, and then stays; after the last, it stays.

    >>> [float(Cyclical(cycle_steps=100, cycles=2).at(t)) for t in (25, 50, 99, 100, 125, 200)]
    [0.5, 1.0, 1.0, 0.0, 0.5, 1.0]

    References:
        Fu et al., Cyclical Annealing Schedule: A Simple Approach to Mitigating KL Vanishing, 2019
        (their linear schedule, M cycles and R).
    """

    linear: ClassVar[bool] = True

    value: float = 1.0
    """Weight in the rest of a cycle."""
    cycle_steps: int = 1000
    """Length of a cycle."""
    cycles: int = 4
    """Their number; the paper's 4 fill the whole training."""
    rising: float = 0.5
    """Share of a cycle in which the weight rises; the paper's R."""

    def __post_init__(self) -> None:
        if not 0.0 < self.value < math.inf:
            raise ValueError(f"value = {self.value}: a weight that rises is above 0 and finite")
        for name in ("cycle_steps", "cycles"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} = {getattr(self, name)}: must be at least 1")
        if not 0.0 < self.rising <= 1.0:
            raise ValueError(f"rising = {self.rising}: must be above 0 and at most 1")

    def at(self, step: int | Int[Array, ""]) -> Scalar:
        """The weight of the step that comes after ``step`` others."""
        step = jnp.asarray(step)
        progress = step % self.cycle_steps / (self.cycle_steps * self.rising)
        over = step >= self.cycles * self.cycle_steps
        return self.value * jnp.where(over, 1.0, jnp.minimum(progress, 1.0))

    def mark(self) -> str:
        """``beta = 1 in 4 cycles``."""
        return f"beta = {self.value:g} in {self.cycles} cycles"

    def __call__(
        self,
        kl: Float[Array, "rows groups"],
        *,
        step: int | Int[Array, ""],
        mean: Callable[[Any], Any],
    ) -> Float[Array, "rows"]:
        """The weight of this step times the KL."""
        del mean
        return self.at(step) * jnp.sum(kl, axis=-1)
