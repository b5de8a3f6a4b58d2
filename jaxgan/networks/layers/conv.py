"""Convolutions. Every network goes through this file, so that their arithmetic has one home."""

from __future__ import annotations

from typing import Any

import flax.linen as nn
import jax.numpy as jnp
from flax.linen.dtypes import promote_dtype
from jax.nn.initializers import Initializer
from jaxtyping import Array, Float

from jaxgan.networks.layers.convolution import Padding, Size, conv, conv_transpose
from jaxgan.networks.layers.dense import add_bias
from jaxgan.networks.layers.weights import WeightNorm, normalized


class Conv(nn.Module):
    """A convolution with bias; parameters and results are those of `flax.linen.Conv`."""

    features: int
    """Channels of the result."""
    kernel_size: Size
    """Height and width of the kernel."""
    strides: Size = (1, 1)
    """Steps between windows."""
    padding: Padding = "SAME"
    """Zeros around the input."""
    use_bias: bool = True
    """Whether a bias is added."""
    dtype: Any = None
    """Type of the arithmetic; None: that of input and parameters."""
    param_dtype: Any = jnp.float32
    """Type of the parameters."""
    kernel_init: Initializer = nn.initializers.lecun_normal()
    """Distribution of the first weights; biases start at 0."""
    weight_norm: WeightNorm | None = None
    """What the weights are normalized by; None: nothing."""
    groups: int = 1
    """Parts of the channels, of which each is convolved alone."""

    @nn.compact
    def __call__(
        self, inputs: Float[Array, "batch height width in_channels"]
    ) -> Float[Array, "batch out_height out_width out_channels"]:
        """The inputs convolved."""
        inputs, kernel, bias = _parameters(self, inputs)
        outputs = conv(
            inputs, kernel, strides=self.strides, padding=self.padding, groups=self.groups
        )
        return outputs if bias is None else add_bias(outputs, bias)


class ConvTranspose(nn.Module):
    """A transposed convolution with bias, as `flax.linen.ConvTranspose`."""

    features: int
    """Channels of the result."""
    kernel_size: Size
    """Height and width of the kernel."""
    strides: Size = (1, 1)
    """Factors by which height and width grow."""
    padding: Padding = "SAME"
    """Zeros around the spread input."""
    use_bias: bool = True
    """Whether a bias is added."""
    dtype: Any = None
    """Type of the arithmetic; None: that of input and parameters."""
    param_dtype: Any = jnp.float32
    """Type of the parameters."""
    kernel_init: Initializer = nn.initializers.lecun_normal()
    """Distribution of the first weights; biases start at 0."""
    weight_norm: WeightNorm | None = None
    """What the weights are normalized by; None: nothing."""

    @nn.compact
    def __call__(
        self, inputs: Float[Array, "batch height width in_channels"]
    ) -> Float[Array, "batch out_height out_width out_channels"]:
        """The inputs convolved."""
        inputs, kernel, bias = _parameters(self, inputs)
        outputs = conv_transpose(inputs, kernel, strides=self.strides, padding=self.padding)
        return outputs if bias is None else add_bias(outputs, bias)


def _parameters(layer: Conv | ConvTranspose, inputs: Array) -> tuple[Array, Array, Array | None]:
    """Inputs and kernel in the type that the layer computes in, and the bias in its own."""
    channels = inputs.shape[-1] // getattr(layer, "groups", 1)
    shape = (*layer.kernel_size, channels, layer.features)
    kernel = layer.param("kernel", layer.kernel_init, shape, layer.param_dtype)
    kernel = normalized(layer, "kernel", kernel, layer.weight_norm)
    bias = None
    if layer.use_bias:
        zeros = nn.initializers.zeros_init()
        bias = layer.param("bias", zeros, (layer.features,), layer.param_dtype)
    inputs, kernel = promote_dtype(inputs, kernel, dtype=layer.dtype)
    return inputs, kernel, bias
