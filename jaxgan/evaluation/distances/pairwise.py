"""Distances between all pairs of two sets, in blocks: float32's speed with float64's answers.

``|a|^2 + |b|^2 - 2 a.b`` turns distances into a matrix product, but cancels where points are near
one another compared with their norms, which is just where nearest neighbors are looked for. So the
product, on the accelerator in float32 about the mean, only gives bounds between which each distance
is sure to lie. Pairs that the bounds do not decide, few as a rule, are computed from their
differences in float64. Where too many are left (tight clusters far from one another), the block's
bounds are taken anew in float64. The results are those of float64 throughout, ties included: equal
pairs of points have equal distances to the last bit, whatever the blocks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float32, Float64, Int, Num, Shaped

PAIRS = 2**24
"""Pairs in a block: 64 MB an array of float32, however many points there are."""

_NUMBERS = 2**20
"""Coordinates that float64 copies are taken of at a time: 8 MB."""

_UNDECIDED = 32
"""Undecided pairs a row, on average, from which on a block is worth float64's bounds."""


@dataclass(frozen=True, eq=False)
class Points:
    """One set of points, as the bounds and as the exact distances need it."""

    values: Num[np.ndarray, "n d"]
    """As they were given; distances are of these."""
    near: Float32[np.ndarray, "n d"]
    """About the common center, scaled so that no norm in any of the sets is above 1."""
    norms: Float64[np.ndarray, "n"]
    """Squared, of ``near`` before it was rounded to float32."""
    center: Float64[np.ndarray, "d"]
    scale: float
    """A power of two, so that scaling rounds nothing."""

    def __len__(self) -> int:
        return len(self.values)


class Bounds(NamedTuple):
    """Between which the squared distances of a block lie; of scaled points, and scaled so."""

    lower: Float[np.ndarray | Array, "rows columns"]
    upper: Float[np.ndarray | Array, "rows columns"]


class Nearest(NamedTuple):
    """The nearest first, along the last axis."""

    indices: Int[np.ndarray, "n k"]
    squared: Float64[np.ndarray, "n k"]
    """Squared distances."""


def prepare(metric: str, **sets: Num[np.ndarray | Array, "_n _d"]) -> tuple[Points, ...]:
    """Points of several sets about the first one's mean, so that they may be compared.

    Args:
        metric: what error messages call the number that this is for.
        sets: features, one row a sample, by the name that error messages call them.

    Raises:
        ValueError: a set is empty or has values that are not finite, or dimensions differ.
    """
    arrays = {name: np.asarray(values) for name, values in sets.items()}
    first = next(iter(arrays))
    for name, values in arrays.items():
        if len(values) == 0:
            raise ValueError(f"{metric}: the {name} set is empty")
        if not np.isfinite(values).all():
            raise ValueError(f"{metric}: the {name} set has features that are NaN or infinite")
        if values.shape[1] != arrays[first].shape[1]:
            raise ValueError(
                f"{metric}: the {first} set has {arrays[first].shape[1]}-dimensional features, "
                f"the {name} set {values.shape[1]}-dimensional ones"
            )
    center = arrays[first].mean(axis=0, dtype=np.float64)
    norms = {
        name: np.concatenate(
            [np.square(values[rows] - center).sum(axis=1) for rows in _chunks(values)]
        )
        for name, values in arrays.items()
    }
    longest = max(float(each.max()) for each in norms.values()) ** 0.5
    scale = 1.0 if longest == 0 else 2.0 ** -int(np.ceil(np.log2(longest)))
    return tuple(
        Points(
            values=values,
            near=np.concatenate(
                [((values[rows] - center) * scale).astype(np.float32) for rows in _chunks(values)]
            ),
            norms=norms[name] * scale**2,
            center=center,
            scale=scale,
        )
        for name, values in arrays.items()
    )


