"""Residual blocks of SNGAN's generators and discriminators, and how they change resolution.

References:
    Miyato et al., Spectral Normalization for Generative Adversarial Networks, 2018, appendix B.4.
    Gulrajani et al., Improved Training of Wasserstein GANs, 2017, appendix F (the same blocks with
    other widths).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax.nn.initializers import Initializer
from jaxtyping import Array, Float

from jaxgan.networks.layers.blocks import block_end
from jaxgan.networks.layers.conv import Conv
from jaxgan.networks.layers.norm import BatchNorm
from jaxgan.networks.layers.weights import WeightNorm

Upsampling: TypeAlias = Literal["nearest", "bilinear"]
"""How a resolution is doubled: as in the authors' Chainer code, or as in a well-known PyTorch one
(mimicry), which interpolates."""

GAIN = math.sqrt(2)
"""Of the first weights of 3x3 convolutions in residual blocks: what ReLUs take away."""

Normalize: TypeAlias = Callable[[Array], Array]
"""A normalization layer, with all its arguments but the values."""


def glorot_init(
    gain: float = 1.0, orthogonal: bool = False, std: float | None = None
) -> Initializer:
    """Uniform weights of standard deviation ``gain sqrt(2 / (fan_in + fan_out))``, or orthogonal
    ones times the gain (Glorot and Bengio 2010; Saxe et al. 2014), or normal ones of a standard
    deviation that is given."""
    if std is not None:
        return nn.initializers.normal(std)
    if orthogonal:
        return nn.initializers.orthogonal(gain)
    return nn.initializers.variance_scaling(gain**2, "fan_avg", "uniform")


def normalization(
    layer: Callable[..., nn.Module] | None, *, dtype: Any, train: bool, axis_name: str | None
) -> Normalize:
    """A new layer of a kind; None: one that does nothing."""
    if layer is None:
        return lambda values: values
    # Scales start at 1, not around it as DCGAN's do.
    made: Any = BatchNorm(dtype=dtype, scale_std=0.0) if layer is BatchNorm else layer(dtype=dtype)
    return lambda values: made(values, train=train, axis_name=axis_name)


def doubled(
    images: Float[Array, "batch height width channels"], how: Upsampling = "nearest"
) -> Float[Array, "batch double_height double_width channels"]:
    """Images at twice the resolution."""
    batch, height, width, channels = images.shape
    if how == "bilinear":
        shape = (batch, 2 * height, 2 * width, channels)
        return jax.image.resize(images, shape, "bilinear")
    # In float32, for the gradient is a sum.
    apart = images.astype(jnp.float32)[:, :, None, :, None]
    twice = jnp.broadcast_to(apart, (batch, height, 2, width, 2, channels))
    return twice.reshape(batch, 2 * height, 2 * width, channels).astype(images.dtype)


def halved(
    images: Float[Array, "batch height width channels"],
) -> Float[Array, "batch half_height half_width channels"]:
    """Means of two by two pixels."""
    batch, height, width, channels = images.shape
    return images.reshape(batch, height // 2, 2, width // 2, 2, channels).mean(axis=(2, 4))


class UpBlock(nn.Module):
    """A generator's block, which doubles the resolution.

    x -> norm, ReLU, double, conv 3x3, norm, ReLU, conv 3x3 -> + (double, conv 1x1)(x)
    """

    features: int
    """Channels of the result, and between the convolutions."""
    upsampling: Upsampling = "nearest"
    """How the resolution is doubled."""
    weight_norm: WeightNorm | None = None
    """What the weights are normalized by; None: nothing."""
    orthogonal_init: bool = False
    """Orthogonal first weights, instead of Glorot's."""
    gain: float = GAIN
    """Factor of the first weights of 3x3 convolutions."""
    init_std: float | None = None
    """Standard deviation of first weights that are normal; None: they are as said above."""
    dtype: Any = None
    """Type of the arithmetic; None: that of input and parameters."""

    @nn.compact
    def __call__(
        self, inputs: Float[Array, "batch height width channels"], norms: tuple[Normalize, ...]
    ) -> Float[Array, "batch double_height double_width features"]:
        """The block's result.

        Args:
            inputs: images of half its resolution.
            norms: both normalizations.
        """
        options = _options(self)
        values = doubled(nn.relu(norms[0](inputs)), self.upsampling)
        values = Conv(self.features, (3, 3), name="first", **options(self.gain))(values)
        values = nn.relu(norms[1](values))
        values = Conv(self.features, (3, 3), name="second", **options(self.gain))(values)
        shortcut = Conv(self.features, (1, 1), name="shortcut", **options(1.0))
        return block_end(values + shortcut(doubled(inputs, self.upsampling)))


