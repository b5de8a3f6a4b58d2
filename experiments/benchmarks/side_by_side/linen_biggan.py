"""BigGAN's generator as one writes it with the layers of flax.linen."""

from __future__ import annotations

from typing import Any

import flax.linen as nn
import jax.numpy as jnp
from jax import Array

from side_by_side.steps import CLASSES, EMBEDDING, Size, biggan_blocks


def _spectral(layer: nn.Module, inputs: Array) -> Array:
    """What a layer gives with its weights divided by their largest singular value."""
    return nn.SpectralNorm(layer)(inputs, update_stats=True)


def _doubled(images: Array) -> Array:
    return images.repeat(2, axis=1).repeat(2, axis=2)


class ConditionalNorm(nn.Module):
    """Batch norm whose scales and biases are linear in a vector."""

    dtype: Any

    @nn.compact
    def __call__(self, images: Array, condition: Array) -> Array:
        """The images normalized, in dtype."""
        norm = nn.BatchNorm(
            use_running_average=False, momentum=0.9, use_scale=False, use_bias=False,
            dtype=self.dtype,
        )  # fmt: skip
        scale, bias = (
            _spectral(nn.Dense(images.shape[-1], use_bias=False, name=name), condition)
            for name in ("scale", "bias")
        )
        scale, bias = (v[:, None, None].astype(self.dtype) for v in (scale, bias))
        return (1.0 + scale) * norm(images) + bias


class ClassEmbedding(nn.Module):
    """A vector for each class."""

    @nn.compact
    def __call__(self, labels: Array) -> Array:
        """The vectors of the labels."""
        return self.param("table", nn.initializers.normal(1.0), (CLASSES, EMBEDDING))[labels]


class UpBlock(nn.Module):
    """A residual block that doubles the resolution."""

    features: int
    dtype: Any

    @nn.compact
    def __call__(self, images: Array, first: Any, second: Any) -> Array:
        """The block's result.

        Args:
            images: of half its resolution.
            first, second: its normalizations.
        """

        def conv(name: str, side: int, values: Array) -> Array:
            layer = nn.Conv(self.features, (side, side), dtype=self.dtype, name=name)
            return _spectral(layer, values)

        values = conv("first", 3, _doubled(nn.relu(first(images))))
        values = conv("second", 3, nn.relu(second(values)))
        return values + conv("shortcut", 1, _doubled(images))


class SelfAttention(nn.Module):
    """Every pixel looks at the largest of each two by two pixels."""

    dtype: Any

    @nn.compact
    def __call__(self, images: Array) -> Array:
        """The images, and what they attend to."""
        count, height, width, channels = images.shape

        def conv(name: str, features: int, values: Array) -> Array:
            layer = nn.Conv(features, (1, 1), use_bias=False, dtype=self.dtype, name=name)
            return _spectral(layer, values)

        narrow, half = max(channels // 8, 1), max(channels // 2, 1)
        query = conv("query", narrow, images).reshape(count, -1, narrow)
        key = nn.max_pool(conv("key", narrow, images), (2, 2), (2, 2)).reshape(count, -1, narrow)
        value = nn.max_pool(conv("value", half, images), (2, 2), (2, 2)).reshape(count, -1, half)
        shares = nn.softmax(query @ key.swapaxes(1, 2))
        found = (shares @ value).reshape(count, height, width, half)
        gamma = self.param("gamma", nn.initializers.zeros, ())
        return images + gamma.astype(self.dtype) * conv("out", channels, found)


class Generator(nn.Module):
    """Images ``(batch, height, width, channels)`` of latents and labels."""

    size: Size
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, inputs: tuple[Array, Array]) -> Array:
        """Pixels in [-1, 1], float32."""
        noise, labels = inputs
        size, blocks = self.size, biggan_blocks(self.size)
        told = ClassEmbedding(name="ClassEmbedding_0")(labels)
        first, *rest = jnp.split(noise, blocks + 1, axis=1)
        dense = nn.Dense(4 * 4 * size.width, dtype=self.dtype, name="Dense_0")
        values = _spectral(dense, first).reshape(-1, 4, 4, size.width)
        for number, own in enumerate(rest):
            condition = jnp.concatenate([told, own], axis=1)
            norms = [
                ConditionalNorm(self.dtype, name=f"ModulatedBatchNorm_{2 * number + place}")
                for place in (0, 1)
            ]
            block = UpBlock(size.width, self.dtype, name=f"UpBlock_{number}")
            values = block(values, *(_conditioned(norm, condition) for norm in norms))
            if number == blocks - 2:  # half the image's resolution
                values = SelfAttention(self.dtype, name="SelfAttention_0")(values)
        norm = nn.BatchNorm(
            use_running_average=False, momentum=0.9, dtype=self.dtype, name="BatchNorm_0"
        )
        last = nn.Conv(size.channels, (3, 3), dtype=self.dtype, name="Conv_0")
        return jnp.tanh(_spectral(last, nn.relu(norm(values))).astype(jnp.float32))


def _conditioned(norm: nn.Module, condition: Array) -> Any:
    return lambda images: norm(images, condition)  # pyright: ignore[reportCallIssue]
