"""An average of weights whose half-life grows with the images seen."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int

from jaxgan.optim import Ema
from jaxgan.typing import Params


@dataclasses.dataclass(frozen=True)
class RampedEma(Ema):
    """`Ema` whose half-life is at most a share of the images that were seen.

    After t steps a step keeps ``min(decay, 0.5^(1 / (ramp t)))``: with a batch of B, a half-life of
    H images is the decay ``0.5^(B / H)``, and one of ``ramp t B`` images needs no B. The first step
    keeps nothing.

    >>> old, new = {"w": jnp.array(4.0)}, {"w": jnp.array(8.0)}
    >>> ema = RampedEma(decay=0.9, ramp=0.05)
    >>> [round(float(ema.update(old, new, step)["w"]), 4) for step in (0, 20, 10_000)]
    [8.0, 6.0, 4.4]

    Raises:
        ValueError: ``ramp`` is not positive.

    References:
        The code of Karras et al., Training Generative Adversarial Networks with Limited Data, 2020
        (there ``ema_rampup`` is 0.05).
    """

    warmup: bool = False
    """Forget faster early, as `Ema` does; besides the ramp."""
    ramp: float = 0.05
    """Half-life as a share of the images seen, as long as that is less."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0.0 < self.ramp < math.inf:
            raise ValueError(f"ramp = {self.ramp}: must be positive and finite")

    def update(self, average: Params, new: Params, step: int | Int[Array, ""]) -> Params:
        """See `Ema.update`."""
        seen = self.ramp * jnp.maximum(jnp.asarray(step, jnp.float32), 1e-8)
        # One minus the decay, computed as such.
        share = jnp.maximum(1.0 - self.decay, -jnp.expm1(-math.log(2.0) / seen))
        if self.warmup:
            share = jnp.maximum(share, 9 / (10 + jnp.asarray(step)))

        def mix(old: Any, fresh: Any) -> Any:
            if not jnp.issubdtype(fresh.dtype, jnp.floating):
                return fresh
            return (old + share * (fresh - old)).astype(old.dtype)

        return jax.tree.map(mix, average, new)
