"""Positive definite kernels, by which maximum mean discrepancies compare embeddings of images.

A kernel is called with two sets of vectors and gives its values at all pairs. Products and squared
distances are sums over differences, not matrix products, which accelerators round and which lose
the distances of near vectors.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Iterable
from typing import Protocol, TypeAlias, runtime_checkable

import jax.numpy as jnp
from jaxtyping import Array, Float

Vectors: TypeAlias = Float[Array, "_ size"]
"""One vector an example; two sets may have different numbers of them."""

Pairs: TypeAlias = Float[Array, "rows columns"]
"""One number for each pair of a vector of the first set and one of the second."""


@runtime_checkable
class Kernel(Protocol):
    """What a discrepancy asks of a kernel."""

    def __call__(self, x: Vectors, y: Vectors) -> Pairs:
        """Its values ``k(x_i, y_j)``, ``(rows, columns)``."""
        ...


def squared_distances(x: Vectors, y: Vectors) -> Pairs:
    """``|x_i - y_j|^2``.

    >>> squared_distances(jnp.array([[0.0, 0.0], [3.0, 0.0]]), jnp.array([[0.0, 4.0]])).tolist()
    [[16.0], [25.0]]
    """
    return jnp.sum(jnp.square(x[:, None] - y[None]), axis=-1)


def added(parts: Iterable[Pairs]) -> Pairs:
    """The sum of at least one array."""
    return functools.reduce(jnp.add, parts)


def inner_products(x: Vectors, y: Vectors) -> Pairs:
    """``x_i . y_j``."""
    return jnp.sum(x[:, None] * y[None], axis=-1)


@dataclasses.dataclass(frozen=True)
class Gaussians:
    """A sum of Gaussian kernels, ``sum_s exp(-|x - y|^2 / (2 s^2))``.

    Raises:
        ValueError: there are no scales, or not all are above 0 and finite.

    References:
        Li et al., MMD GAN: Towards Deeper Understanding of Moment Matching Network, 2017, section
        5 (five Gaussians of these scales).
    """

    scales: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0, 16.0)
    """Standard deviations s."""

    def __post_init__(self) -> None:
        _check("scales", self.scales)

    def __call__(self, x: Vectors, y: Vectors) -> Pairs:
        """From 0 to the number of scales."""
        distances = squared_distances(x, y)
        return added(jnp.exp(-distances / (2.0 * s**2)) for s in self.scales)


@dataclasses.dataclass(frozen=True)
class RationalQuadratic:
    """A sum of rational quadratic kernels, ``sum_a (1 + |x - y|^2 / (2 a))^-a``.

    Their tails are heavier than a Gaussian's, so that they have a slope far away.

    Raises:
        ValueError: there are no alphas, or not all are above 0 and finite.

    References:
        Binkowski, Sutherland, Arbel and Gretton, Demystifying MMD GANs, 2018, section 2.1.
    """

    alphas: tuple[float, ...] = (0.2, 0.5, 1.0, 2.0, 5.0)
    """Exponents a."""

    def __post_init__(self) -> None:
        _check("alphas", self.alphas)

    def __call__(self, x: Vectors, y: Vectors) -> Pairs:
        """From 0 to the number of alphas."""
        distances = squared_distances(x, y)
        # The power by its logarithm, whose argument is at least 1.
        return added(jnp.exp(-a * jnp.log1p(distances / (2.0 * a))) for a in self.alphas)


@dataclasses.dataclass(frozen=True)
class Linear:
    """``x . y``, of which the discrepancy is the squared distance of the means."""

    def __call__(self, x: Vectors, y: Vectors) -> Pairs:
        """Unbounded."""
        return inner_products(x, y)


@dataclasses.dataclass(frozen=True)
class Polynomial:
    """``(x . y / d + 1)^degree`` for vectors of length d; of degree 3 the kernel of KID.

    Raises:
        ValueError: the degree is not at least 1.
    """

    degree: int = 3
    """Power."""

    def __post_init__(self) -> None:
        if self.degree < 1:
            raise ValueError(f"degree = {self.degree}: must be at least 1")

    def __call__(self, x: Vectors, y: Vectors) -> Pairs:
        """Unbounded."""
        return (inner_products(x, y) / x.shape[-1] + 1.0) ** self.degree


def _check(name: str, values: tuple[float, ...]) -> None:
    if not values or not all(0.0 < value < math.inf for value in values):
        raise ValueError(f"{name} = {values}: at least one number, all above 0 and finite")
