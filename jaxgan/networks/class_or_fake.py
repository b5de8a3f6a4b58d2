"""Discriminators with K + 1 outputs: one for each class of real images, and one for what is made.

References:
    Kavalerov, Czaja and Chellappa, cGANs with Multi-Hinge Loss, 2019. Salimans et al., Improved
    Techniques for Training GANs, 2016, section 5 (a class for generated images).
"""

from __future__ import annotations

from typing import ClassVar, TypeAlias

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgan.networks.dcgan import DcganFeatures
from jaxgan.networks.layers.heads import ClassHead
from jaxgan.networks.layers.judging import Judging
from jaxgan.networks.layers.labels import check_classes
from jaxgan.networks.mlp import MlpFeatures
from jaxgan.typing import Labels, Logits, Pixels

Sorted: TypeAlias = tuple[
    Logits, dict[str, Float[Array, "batch outputs"]], tuple[Float[Array, "batch features"]]
]
"""Logits, by the name ``class_or_fake`` the scores, and the features before them; all float32."""


class _Sorting(Judging):
    """Scores of the classes and of being made."""

    perceives: ClassVar[bool] = True
    """It returns features."""

    @nn.compact
    def __call__(
        self,
        images: Pixels,
        labels: Labels,
        *,
        classes: int,
        train: bool,
        axis_name: str | None = None,
    ) -> Sorted:
        """``{"class_or_fake": (batch, classes + 1)}`` with the score of being made last, and
        ``((batch, features),)``; the labels are not looked at.

        The logit is how far the largest score of a class is ahead of that of being made.

        Raises:
            ValueError: for images that the layers are not for, or a number of classes that is not
                known (0).
        """
        del labels
        check_classes(classes)
        features = self.features(images, train=train, axis_name=axis_name)
        scores = ClassHead(**self.head_options())(features, classes=classes + 1)
        logits = jnp.max(scores[:, :-1], axis=1) - scores[:, -1]
        return logits, {"class_or_fake": scores}, (features.astype(jnp.float32),)


class ClassOrFakeDcganDiscriminator(_Sorting, DcganFeatures):
    """`jaxgan.networks.dcgan.DcganDiscriminator` with an output a class, and one for fakes."""


class ClassOrFakeMlpDiscriminator(_Sorting, MlpFeatures):
    """`jaxgan.networks.mlp.MlpDiscriminator` with an output a class, and one for fakes."""
