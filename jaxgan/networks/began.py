"""BEGAN's generator and discriminator: one decoder each, and an encoder for the discriminator.

Convolutions are 3x3 with ELU; images are halved while both sides are even and longer than 8 pixels,
by a convolution of stride 2 in the encoder and doubled by repeating pixels in the decoder. There
are no skip connections. At 64 pixels in color, of width 128 and with codes of 64, the generator has
1,716,611 parameters and the discriminator 13,405,379.

References:
    Berthelot, Schumm and Metz, BEGAN: Boundary Equilibrium Generative Adversarial Networks, 2017,
    section 3.4 and figure 1. The paper says neither where channels grow nor how images are halved:
    this is how a much used port does it (an extra convolution of stride 2 a level), and the counts
    above are its.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgan.networks.autoencoder import Energies, Exponent, energy
from jaxgan.networks.layers.conv import Conv
from jaxgan.networks.layers.dense import Dense
from jaxgan.networks.layers.heads import VectorHead
from jaxgan.networks.layers.options import Precision, check, compute_dtype, kernel_init
from jaxgan.typing import ImageShape, Latents, Pixels

SHORTEST = 8
"""Pixels a side that are not halved any more."""


def halvings(height: int, width: int) -> int:
    """How often both sides are halved.

    >>> [halvings(side, side) for side in (64, 32, 28, 8, 27)]
    [3, 2, 2, 0, 0]
    """
    count = 0
    while height % 2 == width % 2 == 0 and min(height, width) > SHORTEST:
        height, width, count = height // 2, width // 2, count + 1
    return count


class BeganDecoder(nn.Module):
    """Codes to images: a dense layer, and two convolutions at each resolution."""

    width: int
    """Channels of every layer but the last."""
    init_std: float | None = None
    """Standard deviation of the first weights; None: scaled by fan-in."""
    dtype: Precision | None = None
    """Number format of the arithmetic; None: the experiment's (float32 when used alone)."""

    @nn.compact
    def __call__(self, code: Float[Array, "batch code"], image_shape: ImageShape) -> Pixels:
        """Unbounded values ``(batch, *image_shape)``, float32."""
        height, width, channels = image_shape
        levels = halvings(height, width)
        coarse = (height >> levels, width >> levels, self.width)
        dtype, init = compute_dtype(self.dtype), kernel_init(self.init_std)
        conv = _convolutions(dtype, init)
        # No nonlinearity here, as in the port; the one before the next convolution comes after it.
        values = Dense(math.prod(coarse), dtype=dtype, kernel_init=init)(code)
        values = values.reshape(-1, *coarse)
        for level in range(levels + 1):
            values = _doubled(values) if level else values
            for _ in range(2):
                values = nn.elu(conv(self.width)(values))
        return conv(channels)(values).astype(jnp.float32)


class BeganGenerator(nn.Module):
    """Latents to images by the decoder of BEGAN's discriminator, with weights of its own.

    >>> import jax
    >>> made, _ = jax.eval_shape(
    ...     lambda: BeganGenerator().init_with_output(
    ...         jax.random.key(0), jnp.zeros((2, 64)), image_shape=(64, 64, 3), train=False
    ...     )
    ... )
    >>> made.shape
    (2, 64, 64, 3)
    """

    width: int = 128
    """Channels of every layer but the last (the paper's n)."""
    init_std: float | None = None
    """Standard deviation of the first weights; None: scaled by fan-in."""
    dtype: Precision | None = None
    """Number format of the arithmetic; None: the experiment's (float32 when used alone)."""

    def __post_init__(self) -> None:
        check(self)
        super().__post_init__()

    @nn.compact
    def __call__(
        self,
        latent: Latents,
        *,
        image_shape: ImageShape,
        train: bool,
        axis_name: str | None = None,
    ) -> Pixels:
        """Images ``(batch, *image_shape)``, float32, which nothing keeps within [-1, 1]."""
        del train, axis_name
        return BeganDecoder(self.width, self.init_std, self.dtype)(latent, image_shape)


class BeganDiscriminator(nn.Module):
    """Images to energies by BEGAN's autoencoder."""

    autoencodes: ClassVar[bool] = True

    width: int = 128
    """Channels of the finest resolution and of the decoder (n); each halving adds as many."""
    code_size: int = 64
    """Length of a code."""
    exponent: Exponent = 1
    """Power of a pixel's error: 1 for L1 (as the paper has it), 2 for squares."""
    init_std: float | None = None
    """Standard deviation of the first weights; None: scaled by fan-in."""
    dtype: Precision | None = None
    """Number format of the arithmetic; None: the experiment's (float32 when used alone)."""

    def __post_init__(self) -> None:
        check(self)
        super().__post_init__()

    @nn.compact
    def __call__(self, images: Pixels, *, train: bool, axis_name: str | None = None) -> Energies:
        """Minus the energy of each image, ``(batch,)``, and ``{"code": (batch, code_size)}``."""
        del train, axis_name
        shape = (images.shape[1], images.shape[2], images.shape[3])
        levels = halvings(*shape[:2])
        conv = _convolutions(compute_dtype(self.dtype), kernel_init(self.init_std))
        values = nn.elu(conv(self.width)(images))
        for level in range(levels + 1):
            channels = self.width * (level + 1)
            for _ in range(2):
                values = nn.elu(conv(channels)(values))
            if level < levels:
                values = nn.elu(conv(channels, strides=(2, 2))(values))
        code = VectorHead(self.code_size, self.init_std)(values.reshape(values.shape[0], -1))
        decoded = BeganDecoder(self.width, self.init_std, self.dtype)(code, shape)
        return -energy(images, decoded, self.exponent), {"code": code}


def _convolutions(dtype: Any, init: Any) -> Callable[..., Conv]:
    """Makes 3x3 convolutions from their channels."""

    def conv(channels: int, **settings: Any) -> Conv:
        return Conv(channels, kernel_size=(3, 3), dtype=dtype, kernel_init=init, **settings)

    return conv


def _doubled(
    values: Float[Array, "batch height width channels"],
) -> Float[Array, "batch twice_height twice_width channels"]:
    """Each pixel four times."""
    # In float32, because its gradient is a sum.
    wide = jnp.repeat(jnp.repeat(values.astype(jnp.float32), 2, axis=1), 2, axis=2)
    return wide.astype(values.dtype)
