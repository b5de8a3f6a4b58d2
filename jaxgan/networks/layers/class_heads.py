"""Last layers that say of which class an example is by vectors, or twice. They compute in float32.

A vector that is to lie on the unit sphere is put there by the head, whose results the losses read:
in one well-known library a loop normalizes copies of an auxiliary classifier's weights and leaves
the weights themselves as they are.
"""

from __future__ import annotations

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgan.networks.layers.heads import ClassHead, VectorHead
from jaxgan.networks.layers.labels import ClassEmbedding
from jaxgan.networks.layers.weights import WeightNorm
from jaxgan.typing import Labels

LEAST_SQUARE = 1e-12
"""Squared length below which a vector is scaled as one of this length, so that 0 has a gradient."""


def unit(vectors: Float[Array, "batch size"]) -> Float[Array, "batch size"]:
    """Vectors scaled to length 1; those that are all but zero stay short.

    >>> jnp.linalg.norm(unit(jnp.array([[3.0, 4.0], [0.0, 0.0]])), axis=1).round(4).tolist()
    [1.0, 0.0]
    """
    squares = jnp.sum(jnp.square(vectors), axis=-1, keepdims=True)
    return vectors * jax.lax.rsqrt(jnp.maximum(squares, LEAST_SQUARE))


class EmbeddingHead(nn.Module):
    """Unit vectors of an example (its embedding) and of its class (its proxy).

    References:
        Kang and Park, ContraGAN: Contrastive Learning for Conditional Image Generation, 2020,
        section 3.2. Kang et al., Rebooting ACGAN, 2021, section 3.
    """

    size: int = 128
    """Length of the vectors."""
    init_std: float | None = None
    """Standard deviation of the first weights; None: scaled by fan-in."""
    weight_norm: WeightNorm | None = None
    """What the weights are normalized by; None: nothing."""
    orthogonal_init: bool = False
    """Orthogonal first weights, instead of normal ones."""

    @nn.compact
    def __call__(
        self, features: Float[Array, "batch features"], labels: Labels, *, classes: int
    ) -> dict[str, Float[Array, "batch size"]]:
        """``embedding`` and ``proxy``, float32 ``(batch, size)`` each; the proxy of a label that is
        no class is NaN.

        Raises:
            ValueError: the number of classes is not known (0).
        """
        options = (self.init_std, self.weight_norm, self.orthogonal_init)
        vector = VectorHead(self.size, *options)(features)
        embedding = ClassEmbedding(self.size, weight_norm=self.weight_norm)
        proxies = embedding(labels, classes=classes)
        return {"embedding": unit(vector), "proxy": unit(proxies)}


class TwinHead(nn.Module):
    """Two classifiers of the same features (Gong et al. 2019)."""

    init_std: float | None = None
    """Standard deviation of the first weights; None: scaled by fan-in."""
    weight_norm: WeightNorm | None = None
    """What the weights are normalized by; None: nothing."""
    orthogonal_init: bool = False
    """Orthogonal first weights, instead of normal ones."""

    @nn.compact
    def __call__(
        self, features: Float[Array, "batch features"], *, classes: int
    ) -> dict[str, Float[Array, "batch classes"]]:
        """``class`` and ``twin``, logits of the classes, float32.

        Raises:
            ValueError: the number of classes is not known (0).
        """
        options = (self.init_std, self.weight_norm, self.orthogonal_init)
        return {
            name: ClassHead(*options, name=name)(features, classes=classes)
            for name in ("class", "twin")
        }
