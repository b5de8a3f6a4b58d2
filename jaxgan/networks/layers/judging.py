"""What discriminators of one kind of layers have in common: all of them but the last ones.

A discriminator is made of two classes: one that makes features of images (`Judging`, of which there
is one for each kind of layers), and one that says what the last layers do with them. The latter
comes first among the bases: ``class ProjectionMlpDiscriminator(Projecting, MlpFeatures)``.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import flax.linen as nn
from jaxtyping import Array, Float

from jaxgan.networks.layers.heads import ClassHead, LogitHead, ProjectionHead
from jaxgan.typing import Labels, Logits, Pixels

Opinion: TypeAlias = tuple[Logits, dict[str, Float[Array, "batch classes"]]]
"""Logits of being real, and by the name ``class`` those of the classes, both float32."""


class Judging(nn.Module):
    """Settings of a discriminator, and all of it but the last layers.

    Those that differ in their last layers derive from it.
    """

    def features(
        self, images: Pixels, *, train: bool, axis_name: str | None = None
    ) -> Float[Array, "batch features"]:
        """What the last layers get; called inside a module's ``__call__``."""
        raise NotImplementedError

    def head_options(self) -> dict[str, Any]:
        """What the last layers have in common with the others."""
        raise NotImplementedError


class Scoring(Judging):
    """One logit."""

    @nn.compact
    def __call__(self, images: Pixels, *, train: bool, axis_name: str | None = None) -> Logits:
        """One logit an image (or point), float32.

        Raises:
            ValueError: for images that the layers are not for.
        """
        features = self.features(images, train=train, axis_name=axis_name)
        return LogitHead(**self.head_options())(features)


class Projecting(Judging):
    """One logit: how real an image is as one of its class (Miyato and Koyama 2018)."""

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
            ValueError: for images that the layers are not for, or a number of classes that is not
                known (0).
        """
        features = self.features(images, train=train, axis_name=axis_name)
        return ProjectionHead(**self.head_options())(features, labels, classes=classes)


class Classifying(Judging):
    """A logit, and a classifier beside it (Odena et al. 2017)."""

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
            ValueError: for images that the layers are not for, or a number of classes that is not
                known (0).
        """
        del labels
        features = self.features(images, train=train, axis_name=axis_name)
        logits = LogitHead(**self.head_options())(features)
        return logits, {"class": ClassHead(**self.head_options())(features, classes=classes)}
