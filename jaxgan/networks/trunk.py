"""The two pyramids of strided convolutions that DCGAN and the convolutional VAE are made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgan.networks.layers.conv import Conv, ConvTranspose
from jaxgan.networks.layers.dense import Dense
from jaxgan.networks.layers.norm import Norm, norm_layer
from jaxgan.networks.layers.options import (
    Activation,
    Precision,
    activate,
    compute_dtype,
    kernel_init,
)
from jaxgan.networks.layers.virtual_norm import with_reference, without_reference
from jaxgan.networks.layers.weights import WeightNorm
from jaxgan.typing import ImageShape, Latents, Pixels

SMALLEST, LARGEST = 8, 128
"""Sizes of images, in pixels a side, between which the pyramids make sense."""


class Pyramid(NamedTuple):
    """Resolutions and channels of a stack of layers that halve an image."""

    base: int
    """Pixels a side of the coarsest level."""
    channels: tuple[int, ...]
    """Channels after each halving, finest level first."""


def pyramid(image_shape: ImageShape, width: int, max_multiple: int) -> Pyramid:
    """Halves while the size is even and above 4; doubles the channels each time, up to a cap.

    >>> pyramid((64, 64, 3), width=128, max_multiple=8)  # that of the DCGAN paper
    Pyramid(base=4, channels=(128, 256, 512, 1024))
    >>> pyramid((28, 28, 1), width=64, max_multiple=8)
    Pyramid(base=7, channels=(64, 128))

    Args:
        image_shape: height, width, channels.
        width: channels of the finest level.
        max_multiple: channels of the widest levels, as a multiple of ``width``.

    Raises:
        ValueError: for images that are not square, of odd size, or outside 8 to 128 pixels.
    """
    height, width_, _ = image_shape
    if height != width_:
        raise ValueError(f"images of {height}x{width_}: convolutional networks want square images")
    if not SMALLEST <= height <= LARGEST:
        raise ValueError(
            f"images of {height}x{width_}: convolutional networks want {SMALLEST} to {LARGEST}"
            " pixels a side (for points or smaller images there are MLPs)"
        )
    if height % 2:
        raise ValueError(
            f"images of {height}x{width_}: an odd size cannot be halved; resize or pad"
        )
    base, channels = height, []
    while base % 2 == 0 and base > 4:
        channels.append(width * min(2 ** len(channels), max_multiple))
        base //= 2
    return Pyramid(base, tuple(channels))


class DownPyramid(nn.Module):
    """Images to features: 4x4 convolutions of stride 2, the first one never normalized."""

    width: int
    """Channels of the finest level."""
    max_multiple: int
    """Channels of the widest levels, as a multiple of ``width``."""
    batch_norm: bool
    """Normalize all layers but the first."""
    activation: Activation
    """Nonlinearity."""
    slope: float = 0.2
    """Slope of leaky_relu for negative values."""
    init_std: float | None = None
    """Standard deviation of the first weights; None: scaled by fan-in."""
    dtype: Precision | None = None
    """Number format of the arithmetic; None: the experiment's (float32 when used alone)."""
    norm: Norm | None = None
    """What normalizes in place of batch norm; None: nothing."""
    weight_norm: WeightNorm | None = None
    """What the weights of all layers are normalized by; None: nothing."""
    orthogonal_init: bool = False
    """Orthogonal first weights, instead of normal ones."""

    @nn.compact
    def __call__(
        self, images: Pixels, *, train: bool, axis_name: str | None = None
    ) -> Float[Array, "batch features"]:
        """Features of the coarsest level as a vector."""
        _, height, width, channels = images.shape
        levels = pyramid((height, width, channels), self.width, self.max_multiple)
        dtype, norm = compute_dtype(self.dtype), norm_layer(self.batch_norm, self.norm)
        values = with_reference(norm, images, train=train, axis_name=axis_name)
        for level, channels in enumerate(levels.channels):
            normalize = norm is not None and level > 0
            values = Conv(
                channels,
                kernel_size=(4, 4),
                strides=(2, 2),
                use_bias=not normalize,
                dtype=dtype,
                kernel_init=kernel_init(self.init_std, self.orthogonal_init),
                weight_norm=self.weight_norm,
            )(values)
            if norm is not None and level > 0:
                values = norm(dtype=dtype)(values, train=train, axis_name=axis_name)
            values = activate(self.activation, values, self.slope)
        values = without_reference(norm, values)
        return values.reshape(values.shape[0], -1)


class UpPyramid(nn.Module):
    """Latents to images: a dense layer, then 4x4 transposed convolutions of stride 2."""

    width: int
    """Channels of the finest level."""
    max_multiple: int
    """Channels of the widest levels, as a multiple of ``width``."""
    batch_norm: bool
    """Normalize all layers but the last."""
    activation: Activation
    """Nonlinearity."""
    slope: float = 0.2
    """Slope of leaky_relu for negative values."""
    init_std: float | None = None
    """Standard deviation of the first weights; None: scaled by fan-in."""
    dtype: Precision | None = None
    """Number format of the arithmetic; None: the experiment's (float32 when used alone)."""
    norm: Norm | None = None
    """What normalizes in place of batch norm; None: nothing."""
    weight_norm: WeightNorm | None = None
    """What the weights of all layers are normalized by; None: nothing."""
    orthogonal_init: bool = False
    """Orthogonal first weights, instead of normal ones."""

    @nn.compact
    def __call__(
        self,
        latent: Latents,
        *,
        image_shape: ImageShape,
        train: bool,
        axis_name: str | None = None,
        make_norm: Callable[..., Callable[..., Array]] | None = None,
    ) -> Pixels:
        """Unbounded values ``(batch, *image_shape)``, float32.

        Args:
            latent: what the dense layer gets.
            image_shape: height, width, channels.
            train: as in `BatchNorm`.
            axis_name: as in `BatchNorm`.
            make_norm: makes a normalization layer from its ``dtype``, to be called as `BatchNorm`
                is; None: the one that the fields name.
        """
        levels = pyramid(image_shape, self.width, self.max_multiple)
        norm = make_norm or norm_layer(self.batch_norm, self.norm)
        dtype = compute_dtype(self.dtype)
        init = kernel_init(self.init_std, self.orthogonal_init)

        def finish(values: Array) -> Array:
            if norm is not None:
                values = norm(dtype=dtype)(values, train=train, axis_name=axis_name)
            return activate(self.activation, values, self.slope)

        coarse = (levels.base, levels.base, levels.channels[-1])
        values = Dense(
            coarse[0] * coarse[1] * coarse[2],
            # A normalization layer brings its own bias.
            use_bias=norm is None,
            dtype=dtype,
            kernel_init=init,
            weight_norm=self.weight_norm,
        )(with_reference(norm, latent, train=train, axis_name=axis_name))
        values = finish(values.reshape(-1, *coarse))
        for channels in reversed(levels.channels[:-1]):
            values = ConvTranspose(
                channels,
                kernel_size=(4, 4),
                strides=(2, 2),
                use_bias=norm is None,
                dtype=dtype,
                kernel_init=init,
                weight_norm=self.weight_norm,
            )(values)
            values = finish(values)
        values = without_reference(norm, values)
        values = ConvTranspose(
            image_shape[2],
            kernel_size=(4, 4),
            strides=(2, 2),
            dtype=dtype,
            kernel_init=init,
            weight_norm=self.weight_norm,
        )(values)
        return values.astype(jnp.float32)