class DownBlock(nn.Module):
    """A discriminator's block, which halves the resolution or leaves it as it is.

        x -> ReLU, conv 3x3, ReLU, conv 3x3, halve -> + (conv 1x1, halve)(x)

    Without halving and with as many channels as before, the shortcut is x itself.
    """

    features: int
    """Channels of the result."""
    halve: bool = True
    """Whether the resolution is halved."""
    in_place_relu: bool = False
    """The shortcut gets ``relu(x)``, as in PyTorch codes whose first ReLU overwrites its input
    (mimicry, StudioGAN), whose scores are to be met."""
    wide: bool = False
    """Between the convolutions, as many channels as in the result, as in BigGAN, and not as in the
    input."""
    weight_norm: WeightNorm | None = "spectral"
    """What the weights are normalized by; None: nothing."""
    orthogonal_init: bool = False
    """Orthogonal first weights, instead of Glorot's."""
    gain: float = GAIN
    """Factor of the first weights of 3x3 convolutions."""
    init_std: float | None = None
    """Standard deviation of first weights that are normal; None: they are as said above."""
    dtype: Any = None
    """Type of the arithmetic; None: that of input and parameters."""

    @nn.compact
    def __call__(
        self, inputs: Float[Array, "batch height width channels"], norms: tuple[Normalize, ...] = ()
    ) -> Float[Array, "batch out_height out_width features"]:
        """The block's result.

        Args:
            inputs: of any block but the first, which is `FirstBlock`.
            norms: normalizations before either ReLU; none: there are none.
        """
        options, channels = _options(self), inputs.shape[-1]
        hidden = self.features if self.wide else channels
        first, second = norms or (_same, _same)
        positive = nn.relu(first(inputs))
        values = Conv(hidden, (3, 3), name="first", **options(self.gain))(positive)
        values = nn.relu(second(values))
        values = Conv(self.features, (3, 3), name="second", **options(self.gain))(values)
        values = halved(values) if self.halve else values
        kept = nn.relu(inputs) if self.in_place_relu else inputs
        if self.halve or channels != self.features:
            kept = Conv(self.features, (1, 1), name="shortcut", **options(1.0))(kept)
            kept = halved(kept) if self.halve else kept
        return block_end(values + kept)


class FirstBlock(nn.Module):
    """A discriminator's first block: no ReLU on images, and a shortcut that halves before it
    convolves, which is the same for less.

        x -> conv 3x3, ReLU, conv 3x3, halve -> + (halve, conv 1x1)(x)
    """

    features: int
    """Channels of the result, and between the convolutions."""
    weight_norm: WeightNorm | None = "spectral"
    """What the weights are normalized by; None: nothing."""
    orthogonal_init: bool = False
    """Orthogonal first weights, instead of Glorot's."""
    gain: float = GAIN
    """Factor of the first weights of 3x3 convolutions."""
    init_std: float | None = None
    """Standard deviation of first weights that are normal; None: they are as said above."""
    dtype: Any = None
    """Type of the arithmetic; None: that of input and parameters."""

    @nn.compact
    def __call__(
        self, images: Float[Array, "batch height width channels"]
    ) -> Float[Array, "batch half_height half_width features"]:
        """The block's result."""
        options = _options(self)
        values = Conv(self.features, (3, 3), name="first", **options(self.gain))(images)
        values = nn.relu(values)
        values = Conv(self.features, (3, 3), name="second", **options(self.gain))(values)
        shortcut = Conv(self.features, (1, 1), name="shortcut", **options(1.0))
        return block_end(halved(values) + shortcut(halved(images)))


def _options(block: UpBlock | DownBlock | FirstBlock) -> Callable[[float], dict[str, Any]]:
    """From the gain of its first weights to what a convolution has in common with the others."""

    def options(gain: float) -> dict[str, Any]:
        return {
            "dtype": block.dtype,
            "kernel_init": glorot_init(gain, block.orthogonal_init, block.init_std),
            "weight_norm": block.weight_norm,
        }

    return options


def _same(values: Array) -> Array:
    return values
