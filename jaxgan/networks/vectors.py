"""Discriminators that give a vector for an image, which losses such as MMD-GAN's compare.

The vector is the head ``embedding``. The logits, which those losses do not read, are the means of
its entries: what metrics show, and what penalties on logits then hold for.
"""

from __future__ import annotations

from typing import ClassVar, TypeAlias

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgan.networks.dcgan import DcganFeatures
from jaxgan.networks.layers.heads import VectorHead
from jaxgan.networks.mlp import MlpFeatures
from jaxgan.typing import Logits, Pixels

Embedded: TypeAlias = tuple[Logits, dict[str, Float[Array, "batch size"]]]
"""Means of the vectors' entries, and by the name ``embedding`` the vectors, both float32."""


class VectorDcganDiscriminator(DcganFeatures):
    """`jaxgan.networks.dcgan.DcganDiscriminator` with several outputs.

    References:
        Binkowski et al., Demystifying MMD GANs, 2018, section 4 (16 outputs).
    """

    embeds: ClassVar[bool] = True

    embedding_size: int = 16
    """Length of a vector."""

    @nn.compact
    def __call__(self, images: Pixels, *, train: bool, axis_name: str | None = None) -> Embedded:
        """``(batch,)``, and ``{"embedding": (batch, embedding_size)}``.

        Raises:
            ValueError: for an image shape that `jaxgan.networks.trunk.pyramid` cannot build.
        """
        features = self.features(images, train=train, axis_name=axis_name)
        vectors = VectorHead(self.embedding_size, **self.head_options())(features)
        return jnp.mean(vectors, axis=1), {"embedding": vectors}


class VectorMlpDiscriminator(MlpFeatures):
    """`jaxgan.networks.mlp.MlpDiscriminator` with several outputs."""

    embeds: ClassVar[bool] = True

    embedding_size: int = 16
    """Length of a vector."""

    @nn.compact
    def __call__(self, images: Pixels, *, train: bool, axis_name: str | None = None) -> Embedded:
        """``(batch,)``, and ``{"embedding": (batch, embedding_size)}``."""
        features = self.features(images, train=train, axis_name=axis_name)
        vectors = VectorHead(self.embedding_size, **self.head_options())(features)
        return jnp.mean(vectors, axis=1), {"embedding": vectors}
