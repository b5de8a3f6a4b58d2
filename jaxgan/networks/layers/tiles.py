"""Tiles of two by two results, and what Winograd's forms of a convolution make of them.

See `jaxgan.networks.layers.winograd`, which multiplies them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array

from jaxgan.networks.layers.axis import Axis, fit

Matrix: TypeAlias = tuple[tuple[float | int, ...], ...]
Grid: TypeAlias = list[list[Array]]
"""Arrays by their place along height, and along width."""

TILE = 2
"""Results of a tile, along either axis."""


class Form(NamedTuple):
    """``y = A'[(G w) * (B' x)]`` along one axis, for two results."""

    pixels: Matrix
    """B': from the pixels that a tile sees to its places."""
    taps: Matrix
    """G: from the kernel to the places."""
    results: Matrix
    """A': from the places to the results."""


FORMS: dict[int, Form] = {
    2: Form(
        pixels=((1, -1, 0), (0, 1, 0), (0, 1, -1)),
        taps=((1, 0), (1, 1), (0, 1)),
        results=((1, 1, 0), (0, 1, -1)),
    ),
    3: Form(
        pixels=((1, 0, -1, 0), (0, 1, 1, 0), (0, -1, 1, 0), (0, 1, 0, -1)),
        taps=((1, 0, 0), (0.5, 0.5, 0.5), (0.5, -0.5, 0.5), (0, 0, 1)),
        results=((1, 1, 1, 0), (0, 1, -1, -1)),
    ),
}
"""By the number of taps that are left when the stride has been taken away."""


class Tiling(NamedTuple):
    """How one axis is cut into tiles."""

    axis: Axis
    form: Form
    taps: int
    """Taps that are left when the stride has been taken away."""
    tiles: int
    """Tiles that cover the results."""

    @property
    def places(self) -> int:
        """Products of a tile along this axis; also the strides of pixels that it sees."""
        return len(self.form.pixels)


def pixels_at_places(x: Array, tilings: tuple[Tiling, Tiling]) -> Grid:
    """Transformed pixels, each ``(batch * tiles * tiles, strides * in_channels)``."""
    (height, width), (batch, *_, channels) = tilings, x.shape
    sizes = [TILE * tiling.tiles + tiling.taps - 1 for tiling in tilings]
    strides = height.axis.stride, width.axis.stride
    edges = [
        (tiling.axis.before, size * tiling.axis.stride - tiling.axis.pixels - tiling.axis.before)
        for tiling, size in zip(tilings, sizes, strict=True)
    ]
    x = fit(x, edges).reshape(batch, sizes[0], strides[0], sizes[1], strides[1], channels)
    x = x.transpose(0, 1, 3, 2, 4, 5).reshape(batch, *sizes, math.prod(strides) * channels)
    if strides != (1, 1):
        # Moved once, rather than by every one of the sums that read it.
        x = lax.optimization_barrier(x)
    seen = [
        [_every(_every(x, i, height.tiles, 1), j, width.tiles, 2) for j in range(width.places)]
        for i in range(height.places)
    ]
    return _as_matrices(on_grid([tiling.form.pixels for tiling in tilings], seen))


def taps_at_places(w: Array, tilings: tuple[Tiling, Tiling]) -> Grid:
    """Transformed taps, each ``(strides * in_channels, out_channels)``."""
    (height, width), (channels_in, channels_out) = tilings, w.shape[2:]
    w = fit(
        w, [(0, tiling.taps * tiling.axis.stride - tiling.axis.taps) for tiling in tilings], first=0
    )
    split = (height.taps, height.axis.stride, width.taps, width.axis.stride)
    w = w.reshape(*split, channels_in, channels_out).transpose(0, 2, 1, 3, 4, 5)
    w = w.reshape(height.taps, width.taps, -1, channels_out)
    return on_grid([tiling.form.taps for tiling in tilings], [list(row) for row in w])


