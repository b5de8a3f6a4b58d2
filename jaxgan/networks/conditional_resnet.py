"""SNGAN's residual networks with labels, as in the projection GAN.

With width 256 (generator) and 128 (discriminator) at 32 pixels, RGB images, 10 classes and 128
latents, they have the 4,304,387 and 1,055,105 parameters of mimicry's cGAN-PD.

References:
    Miyato and Koyama, cGANs with Projection Discriminator, 2018, section 5 and figures 14 and 15.
"""

from __future__ import annotations

from collections.abc import Mapping

import flax.linen as nn
from jaxtyping import Array

from jaxgan.networks.layers.conditional_norm import ConditionalBatchNorm
from jaxgan.networks.layers.judging import Classifying, Projecting
from jaxgan.networks.layers.norm import BatchNorm
from jaxgan.networks.layers.options import compute_dtype
from jaxgan.networks.layers.residual import Normalize, normalization
from jaxgan.networks.resnet import ResnetFeatures, ResnetImages
from jaxgan.typing import ImageShape, Pixels


class ConditionalResnetGenerator(ResnetImages):
    """`jaxgan.networks.resnet.ResnetGenerator` whose blocks normalize with scales and biases for
    each class. The dense layer gets the noise alone, and the last normalization knows no class."""

    @nn.compact
    def __call__(
        self,
        latents: Mapping[str, Array],
        *,
        image_shape: ImageShape,
        classes: int,
        train: bool,
        axis_name: str | None = None,
    ) -> Pixels:
        """Images ``(batch, *image_shape)`` in [-1, 1], float32.

        Args:
            latents: ``noise``, float ``(batch, size)``, and ``label``, integer ``(batch,)``. The
                image of a label that is no class is NaN.
            image_shape: height, width, channels.
            classes: number of classes.
            train: normalize with statistics of this batch; otherwise with running averages.
            axis_name: mapped axis over which the batch is sharded.

        Raises:
            ValueError: for an image shape that `jaxgan.networks.residual_levels` has none for, or a
                number of classes that is not known (0).
        """
        labels, dtype = latents["label"], compute_dtype(self.dtype)

        def norm(block: int) -> Normalize:
            del block
            layer = ConditionalBatchNorm(dtype=dtype)
            return lambda values: layer(
                values, labels=labels, classes=classes, train=train, axis_name=axis_name
            )

        def last() -> Normalize:
            return normalization(BatchNorm, dtype=dtype, train=train, axis_name=axis_name)

        return self.images(latents["noise"], image_shape=image_shape, norm=norm, last=last)


class ProjectionResnetDiscriminator(Projecting, ResnetFeatures):
    """`jaxgan.networks.resnet.ResnetDiscriminator` with a projection of the label, of the same
    sums over pixels."""


class AuxiliaryResnetDiscriminator(Classifying, ResnetFeatures):
    """`jaxgan.networks.resnet.ResnetDiscriminator` with a classifier beside its last layer."""
