"""The residual discriminator of SNGAN for images of 32 pixels, in Flax."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax.numpy as jnp
from jax import Array

from side_by_side.steps import BLOCKS, Block


def halve(values: Array) -> Array:
    """Means over squares of 2x2 pixels."""
    return nn.avg_pool(values, (2, 2), (2, 2))


class Residual(nn.Module):
    """One block; see `side_by_side.steps.Block`."""

    features: int
    block: Block
    conv: Callable[..., Any]
    dtype: Any = None

    @nn.compact
    def __call__(self, inputs: Array) -> Array:
        """Features, of half the size where the block downsamples."""
        first, down = self.block
        values = inputs if first else nn.relu(inputs)
        values = self.conv(self.features, (3, 3), dtype=self.dtype, name="Conv_0")(values)
        values = self.conv(self.features, (3, 3), dtype=self.dtype, name="Conv_1")(nn.relu(values))
        if not down:
            return inputs + values
        beside = self.conv(self.features, (1, 1), dtype=self.dtype, name="shortcut")
        shortcut = beside(halve(inputs)) if first else halve(beside(inputs))
        return shortcut + halve(values)


class Stack(nn.Module):
    """Residual blocks, ReLU, the sum over pixels, and a linear layer; logits ``(batch,)``."""

    width: int
    conv: Callable[..., Any] = nn.Conv
    """Class of the convolutions: that of Flax or that of jaxgan."""
    dtype: Any = None

    @nn.compact
    def __call__(self, images: Array) -> Array:
        """Logits ``(batch,)``, float32."""
        values = images
        for number, block in enumerate(BLOCKS):
            residual = Residual(
                self.width, block, self.conv, self.dtype and jnp.dtype(self.dtype),
                name=f"Block_{number}",
            )  # fmt: skip
            values = residual(values)
        features = jnp.sum(nn.relu(values).astype(jnp.float32), axis=(1, 2))
        return nn.Dense(1, dtype=jnp.float32, name="head")(features)[:, 0]