def blocks(rows: Points, columns: Points) -> Iterator[tuple[slice, Bounds]]:
    """Bounds of all squared distances, some rows at a time, in float32 on the accelerator.

    All blocks have the same number of rows, so that what reads them is compiled once; the last one
    may go beyond the end, where bounds mean nothing. The slice does not.
    """
    size = min(max(PAIRS // len(columns), 16), len(rows))
    count = -(-len(rows) // size)
    # Blocks of equal size leave the fewest rows over.
    size = -(-len(rows) // count)
    near, norms = jnp.asarray(columns.near), jnp.asarray(columns.norms, jnp.float32)
    for start in range(0, len(rows), size):
        part = slice(start, min(start + size, len(rows)))
        yield (
            part,
            _float32_bounds(
                padded(rows.near[part], size),
                padded(rows.norms[part].astype(np.float32), size),
                near,
                norms,
            ),
        )


def float64_bounds(rows: Points, part: slice, columns: Points) -> Bounds:
    """What `blocks` yields for these rows, from float64 on the host: 2^29 times as narrow."""
    a = (rows.values[part] - rows.center) * rows.scale
    squared = rows.norms[part, None] + columns.norms
    for chunk in _chunks(columns.values, len(squared)):
        b = (columns.values[chunk] - columns.center) * columns.scale
        squared[:, chunk] -= 2 * (a @ b.T)
    slack = _slack(a.shape[1], 2.0**-53) * (rows.norms[part, None] + columns.norms) + 1e-250
    return Bounds(squared - slack, squared + slack)


def too_many(pairs: int, rows: int) -> bool:
    """Whether so many undecided pairs of a block call for `float64_bounds`."""
    return pairs > _UNDECIDED * rows


def squared_distances(
    rows: Points, columns: Points, i: Int[np.ndarray, "pairs"], j: Int[np.ndarray, "pairs"]
) -> Float64[np.ndarray, "pairs"]:
    """Squared distances of single pairs, from their differences in float64."""
    squared = np.empty(len(i))
    step = max(_NUMBERS // max(rows.values.shape[1], 1), 1)
    for start in range(0, len(i), step):
        chosen = slice(start, start + step)
        differences = rows.values[i[chosen]].astype(np.float64)
        differences -= columns.values[j[chosen]]
        np.square(differences, out=differences)
        squared[chosen] = differences.sum(axis=1)
    return squared


def nearest(queries: Points, base: Points, k: int, *, itself: bool = False) -> Nearest:
    """The ``k`` points of a set that are nearest to each query, exactly.

    Args:
        queries: whose neighbors are looked for.
        base: among which they are.
        k: how many, at least 1.
        itself: whether the two sets are one, so that a point is no neighbor of itself. Other
            points at the same place are.

    Returns:
        Indices into ``base`` and squared distances; of equally near points, those with the
        smallest indices, the smallest first.

    Raises:
        ValueError: ``base`` has too few points for ``k`` neighbors.
    """
    available = len(base) - itself
    if not 1 <= k <= available:
        raise ValueError(f"asked for {k} nearest neighbors among {available} points")
    parts = [_smallest(queries, base, *near, k) for near in near_pairs(queries, base, k, itself)]
    return Nearest(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def near_pairs(
    queries: Points, base: Points, k: int, itself: bool = False
) -> Iterator[tuple[slice, Int[np.ndarray, "pairs"], Int[np.ndarray, "pairs"]]]:
    """Some queries at a time, all pairs that may be among their ``k`` nearest; ties included."""
    for part, bounds in blocks(queries, base):
        own = part.start if itself else -len(base) - len(queries)
        lower, found = _candidates(bounds.lower, own, k)
        count = part.stop - part.start
        pairs = _within(queries, base, part, lower, np.asarray(found)[:count])
        if too_many(len(pairs[0]), count):
            lower = float64_bounds(queries, part, base).lower
            if itself:
                lower[np.arange(count), np.arange(part.start, part.stop)] = np.inf
            best = np.argpartition(lower, k - 1, axis=1)[:, :k]
            pairs = _within(queries, base, part, lower, best)
        yield part, *pairs


def padded(values: Shaped[np.ndarray, "n *rest"], size: int) -> Shaped[np.ndarray, "size *rest"]:
    """The values with zeros after them."""
    width = [(0, size - len(values))] + [(0, 0)] * (values.ndim - 1)
    return np.pad(values, width) if len(values) < size else values


def _slack(dimension: int, unit: float) -> float:
    """How far off a squared distance may be, relative to the sum of the squared norms.

    ``d`` units for a product summed in any order (Higham 2002, section 3.1), and a few more for
    the rounding of coordinates, norms, limits and of the bounds themselves.
    """
    return 1.01 * (dimension + 32) * unit


@jax.jit
def _float32_bounds(
    a: Float32[Array | np.ndarray, "m d"],
    a_norms: Float32[Array | np.ndarray, "m"],
    b: Float32[Array, "n d"],
    b_norms: Float32[Array, "n"],
) -> Bounds:
    # Fewer digits, as is usual on accelerators, would not keep what the slack promises.
    products = jnp.matmul(a, b.T, precision=jax.lax.Precision.HIGHEST)
    norms = a_norms[:, None] + b_norms
    squared = norms - 2 * products
    # Numbers too small for float32 count as zero, hence the constant.
    slack = _slack(a.shape[1], 2.0**-24) * norms + 1e-30
    return Bounds(squared - slack, squared + slack)


@partial(jax.jit, static_argnums=2)
def _candidates(
    lower: Float32[Array, "m n"], own: int | Int[Array, ""], k: int
) -> tuple[Float32[Array, "m n"], Int[Array, "m k"]]:
    """The bounds without the points themselves, and the columns of the smallest in each row."""
    rows, columns = jnp.arange(lower.shape[0]), jnp.arange(lower.shape[1])
    lower = jnp.where(columns == (own + rows)[:, None], jnp.inf, lower)
    return lower, jax.lax.top_k(-lower, k)[1]


def _within(
    queries: Points,
    base: Points,
    part: slice,
    lower: Float[np.ndarray | Array, "m n"],
    found: Int[np.ndarray, "rows k"],
) -> tuple[Int[np.ndarray, "pairs"], Int[np.ndarray, "pairs"]]:
    """Pairs that may be as near as the farthest of the ``k`` that were found, and those."""
    count, k = found.shape
    rows = np.repeat(np.arange(part.start, part.stop), k)
    squared = squared_distances(queries, base, rows, found.reshape(-1)).reshape(count, k)
    limit = squared.max(axis=1) * queries.scale**2
    near = np.asarray(_below(lower, padded(limit.astype(lower.dtype), len(lower))))
    # Ten times as fast as np.nonzero of a matrix.
    i, j = np.divmod(np.flatnonzero(near[:count]), len(base))
    return i + part.start, j


@jax.jit
def _below_float32(lower: Float32[Array, "m n"], limit: Float32[Array | np.ndarray, "m"]) -> Any:
    return lower <= limit[:, None]


def _below(lower: Float[np.ndarray | Array, "m n"], limit: Float[np.ndarray, "m"]) -> Any:
    if isinstance(lower, np.ndarray):
        return lower <= limit[:, None]
    return _below_float32(lower, limit)


def _smallest(
    queries: Points,
    base: Points,
    part: slice,
    i: Int[np.ndarray, "pairs"],
    j: Int[np.ndarray, "pairs"],
    k: int,
) -> Nearest:
    """The ``k`` nearest of each row among pairs that are in order of rows, then of columns."""
    squared = squared_distances(queries, base, i, j)
    order = np.lexsort((j, squared, i))
    first = np.searchsorted(i, np.arange(part.start, part.stop))
    places = order[first[:, None] + np.arange(k)]
    return Nearest(j[places], squared[places])


def _chunks(values: Num[np.ndarray, "n d"], width: int = 0) -> Iterator[slice]:
    """Slices of rows that are small in float64."""
    step = max(_NUMBERS // max(values.shape[1], width, 1), 1)
    for start in range(0, len(values), step):
        yield slice(start, start + step)
