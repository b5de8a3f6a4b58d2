"""Residual encoder and decoder of a VAE, of the trunks of SNGAN.

An encoder and a discriminator of one width differ in their last layer only, and so do a decoder and
a generator, which is what makes a comparison of the objectives fair (Lucic et al. 2018).
"""

from __future__ import annotations

from typing import Literal

import flax.linen as nn

from jaxgan.networks.layers.heads import GaussianHead
from jaxgan.networks.layers.norm import Norm, norm_layer
from jaxgan.networks.layers.options import compute_dtype
from jaxgan.networks.layers.residual import Normalize, normalization
from jaxgan.networks.layers.virtual_norm import with_reference, without_reference
from jaxgan.networks.layers.weights import WeightNorm
from jaxgan.networks.resnet import ResnetFeatures, ResnetImages
from jaxgan.typing import ImageShape, Latents, Pixels


class ResnetEncoder(ResnetFeatures):
    """Images to the mean and log variance of their codes, by a discriminator's residual blocks.

    References:
        Miyato et al., Spectral Normalization for Generative Adversarial Networks, 2018, appendix
        B.4 (the trunk).
    """

    weight_norm: WeightNorm | None = None
    """What the weights of all layers but the last are normalized by; None: nothing."""
    pooling: Literal["sum", "mean"] = "mean"
    """Over the pixels of the last block."""

    @nn.compact
    def __call__(
        self, images: Pixels, *, latent_size: int, train: bool, axis_name: str | None = None
    ) -> tuple[Latents, Latents]:
        """Mean and log variance, each float32 ``(batch, latent_size)``.

        Raises:
            ValueError: for an image shape that `jaxgan.networks.residual_levels` has none for.
        """
        features = self.features(images, train=train, axis_name=axis_name)
        return GaussianHead(latent_size)(features)


class ResnetDecoder(ResnetImages):
    """Codes to the parameters of a likelihood: a generator's residual blocks, without a tanh.

    References:
        Miyato et al., Spectral Normalization for Generative Adversarial Networks, 2018, appendix
        B.4 (the trunk).
    """

    batch_norm: bool = False
    """Normalize before each ReLU."""
    norm: Norm | None = None
    """What normalizes in place of batch norm; None: nothing."""

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
            ValueError: for an image shape that `jaxgan.networks.residual_levels` has none for.
        """
        layer, dtype = norm_layer(self.batch_norm, self.norm), compute_dtype(self.dtype)

        def norm(block: int = 0) -> Normalize:
            del block
            return normalization(layer, dtype=dtype, train=train, axis_name=axis_name)

        rows = with_reference(layer, latent, train=train, axis_name=axis_name)
        made = self.values(rows, image_shape=image_shape, norm=norm, last=norm)
        return without_reference(layer, made)
