"""R3GAN's residual block and its ends: no normalization, and a nonlinearity without a gain.

References:
    Huang et al., The GAN is dead; long live the GAN! A Modern GAN Baseline, 2024, section 4 and
    appendix. Xie et al., Aggregated Residual Transformations for Deep Neural Networks (ResNeXt),
    2017. Zhang et al., Fixup Initialization, 2019.
"""

from __future__ import annotations

import math
from typing import Any

import flax.linen as nn
import jax.numpy as jnp
from jax.nn.initializers import Initializer
from jaxtyping import Array, Float

from jaxgan.networks.layers.blocks import block_end
from jaxgan.networks.layers.conv import Conv
from jaxgan.networks.layers.dense import add_bias

SLOPE = 0.2
"""Of the leaky ReLU for negative values."""


def fan_in_init(gain: float = 1.0) -> Initializer:
    """Normal weights of standard deviation ``gain / sqrt(fan_in)``."""
    return nn.initializers.variance_scaling(gain**2, "fan_in", "normal")


def fixup_gain(blocks: int) -> float:
    """``sqrt(2 / 1.04) L^(-1/4)``: He's gain for this leaky ReLU, smaller the deeper a network is.

    The exponent is ``-1 / (2m - 2)`` for the m = 3 convolutions of a block.

    >>> round(fixup_gain(1), 6), round(fixup_gain(16), 6)
    (1.38675, 0.693375)

    Args:
        blocks: of the whole network.
    """
    return math.sqrt(2.0 / (1.0 + SLOPE**2)) * blocks**-0.25


class BiasedActivation(nn.Module):
    """A bias, and then a leaky ReLU of slope 0.2."""

    @nn.compact
    def __call__(self, values: Float[Array, "*shape channels"]) -> Float[Array, "*shape channels"]:
        """The activated values."""
        zeros = nn.initializers.zeros_init()
        bias = self.param("bias", zeros, (values.shape[-1],), jnp.float32)
        return nn.leaky_relu(add_bias(values, bias), SLOPE)


class AggregatedBlock(nn.Module):
    """``x + conv1(act(grouped conv3(act(conv1(x)))))``, with as many channels as x.

    The last convolution starts at 0, so that the block starts as the identity.
    """

    blocks: int
    """Blocks of the whole network, which decide how large the first weights are."""
    group_width: int = 16
    """Channels of each group of the 3x3 convolution."""
    expansion: int = 2
    """Channels inside, as a multiple of those outside."""
    dtype: Any = None
    """Type of the arithmetic; None: that of input and parameters."""

    @nn.compact
    def __call__(
        self, inputs: Float[Array, "batch height width channels"]
    ) -> Float[Array, "batch height width channels"]:
        """The block's result.

        Raises:
            ValueError: the channels inside are not whole groups.
        """
        channels = inputs.shape[-1]
        inside, gain = self.expansion * channels, fixup_gain(self.blocks)
        if inside % self.group_width:
            raise ValueError(
                f"{channels} channels, {self.expansion} times as many inside a block, are not whole"
                f" groups of group_width = {self.group_width}"
            )

        def conv(features: int, size: int, init: Initializer, name: str, groups: int = 1) -> Conv:
            return Conv(
                features, (size, size), use_bias=False, dtype=self.dtype, kernel_init=init,
                groups=groups, name=name,
            )  # fmt: skip

        values = conv(inside, 1, fan_in_init(gain), "widen")(inputs)
        values = BiasedActivation(name="first")(values)
        groups = inside // self.group_width
        values = conv(inside, 3, fan_in_init(gain), "grouped", groups)(values)
        values = BiasedActivation(name="second")(values)
        narrow = conv(channels, 1, nn.initializers.zeros_init(), "narrow")
        return block_end(inputs + narrow(values))


class GenerativeBasis(nn.Module):
    """A trained image of N(0, 1) pixels, each channel times a number made from the latents."""

    size: int
    """Pixels a side."""
    features: int
    """Channels."""

    @nn.compact
    def __call__(
        self, latents: Float[Array, "batch latent_size"]
    ) -> Float[Array, "batch size size features"]:
        """The basis in the proportions that the latents say, float32."""
        shape = (self.size, self.size, self.features)
        basis = self.param("basis", nn.initializers.normal(1.0), shape, jnp.float32)
        shape = (latents.shape[-1], self.features)
        kernel = self.param("kernel", fan_in_init(), shape, jnp.float32)
        return basis * (latents @ kernel)[:, None, None, :]


class DiscriminativeBasis(nn.Module):
    """The sum over each channel's pixels times trained ones, and then a matrix without bias.

    It is a depthwise convolution as large as the image, and a dense layer.
    """

    features: int
    """Numbers an image."""

    @nn.compact
    def __call__(
        self, inputs: Float[Array, "batch height width channels"]
    ) -> Float[Array, "batch features"]:
        """The numbers, float32."""
        shape = inputs.shape[1:]
        std = (shape[0] * shape[1]) ** -0.5
        basis = self.param("basis", nn.initializers.normal(std), shape, jnp.float32)
        kernel = self.param("kernel", fan_in_init(), (shape[-1], self.features), jnp.float32)
        return jnp.einsum("nhwc,hwc->nc", inputs.astype(jnp.float32), basis) @ kernel
