"""Kernel distance: unbiased squared maximum mean discrepancy with a cubic polynomial kernel.

With Inception features this is the KID of Binkowski et al. 2018 ("Demystifying MMD GANs", section
4). Its expectation does not depend on how many samples there are, which makes it the metric of
choice where data is scarce; FID's does. It may come out slightly negative for equal distributions.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float32, Float64

from jaxgan.evaluation.statistics.intervals import Estimate, normal_estimate

Precision = Literal["float64", "float32"]
"""What the kernel's values are computed in."""

_ROWS, _COLUMNS = 1024, 4096
"""Kernel values are formed in blocks of this size: 32 MB at a time, whatever the sets."""


class KernelDistance(NamedTuple):
    """An estimate of the squared maximum mean discrepancy."""

    value: float
    standard_error: float

    @property
    def interval(self) -> Estimate:
        """The value with its 95% interval, by the standard error."""
        return normal_estimate(self.value, self.standard_error)


def kernel_distance(
    real: Float[np.ndarray | jax.Array, "m d_real"],
    generated: Float[np.ndarray | jax.Array, "n d_generated"],
    *,
    real_sums: Float64[np.ndarray, "m"] | None = None,
    precision: Precision = "float64",
    metric: str = "kid",
    names: tuple[str, str] = ("real", "generated"),
) -> KernelDistance:
    """Unbiased estimate from all pairs of two sets of features, with its standard error.

    ``1/(m(m-1)) sum_{i!=j} k(x_i, x_j) + 1/(n(n-1)) sum_{i!=j} k(y_i, y_j) - 2/(mn) sum_{i,j}
    k(x_i, y_j)``, the U-statistic of Gretton et al. 2012 (equation 3), with ``k(x, y) =
    (x.y/d + 1)^3``.

    The standard error is the jackknife's over both sets (each of the ``m + n`` estimates with one
    sample left out, in closed form from row sums of the kernel). The jackknife's variance is on
    average never too small (Efron and Stein 1981), also where the distributions are equal and the
    usual first-order formula gives zero.

    Args:
        real: features of one set, at least 2.
        generated: features of the other, at least 2.
        real_sums: `self_sums` of ``real``, where it was computed before.
        precision: of the kernel's values. ``float64`` is computed on the host; ``float32`` on the
            accelerator about a center, in blocks added in float64, and less than 1e-6 off.
        metric: what error messages call the number.
        names: what error messages call the two sets.

    Returns:
        The estimate and its standard error; the latter is NaN where a set has only 2 samples.

    Raises:
        ValueError: a set has fewer than two samples or features that are not finite.
    """
    x = _checked(real, metric, names[0])
    y = _checked(generated, metric, names[1])
    if x.shape[1] != y.shape[1]:
        raise ValueError(
            f"{metric}: the {names[0]} set has {x.shape[1]}-dimensional features, "
            f"the {names[1]} set {y.shape[1]}-dimensional ones"
        )
    m, n = len(x), len(y)
    within_x = self_sums(x, precision) if real_sums is None else real_sums
    within_y = self_sums(y, precision)
    across_x, across_y = _pair_sums(x, y, precision)
    total_x, total_y, across = within_x.sum(), within_y.sum(), across_x.sum()

    mean_x, mean_y = total_x / (m * (m - 1)), total_y / (n * (n - 1))
    value = mean_x + mean_y - 2 * across / (m * n)
    if min(m, n) < 3:
        return KernelDistance(float(value), math.nan)
    # A sample left out takes its row and its column of the kernel's matrix with it.
    without_x = (total_x - 2 * within_x) / ((m - 1) * (m - 2)) + mean_y
    without_x -= 2 * (across - across_x) / ((m - 1) * n)
    without_y = (total_y - 2 * within_y) / ((n - 1) * (n - 2)) + mean_x
    without_y -= 2 * (across - across_y) / (m * (n - 1))
    # np.var divides by the count: (count - 1)/count * sum of squares = (count - 1) * var.
    variance = (m - 1) * without_x.var() + (n - 1) * without_y.var()
    return KernelDistance(float(value), math.sqrt(variance))


