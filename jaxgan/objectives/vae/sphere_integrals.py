"""What is known of von Mises-Fisher distributions, by their angle to the mean direction.

A direction ``z`` of ``R^m`` with density proportional to ``exp(kappa mean . z)`` makes an angle
``t`` with the mean whose density is ``sin(t)^(m - 2) exp(-kappa (1 - cos t)) / Z(kappa)``. Here
``Z`` (a modified Bessel function, exponentially scaled), its logarithm's derivatives and the
distribution of ``t`` are integrals of positive numbers by Gauss and Legendre's rule, over the
angles that have mass. No two large numbers are subtracted, so float32 is enough from ``kappa = 0``
to ``1e4`` and beyond, for any ``m``. (JAX itself has Bessel functions of orders 0 and 1 alone.)
"""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from jaxgan.typing import PerExample

NODES = 64
"""Nodes of an integral: half of a standard deviation apart at most."""
TAIL = 7.0
"""Standard deviations beyond the bulk of the mass that integrals go."""


class Moments(NamedTuple):
    """Of ``1 - cos t``, one number for each concentration.

    Attributes:
        log_normalizer: ``log Z``.
        mean: of ``1 - cos t``.
        variance: of ``1 - cos t``, which is that of ``cos t``.
    """

    log_normalizer: PerExample
    mean: PerExample
    variance: PerExample


@functools.cache
def _rule() -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights on [0, 1]."""
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    return (nodes + 1.0) / 2.0, weights / 2.0


def _log_weight(angle: Array, kappa: Array, size: int) -> Array:
    """Logarithm of the angle's density, but for the constant."""
    half = jnp.sin(0.5 * angle)
    log_density = -2.0 * kappa * jnp.square(half)
    if size == 2:  # of which 0 log 0 is no part
        return log_density
    return log_density + (size - 2) * jnp.log(2.0 * half * jnp.cos(0.5 * angle))


def _furthest(kappa: Array, size: int) -> Array:
    """The angle beyond which there is as good as no mass."""
    # Near the mean, sqrt(2 kappa (1 - cos t)) follows a chi distribution of size - 1 degrees.
    reach = (math.sqrt(size - 1.0) + TAIL) / (2.0 * jnp.sqrt(jnp.maximum(kappa, 1.0)))
    # A concentration below 1 leaves some of all angles.
    return 2.0 * jnp.arcsin(jnp.minimum(reach, 1.0))


def moments(kappa: PerExample, size: int) -> Moments:
    """Of concentrations, in ``R^size``; see `log_normalizer` for what can be differentiated."""
    nodes, weights = (array.astype(kappa.dtype) for array in _rule())
    furthest = _furthest(kappa, size)[:, None]
    angle = furthest * nodes
    logs = _log_weight(angle, kappa[:, None], size) + jnp.log(weights) + jnp.log(furthest)
    log_normalizer = jax.nn.logsumexp(logs, axis=-1)
    share = jnp.exp(logs - log_normalizer[:, None])
    away = 2.0 * jnp.square(jnp.sin(0.5 * angle))
    mean = jnp.sum(share * away, axis=-1)
    variance = jnp.sum(share * jnp.square(away - mean[:, None]), axis=-1)
    return Moments(log_normalizer, mean, variance)


@functools.partial(jax.custom_jvp, nondiff_argnums=(1,))
def log_normalizer(kappa: PerExample, size: int) -> PerExample:
    """``log Z``; its derivative is minus the mean of ``1 - cos t``."""
    return moments(kappa, size).log_normalizer


@log_normalizer.defjvp
def _(size: int, primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    found = moments(primals[0], size)
    return found.log_normalizer, -found.mean * tangents[0]


@functools.partial(jax.custom_jvp, nondiff_argnums=(1,))
def kl_uniform(kappa: PerExample, size: int) -> PerExample:
    """KL of a von Mises-Fisher distribution from the uniform one, in nats.

    ``kappa E[cos t] + log c(kappa) - log c(0)`` with the normalizers ``c`` of both. Its derivative
    is ``kappa Var[cos t]``, in which nothing cancels.

    Args:
        kappa: concentration of each example, at least 0.
        size: of the vectors, at least 2.

    References:
        Davidson et al., Hyperspherical Variational Auto-Encoders, 2018, eq. 4 and appendix B.
    """
    found = moments(kappa, size)
    return _log_normalizer_uniform(size) - found.log_normalizer - kappa * found.mean


@kl_uniform.defjvp
def _(size: int, primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    (kappa,) = primals
    return kl_uniform(kappa, size), kappa * moments(kappa, size).variance * tangents[0]


def _log_normalizer_uniform(size: int) -> float:
    """``log Z(0)``."""
    return 0.5 * math.log(math.pi) + math.lgamma((size - 1) / 2) - math.lgamma(size / 2)


def log_area(size: int) -> float:
    """Logarithm of the area of the unit sphere in ``R^size``.

    >>> round(math.exp(log_area(3)) / math.pi, 6)
    4.0
    """
    return math.log(2.0) + 0.5 * size * math.log(math.pi) - math.lgamma(size / 2)


def slope_of_angle(angle: PerExample, kappa: PerExample, size: int) -> PerExample:
    """How an angle changes with the concentration while its quantile stays, ``dt / dkappa``.

    By implicit differentiation of the distribution function F: ``-(dF / dkappa) / density``, both
    of which are integrals up to the angle, or from it: whichever tail it is in.

    References:
        Figurnov, Mohamed and Mnih, Implicit Reparameterization Gradients, 2018, eq. 5.
    """
    nodes, weights = (array.astype(kappa.dtype) for array in _rule())
    mean, furthest = moments(kappa, size).mean, _furthest(kappa, size)
    away = 2.0 * jnp.square(jnp.sin(0.5 * angle))
    below = away < mean
    # Downwards to 0, or upwards as far as there is mass from here on.
    length = jnp.where(below, angle, jnp.minimum(math.pi - angle, furthest))
    direction = jnp.where(below, -1.0, 1.0)[:, None]
    others = angle[:, None] + direction * length[:, None] * nodes
    ratio = jnp.exp(
        _log_weight(others, kappa[:, None], size)
        - _log_weight(angle[:, None], kappa[:, None], size)
    )
    beyond = 2.0 * jnp.square(jnp.sin(0.5 * others)) - mean[:, None]
    return -length * jnp.sum(weights * ratio * direction * beyond, axis=-1)
