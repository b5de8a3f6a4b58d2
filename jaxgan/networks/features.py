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
from jaxgan.networks.mlp import MlpFeatures
from jaxgan.typing import Logits, Pixels

Perception: TypeAlias = tuple[Logits, dict[str, Array], tuple[Float[Array, "batch features"]]]
"""Logits, no heads, and the features before the last layer; all float32."""


class FeatureDcganDiscriminator(DcganFeatures):
    """`jaxgan.networks.dcgan.DcganDiscriminator` with its last features."""

    perceives: ClassVar[bool] = True
    """It returns features."""

    @nn.compact
    def __call__(self, images: Pixels, *, train: bool, axis_name: str | None = None) -> Perception:
        """One logit an image, and ``((batch, features),)``.

        Raises:
            ValueError: for an image shape that `jaxgan.networks.trunk.pyramid` cannot build.
        """
        features = self.features(images, train=train, axis_name=axis_name)
        return LogitHead(self.init_std)(features), {}, (features.astype(jnp.float32),)


class FeatureMlpDiscriminator(MlpFeatures):
    """`jaxgan.networks.mlp.MlpDiscriminator` with its last features."""

    perceives: ClassVar[bool] = True
    """It returns features."""

    @nn.compact
    def __call__(self, images: Pixels, *, train: bool, axis_name: str | None = None) -> Perception:
        """One logit an image (or point), and ``((batch, features),)``."""
        features = self.features(images, train=train, axis_name=axis_name)
        return LogitHead(self.init_std)(features), {}, (features.astype(jnp.float32),)