def subset_kernel_distance(
    real: Float[np.ndarray | jax.Array, "m d_real"],
    generated: Float[np.ndarray | jax.Array, "n d_generated"],
    *,
    size: int = 1000,
    subsets: int = 100,
    seed: int = 2020,
    metric: str = "kid",
    names: tuple[str, str] = ("real", "generated"),
) -> KernelDistance:
    """Mean of the unbiased estimate over random subsets, as published KIDs are computed.

    Its cost grows with ``subsets * size^2`` instead of with the square of the whole sets. By its
    defaults it is torch-fidelity's number, from the same subsets.

    Args:
        real: features of one set.
        generated: features of the other.
        size: samples of each set in a subset, drawn without replacement.
        subsets: how many pairs of subsets are drawn.
        seed: of the drawing.
        metric: what error messages call the number.
        names: what error messages call the two sets.

    Returns:
        The mean over the subsets, and their standard deviation over ``sqrt(subsets)``. That error
        is of the drawing of subsets only; it says nothing of how the sets themselves were drawn
        (the jackknife of `kernel_distance` does), and is NaN for one subset.

    Raises:
        ValueError: a set is smaller than ``size``, or ``size`` is below 2, or ``subsets`` below 1.
    """
    x = _checked(real, metric, names[0])
    y = _checked(generated, metric, names[1])
    if size < 2 or subsets < 1:
        raise ValueError(f"{metric}: needs size >= 2 and subsets >= 1, got {size} and {subsets}")
    for features, name in zip((x, y), names, strict=True):
        if len(features) < size:
            raise ValueError(
                f"{metric}: the {name} set has {len(features)} samples, a subset takes {size}"
            )
    # The legacy generator, because the reference implementation's subsets come from it.
    generator = np.random.RandomState(seed)
    pairs = (
        (generator.choice(len(x), size, replace=False), generator.choice(len(y), size, False))
        for _ in range(subsets)
    )
    return _mean_of_parts(((x[i], y[j]) for i, j in pairs), metric, names)


def block_kernel_distance(
    real: Float[np.ndarray | jax.Array, "m d_real"],
    generated: Float[np.ndarray | jax.Array, "n d_generated"],
    *,
    blocks: int = 10,
    seed: int = 0,
    metric: str = "kid",
    names: tuple[str, str] = ("real", "generated"),
) -> KernelDistance:
    """Mean of the unbiased estimate over disjoint blocks (the B-test of Zaremba et al. 2013).

    Blocks are independent, so that unlike overlapping subsets they show the drawing of the sets
    themselves in their spread, and their mean is about normal also where the distributions are
    equal. The price is a larger error than that of `kernel_distance`, which uses all pairs.

    Args:
        real: features of one set, at least ``2 * blocks``.
        generated: features of the other, at least ``2 * blocks``.
        blocks: into how many parts, equal but for one sample, each set is split.
        seed: of the order in which samples are put into blocks.
        metric: what error messages call the number.
        names: what error messages call the two sets.

    Returns:
        The mean over the blocks, and their standard deviation over ``sqrt(blocks)``.

    Raises:
        ValueError: a set is too small for the blocks, there are fewer than 2, or as
            `kernel_distance`.
    """
    x = _checked(real, metric, names[0])
    y = _checked(generated, metric, names[1])
    for features, name in zip((x, y), names, strict=True):
        if blocks < 2 or len(features) < 2 * blocks:
            raise ValueError(
                f"{metric}: the {name} set has {len(features)} samples, {blocks} blocks; "
                "needs blocks >= 2 and 2 samples a block"
            )
    generator = np.random.default_rng(seed)
    parts = (
        np.array_split(features[generator.permutation(len(features))], blocks)
        for features in (x, y)
    )
    return _mean_of_parts(zip(*parts, strict=True), metric, names)


def _mean_of_parts(
    parts: Iterable[tuple[np.ndarray, np.ndarray]], metric: str, names: tuple[str, str]
) -> KernelDistance:
    values = [kernel_distance(x, y, metric=metric, names=names).value for x, y in parts]
    spread = float(np.std(values, ddof=1)) if len(values) > 1 else math.nan
    return KernelDistance(float(np.mean(values)), spread / math.sqrt(len(values)))


def self_sums(
    features: Float[np.ndarray | jax.Array, "n d"], precision: Precision = "float64"
) -> Float64[np.ndarray, "n"]:
    """For each sample, the sum of the kernel with all others of its set (not with itself)."""
    x = np.asarray(features, np.float64)
    own = _cube(np.einsum("nd,nd->n", x, x) / x.shape[1])
    return _pair_sums(x, x, precision)[0] - own


def _cube(products: Float64[np.ndarray, "*any"]) -> Float64[np.ndarray, "*any"]:
    """``(products + 1)^3``; two multiplications are ten times faster than a power."""
    shifted = products + 1.0
    cubes = shifted * shifted
    cubes *= shifted
    return cubes


