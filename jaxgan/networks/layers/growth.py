"""What networks that grow are made of, and images that fade in with them.

References:
    Karras et al., Progressive Growing of GANs for Improved Quality, Stability, and Variation, 2018.
"""

from __future__ import annotations

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from flax.linen.dtypes import promote_dtype
from jaxtyping import Array, Float

from jaxgan.networks.layers.dense import add_bias
from jaxgan.networks.layers.equalized import scaled
from jaxgan.networks.layers.residual import doubled, halved


def pixel_norm(values: Float[Array, "*shape channels"]) -> Float[Array, "*shape channels"]:
    """``x / sqrt(mean x^2 + 1e-8)``, the mean over channels: each pixel has a length of its own.

    >>> [round(x, 4) for x in pixel_norm(jnp.array([7.0, -1.0])).tolist()]
    [1.4, -0.2]

    References:
        Section 4.2 of the paper.
    """
    wide = values.astype(jnp.float32)
    squares = jnp.mean(jnp.square(wide), axis=-1, keepdims=True)
    return (wide * jax.lax.rsqrt(squares + 1e-8)).astype(values.dtype)


def blended(
    old: Float[Array, "*shape"], new: Float[Array, "*shape"], share: float | Array
) -> Float[Array, "*shape"]:
    """``old + share (new - old)``, in the type of ``new``; shares are cut off at 0 and 1.

    >>> blended(jnp.array([1.0]), jnp.array([3.0]), 0.25).tolist()
    [1.5]
    """
    within = jnp.clip(share, 0.0, 1.0)
    # As a sum of two, so that at 1 nothing is left of the old and at 0 nothing of the new.
    return ((1.0 - within) * old + within * new).astype(new.dtype)


def enlarged(
    images: Float[Array, "batch height width channels"], factor: int
) -> Float[Array, "batch large_height large_width channels"]:
    """Images whose pixels are squares of so many pixels a side; the factor is a power of 2."""
    while factor > 1:
        images, factor = doubled(images), factor // 2
    return images


def shrunk(
    images: Float[Array, "batch height width channels"], factor: int
) -> Float[Array, "batch small_height small_width channels"]:
    """Means over squares of so many pixels a side; the factor is a power of 2."""
    while factor > 1:
        images, factor = halved(images), factor // 2
    return images


def faded(
    images: Float[Array, "batch height width channels"], factor: int, share: float | Array
) -> Float[Array, "batch height width channels"]:
    """Real images as they are when their finest level takes part to a share, at their full size.

    They are shrunk, blended with their own means over 2 x 2 pixels, and enlarged.

    >>> images = jnp.array([1.0, 3.0, 5.0, 7.0]).reshape(1, 2, 2, 1)
    >>> faded(images, 1, 0.5).ravel().tolist()
    [2.5, 3.5, 4.5, 5.5]

    Args:
        images: of the finest size that there is.
        factor: how many times smaller the images of the level that fades in are.
        share: how far it takes part, from 0 to 1.

    References:
        The authors' code; section 2 of the paper says it of real images as of generated ones.
    """
    small = shrunk(images, factor)
    return enlarged(blended(doubled(halved(small)), small, share), factor)


class PixelBiasDense(nn.Module):
    """A dense layer that makes feature maps, at an equalized learning rate: one bias a channel."""

    size: int
    """Pixels a side."""
    features: int
    """Channels."""
    gain: float = 1.0
    """Factor of the weights."""
    dtype: Any = None
    """Type of the product; None: that of input and parameters."""

    @nn.compact
    def __call__(
        self, inputs: Float[Array, "batch inputs"]
    ) -> Float[Array, "batch size size features"]:
        """The feature maps."""
        pixels = self.size * self.size
        shape = (inputs.shape[-1], pixels * self.features)
        kernel = scaled(
            self.param("kernel", nn.initializers.normal(1.0), shape, jnp.float32), self.gain
        )
        inputs, kernel = promote_dtype(inputs, kernel, dtype=self.dtype)
        zeros = nn.initializers.zeros_init()
        bias = self.param("bias", zeros, (self.features,), jnp.float32)
        return add_bias((inputs @ kernel).reshape(-1, self.size, self.size, self.features), bias)
