"""The continuous Bernoulli: what a cross-entropy of gray pixels lacks to be a density."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Num

from jaxgan.objectives.vae.likelihoods import Outputs, sum_pixels, to_unit
from jaxgan.typing import Images, Measure, PerExample, Pixels, PRNGKey

NEAR = 0.5
"""Half a logit below which series are taken, in place of differences of what grows without bound
at 0. Terms are added until float32 does not notice the next one."""


@dataclasses.dataclass(frozen=True)
class ContinuousBernoulli:
    """Independent pixels of density ``C(p) p^t (1 - p)^(1 - t)`` with ``p = sigmoid(output)``.

    ``log C(p) = log(2 artanh(1 - 2p) / (1 - 2p))`` is at least log 2. In the logit ``a``, the
    density is ``a exp(a t) / (exp(a) - 1)``: nothing has to be clipped.

    >>> import jax.numpy as jnp
    >>> ones = jnp.ones((1, 1, 1, 1))
    >>> log_prob = ContinuousBernoulli().log_prob(outputs=2.0 * ones, targets=0.0 * ones)
    >>> print(f"{log_prob[0]:.4f}")  # log 2 - log(exp(2) - 1)
    -1.1614

    References:
        Loaiza-Ganem and Cunningham, The continuous Bernoulli: fixing a pervasive error in
        variational autoencoders, 2019.
    """

    bounded: ClassVar[bool] = True

    def decoded(self, channels: int) -> int:
        """One logit a channel."""
        return channels

    def learned(self, channels: int) -> tuple[float, ...]:
        """Nothing."""
        del channels
        return ()

    def from_uint8(self, images: Images) -> Pixels:
        """Images scaled to [0, 1]."""
        return to_unit(images)

    def log_prob(self, *, outputs: Outputs, targets: Pixels) -> PerExample:
        """``sum t log p + (1 - t) log(1 - p) + log C(p)``.

        Args:
            outputs: logits.
            targets: pixels in [0, 1].
        """
        # (t - 1/2) a - log(sinh(a / 2) / (a / 2)), whose parts are alike on both sides of 0.
        return sum_pixels((targets - 0.5) * outputs - _log_sinhc(0.5 * outputs))

    def mean(self, outputs: Outputs) -> Pixels:
        """``p / (2 p - 1) + 1 / (2 artanh(1 - 2 p))``, less contrasted than ``p``."""
        half = 0.5 * outputs
        near = jnp.abs(half) < NEAR
        far = jnp.where(near, NEAR, half)
        small = jnp.where(near, half, 0.0)
        square = jnp.square(small)
        # Of coth(u) - 1 / u.
        series = small * _polynomial(square, (1 / 3, -1 / 45, 2 / 945, -1 / 4725, 2 / 93555))
        return 0.5 + 0.5 * jnp.where(near, series, 1.0 / jnp.tanh(far) - 1.0 / far)

    def draw(self, outputs: Outputs, key: PRNGKey) -> Pixels:
        """``F^-1(u) = log(1 + u (exp(a) - 1)) / a`` of uniform ``u``; ``u`` itself near 0."""
        # Of -|a|, where nothing overflows; the density of a at t is that of -a at 1 - t.
        size = jnp.abs(outputs)
        rate = jnp.maximum(size, 1e-3)
        uniform = jax.random.uniform(key, outputs.shape)
        below = jnp.where(size < 1e-3, uniform, -jnp.log1p(uniform * jnp.expm1(-rate)) / rate)
        drawn = jnp.clip(below, 0.0, 1.0)
        return jnp.where(outputs > 0.0, 1.0 - drawn, drawn)

    def measure(self, images: Num[np.ndarray, "..."]) -> Measure:
        """``density``, of whatever images."""
        return "density"


def _log_sinhc(half: Float[Array, "..."]) -> Float[Array, "..."]:
    """``log(sinh(u) / u)``."""
    size = jnp.abs(half)
    near = size < NEAR
    far = jnp.where(near, NEAR, size)
    square = jnp.square(jnp.where(near, half, 0.0))
    series = square * _polynomial(square, (1 / 6, -1 / 180, 1 / 2835, -1 / 37800, 1 / 467775))
    return jnp.where(near, series, far + jnp.log1p(-jnp.exp(-2.0 * far)) - jnp.log(2.0 * far))


def _polynomial(values: Array, coefficients: tuple[float, ...]) -> Array:
    """Horner's scheme, the constant first."""
    total = jnp.zeros_like(values)
    for coefficient in reversed(coefficients):
        total = total * values + coefficient
    return total
