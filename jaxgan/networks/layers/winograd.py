"""The three maps of `jaxgan.networks.layers.bilinear` with fewer multiplications.

Two neighboring results of a convolution with two taps need four products of pixels and weights;
Winograd's form needs three, and with three taps four instead of six. Along height and width
together that leaves 9 of 16, and 16 of 36. Since pixels and weights are vectors and matrices over
channels, each of these 9 or 16 is one matrix product for all tiles of two by two results.

With ``y = A'[(G w) * (B' x)]`` for the results y of one tile, where B', G and A' act along height
and along width,

    convolve: y = A'[(B' x) (G w)],  spread: x = B[(A y) (G w)'],  compare: w = G'[(B' x)' (A y)],

so a convolution and its two gradients share their transformed operands. A stride is taken away
first: the pixels between windows become channels.

The transforms are sums of a few terms, so rounding errors stay close to those of a plain
convolution: some 1e-6 of the result's norm in float32.

References:
    Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, 2016, sections 4.1 and 4.2.
    The form for two taps is Karatsuba's, transposed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array

from jaxgan.networks.layers.axis import Axes, fit
from jaxgan.networks.layers.tiles import (
    FORMS,
    TILE,
    Grid,
    Tiling,
    as_tiles,
    interleave,
    on_grid,
    overlap,
    pixels_at_places,
    results_at_places,
    taps_at_places,
    transposed,
)

LEAST_CHANNELS = 32
"""With fewer, the transforms cost more than they save."""

LEAST_PRODUCTS = 2**24
"""Multiplications of the plain form below which it is not worth the compilation."""

LARGEST_SHARE = 0.6
"""Of the plain form's multiplications; with more left, nothing is gained."""

LARGEST_BYTES = 2**23
"""Of transformed pixels at a time, to stay in the caches; larger batches go in parts."""


def tilings_of(
    dtype: Any, batch: int, channels_in: int, channels_out: int, axes: Axes
) -> tuple[Tiling, Tiling] | None:
    """How to cut height and width, or None where a plain convolution is as good.

    Args:
        dtype: of the operands. Products of bfloat16 are so fast that transforms do not pay.
        batch: images.
        channels_in: of x.
        channels_out: of y.
        axes: height and width.
    """
    if dtype != jnp.float32 or min(channels_in, channels_out) < LEAST_CHANNELS:
        return None
    tilings, share, products = [], 1.0, batch * channels_in * channels_out
    for axis in axes:
        taps = -(-axis.taps // axis.stride)
        if taps not in FORMS or axis.before < 0:
            return None
        tilings.append(Tiling(axis, FORMS[taps], taps, -(-axis.results // TILE)))
        plain = axis.results * axis.taps
        share *= tilings[-1].tiles * tilings[-1].places * axis.stride / plain
        products *= plain
    if share > LARGEST_SHARE or products < LEAST_PRODUCTS:
        return None
    return tilings[0], tilings[1]


def convolve(x: Array, w: Array, tilings: tuple[Tiling, Tiling]) -> Array:
    """``y[i] = sum_t x[i s + t - b] w[t]``; shapes as in `jaxgan.networks.layers.bilinear`."""
    weights = taps_at_places(w, tilings)

    def some(x: Array) -> Array:
        places = _multiply(pixels_at_places(x, tilings), weights, contract=(1, 0))
        results = on_grid([tiling.form.results for tiling in tilings], as_tiles(places, tilings))
        crop = [(0, tiling.axis.results - TILE * tiling.tiles) for tiling in tilings]
        return fit(interleave(results), crop)

    return _in_parts(some, _image_bytes(w.shape[2], w.shape[3], tilings), x)


def spread(y: Array, w: Array, tilings: tuple[Tiling, Tiling]) -> Array:
    """``x[j]``, the sum of ``y[i] w[t]`` over all i, t with ``i s + t - b = j``."""
    weights = taps_at_places(w, tilings)
    height, width = tilings

    def some(y: Array) -> Array:
        places = _multiply(results_at_places(y, tilings), weights, contract=(1, 1))
        split = [
            [p.reshape(*p.shape[:3], height.axis.stride, width.axis.stride, -1) for p in row]
            for row in as_tiles(places, tilings)
        ]
        columns = [overlap(height, column, axis=1) for column in zip(*split, strict=True)]
        pixels = [overlap(width, row, axis=2) for row in zip(*columns, strict=True)]
        x = interleave(pixels)
        sizes = zip(tilings, x.shape[1:3], strict=True)
        return fit(x, [(0, tiling.axis.pixels - size) for tiling, size in sizes])

    return _in_parts(some, _image_bytes(w.shape[2], w.shape[3], tilings), y)


def compare(x: Array, y: Array, tilings: tuple[Tiling, Tiling]) -> Array:
    """``w[t] = sum_i x[i s + t - b] y[i]``."""
    height, width = tilings
    strides, channels = (height.axis.stride, width.axis.stride), (x.shape[3], y.shape[3])

    def some(x: Array, y: Array) -> Array:
        places = _multiply(
            pixels_at_places(x, tilings), results_at_places(y, tilings), contract=(0, 0)
        )
        return jnp.stack([jnp.stack(row) for row in places])

    # Added up over the parts of the batch, before the last transform.
    places = _in_parts(some, _image_bytes(x.shape[3], y.shape[3], tilings), x, y, add=True)
    matrices = [transposed(tiling.form.taps) for tiling in tilings]
    taps = on_grid(matrices, [list(row) for row in places])
    w = jnp.stack([jnp.stack(row) for row in taps])
    w = w.reshape(height.taps, width.taps, *strides, *channels).transpose(0, 2, 1, 3, 4, 5)
    w = w.reshape(height.taps * strides[0], width.taps * strides[1], *channels)
    return w[: height.axis.taps, : width.axis.taps]


def _multiply(first: Grid, second: Grid, *, contract: tuple[int, int]) -> Grid:
    """One matrix product for each place, over the given axis of either operand."""
    dimensions = (((contract[0],), (contract[1],)), ((), ()))
    return [
        [lax.dot_general(a, b, dimensions) for a, b in zip(*rows, strict=True)]
        for rows in zip(first, second, strict=True)
    ]


def _image_bytes(channels_in: int, channels_out: int, tilings: tuple[Tiling, Tiling]) -> int:
    """Size of the larger transformed operand of one image."""
    height, width = tilings
    channels = max(channels_in * height.axis.stride * width.axis.stride, channels_out)
    return 4 * channels * height.tiles * height.places * width.tiles * width.places


def _in_parts(
    function: Callable[..., Array], image_bytes: int, *arrays: Array, add: bool = False
) -> Array:
    """A function of a batch, applied to all of it, or to some images at a time.

    Args:
        function: from arrays whose first axis counts images.
        image_bytes: what one image needs.
        arrays: the function's arguments.
        add: parts' results are added up, rather than put one after the other.
    """
    batch = len(arrays[0])
    if batch * image_bytes <= 2 * LARGEST_BYTES:
        return function(*arrays)
    sizes = [n for n in range(1, batch + 1) if batch % n == 0]
    size = max((n for n in sizes if n * image_bytes <= LARGEST_BYTES), default=1)
    parts = tuple(a.reshape(batch // size, size, *a.shape[1:]) for a in arrays)
    if not add:
        results = lax.map(lambda part: function(*part), parts)
        return results.reshape(batch, *results.shape[2:])
    shape = jax.eval_shape(function, *(p[0] for p in parts))
    zeros = jnp.zeros(shape.shape, shape.dtype)
    return lax.scan(lambda total, part: (total + function(*part), None), zeros, parts)[0]
