"""Discriminators that also say which class an image is of (Odena et al. 2017).

They are given the labels, as every conditional discriminator is, and do not look at them: the loss
of the classification does (`jaxgan.objectives.gan.auxiliaries`).

References:
    Odena, Olah and Shlens, Conditional Image Synthesis with Auxiliary Classifier GANs, 2017,
    section 3 (where both outputs come from the same last features, as here).
"""

from __future__ import annotations

from typing import TypeAlias

import flax.linen as nn
from jaxtyping import Array, Float

from jaxgan.networks.dcgan import DcganFeatures
from jaxgan.networks.layers.heads import ClassHead, LogitHead
from jaxgan.networks.mlp import MlpFeatures
from jaxgan.typing import Labels, Logits, Pixels

Opinion: TypeAlias = tuple[Logits, dict[str, Float[Array, "batch classes"]]]
"""Logits of being real, and by the name ``class`` those of the classes, both float32."""


class AuxiliaryDcganDiscriminator(DcganFeatures):
    """`jaxgan.networks.dcgan.DcganDiscriminator` with a classifier beside its last layer."""

    @nn.compact
    def __call__(
        self,
        images: Pixels,
        labels: Labels,
        *,
        classes: int,
        train: bool,
        axis_name: str | None = None,
    ) -> Opinion:
        """One logit an image, and ``{"class": (batch, classes)}``; the labels are not looked at.

        Raises:
            ValueError: for an image shape that `jaxgan.networks.trunk.pyramid` cannot build, or a
                number of classes that is not known (0).
        """
        del labels
        features = self.features(images, train=train, axis_name=axis_name)
        logits = LogitHead(**self.head_options())(features)
        return logits, {"class": ClassHead(**self.head_options())(features, classes=classes)}


class AuxiliaryMlpDiscriminator(MlpFeatures):
    """`jaxgan.networks.mlp.MlpDiscriminator` with a classifier beside its last layer."""

    @nn.compact
    def __call__(
        self,
        images: Pixels,
        labels: Labels,
        *,
        classes: int,
        train: bool,
        axis_name: str | None = None,
    ) -> Opinion:
        """One logit an image, and ``{"class": (batch, classes)}``; the labels are not looked at.

        Raises:
            ValueError: the number of classes is not known (0).
        """
        del labels
        features = self.features(images, train=train, axis_name=axis_name)
        logits = LogitHead(**self.head_options())(features)
        return logits, {"class": ClassHead(**self.head_options())(features, classes=classes)}
