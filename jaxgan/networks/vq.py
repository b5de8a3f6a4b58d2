"""Encoder and decoder of a VQ-VAE: images to grids of vectors, and back.

References:
    Van den Oord, Vinyals and Kavukcuoglu, Neural Discrete Representation Learning, 2017, section
    4.1; residual blocks of fewer channels, and a convolution before them, as in the authors' code.
"""

from __future__ import annotations

from typing import Any

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgan.networks.layers.blocks import block_end
from jaxgan.networks.layers.conv import Conv, ConvTranspose
from jaxgan.networks.layers.heads import VectorHead
from jaxgan.networks.layers.options import Precision, check, compute_dtype
from jaxgan.typing import ImageShape, Pixels

LEAST = 4
"""Channels of layers that have a fraction of the width; all of fewer might be off at once."""


class ResidualStack(nn.Module):
    """Blocks ``x + conv 1x1(relu(conv 3x3(relu(x))))``, and a last ReLU."""

    blocks: int
    """How many."""
    features: int
    """Channels between a block's convolutions."""
    dtype: Any = None
    """Type of the arithmetic."""

    @nn.compact
    def __call__(
        self, values: Float[Array, "batch height width channels"]
    ) -> Float[Array, "batch height width channels"]:
        """The same shape."""
        for _ in range(self.blocks):
            hidden = Conv(self.features, (3, 3), dtype=self.dtype)(nn.relu(values))
            more = Conv(values.shape[-1], (1, 1), dtype=self.dtype)(nn.relu(hidden))
            values = block_end(values + more)
        return nn.relu(values)


class GridEncoder(nn.Module):
    """Images to a vector at each place of a coarser grid."""

    width: int = 64
    """Channels of the coarsest level; finer ones have half as many. 128 in the authors' code."""
    halvings: int = 2
    """How often the resolution is halved: 28x28 pixels become a grid of 7x7."""
    blocks: int = 2
    """Residual blocks."""
    dtype: Precision | None = None
    """Number format of the arithmetic; None: the experiment's (float32 when used alone)."""

    def __post_init__(self) -> None:
        check(self)
        super().__post_init__()

    @nn.compact
    def __call__(
        self, images: Pixels, *, latent_size: int, train: bool, axis_name: str | None = None
    ) -> Float[Array, "batch rows columns latent_size"]:
        """Float32 vectors; nothing differs in training.

        Raises:
            ValueError: a side cannot be halved so often.
        """
        del train, axis_name
        dtype, values = compute_dtype(self.dtype), images
        _check_sides(images.shape[1:3], self.halvings)
        for level in range(self.halvings):
            width = self.width if level == self.halvings - 1 else max(self.width // 2, LEAST)
            values = nn.relu(Conv(width, (4, 4), (2, 2), dtype=dtype)(values))
        values = Conv(self.width, (3, 3), dtype=dtype)(values)
        values = ResidualStack(self.blocks, max(self.width // 4, LEAST), dtype)(values)
        batch, rows, columns, channels = values.shape
        vectors = VectorHead(latent_size)(values.reshape(-1, channels))
        return vectors.reshape(batch, rows, columns, latent_size)


class GridDecoder(nn.Module):
    """Vectors at the places of a grid to the parameters of a likelihood: logits or means."""

    width: int = 64
    """Channels of the coarsest level; finer ones have half as many. 128 in the authors' code."""
    halvings: int = 2
    """How often the resolution is doubled: a grid of 7x7 becomes 28x28 pixels."""
    blocks: int = 2
    """Residual blocks."""
    dtype: Precision | None = None
    """Number format of the arithmetic; None: the experiment's (float32 when used alone)."""

    def __post_init__(self) -> None:
        check(self)
        super().__post_init__()

    @nn.compact
    def __call__(
        self,
        grid: Float[Array, "batch rows columns size"],
        *,
        image_shape: ImageShape,
        train: bool,
        axis_name: str | None = None,
    ) -> Pixels:
        """Unbounded values ``(batch, *image_shape)``, float32; nothing differs in training.

        Raises:
            ValueError: a side cannot be doubled so often from a whole number.
        """
        del train, axis_name
        dtype = compute_dtype(self.dtype)
        _check_sides(image_shape[:2], self.halvings)
        values = Conv(self.width, (3, 3), dtype=dtype)(grid)
        values = ResidualStack(self.blocks, max(self.width // 4, LEAST), dtype)(values)
        for _ in range(self.halvings - 1):
            width = max(self.width // 2, LEAST)
            values = nn.relu(ConvTranspose(width, (4, 4), (2, 2), dtype=dtype)(values))
        return ConvTranspose(image_shape[2], (4, 4), (2, 2), dtype=dtype)(values).astype(
            jnp.float32
        )


def _check_sides(sides: tuple[int, ...], halvings: int) -> None:
    factor = 2**halvings
    if halvings < 1 or any(side % factor for side in sides):
        raise ValueError(
            f"halvings = {halvings} with images of {'x'.join(map(str, sides))}: at least 1, and the"
            f" sides must be multiples of {factor}"
        )
