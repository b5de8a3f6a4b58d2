"""Sliced Wasserstein distance: exact optimal transport along random directions, averaged.

``E_theta W_1(theta.x, theta.y)`` over unit vectors ``theta`` (Rabin et al. 2011; order 1, as Karras
et al. 2018 use it, section 5). On a line, the distance is the area between the two distribution
functions, for any two sample counts.

It takes no feature for Gaussian and needs no kernel. Two sets from one distribution are not at
distance zero, but at one that falls with the square root of the counts; so compare at equal counts,
and with the distance between two real sets.
"""

from __future__ import annotations

import math
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float32, Num

from jaxgan import rng
from jaxgan.evaluation.statistics.intervals import Estimate, normal_estimate
from jaxgan.evaluation.statistics.ranges import POSITIVE, around
from jaxgan.typing import PRNGKey

_VALUES = 2**20
"""Projected values that are sorted at a time: 4 MB, and a few times that while it is done."""


def sliced_wasserstein(
    real: Num[np.ndarray | Array, "m *_real"],
    generated: Num[np.ndarray | Array, "n *_generated"],
    *,
    directions: int = 512,
    seed: int = 0,
) -> Estimate:
    """Mean over random directions of the Wasserstein distance of the projected samples.

    Args:
        real: features or images, flattened here. Those of 8 bits count as values in [0, 1].
        generated: the same of generated samples; the counts may differ.
        directions: how many, drawn evenly from the sphere.
        seed: of the directions. Compare numbers of one seed: the directions are then the same.

    Returns:
        The distance, in units of the features. The interval covers the drawing of both sets, at
        these counts and directions: it is normal, with the variance of the distance's derivatives
        by each sample's weight, which are the potentials of the transport (del Barrio, Gonzalez-
        Sanz and Loubes 2022). Its ends are NaN for sets of one sample.

    Raises:
        ValueError: a set is empty or has values that are not finite, shapes or kinds (8 bits or
            not) differ, or ``directions`` is not positive.
    """
    x, y = (_flat(values, name) for values, name in ((real, "real"), (generated, "generated")))
    if real.shape[1:] != generated.shape[1:] or (real.dtype == np.uint8) != (
        generated.dtype == np.uint8
    ):
        raise ValueError(
            f"sliced Wasserstein: real samples are {real.dtype}{real.shape[1:]}, "
            f"generated ones {generated.dtype}{generated.shape[1:]}; they must be alike"
        )
    if directions < 1:
        raise ValueError(f"sliced Wasserstein: needs at least 1 direction, got {directions}")
    # The distance does not change, but small differences far from the origin keep their digits.
    center = x.mean(axis=0, dtype=np.float64)
    a, b = (jnp.asarray((values - center).astype(np.float32)) for values in (x, y))
    units = np.asarray(_directions(rng.base_key(seed), directions, x.shape[1]))
    step = max(_VALUES // (len(a) + len(b)), 1)
    distances: list[np.ndarray] = []
    potentials = np.zeros(len(a) + len(b))
    for start in range(0, directions, step):
        # The last chunk is filled up with directions of length zero, which count for nothing.
        chunk = units[start : start + step]
        filled = np.pad(chunk, ((0, min(step, directions) - len(chunk)), (0, 0)))
        found, summed = _transport(a, b, filled)
        distances.append(np.asarray(found, np.float64)[: len(chunk)])
        potentials += np.asarray(summed, np.float64)
    value = float(np.concatenate(distances).mean())
    if min(len(a), len(b)) < 2:
        return Estimate(value, math.nan, math.nan)
    potentials /= directions
    variance = potentials[: len(a)].var(ddof=1) / len(a)
    variance += potentials[len(a) :].var(ddof=1) / len(b)
    return around(value, normal_estimate(0.0, math.sqrt(variance)).high, POSITIVE)


def _flat(values: Num[np.ndarray | Array, "n *shape"], name: str) -> Float32[np.ndarray, "n d"]:
    array = np.asarray(values)
    if len(array) == 0:
        raise ValueError(f"sliced Wasserstein: the {name} set is empty")
    if not np.isfinite(array).all():
        raise ValueError(f"sliced Wasserstein: the {name} set has values that are not finite")
    scale = 255.0 if array.dtype == np.uint8 else 1.0
    return array.reshape(len(array), -1).astype(np.float32) / np.float32(scale)


@partial(jax.jit, static_argnums=(1, 2))
def _directions(key: PRNGKey, count: int, dimension: int) -> Float[Array, "count dimension"]:
    drawn = jax.random.normal(key, (count, dimension))
    return drawn / jnp.linalg.norm(drawn, axis=1, keepdims=True)


@jax.jit
def _transport(
    a: Float[Array, "m d"], b: Float[Array, "n d"], units: Float[Array | np.ndarray, "c d"]
) -> tuple[Float[Array, "c"], Float[Array, "m+n"]]:
    """Distances along each direction, and each sample's potential, summed over the directions."""
    m, n = a.shape[0], b.shape[0]
    projected = jnp.matmul(units, jnp.concatenate([a, b]).T, precision=jax.lax.Precision.HIGHEST)
    order = jnp.argsort(projected, axis=1)
    gaps = jnp.diff(jnp.take_along_axis(projected, order, axis=1), axis=1)
    is_real = order[:, :-1] < m
    # Whole numbers, so that the two functions are equal where they are.
    real_below = jnp.cumsum(is_real, axis=1)
    generated_below = jnp.cumsum(~is_real, axis=1)
    between = real_below / m - generated_below / n
    distances = (jnp.abs(between) * gaps).sum(axis=1)
    # One more real sample at x raises the real distribution function from x on.
    rises = jnp.sign(between) * gaps
    after = jnp.cumsum(rises[:, ::-1], axis=1)[:, ::-1]
    after = jnp.pad(after, ((0, 0), (0, 1)))
    signed = jnp.where(order < m, after, -after)
    summed = jnp.zeros(m + n).at[order].add(signed)
    return distances, summed
