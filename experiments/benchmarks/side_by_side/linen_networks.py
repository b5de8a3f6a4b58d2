"""The compared networks as one writes them with the layers of flax.linen."""

from __future__ import annotations

from typing import Any

import flax.linen as nn
import jax.numpy as jnp
from jax import Array

from side_by_side.steps import SLOPE, Size, levels


class Generator(nn.Module):
    """Latents to images: a dense layer, transposed convolutions, batch norm, ReLU, tanh."""

    size: Size
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, latent: Array) -> Array:
        """Images ``(batch, height, width, channels)``, float32."""
        base, channels = levels(self.size)
        dense = nn.Dense(base * base * channels[-1], use_bias=False, dtype=self.dtype)
        values = dense(latent).reshape(-1, base, base, channels[-1])
        values = nn.relu(self._normalized(values))
        for width in reversed(channels[:-1]):
            values = nn.ConvTranspose(width, (4, 4), (2, 2), use_bias=False, dtype=self.dtype)(
                values
            )
            values = nn.relu(self._normalized(values))
        values = nn.ConvTranspose(self.size.channels, (4, 4), (2, 2), dtype=self.dtype)(values)
        return jnp.tanh(values.astype(jnp.float32))

    def _normalized(self, values: Array) -> Array:
        return nn.BatchNorm(use_running_average=False, momentum=0.9, dtype=self.dtype)(values)


class Discriminator(nn.Module):
    """Images to logits: strided convolutions, leaky ReLU, batch norm but in the first layer."""

    size: Size
    batch_norm: bool
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, images: Array) -> Array:
        """Logits ``(batch,)``, float32."""
        values = images
        for level, width in enumerate(levels(self.size)[1]):
            normalize = self.batch_norm and level > 0
            values = nn.Conv(width, (4, 4), (2, 2), use_bias=not normalize, dtype=self.dtype)(
                values
            )
            if normalize:
                norm = nn.BatchNorm(use_running_average=False, momentum=0.9, dtype=self.dtype)
                values = norm(values)
            values = nn.leaky_relu(values, SLOPE)
        values = values.reshape(values.shape[0], -1)
        return nn.Dense(1, dtype=jnp.float32, name="head")(values)[:, 0]


class ConvEncoder(nn.Module):
    """Images to mean and log variance, by strided convolutions."""

    size: Size
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, images: Array) -> tuple[Array, Array]:
        """Mean and log variance, each ``(batch, latent)``, float32."""
        values = images
        for width in levels(self.size)[1]:
            values = nn.relu(nn.Conv(width, (4, 4), (2, 2), dtype=self.dtype)(values))
        values = values.reshape(values.shape[0], -1)
        mean = nn.Dense(self.size.latent, dtype=jnp.float32, name="mean")(values)
        return mean, nn.Dense(self.size.latent, dtype=jnp.float32, name="log_variance")(values)


class ConvDecoder(nn.Module):
    """Codes to logits of pixels, by transposed convolutions."""

    size: Size
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, latent: Array) -> Array:
        """Images ``(batch, height, width, channels)``, float32."""
        base, channels = levels(self.size)
        values = nn.Dense(base * base * channels[-1], dtype=self.dtype)(latent)
        values = nn.relu(values.reshape(-1, base, base, channels[-1]))
        for width in reversed(channels[:-1]):
            values = nn.relu(nn.ConvTranspose(width, (4, 4), (2, 2), dtype=self.dtype)(values))
        values = nn.ConvTranspose(self.size.channels, (4, 4), (2, 2), dtype=self.dtype)(values)
        return values.astype(jnp.float32)


class MlpGenerator(nn.Module):
    """Latents to images; the decoder of a VAE without its tanh."""

    size: Size
    bounded: bool
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, latent: Array) -> Array:
        """Images ``(batch, height, width, channels)``, float32."""
        image, channels = self.size.image, self.size.channels
        values = latent
        for width in self.size.hidden:
            values = nn.relu(nn.Dense(width, dtype=self.dtype)(values))
        values = nn.Dense(image * image * channels, dtype=self.dtype, name="pixels")(values)
        values = values.reshape(-1, image, image, channels).astype(jnp.float32)
        return jnp.tanh(values) if self.bounded else values


class MlpDiscriminator(nn.Module):
    """Images to logits."""

    size: Size
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, images: Array) -> Array:
        """Logits ``(batch,)``, float32."""
        values = images.reshape(images.shape[0], -1)
        for width in self.size.hidden:
            values = nn.leaky_relu(nn.Dense(width, dtype=self.dtype)(values), SLOPE)
        return nn.Dense(1, dtype=jnp.float32, name="head")(values)[:, 0]


class MlpEncoder(nn.Module):
    """Images to mean and log variance."""

    size: Size
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, images: Array) -> tuple[Array, Array]:
        """Mean and log variance, each ``(batch, latent)``, float32."""
        values = images.reshape(images.shape[0], -1)
        for width in self.size.hidden:
            values = nn.relu(nn.Dense(width, dtype=self.dtype)(values))
        mean = nn.Dense(self.size.latent, dtype=jnp.float32, name="mean")(values)
        return mean, nn.Dense(self.size.latent, dtype=jnp.float32, name="log_variance")(values)
