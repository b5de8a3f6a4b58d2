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
from jaxgan.networks.layers.judging import Judging
from jaxgan.networks.mlp import MlpFeatures
from jaxgan.typing import Logits, Pixels

Embedded: TypeAlias = tuple[Logits, dict[str, Float[Array, "batch size"]]]
"""Means of the vectors' entries, and by the name ``embedding`` the vectors, both float32."""


class _Vectors(Judging):
    """A vector, and the mean of its entries as the logit."""

    embeds: ClassVar[bool] = True

    embedding_size: int = 16
    """Length of a vector."""

    @nn.compact
    def __call__(self, images: Pixels, *, train: bool, axis_name: str | None = None) -> Embedded:
        """``(batch,)``, and ``{"embedding": (batch, embedding_size)}``.

        Raises:
            ValueError: for images that the layers are not for.
        """
        features = self.features(images, train=train, axis_name=axis_name)
        vectors = VectorHead(self.embedding_size, **self.head_options())(features)
        return jnp.mean(vectors, axis=1), {"embedding": vectors}


class VectorDcganDiscriminator(_Vectors, DcganFeatures):
    """`jaxgan.networks.dcgan.DcganDiscriminator` with several outputs.

    References:
        Binkowski et al., Demystifying MMD GANs, 2018, section 4 (16 outputs).
    """


class VectorMlpDiscriminator(_Vectors, MlpFeatures):
    """`jaxgan.networks.mlp.MlpDiscriminator` with several outputs."""