def results_at_places(y: Array, tilings: tuple[Tiling, Tiling]) -> Grid:
    """Results spread over the places, each ``(batch * tiles * tiles, out_channels)``."""
    height, width = tilings
    y = fit(y, [(0, TILE * tiling.tiles - tiling.axis.results) for tiling in tilings])
    parts = [
        [_every(_every(y, i, height.tiles, 1), j, width.tiles, 2) for j in range(TILE)]
        for i in range(TILE)
    ]
    return _as_matrices(on_grid([transposed(tiling.form.results) for tiling in tilings], parts))


def overlap(tiling: Tiling, places: Sequence[Array], axis: int) -> list[Array]:
    """Pixels from the places of tiles that overlap; the transpose of cutting them.

    Args:
        tiling: of this axis.
        places: arrays whose axes 1 and 2 count tiles, and whose axis 3 counts this axis's strides
            (those of height are gone when width's turn comes).
        axis: 1 for height, 2 for width.

    Returns:
        For each of the pixels that neighboring tiles are apart, the array of these pixels.
    """
    sizes, tiles = tiling.axis, -(-tiling.axis.pixels // (TILE * tiling.axis.stride))
    seen = _combine(transposed(tiling.form.pixels), places)

    def at(place: int, phase: int, shift: int) -> Array:
        part = lax.index_in_dim(seen[place], phase, 3, keepdims=False)
        return fit(part, [(-shift, tiles + shift - tiling.tiles)], first=axis)

    pixels = []
    for start in range(TILE * sizes.stride):
        shift, rest = divmod(start + sizes.before, TILE * sizes.stride)
        place, phase = divmod(rest, sizes.stride)
        pixel = at(place, phase, shift)
        if place + TILE < tiling.places:
            pixel = pixel + at(place + TILE, phase, shift - 1)
        pixels.append(pixel)
    return pixels


def as_tiles(grid: Grid, tilings: tuple[Tiling, Tiling]) -> Grid:
    """Rows of matrices as ``(batch, tiles, tiles)``."""
    height, width = tilings
    return [[m.reshape(-1, height.tiles, width.tiles, m.shape[-1]) for m in row] for row in grid]


def interleave(grid: Grid) -> Array:
    """The inverse of taking every so manyth row and column."""
    x = jnp.stack([jnp.stack(row, axis=3) for row in grid], axis=2)
    batch, tiles_high, high, tiles_wide, wide, channels = x.shape
    return x.reshape(batch, tiles_high * high, tiles_wide * wide, channels)


def on_grid(matrices: Sequence[Matrix], grid: Grid) -> Grid:
    """One matrix applied along height, one along width."""
    columns = [_combine(matrices[0], column) for column in zip(*grid, strict=True)]
    return [_combine(matrices[1], row) for row in zip(*columns, strict=True)]


def transposed(matrix: Matrix) -> Matrix:
    """The matrix with rows and columns exchanged."""
    return tuple(zip(*matrix, strict=True))


def _combine(matrix: Matrix, parts: Sequence[Array]) -> list[Array]:
    """One sum of the parts for each row of weights."""
    return [_sum(row, parts) for row in matrix]


def _sum(row: Sequence[float | int], parts: Sequence[Array]) -> Array:
    """The weighted sum; additions first, so that no term has to be negated."""
    terms = sorted(
        ((weight, part) for weight, part in zip(row, parts, strict=True) if weight),
        key=lambda term: -term[0],
    )
    scaled = [part if abs(weight) == 1 else abs(weight) * part for weight, part in terms]
    total = scaled[0] if terms[0][0] > 0 else -scaled[0]
    for (weight, _), part in zip(terms[1:], scaled[1:], strict=True):
        total = total + part if weight > 0 else total - part
    return total


def _every(x: Array, start: int, count: int, axis: int) -> Array:
    """So many entries, each a tile after the one before."""
    return lax.slice_in_dim(x, start, start + TILE * (count - 1) + 1, TILE, axis)


def _as_matrices(grid: Grid) -> Grid:
    """All axes but the last as one: XLA would rather copy than contract several."""
    return [[tiles.reshape(-1, tiles.shape[-1]) for tiles in row] for row in grid]
