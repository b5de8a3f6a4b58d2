"""Last layers that networks of several kinds share. They compute in float32."""

from __future__ import annotations

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgan.networks.layers.dense import Dense
from jaxgan.networks.layers.options import kernel_init
from jaxgan.typing import Latents, Logits


class LogitHead(nn.Module):
    """One number from the features of an example."""

    init_std: float | None = None
    """Standard deviation of the first weights; None: scaled by fan-in."""

    @nn.compact
    def __call__(self, features: Float[Array, "batch features"]) -> Logits:
        """One logit an example, float32."""
        dense = Dense(1, dtype=jnp.float32, kernel_init=kernel_init(self.init_std))
        return dense(features)[:, 0]


class GaussianHead(nn.Module):
    """Mean and log variance of a diagonal Gaussian from the features of an example."""

    latent_size: int
    """Length of a code."""
    init_std: float | None = None
    """Standard deviation of the first weights; None: scaled by fan-in."""

    @nn.compact
    def __call__(self, features: Float[Array, "batch features"]) -> tuple[Latents, Latents]:
        """Means and log variances, both float32 ``(batch, latent_size)``."""
        init = kernel_init(self.init_std)
        mean, log_variance = (
            Dense(self.latent_size, dtype=jnp.float32, kernel_init=init, name=name)
            for name in ("mean", "log_variance")
        )
        return mean(features), log_variance(features)
