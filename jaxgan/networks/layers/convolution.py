"""Convolution and transposed convolution as in `jax.lax`, with fast gradients on CPUs.

On GPUs and TPUs these are the functions of `jax.lax`. On CPUs, XLA is up to hundreds of times
slower than need be at some of what they turn into: the kernel's gradient of a transposed
convolution, both gradients inside a loop, ``vmap`` over kernels. There, kernels or images of one
pixel are matrix products, and everything else is made of the maps of
`jaxgan.networks.layers.bilinear`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TypeAlias

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from jaxgan.machine import target
from jaxgan.networks.layers.axis import Axes, Axis, fit
from jaxgan.networks.layers.bilinear import convolve, spread

Padding: TypeAlias = str | tuple[tuple[int, int], tuple[int, int]]
"""``"SAME"``, ``"VALID"``, or (before, after) for height and for width."""

Size: TypeAlias = tuple[int, int]
"""Height and width."""


def conv(
    inputs: Float[Array, "batch height width in_channels"],
    kernel: Float[Array, "kernel_height kernel_width group_channels out_channels"],
    *,
    strides: Size = (1, 1),
    padding: Padding = "SAME",
    groups: int = 1,
) -> Float[Array, "batch out_height out_width out_channels"]:
    """Two-dimensional convolution (cross-correlation, as everywhere in the field).

    Args:
        inputs: images, channels last.
        kernel: weights; ``group_channels`` are all channels, or with groups those of one.
        strides: steps between windows.
        padding: zeros around the inputs.
        groups: equal parts of the channels, in their order, of which each is convolved alone.

    Raises:
        TypeError, ValueError: those of `jax.lax.conv_general_dilated`.
    """
    ordinary = partial(
        lax.conv_general_dilated,
        window_strides=strides,
        padding=padding,
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=groups,
    )
    if groups > 1:
        shape = jax.eval_shape(ordinary, inputs, kernel).shape
        if _leave_to_xla(inputs.shape, kernel.shape, shape):
            return ordinary(inputs, kernel)
        # XLA's own are slow on CPUs: a convolution of each group.
        parts = (array.reshape(*array.shape[:-1], groups, -1) for array in (inputs, kernel))
        alone = partial(conv, strides=strides, padding=padding)
        return jax.vmap(alone, in_axes=3, out_axes=3)(*parts).reshape(shape)
    shape = jax.eval_shape(ordinary, inputs, kernel).shape
    if _leave_to_xla(inputs.shape, kernel.shape, shape):
        return ordinary(inputs, kernel)
    pixels, taps = inputs.shape[1:3], kernel.shape[:2]
    edges = padding
    if isinstance(edges, str):
        edges = lax.padtype_to_pads(pixels, taps, strides, edges)
    axes = _axes(pixels, shape[1:3], taps, strides, [before for before, _ in edges])
    if taps == (1, 1):
        seen = fit(inputs, [axis.pads for axis in axes])[:, :: strides[0], :: strides[1]]
        return jnp.einsum("nhwi,io->nhwo", seen, kernel[0, 0])
    if pixels == (1, 1):
        return _from_one_pixel(inputs, kernel, axes)
    if shape[1:3] == (1, 1):
        seen = fit(inputs, [axis.pads for axis in axes])
        return jnp.einsum("nhwi,hwio->no", seen, kernel).reshape(shape)
    return convolve(inputs, kernel, axes)


def conv_transpose(
    inputs: Float[Array, "batch height width in_channels"],
    kernel: Float[Array, "kernel_height kernel_width in_channels out_channels"],
    *,
    strides: Size = (1, 1),
    padding: Padding = "SAME",
) -> Float[Array, "batch out_height out_width out_channels"]:
    """Two-dimensional transposed convolution; with ``"SAME"``, sizes grow by exactly the strides.

    The kernel is not flipped: the result is that of `conv` on the input with ``stride - 1`` zeros
    between its pixels, the semantics of `jax.lax.conv_transpose`.

    Raises:
        TypeError, ValueError: those of `jax.lax.conv_transpose`.
    """
    ordinary = partial(lax.conv_transpose, strides=strides, padding=padding)
    shape = jax.eval_shape(ordinary, inputs, kernel).shape
    if _leave_to_xla(inputs.shape, kernel.shape, shape):
        return ordinary(inputs, kernel)
    pixels, taps, results = inputs.shape[1:3], kernel.shape[:2], shape[1:3]
    before = _zeros_before(taps, strides, padding)
    if taps == (1, 1):
        edges = [
            (zeros, result - zeros - (pixel - 1) * stride - 1)
            for zeros, result, pixel, stride in zip(before, results, pixels, strides, strict=True)
        ]
        apart = [stride - 1 for stride in strides]
        return fit(jnp.einsum("nhwi,io->nhwo", inputs, kernel[0, 0]), edges, between=apart)
    if pixels == (1, 1):
        return _from_one_pixel(inputs, kernel, _axes(pixels, results, taps, (1, 1), before))
    # Seen from the convolution that this transposes, results are pixels, and the kernel is flipped.
    before = [tap - 1 - zeros for tap, zeros in zip(taps, before, strict=True)]
    axes = _axes(results, pixels, taps, strides, before)
    return spread(inputs, kernel[::-1, ::-1].swapaxes(2, 3), axes)


def _leave_to_xla(*shapes: tuple[int, ...]) -> bool:
    """Whether this is no CPU, or there is nothing to compute."""
    return target.platform() != "cpu" or any(0 in shape for shape in shapes)


def _axes(
    pixels: Sequence[int],
    results: Sequence[int],
    taps: Sequence[int],
    strides: Sequence[int],
    before: Sequence[int],
) -> Axes:
    height, width = map(Axis, pixels, results, taps, strides, before)
    return height, width


def _zeros_before(taps: Sequence[int], strides: Sequence[int], padding: Padding) -> list[int]:
    """Zeros before the spread input; those of `jax.lax.conv_transpose`."""
    if not isinstance(padding, str):
        return [before for before, _ in padding]
    if padding == "VALID":
        return [tap - 1 for tap in taps]
    return [
        tap - 1 if stride > tap - 1 else -(-(tap + stride - 2) // 2)
        for tap, stride in zip(taps, strides, strict=True)
    ]


def _from_one_pixel(inputs: Array, kernel: Array, axes: Axes) -> Array:
    """A convolution of images of one pixel, which result i sees through tap b - i s only."""
    edges = [
        (axis.before + 1 - axis.taps, (axis.results - 1) * axis.stride - axis.before)
        for axis in axes
    ]
    seen = fit(kernel[::-1, ::-1], edges, first=0)[:: axes[0].stride, :: axes[1].stride]
    return jnp.einsum("nabi,hwio->nhwo", inputs, seen)
