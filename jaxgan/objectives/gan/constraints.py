"""Constraints on a discriminator's parameters, put on after each of its updates."""

from __future__ import annotations

import dataclasses
import math
from typing import Protocol, runtime_checkable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgan.typing import Params


@runtime_checkable
class Constraint(Protocol):
    """What an algorithm asks of a constraint."""

    def __call__(self, params: Params) -> Params:
        """The parameters as they must be; same structure, shapes and types."""
        ...


def clip_weights(params: Params, bound: float | Float[Array, ""]) -> Params:
    """Every parameter clipped to ``[-bound, bound]``; see `Clip`.

    >>> clip_weights({"kernel": jnp.array([-0.5, 0.25])}, bound=0.375)["kernel"].tolist()
    [-0.375, 0.25]

    Args:
        params: biases and scales included.
        bound: positive.
    """
    return jax.tree.map(lambda weight: jnp.clip(weight, -bound, bound), params)


@dataclasses.dataclass(frozen=True)
class Clip:
    """Weight clipping, which keeps a critic Lipschitz with a constant that its depth decides.

    >>> Clip(bound=0.375)({"kernel": jnp.array([-0.5, 0.25])})["kernel"].tolist()
    [-0.375, 0.25]

    Raises:
        ValueError: for a bound that is not positive and finite.

    References:
        Arjovsky et al., Wasserstein GAN, 2017, algorithm 1.
    """

    bound: float = 0.01
    """Largest size of a weight; 0.01 in the paper."""

    def __post_init__(self) -> None:
        if not 0.0 < self.bound < math.inf:
            raise ValueError(
                f"bound = {self.bound}: weights are clipped to a positive bound, such as 0.01"
            )

    def __call__(self, params: Params) -> Params:
        """See `clip_weights`."""
        return clip_weights(params, self.bound)
