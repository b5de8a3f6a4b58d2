"""Three bilinear maps, each other's derivatives, in the forms that XLA runs fast on CPUs.

For pixels x, kernel w, results y, stride s, and b zeros before the first pixel, along height and
width alike:

    convolve:  y[i] = sum_t x[i s + t - b] w[t]
    spread:    x[j] = sum of y[i] w[t] over all i, t with i s + t - b = j
    compare:   w[t] = sum_i x[i s + t - b] y[i]

Each is linear in both of its arguments, and its derivatives, of any order, are the two others. They
are primitives of JAX, so that reverse mode, forward mode and ``vmap`` end in these three again, and
nothing else has to be fast.

XLA's CPU backend is fast at convolutions that are channels-last, do not reverse the kernel and put
no zeros between pixels. It brings others into that form where it can, but not in the body of a
loop, and never convolutions in groups, which is what ``vmap`` over kernels would become.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir
from jaxtyping import Array, Float

from jaxgan.networks.layers import winograd
from jaxgan.networks.layers.axis import Axes, Axis, fit

FEW_CHANNELS = 4
"""For so few, one matrix product for all taps at once is faster than a convolution."""

UNROLLED = 16
"""``vmap`` over up to so many kernels writes out a convolution for each; over more, it loops."""


def convolve(
    x: Float[Array, "batch height width in_channels"],
    w: Float[Array, "kernel_height kernel_width in_channels out_channels"],
    axes: Axes,
) -> Float[Array, "batch out_height out_width out_channels"]:
    """``y[i] = sum_t x[i s + t - b] w[t]``."""
    return _convolve.bind(x, w, axes=axes)


def spread(
    y: Float[Array, "batch out_height out_width out_channels"],
    w: Float[Array, "kernel_height kernel_width in_channels out_channels"],
    axes: Axes,
) -> Float[Array, "batch height width in_channels"]:
    """``x[j]``, the sum of ``y[i] w[t]`` over all i, t with ``i s + t - b = j``."""
    return _spread.bind(y, w, axes=axes)


def compare(
    x: Float[Array, "batch height width in_channels"],
    y: Float[Array, "batch out_height out_width out_channels"],
    axes: Axes,
) -> Float[Array, "kernel_height kernel_width in_channels out_channels"]:
    """``w[t] = sum_i x[i s + t - b] y[i]``."""
    return _compare.bind(x, y, axes=axes)


def _run_convolve(x: Array, w: Array, *, axes: Axes) -> Array:
    if tilings := winograd.tilings_of(x.dtype, len(x), w.shape[2], w.shape[3], axes):
        return winograd.convolve(x, w, tilings)
    return _plain(x, w, [axis.pads for axis in axes], strides=[axis.stride for axis in axes])


def _run_spread(y: Array, w: Array, *, axes: Axes) -> Array:
    if tilings := winograd.tilings_of(y.dtype, len(y), w.shape[2], w.shape[3], axes):
        return winograd.spread(y, w, tilings)
    if w.shape[2] <= FEW_CHANNELS:
        return _spread_products(y, w, axes)
    # Pixels whose distance is a multiple of the stride see the same taps, so they are a plain
    # convolution with these; one after the other in both directions, all of them are x.
    height, width = axes
    rows = [
        jnp.stack([_phase(y, w, height, width, p, q) for q in range(width.stride)], axis=3)
        for p in range(height.stride)
    ]
    x = jnp.stack(rows, axis=2)
    batch, rows_each, _, columns_each, _, channels = x.shape
    x = x.reshape(batch, rows_each * height.stride, columns_each * width.stride, channels)
    return x[:, : height.pixels, : width.pixels]


def _phase(y: Array, w: Array, height: Axis, width: Axis, row: int, column: int) -> Array:
    """The pixels of x from one on, in steps of the stride (and maybe some beyond the last)."""
    counts, edges, taps = [], [], []
    for axis, start in ((height, row), (width, column)):
        # Pixel start + n s gets y[n + shift - m] w[tap + m s] for every m that there is.
        shift, tap = divmod(start + axis.before, axis.stride)
        window = len(range(tap, axis.taps, axis.stride))
        counts.append(-(-axis.pixels // axis.stride))
        before = window - 1 - shift
        edges.append((before, counts[-1] + window - 1 - before - axis.results))
        taps.append(slice(tap, None, axis.stride))
    seen = w[taps[0], taps[1]]
    if 0 in seen.shape:
        return jnp.zeros((len(y), *counts, w.shape[2]), y.dtype)
    return _plain(y, seen[::-1, ::-1].swapaxes(2, 3), edges)


def _spread_products(y: Array, w: Array, axes: Axes) -> Array:
    """One product of results and taps; then each tap's share is put where it belongs."""
    # In float32, as sums inside a convolution are.
    wide = jnp.promote_types(y.dtype, jnp.float32)
    shares = jnp.einsum("nhwo,abio->nhwabi", y, w, preferred_element_type=wide)
    between = [axis.stride - 1 for axis in axes]
    x = jnp.zeros((len(y), axes[0].pixels, axes[1].pixels, w.shape[2]), wide)
    for a in range(axes[0].taps):
        for b in range(axes[1].taps):
            starts = (a - axes[0].before, b - axes[1].before)
            edges = [
                (start, axis.pixels - start - (axis.results - 1) * axis.stride - 1)
                for start, axis in zip(starts, axes, strict=True)
            ]
            x = x + fit(shares[:, :, :, a, b], edges, between=between)
    return x.astype(y.dtype)


