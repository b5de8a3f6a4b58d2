"""StyleGAN2's synthesis network as one writes it with flax.linen.

With ``fused`` the weights of every example are made and convolved with in as many groups; without,
the channels are scaled before one convolution of the whole batch, and after it.
"""

from __future__ import annotations

import math
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from side_by_side.steps import CLAMP, FIR, SLOPE, Size, style_levels

NHWC = ("NHWC", "HWIO", "NHWC")


def upsampled(images: Array) -> Array:
    """Images at twice the resolution: zeros between pixels, and the filter."""
    return _filtered(images, ((2, 2), (2, 2)), 2)


def _filtered(images: Array, pads: Any, up: int) -> Array:
    taps = up * up * np.outer(FIR, FIR).astype(np.float32)
    channels = images.shape[-1]
    kernel = jnp.broadcast_to(jnp.asarray(taps, images.dtype)[..., None, None], (4, 4, 1, channels))
    return jax.lax.conv_general_dilated(
        images, kernel, (1, 1), pads, lhs_dilation=(up, up), dimension_numbers=NHWC,
        feature_group_count=channels,
    )  # fmt: skip


def _conv(images: Array, kernel: Array, up: bool, groups: int) -> Array:
    """A convolution, or a transposed one of stride 2 and the filter."""
    if not up:
        return jax.lax.conv_general_dilated(
            images, kernel, (1, 1), "SAME", dimension_numbers=NHWC, feature_group_count=groups
        )
    spread = jax.lax.conv_general_dilated(
        images, kernel[::-1, ::-1], (1, 1), ((2, 2), (2, 2)), lhs_dilation=(2, 2),
        dimension_numbers=NHWC, feature_group_count=groups,
    )  # fmt: skip
    return 4.0 * _filtered(spread, ((1, 1), (1, 1)), 1)


def modulated(
    images: Array, kernel: Array, styles: Array, *, demodulate: bool, up: bool, fused: bool
) -> Array:
    """A convolution with weights that each example's styles scale."""
    dtype, count = images.dtype, len(images)
    if fused:
        weights = kernel[None] * styles[:, None, None, :, None]
        if demodulate:
            weights *= jax.lax.rsqrt(jnp.sum(weights**2, (1, 2, 3), keepdims=True) + 1e-8)
        # The examples become groups of channels.
        row = jnp.moveaxis(images, 0, 2).reshape(1, *images.shape[1:3], -1)
        grouped = jnp.moveaxis(weights, 0, 3).reshape(*kernel.shape[:3], -1).astype(dtype)
        made = _conv(row, grouped, up, count)
        return jnp.moveaxis(made.reshape(*made.shape[1:3], count, -1), 2, 0)
    made = _conv(images * styles[:, None, None].astype(dtype), kernel.astype(dtype), up, 1)
    if not demodulate:
        return made
    factors = jax.lax.rsqrt(styles**2 @ jnp.sum(kernel**2, (0, 1)) + 1e-8)
    return made * factors[:, None, None].astype(dtype)


class EqualizedDense(nn.Module):
    """A dense layer whose weights are scaled when used."""

    features: int

    @nn.compact
    def __call__(self, inputs: Array) -> Array:
        """The inputs times the scaled weights, plus the biases."""
        shape = (inputs.shape[-1], self.features)
        kernel = self.param("kernel", nn.initializers.normal(1.0), shape)
        bias = self.param("bias", nn.initializers.ones, (self.features,))
        return inputs @ kernel / math.sqrt(len(kernel)) + bias


class StyledConv(nn.Module):
    """Style, modulated convolution, noise, bias, leaky ReLU."""

    features: int
    up: bool
    fused: bool
    dtype: Any

    @nn.compact
    def __call__(self, images: Array, w: Array) -> Array:
        """Feature maps, in dtype."""
        channels = images.shape[-1]
        styles = EqualizedDense(channels, name="style")(w)
        kernel = self.param("kernel", nn.initializers.normal(1.0), (3, 3, channels, self.features))
        made = modulated(
            images.astype(self.dtype), kernel, styles, demodulate=True, up=self.up, fused=self.fused
        )
        strength = self.param("noise_strength", nn.initializers.zeros, ())
        bias = self.param("bias", nn.initializers.zeros, (self.features,))
        noise = self.variable("batch_stats", "constant", jnp.zeros, made.shape[1:3]).value
        made += (strength * noise[..., None] + bias).astype(self.dtype)
        return jnp.clip(nn.leaky_relu(made, SLOPE) * math.sqrt(2.0), -CLAMP, CLAMP)


class ToImage(nn.Module):
    """Channels of an image from feature maps."""

    channels: int
    fused: bool

    @nn.compact
    def __call__(self, images: Array, w: Array) -> Array:
        """Pixels, float32."""
        count = images.shape[-1]
        styles = EqualizedDense(count, name="style")(w) / math.sqrt(count)
        kernel = self.param("kernel", nn.initializers.normal(1.0), (1, 1, count, self.channels))
        bias = self.param("bias", nn.initializers.zeros, (self.channels,))
        made = modulated(images, kernel, styles, demodulate=False, up=False, fused=self.fused)
        return jnp.clip(made + bias.astype(made.dtype), -CLAMP, CLAMP).astype(jnp.float32)


class Synthesis(nn.Module):
    """Images ``(batch, height, width, channels)`` of mapped latents; every layer has the same."""

    size: Size
    fused: bool = False
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, w: Array) -> Array:
        """Unbounded pixels, float32."""
        size, image = self.size, None
        constant = self.param("constant", nn.initializers.normal(1.0), (4, 4, size.width))
        values = jnp.broadcast_to(constant, (len(w), *constant.shape))
        for level in style_levels(size):
            # As in jaxgan, the coarsest level is float32 in every precision.
            dtype = jnp.float32 if level == 4 else self.dtype
            for kind in ("up", "conv") if level > 4 else ("conv",):
                layer = StyledConv(
                    size.width, kind == "up", self.fused, dtype, name=f"{kind}_{level}"
                )
                values = layer(values, w)
            made = ToImage(size.channels, self.fused, name=f"image_{level}")(values, w)
            image = made if image is None else upsampled(image) + made
        assert image is not None
        return image
