"""Mean and covariance of features, gathered batch by batch on the host in float64.

Moments of disjoint sets merge exactly, so a set may be read in any batches, or by several hosts.
The second moment is kept about the mean (Chan, Golub and LeVeque 1979, equations 2.1), because
``E[xx'] - E[x]E[x]'`` loses every digit once the mean is large against the spread.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import jax
import numpy as np
from jaxtyping import Float, Float64


@dataclass(frozen=True, eq=False)
class Moments:
    """What a set of ``count`` feature vectors comes to."""

    count: int
    mean: Float64[np.ndarray, "d"]
    second: Float64[np.ndarray, "d d"]
    """Sum (not average) over the set of the outer products of the deviations from its mean."""


def from_features(features: Float[np.ndarray | jax.Array, "n d"]) -> Moments:
    """Moments of one batch of features; an empty batch is allowed and changes nothing."""
    values = np.asarray(features, np.float64)
    count, dimension = values.shape
    if count == 0:
        return Moments(0, np.zeros(dimension), np.zeros((dimension, dimension)))
    mean = values.mean(axis=0)
    centered = values - mean
    return Moments(count, mean, centered.T @ centered)


def merge(a: Moments, b: Moments) -> Moments:
    """Moments of the union of two disjoint sets.

    Raises:
        ValueError: the two sets have features of different dimension.
    """
    if a.mean.shape != b.mean.shape:
        raise ValueError(
            f"moments of {a.mean.size}-dimensional features cannot be merged "
            f"with those of {b.mean.size}-dimensional ones"
        )
    if a.count == 0 or b.count == 0:
        return b if a.count == 0 else a
    count = a.count + b.count
    shift = b.mean - a.mean
    mean = a.mean + shift * (b.count / count)
    second = a.second + b.second + np.outer(shift, shift) * (a.count * (b.count / count))
    return Moments(count, mean, second)


def from_batches(batches: Iterable[Float[np.ndarray | jax.Array, "_n d"]]) -> Moments:
    """Moments of features that arrive in batches, holding one batch at a time.

    Raises:
        ValueError: there is no batch at all, so that not even the dimension is known.
    """
    total: Moments | None = None
    for batch in batches:
        moments = from_features(batch)
        total = moments if total is None else merge(total, moments)
    if total is None:
        raise ValueError("no batch of features to take moments of")
    return total


def covariance(moments: Moments) -> Float64[np.ndarray, "d d"]:
    """Unbiased covariance (divided by ``count - 1``, as FID's reference implementation does).

    Raises:
        ValueError: there are fewer than two samples.
    """
    if moments.count < 2:
        raise ValueError(f"a covariance needs at least 2 samples, got {moments.count}")
    return moments.second / (moments.count - 1)