def _run_compare(x: Array, y: Array, *, axes: Axes) -> Array:
    if tilings := winograd.tilings_of(x.dtype, len(x), x.shape[3], y.shape[3], axes):
        return winograd.compare(x, y, tilings)
    if y.shape[3] <= FEW_CHANNELS and all(axis.stride == 1 for axis in axes):
        return _compare_products(x, y, axes)
    # Sums go over the batch, so it takes the place of the channels, and those that of the batch.
    pixels, results = x.transpose(3, 1, 2, 0), y.transpose(1, 2, 0, 3)
    edges, strides = [axis.pads for axis in axes], [axis.stride for axis in axes]
    return _plain(pixels, results, edges, dilation=strides).transpose(1, 2, 0, 3)


def _compare_products(x: Array, y: Array, axes: Axes) -> Array:
    """For stride 1: one product of the pixels and the results that each of their taps reaches."""
    height, width = axes
    # Pixel j reaches result j + b - t through tap t.
    edges = [(a.taps - 1 - a.before, a.pixels + a.before - a.results) for a in axes]
    y = fit(y, edges)
    reached = [
        y[:, height.taps - 1 - a :][:, : height.pixels, width.taps - 1 - b :][:, :, : width.pixels]
        for a in range(height.taps)
        for b in range(width.taps)
    ]
    w = jnp.einsum("nhwi,nhwto->tio", x, jnp.stack(reached, axis=3))
    return w.reshape(height.taps, width.taps, x.shape[3], y.shape[3])


def _plain(
    x: Array,
    w: Array,
    edges: Sequence[tuple[int, int]],
    *,
    strides: Sequence[int] = (1, 1),
    dilation: Sequence[int] = (1, 1),
) -> Array:
    """A convolution as XLA likes them best."""
    if any(edge < 0 for pair in edges for edge in pair):
        x, edges = fit(x, edges), [(0, 0), (0, 0)]
    numbers = ("NHWC", "HWIO", "NHWC")
    return lax.conv_general_dilated(
        x, w, strides, edges, rhs_dilation=dilation, dimension_numbers=numbers
    )


def _primitive(
    name: str,
    run: Callable[..., Array],
    shape: Callable[[tuple[int, ...], tuple[int, ...], Axes], tuple[int, ...]],
    folds: tuple[tuple[int, int], tuple[int, int]],
) -> Primitive:
    """A primitive without derivatives.

    Args:
        name: as it appears in jaxprs.
        run: what it does, in terms of `jax.lax`.
        shape: that of the result, from those of the arguments.
        folds: for each argument, one of its axes, and the axis of the result whose entries depend
            on the same entries of that axis only. There a batch of this argument can go.
    """
    primitive = Primitive(name)
    primitive.def_impl(jax.jit(run, static_argnames="axes"))
    mlir.register_lowering(primitive, mlir.lower_fun(run, multiple_results=False))

    def abstract(first: Any, second: Any, *, axes: Axes) -> Any:
        return first.update(shape=shape(first.shape, second.shape, axes), weak_type=False)

    def batch(
        arguments: Sequence[Array], mapped: Sequence[Any], *, axes: Axes
    ) -> tuple[Array, int]:
        bind = partial(primitive.bind, axes=axes)
        for this, other in ((0, 1), (1, 0)):
            if mapped[other] is None:
                given, result = folds[this]
                operands = list(arguments)
                array = jnp.moveaxis(arguments[this], mapped[this], given)
                count, entries = array.shape[given : given + 2]
                sizes = (*array.shape[:given], count * entries, *array.shape[given + 2 :])
                operands[this] = array.reshape(sizes)
                folded = bind(*operands)
                sizes = (*folded.shape[:result], count, entries, *folded.shape[result + 1 :])
                return folded.reshape(sizes), result
        first, second = (jnp.moveaxis(a, m, 0) for a, m in zip(arguments, mapped, strict=True))
        if len(first) > UNROLLED:
            return lax.map(lambda pair: bind(*pair), (first, second)), 0
        return jnp.stack([bind(a, b) for a, b in zip(first, second, strict=True)]), 0

    primitive.def_abstract_eval(abstract)
    batching.primitive_batchers[primitive] = batch
    return primitive


_convolve = _primitive(
    "convolve",
    _run_convolve,
    lambda x, w, axes: (x[0], *(a.results for a in axes), w[3]),
    folds=((0, 0), (3, 3)),
)
_spread = _primitive(
    "spread",
    _run_spread,
    lambda y, w, axes: (y[0], *(a.pixels for a in axes), w[2]),
    folds=((0, 0), (2, 3)),
)
_compare = _primitive(
    "compare",
    _run_compare,
    lambda x, y, axes: (*(a.taps for a in axes), x[3], y[3]),
    folds=((3, 2), (3, 3)),
)

# Transposes: the cotangent of a result, both arguments (one of them unknown), and the sizes.
ad.defbilinear(
    _convolve,
    lambda y, _, w, *, axes: _spread.bind(y, w, axes=axes),
    lambda y, x, _, *, axes: _compare.bind(x, y, axes=axes),
)
ad.defbilinear(
    _spread,
    lambda x, _, w, *, axes: _convolve.bind(x, w, axes=axes),
    lambda x, y, _, *, axes: _compare.bind(x, y, axes=axes),
)
ad.defbilinear(
    _compare,
    lambda w, _, y, *, axes: _spread.bind(y, w, axes=axes),
    lambda w, x, _, *, axes: _convolve.bind(x, w, axes=axes),
)
