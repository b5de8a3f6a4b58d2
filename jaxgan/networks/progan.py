"""The networks of progressive growing (Karras et al. 2018), which take in finer levels one by one.

All layers are there from the start; how many levels take part is a number of the collection
``growth``, ``levels``: 0 is the coarsest alone, 2 is three of them, 1.25 is two and a quarter of
the third. Layers of levels that take no part have no gradient.

Parameters with RGB images, all layers from and to RGB counted, as in the authors' code, for
``width_base=8192``, ``width=512`` and 512 latents:

========  ===========  =============
pixels    generator    discriminator
========  ===========  =============
32        20,719,628   20,726,785
64        22,490,383   22,498,049
128       22,933,394   22,941,313
256       23,044,309   23,052,353
1024      23,079,115   23,087,249
========  ===========  =============

Those of CIFAR-10 have ``width=128`` and 128 latents: 1,296,908 and 1,298,689.
"""

from __future__ import annotations

import math
from typing import ClassVar

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgan.networks.layers.blocks import block_end
from jaxgan.networks.layers.equalized import EqualizedConv, EqualizedDense
from jaxgan.networks.layers.growth import (
    PixelBiasDense,
    blended,
    enlarged,
    pixel_norm,
    shrunk,
)
from jaxgan.networks.layers.minibatch import Minibatch, MinibatchStddev
from jaxgan.networks.layers.options import Precision, check, compute_dtype
from jaxgan.networks.layers.residual import doubled, halved
from jaxgan.typing import ImageShape, Latents, Logits, Pixels

COARSEST = 7
"""Pixels a side of the coarsest level, at most."""
GAIN = math.sqrt(2.0)
"""Of layers before a leaky ReLU, which has none of its own."""


