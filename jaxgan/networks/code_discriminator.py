"""Discriminators of codes, for the second player of FactorVAEs and adversarial autoencoders."""

from __future__ import annotations

import flax.linen as nn
from jaxtyping import Array, Float

from jaxgan.networks.layers.heads import LogitHead
from jaxgan.networks.mlp import MlpFeatures
from jaxgan.typing import Logits


class CodeDiscriminator(MlpFeatures):
    """Codes to logits by dense layers with leaky ReLU.

    A logit is the difference of the two that the paper's discriminator has.

    References:
        Kim and Mnih, Disentangling by Factorising, 2018, appendix A (six layers of 1,000 units,
        slope 0.2).
    """

    widths: tuple[int, ...] = (1000,) * 6
    """Units of each hidden layer."""

    @nn.compact
    def __call__(
        self, vectors: Float[Array, "batch *size"], *, train: bool, axis_name: str | None = None
    ) -> Logits:
        """One logit a code, float32."""
        points = vectors.reshape(vectors.shape[0], 1, 1, -1)
        features = self.features(points, train=train, axis_name=axis_name)
        return LogitHead(**self.head_options())(features)
