"""A KL that is held at a capacity, which grows."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any, ClassVar

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from jaxgan.typing import Scalar


@dataclasses.dataclass(frozen=True)
class Capacity:
    """``weight |KL - C|`` of the whole batch's mean KL, with C rising linearly from 0.

    >>> float(Capacity(most=25.0, steps=100).at(40))
    10.0

    References:
        Burgess et al., Understanding Disentangling in beta-VAE, 2018, eq. 8. Their weight (gamma)
        is 1000, and C rises to 25 nats over 100,000 steps.
    """

    linear: ClassVar[bool] = False

    weight: float = 1000.0
    """Factor of the distance; the paper's gamma."""
    most: float = 25.0
    """Capacity at the end of the rise, in nats."""
    steps: int = 100_000
    """Steps over which it rises; 0: it is there from the start."""

    def __post_init__(self) -> None:
        for name in ("weight", "most"):
            if not 0.0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name} = {getattr(self, name)}: must be above 0 and finite")
        if self.steps < 0:
            raise ValueError(f"steps = {self.steps}: must be at least 0")

    def at(self, step: int | Int[Array, ""]) -> Scalar:
        """The capacity of the step that comes after ``step`` others, in nats."""
        progress = jnp.asarray(step) / self.steps if self.steps else jnp.ones(())
        return self.most * jnp.minimum(progress, 1.0)

    def mark(self) -> str:
        """``capacity 25``."""
        return f"capacity {self.most:g}"

    def __call__(
        self,
        kl: Float[Array, "rows groups"],
        *,
        step: int | Int[Array, ""],
        mean: Callable[[Any], Any],
    ) -> Float[Array, "rows"]:
        """The same for every row, since it is the batch's mean that is held at the capacity."""
        rate = mean(jnp.mean(jnp.sum(kl, axis=-1)))
        return jnp.full(kl.shape[:1], self.weight * jnp.abs(rate - self.at(step)))
