"""Convolutional encoder and decoder of a VAE, on the pyramids of DCGAN.

An encoder and a discriminator of one width differ in their last layer only, and so do a decoder and
a generator, which is what makes a comparison of the objectives fair (Lucic et al. 2018).
"""

from __future__ import annotations

import flax.linen as nn

from jaxgan.networks.layers.heads import GaussianHead
from jaxgan.networks.layers.options import Activation, Precision, check
from jaxgan.networks.trunk import DownPyramid, UpPyramid
from jaxgan.typing import ImageShape, Latents, Pixels


class ConvEncoder(nn.Module):
    """Images to the mean and log variance of their codes."""

    width: int = 64
    """Channels of the first layer; they double with each halving of the resolution."""
    max_multiple: int = 8
    """Channels of the widest layers, as a multiple of width."""
    batch_norm: bool = False
    """Normalize all layers but the first."""
    activation: Activation = "relu"
    """Nonlinearity of hidden layers."""
    slope: float = 0.2
    """Slope of leaky_relu for negative values."""
    init_std: float | None = None
    """Standard deviation of the first weights; None: scaled by fan-in."""
    dtype: Precision | None = None
    """Number format of the arithmetic; None: the experiment's (float32 when used alone)."""

    def __post_init__(self) -> None:
        check(self)
        super().__post_init__()

    @nn.compact
    def __call__(
        self, images: Pixels, *, latent_size: int, train: bool, axis_name: str | None = None
    ) -> tuple[Latents, Latents]:
        """Mean and log variance, each float32 ``(batch, latent_size)``.

        Raises:
            ValueError: for an image shape that `jaxgan.networks.trunk.pyramid` cannot build.
        """
        features = DownPyramid(
            self.width,
            self.max_multiple,
            batch_norm=self.batch_norm,
            activation=self.activation,
            slope=self.slope,
            init_std=self.init_std,
            dtype=self.dtype,
        )(images, train=train, axis_name=axis_name)
        return GaussianHead(latent_size, self.init_std)(features)


class ConvDecoder(nn.Module):
    """Codes to the parameters of a likelihood: logits (Bernoulli) or means (Gaussian)."""

    width: int = 64
    """Channels before the last layer; they double with each halving of the resolution."""
    max_multiple: int = 8
    """Channels of the widest layers, as a multiple of width."""
    batch_norm: bool = False
    """Normalize all layers but the last."""
    activation: Activation = "relu"
    """Nonlinearity of hidden layers."""
    slope: float = 0.2
    """Slope of leaky_relu for negative values."""
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
        """Unbounded values ``(batch, *image_shape)``, float32.

        Raises:
            ValueError: for an image shape that `jaxgan.networks.trunk.pyramid` cannot build.
        """
        return UpPyramid(
            self.width,
            self.max_multiple,
            batch_norm=self.batch_norm,
            activation=self.activation,
            slope=self.slope,
            init_std=self.init_std,
            dtype=self.dtype,
        )(latent, image_shape=image_shape, train=train, axis_name=axis_name)