def level_sizes(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Pixels a side of all levels, the coarsest first.

    Sizes are halved while they are even and above 7.

    >>> level_sizes((32, 32, 3)), level_sizes((28, 28, 1))
    ((4, 8, 16, 32), (7, 14, 28))

    Raises:
        ValueError: the image is not square.
    """
    height, width, _ = shape
    if height != width:
        raise ValueError(f"images of {height} by {width} pixels: growing networks want square ones")
    sizes = [height]
    while sizes[0] % 2 == 0 and sizes[0] > COARSEST:
        sizes.insert(0, sizes[0] // 2)
    return tuple(sizes)


class _Growing(nn.Module):
    """Settings of both networks."""

    width_base: int = 8192
    """Channels of level i are this over 2^(i + 1), where that is no more than ``width``."""
    width: int = 512
    """Most channels of a level."""
    finest: int | None = None
    """The finest level that is computed at all, which saves time while later ones take no part;
    None: all."""
    dtype: Precision | None = None
    """Number format of the arithmetic; None: the experiment's (float32 when used alone)."""

    def __post_init__(self) -> None:
        check(self)
        if self.width_base < 1:
            raise ValueError(f"width_base = {self.width_base}: must be at least 1")
        super().__post_init__()

    def channels(self, level: int) -> int:
        """Channels of a level; -1 is the discriminator's dense layer."""
        return max(min(self.width_base // 2 ** (level + 1), self.width), 1)

    def levels(self, count: int) -> tuple[Array, int]:
        """How many levels take part beside the coarsest, and how many are computed; called inside a
        module's ``__call__``."""
        start = self.variable("growth", "levels", lambda: jnp.float32(count - 1))
        # Parameters of all levels are made, whichever will be computed.
        last = count - 1 if self.is_initializing() or self.finest is None else self.finest
        return start.value, last


class ProganGenerator(_Growing):
    """The generator: pixel norm after each activation, one layer to RGB for each level.

    Level 0 makes 4 x 4 pixels of a dense layer and a convolution; the others double the resolution
    and convolve twice. The images of the last level that takes part and of the one before it, as
    large, are mixed by how far it takes part.

    References:
        Karras et al., Progressive Growing of GANs for Improved Quality, Stability, and Variation,
        2018, sections 2 and 4, appendix A, and its code.
    """

    @nn.compact
    def __call__(
        self,
        latents: Latents,
        *,
        image_shape: ImageShape,
        train: bool,
        axis_name: str | None = None,
    ) -> Pixels:
        """Images ``(batch, *image_shape)``, not bounded to [-1, 1], float32.

        Args:
            latents: ``(batch, size)``.
            image_shape: height, width, channels. Coarser levels' images are enlarged to it.
            train: makes no difference.
            axis_name: neither does this.

        Raises:
            ValueError: the image is not square.
        """
        del train, axis_name
        sizes, dtype = level_sizes(image_shape), compute_dtype(self.dtype)
        shown, last = self.levels(len(sizes))

        def conv(values: Array, level: int, name: str) -> Array:
            layer = EqualizedConv(
                self.channels(level), (3, 3), gain=GAIN, dtype=dtype, name=f"{name}_{level}"
            )
            return pixel_norm(nn.leaky_relu(layer(values), 0.2))

        def to_rgb(values: Array, level: int) -> Array:
            layer = EqualizedConv(image_shape[2], (1, 1), dtype=dtype, name=f"to_rgb_{level}")
            return layer(values).astype(jnp.float32)

        dense = PixelBiasDense(sizes[0], self.channels(0), GAIN / 4, dtype=dtype, name="dense")
        values = pixel_norm(nn.leaky_relu(dense(pixel_norm(latents)), 0.2))
        values = conv(values, 0, "conv")
        images = to_rgb(values, 0)
        for level in range(1, last + 1):
            values = block_end(conv(conv(doubled(values), level, "first"), level, "second"))
            images = blended(doubled(images), to_rgb(values, level), shown - (level - 1))
        return enlarged(images, sizes[-1] // sizes[last])


class ProganDiscriminator(_Growing):
    """The discriminator: the generator's levels the other way round.

    The features of the finest level, halved, and what the layer from RGB of the level before it
    makes of the halved image are mixed by how far it takes part.

    References:
        As `ProganGenerator`.
    """

    minibatch: ClassVar[Minibatch] = "stddev"
    """What the last layers see of the batch as a whole."""
    group: int = 4
    """Examples whose standard deviation is compared; all of them in the code for CIFAR-10."""

    @nn.compact
    def __call__(self, images: Pixels, *, train: bool, axis_name: str | None = None) -> Logits:
        """One logit an image, float32.

        Args:
            images: ``(batch, height, width, channels)``; halved as often as levels take no part.
            train: makes no difference.
            axis_name: mapped axis over which the batch is sharded.

        Raises:
            ValueError: the images are not square.
        """
        del train
        sizes, dtype = level_sizes(images.shape[1:]), compute_dtype(self.dtype)
        shown, last = self.levels(len(sizes))

        def conv(values: Array, features: int, size: int, name: str) -> Array:
            layer = EqualizedConv(features, (size, size), gain=GAIN, dtype=dtype, name=name)
            return nn.leaky_relu(layer(values), 0.2)

        def from_rgb(images: Array, level: int) -> Array:
            return conv(images, self.channels(level), 1, f"from_rgb_{level}")

        images = shrunk(images, sizes[-1] // sizes[last])
        values = from_rgb(images, last)
        for level in range(last, 0, -1):
            values = conv(values, self.channels(level), 3, f"first_{level}")
            values = halved(conv(values, self.channels(level - 1), 3, f"second_{level}"))
            images = halved(images)
            values = blended(from_rgb(images, level - 1), values, shown - (level - 1))
            values = block_end(values)
        values = MinibatchStddev(self.group)(values.astype(jnp.float32), axis_name=axis_name)
        values = conv(values, self.channels(0), 3, "conv").astype(jnp.float32)
        return self._score(values.reshape(len(values), -1))

    def _score(self, features: Float[Array, "batch features"]) -> Logits:
        dense = EqualizedDense(self.channels(-1), gain=GAIN, name="dense")
        hidden = nn.leaky_relu(dense(features), 0.2)
        return EqualizedDense(1, name="logit")(hidden)[:, 0]