def _pair_sums(
    x: Float64[np.ndarray, "m d"], y: Float64[np.ndarray, "n d"], precision: Precision
) -> tuple[Float64[np.ndarray, "m"], Float64[np.ndarray, "n"]]:
    """Sums of the kernel's matrix over ``y`` (one a row) and over ``x`` (one a column)."""
    if precision == "float32":
        return _pair_sums_float32(x, y)
    rows, columns = np.zeros(len(x)), np.zeros(len(y))
    scaled = x / x.shape[1]
    for i in range(0, len(x), _ROWS):
        for j in range(0, len(y), _COLUMNS):
            block = _cube(scaled[i : i + _ROWS] @ y[j : j + _COLUMNS].T)
            rows[i : i + _ROWS] += block.sum(axis=1)
            columns[j : j + _COLUMNS] += block.sum(axis=0)
    return rows, columns


def _pair_sums_float32(
    x: Float64[np.ndarray, "m d"], y: Float64[np.ndarray, "n d"]
) -> tuple[Float64[np.ndarray, "m"], Float64[np.ndarray, "n"]]:
    """`_pair_sums` with products on the device.

    With ``u = x - c`` and ``v = y - c`` about a center, ``x.y/d + 1 = a + b + u.v/d``, where ``a``
    belongs to the row and ``b`` to the column: most of it, far from the origin. Sums of ``(a +
    b)^3`` are taken in float64 from powers; the device has what the last term adds.
    """
    size, center = x.shape[1], y.mean(axis=0)
    u, v = x - center, y - center
    a, b = (u @ center + center @ center) / size + 1.0, v @ center / size
    left = [*zip(_blocks(u / size, _ROWS), _blocks(a, _ROWS), strict=True)]
    right = [*zip(_blocks(v, _COLUMNS), _blocks(b, _COLUMNS), strict=True)]
    rows, columns = np.zeros((len(left), len(left[0][1]))), np.zeros((len(right), len(right[0][1])))
    for i, near in enumerate(left):
        for j, far in enumerate(right):
            by_row, by_column = _block_sums(near, far)
            rows[i] += np.asarray(by_row, np.float64)
            columns[j] += np.asarray(by_column, np.float64)
    by_row, by_column = rows.ravel()[: len(x)], columns.ravel()[: len(y)]  # the rest is padding
    return by_row + _cubes_of_sums(a, b), by_column + _cubes_of_sums(b, a)


def _cubes_of_sums(
    a: Float64[np.ndarray, "m"], b: Float64[np.ndarray, "n"]
) -> Float64[np.ndarray, "m"]:
    """For each of ``a``, the sum of ``(a + b)^3`` over all ``b``."""
    first, second, third = b.sum(), (b**2).sum(), (b**3).sum()
    return ((len(b) * a + 3 * first) * a + 3 * second) * a + third


def _blocks(x: Float64[np.ndarray, "n *rest"], most: int) -> list[Array]:
    """Rows on the device in blocks of one size, the last one filled up with zeros."""
    size = min(most, len(x))
    filled = np.pad(x, [(0, -len(x) % size), *[(0, 0)] * (x.ndim - 1)]).astype(np.float32)
    return [jnp.asarray(part) for part in np.split(filled, len(filled) // size)]


@jax.jit
def _block_sums(
    rows: tuple[Float32[Array, "r d"], Float32[Array, "r"]],
    columns: tuple[Float32[Array, "c d"], Float32[Array, "c"]],
) -> tuple[Float32[Array, "r"], Float32[Array, "c"]]:
    """Sums by row and by column of ``(x.y + a + b)^3 - (a + b)^3``, which keeps digits where
    products are small and is zero for rows of zeros."""
    (x, a), (y, b) = rows, columns
    products = jnp.matmul(x, y.T, precision=jax.lax.Precision.HIGHEST)
    offsets = a[:, None] + b
    values = products * (3.0 * offsets**2 + products * (3.0 * offsets + products))
    return values.sum(axis=1), values.sum(axis=0)


def _checked(
    features: Float[np.ndarray | jax.Array, "n d"], metric: str, name: str
) -> Float64[np.ndarray, "n d"]:
    values = np.asarray(features, np.float64)
    if len(values) < 2:
        raise ValueError(f"{metric}: the {name} set has {len(values)} samples, needs at least 2")
    if not np.isfinite(values).all():
        raise ValueError(f"{metric}: the {name} set has features that are NaN or infinite")
    return values
