"""Discriminators with heads for class information: embeddings with proxies, twin classifiers.

Like the others of their kind (`jaxgan.networks.auxiliary`), they differ from the unconditional
discriminators in what stands beside the last layer.

References:
    Kang and Park, ContraGAN: Contrastive Learning for Conditional Image Generation, 2020. Kang et
    al., Rebooting ACGAN, 2021. Gong et al., Twin Auxiliary Classifiers GAN, 2019.
"""

from __future__ import annotations

from typing import TypeAlias

import flax.linen as nn
from jaxtyping import Array, Float

from jaxgan.networks.dcgan import DcganFeatures
from jaxgan.networks.layers.class_heads import EmbeddingHead, TwinHead
from jaxgan.networks.layers.heads import LogitHead
from jaxgan.networks.layers.judging import Judging
from jaxgan.networks.mlp import MlpFeatures
from jaxgan.typing import Labels, Logits, Pixels

Judged: TypeAlias = tuple[Logits, dict[str, Float[Array, "batch ..."]]]
"""Logits of being real, and the heads by name, all float32."""


class _Embedding(Judging):
    """A logit, and unit vectors of the image and of its class."""

    embedding: int = 128
    """Length of the vectors that stand for an image and for its class."""

    @nn.compact
    def __call__(
        self,
        images: Pixels,
        labels: Labels,
        *,
        classes: int,
        train: bool,
        axis_name: str | None = None,
    ) -> Judged:
        """One logit an image, ``embedding`` and ``proxy``, ``(batch, embedding)`` each.

        Raises:
            ValueError: for images that the layers are not for, or a number of classes that is not
                known (0).
        """
        features = self.features(images, train=train, axis_name=axis_name)
        options = self.head_options()
        head = EmbeddingHead(self.embedding, **options)
        return LogitHead(**options)(features), head(features, labels, classes=classes)


class _Twin(Judging):
    """A logit, and two classifiers."""

    @nn.compact
    def __call__(
        self,
        images: Pixels,
        labels: Labels,
        *,
        classes: int,
        train: bool,
        axis_name: str | None = None,
    ) -> Judged:
        """One logit an image, ``class`` and ``twin``, ``(batch, classes)`` each; the labels are not
        looked at.

        Raises:
            ValueError: for images that the layers are not for, or a number of classes that is not
                known (0).
        """
        del labels
        features = self.features(images, train=train, axis_name=axis_name)
        options = self.head_options()
        twins = TwinHead(**options)(features, classes=classes)
        return LogitHead(**options)(features), twins


class EmbeddingDcganDiscriminator(_Embedding, DcganFeatures):
    """`jaxgan.networks.dcgan.DcganDiscriminator` with embeddings of images and of classes."""


class EmbeddingMlpDiscriminator(_Embedding, MlpFeatures):
    """`jaxgan.networks.mlp.MlpDiscriminator` with embeddings of images and of classes."""


class TwinDcganDiscriminator(_Twin, DcganFeatures):
    """`jaxgan.networks.dcgan.DcganDiscriminator` with two classifiers beside its last layer."""


class TwinMlpDiscriminator(_Twin, MlpFeatures):
    """`jaxgan.networks.mlp.MlpDiscriminator` with two classifiers beside its last layer."""
