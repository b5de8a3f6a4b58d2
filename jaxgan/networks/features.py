"""Discriminators that also give what their last layer is given, for losses that read features.

Each has the parameters of the one whose name is in its own, and says the same of an image.
"""

from __future__ import annotations

from typing import ClassVar, TypeAlias

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgan.networks.dcgan import DcganFeatures
from jaxgan.networks.layers.heads import LogitHead
from jaxgan.networks.layers.judging import Judging
from jaxgan.networks.mlp import MlpFeatures
from jaxgan.typing import Logits, Pixels

Perception: TypeAlias = tuple[Logits, dict[str, Array], tuple[Float[Array, "batch features"]]]
"""Logits, no heads, and the features before the last layer; all float32."""


class _Perceiving(Judging):
    """A logit, and the features that it is made of."""

    perceives: ClassVar[bool] = True
    """It returns features."""

    @nn.compact
    def __call__(self, images: Pixels, *, train: bool, axis_name: str | None = None) -> Perception:
        """One logit an image (or point), and ``((batch, features),)``.

        Raises:
            ValueError: for images that the layers are not for.
        """
        features = self.features(images, train=train, axis_name=axis_name)
        logits = LogitHead(**self.head_options())(features)
        return logits, {}, (features.astype(jnp.float32),)


class FeatureDcganDiscriminator(_Perceiving, DcganFeatures):
    """`jaxgan.networks.dcgan.DcganDiscriminator` with its last features."""


class FeatureMlpDiscriminator(_Perceiving, MlpFeatures):
    """`jaxgan.networks.mlp.MlpDiscriminator` with its last features."""
