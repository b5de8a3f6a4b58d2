"""The autoencoders that Lucic et al. compare with InfoGAN's pair: a VAE's, and BEGAN's critic.

A VAE has the discriminator's trunk for an encoder and the generator for a decoder. BEGAN's
discriminator has the same convolutions around a code, without the wide dense layers.

================================================  =========
parameters at 28 pixels, one gray, codes of 64
================================================  =========
encoder, ``batch_norm=False``                     6,687,040
decoder, ``biases=True``                          6,642,241
BEGAN's discriminator, ``batch_norm=False``       1,073,601
================================================  =========

References:
    Lucic, Kurach, Michalski, Gelly and Bousquet, Are GANs Created Equal?, 2018, and its code.
"""

from __future__ import annotations

from typing import ClassVar

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array

from jaxgan.networks.autoencoder import Energies, Exponent, energy
from jaxgan.networks.infogan import InfoGanFeatures, InfoGanPixels, coarse
from jaxgan.networks.layers.conv import Conv, ConvTranspose
from jaxgan.networks.layers.dense import Dense
from jaxgan.networks.layers.heads import GaussianHead
from jaxgan.networks.layers.norm import BatchNorm
from jaxgan.networks.layers.options import Precision, check, compute_dtype, kernel_init
from jaxgan.typing import ImageShape, Latents, Pixels


class InfoGanEncoder(InfoGanFeatures):
    """Images to the mean and log variance of their codes: the trunk of `InfoGanDiscriminator`.

    The authors' last layer gives standard deviations, through a softplus.
    """

    @nn.compact
    def __call__(
        self, images: Pixels, *, latent_size: int, train: bool, axis_name: str | None = None
    ) -> tuple[Latents, Latents]:
        """Mean and log variance, each float32 ``(batch, latent_size)``.

        Raises:
            ValueError: height or width are no multiple of 4.
        """
        features = self.features(images, train=train, axis_name=axis_name)
        return GaussianHead(latent_size, self.init_std)(features)


class InfoGanDecoder(InfoGanPixels):
    """Codes to the parameters of a likelihood: `InfoGanGenerator` without its tanh."""

    @nn.compact
    def __call__(
        self,
        latent: Latents,
        *,
        image_shape: ImageShape,
        train: bool,
        axis_name: str | None = None,
    ) -> Pixels:
        """Unbounded values ``(batch, *image_shape)``, float32.

        Raises:
            ValueError: height or width are no multiple of 4.
        """
        return self.pixels(latent, image_shape, train=train, axis_name=axis_name)


class InfoGanAutoencoder(nn.Module):
    """Images to energies: two convolutions to a code, and two transposed ones back to an image."""

    autoencodes: ClassVar[bool] = True

    width: int = 64
    """Channels of the finest level; the other has twice as many."""
    code_size: int = 64
    """Length of a code."""
    batch_norm: bool = False
    """Normalize the code and what the decoder has before its last layer."""
    slope: float = 0.2
    """Slope of the leaky ReLU for negative values."""
    exponent: Exponent = 1
    """Power of a pixel's error: 1 for L1, 2 for squares."""
    init_std: float | None = 0.02
    """Standard deviation of the first weights; None: scaled by fan-in."""
    dtype: Precision | None = None
    """Number format of the arithmetic; None: the experiment's (float32 when used alone)."""

    def __post_init__(self) -> None:
        check(self)
        super().__post_init__()

    @nn.compact
    def __call__(self, images: Pixels, *, train: bool, axis_name: str | None = None) -> Energies:
        """Minus the energy of each image, ``(batch,)``, and ``{"code": (batch, code_size)}``.

        Raises:
            ValueError: height or width are no multiple of 4.
        """
        height, width = coarse(images.shape[1:])
        dtype, init = compute_dtype(self.dtype), kernel_init(self.init_std)
        size = {"kernel_size": (4, 4), "strides": (2, 2), "dtype": dtype, "kernel_init": init}
        bias, channels = not self.batch_norm, 2 * self.width

        def dense(values: Array, units: int) -> Array:
            return Dense(units, use_bias=bias, dtype=dtype, kernel_init=init)(values)

        def finish(values: Array) -> Array:
            if self.batch_norm:
                values = BatchNorm(dtype=dtype)(values, train=train, axis_name=axis_name)
            return nn.leaky_relu(values, self.slope)

        values = nn.leaky_relu(Conv(self.width, **size)(images), self.slope)
        # Nothing but the code's layer comes after this convolution, in the authors' code too.
        values = Conv(channels, **size)(values)
        code = finish(dense(values.reshape(values.shape[0], -1), self.code_size))
        values = finish(dense(code, height * width * channels))
        values = values.reshape(-1, height, width, channels)
        values = finish(ConvTranspose(self.width, use_bias=bias, **size)(values))
        decoded = jnp.tanh(ConvTranspose(images.shape[3], **size)(values).astype(jnp.float32))
        return -energy(images, decoded, self.exponent), {"code": code.astype(jnp.float32)}
