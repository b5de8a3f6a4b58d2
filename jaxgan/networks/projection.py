"""Projection discriminators (Miyato and Koyama 2018): how real an image is as one of its class.

The logit is ``psi(phi(x)) + v[y] . phi(x)``: that of an unconditional discriminator, and a product
of the same features with a vector of the class. The paper's features are sums over all pixels;
here they are those that the unconditional discriminator of the same kind has.

References:
    Miyato and Koyama, cGANs with Projection Discriminator, 2018, section 3 and figure 1d.
"""

from __future__ import annotations

import flax.linen as nn

from jaxgan.networks.dcgan import DcganFeatures
from jaxgan.networks.layers.heads import ProjectionHead
from jaxgan.networks.mlp import MlpFeatures
from jaxgan.typing import Labels, Logits, Pixels


class ProjectionDcganDiscriminator(DcganFeatures):
    """`jaxgan.networks.dcgan.DcganDiscriminator` with a projection of the label."""

    @nn.compact
    def __call__(
        self,
        images: Pixels,
        labels: Labels,
        *,
        classes: int,
        train: bool,
        axis_name: str | None = None,
    ) -> Logits:
        """One logit an image and label, float32; NaN for a label that is no class.

        Raises:
            ValueError: for an image shape that `jaxgan.networks.trunk.pyramid` cannot build, or a
                number of classes that is not known (0).
        """
        features = self.features(images, train=train, axis_name=axis_name)
        return ProjectionHead(**self.head_options())(features, labels, classes=classes)


class ProjectionMlpDiscriminator(MlpFeatures):
    """`jaxgan.networks.mlp.MlpDiscriminator` with a projection of the label."""

    @nn.compact
    def __call__(
        self,
        images: Pixels,
        labels: Labels,
        *,
        classes: int,
        train: bool,
        axis_name: str | None = None,
    ) -> Logits:
        """One logit an image (or point) and label, float32; NaN for a label that is no class.

        Raises:
            ValueError: the number of classes is not known (0).
        """
        features = self.features(images, train=train, axis_name=axis_name)
        return ProjectionHead(**self.head_options())(features, labels, classes=classes)
