"""Numbers that go from one value to another along half a cosine wave, and then stay."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float

from jaxgan.typing import Params


@dataclasses.dataclass(frozen=True)
class Cosine:
    """From ``first`` to ``last``: ``first + (last - first) (1 - cos(pi s)) / 2`` at the share s.

    >>> [round(float(Cosine(2.0, 1.0).at(share)), 6) for share in (0.0, 0.25, 0.5, 1.0, 7.0)]
    [2.0, 1.853553, 1.5, 1.0, 1.0]

    References:
        Loshchilov and Hutter, SGDR, 2017, eq. 5.
    """

    first: float
    """Value at the start."""
    last: float
    """Value from the end on."""

    def at(self, share: int | float | Array) -> Float[Array, ""]:
        """The value when so large a share of the way is gone; from 1 on, the last one."""
        risen = (1.0 - jnp.cos(math.pi * jnp.minimum(share, 1.0))) / 2.0
        return jnp.asarray(self.first + (self.last - self.first) * risen, jnp.float32)


class Moments(NamedTuple):
    """State of `CosineAdam`.

    Attributes:
        updates: updates done.
        mean: decaying mean of gradients.
        square: that of their squares.
    """

    updates: Array
    mean: Params
    square: Params


@dataclasses.dataclass(frozen=True)
class CosineAdam:
    """Adam whose learning rate and beta2 both follow a cosine; the settings of R3GAN.

    Moments that are still short are made up for by the beta2 that holds now, ``1 - beta2^t`` at
    update t, as PyTorch does when an optimizer's betas are changed.

    Raises:
        ValueError: a number that no Adam can have.

    References:
        Kingma and Ba, Adam, 2015, algorithm 1. Huang et al., The GAN is dead; long live the GAN! A
        Modern GAN Baseline, 2024.
    """

    learning_rate: Cosine = Cosine(2e-4, 5e-5)
    """Learning rate."""
    b1: float = 0.0
    """Decay of the mean of gradients."""
    b2: Cosine = Cosine(0.9, 0.99)
    """Decay of the mean of squared gradients."""
    eps: float = 1e-8
    """Added to the root of the mean square."""

    def __post_init__(self) -> None:
        rates = (self.learning_rate.first, self.learning_rate.last)
        if not all(0.0 <= rate < math.inf for rate in rates):
            raise ValueError(f"learning_rate = {rates}: must be at least 0 and finite")
        for decay in (self.b1, self.b2.first, self.b2.last):
            if not 0.0 <= decay < 1.0:
                raise ValueError(f"a decay of {decay}: must be at least 0 and below 1")
        if not self.eps > 0.0:
            raise ValueError(f"eps = {self.eps}: must be positive")

    def build(self, total_updates: int | float) -> optax.GradientTransformation:
        """The transformation from gradients to updates.

        Args:
            total_updates: updates over which the numbers change; afterwards they stay. It need not
                be whole, for it may be a number of images over the size of a batch.
        """

        def init(params: Params) -> Moments:
            zeros = jax.tree.map(jnp.zeros_like, params)
            return Moments(jnp.zeros((), jnp.int32), zeros, jax.tree.map(jnp.zeros_like, params))

        def update(
            gradients: Params, state: Moments, params: Params = None
        ) -> tuple[Params, Moments]:
            del params
            share, count = state.updates / total_updates, state.updates + 1
            rate, b1, b2 = self.learning_rate.at(share), self.b1, self.b2.at(share)
            mean = jax.tree.map(lambda m, g: b1 * m + (1.0 - b1) * g, state.mean, gradients)
            square = jax.tree.map(lambda v, g: b2 * v + (1.0 - b2) * g * g, state.square, gradients)
            of_mean, of_square = 1.0 - jnp.power(b1, count), 1.0 - jnp.power(b2, count)

            def step(m: Any, v: Any) -> Any:
                return -rate * (m / of_mean) / (jnp.sqrt(v / of_square) + self.eps)

            return jax.tree.map(step, mean, square), Moments(count, mean, square)

        return optax.GradientTransformation(init, update)  # pyright: ignore[reportArgumentType]
