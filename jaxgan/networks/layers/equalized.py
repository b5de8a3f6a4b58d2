"""Layers at an equalized learning rate: weights are stored at unit scale, and scaled when used.

He's initialization makes weights of a wide layer small. An optimizer such as Adam, whose updates do
not depend on the scale of gradients, then changes them by a larger share than those of a narrow
one. Here all weights start from N(0, 1), and their scale is a constant of the layer.

References:
    Karras et al., Progressive Growing of GANs for Improved Quality, Stability, and Variation, 2018,
    section 4.1. Karras et al., A Style-Based Generator Architecture for GANs, 2019, appendix C (the
    multiplier of the learning rate).
"""

from __future__ import annotations

import math
from typing import Any

import flax.linen as nn
import jax.numpy as jnp
from flax.linen.dtypes import promote_dtype
from jaxtyping import Array, Float

from jaxgan.networks.layers.convolution import Padding, Size, conv
from jaxgan.networks.layers.dense import add_bias


def scaled(
    kernel: Float[Array, "*fan_in out"], gain: float = 1.0, multiplier: float = 1.0
) -> Float[Array, "*fan_in out"]:
    """Stored weights as a layer uses them, times ``gain multiplier / sqrt(fan_in)``.

    >>> scaled(jnp.ones((3, 3, 4, 1)), gain=2.0)[0, 0, 0]
    Array([0.33333334], dtype=float32)

    Args:
        kernel: of a dense layer ``(in, out)`` or of a convolution ``(height, width, in, out)``;
            its fan-in is the product of all axes but the last.
        gain: of the nonlinearity, such as sqrt 2 (He et al. 2015).
        multiplier: of the learning rate; stored weights are as many times as large.
    """
    return kernel * (gain * multiplier / math.sqrt(math.prod(kernel.shape[:-1])))


class EqualizedDense(nn.Module):
    """A dense layer ``x W gain multiplier / sqrt(inputs) + multiplier b``.

    ``W`` starts from N(0, 1) / multiplier and ``b`` from ``bias_init``.
    """

    features: int
    """Units."""
    gain: float = 1.0
    """Factor of the weights."""
    multiplier: float = 1.0
    """Multiplier of the learning rate; 0.01 in StyleGAN's mapping network."""
    use_bias: bool = True
    """Whether a bias is added."""
    bias_init: float = 0.0
    """First value of the stored biases."""
    dtype: Any = None
    """Type of the product; None: that of input and parameters. Biases are added in theirs."""

    @nn.compact
    def __call__(self, inputs: Float[Array, "batch inputs"]) -> Float[Array, "batch features"]:
        """The inputs times the scaled weights, plus the biases."""
        init = nn.initializers.normal(1.0 / self.multiplier)
        shape = (inputs.shape[-1], self.features)
        kernel = scaled(self.param("kernel", init, shape, jnp.float32), self.gain, self.multiplier)
        inputs, kernel = promote_dtype(inputs, kernel, dtype=self.dtype)
        outputs = inputs @ kernel
        if not self.use_bias:
            return outputs
        start = nn.initializers.constant(self.bias_init)
        bias = self.param("bias", start, (self.features,), jnp.float32)
        return add_bias(outputs, self.multiplier * bias)


class EqualizedConv(nn.Module):
    """A convolution (cross-correlation) with the kernel ``W gain / sqrt(height width in)``.

    ``W`` starts from N(0, 1) and the biases, which are not scaled, from 0.
    """

    features: int
    """Channels of the result."""
    kernel_size: Size
    """Height and width of the kernel."""
    strides: Size = (1, 1)
    """Steps between windows."""
    padding: Padding = "SAME"
    """Zeros around the input."""
    gain: float = 1.0
    """Factor of the weights."""
    use_bias: bool = True
    """Whether a bias is added."""
    dtype: Any = None
    """Type of the arithmetic; None: that of input and parameters."""

    @nn.compact
    def __call__(
        self, inputs: Float[Array, "batch height width in_channels"]
    ) -> Float[Array, "batch out_height out_width out_channels"]:
        """The inputs convolved with the scaled kernel, plus the biases."""
        shape = (*self.kernel_size, inputs.shape[-1], self.features)
        kernel = scaled(
            self.param("kernel", nn.initializers.normal(1.0), shape, jnp.float32), self.gain
        )
        inputs, kernel = promote_dtype(inputs, kernel, dtype=self.dtype)
        outputs = conv(inputs, kernel, strides=self.strides, padding=self.padding)
        if not self.use_bias:
            return outputs
        bias = self.param("bias", nn.initializers.zeros_init(), (self.features,), jnp.float32)
        return add_bias(outputs, bias)
