"""An autoregressive network over a grid: at each place, what is likely given the places before it.

Places are in reading order, row by row from the left.
"""

from __future__ import annotations

from typing import Any

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgan.networks.layers.conv import Conv
from jaxgan.networks.layers.heads import VectorHead
from jaxgan.networks.layers.options import Precision, check, compute_dtype


class CausalLayers(nn.Module):
    """Gated layers of two stacks: rows above a place, and what is to the left of it in its row.

    Padding on one side takes the place of masks: a window of the vertical stack ends with its own
    row, one of the horizontal stack with its own column. Values of the vertical stack enter the
    horizontal one a row further down, and the first horizontal layer is given values from a column
    to the left, so that a place never sees itself. There is no blind spot: with layers and windows
    that reach far enough, all places before it are seen.

    References:
        Van den Oord et al., Conditional Image Generation with PixelCNN Decoders, 2016, section 2
        and figure 2.
    """

    width: int
    """Channels of each stack."""
    layers: int
    """How many."""
    window: int
    """Side of the window that a layer sees, of which only the half before a place counts; odd."""
    dtype: Any = None
    """Type of the arithmetic."""

    @nn.compact
    def __call__(
        self, values: Float[Array, "batch rows columns channels"]
    ) -> Float[Array, "batch rows columns width"]:
        """What is made at each place of all places before it."""
        half = self.window // 2
        above = values
        # Columns from the left: nothing, the first, the second, ...
        left = jnp.pad(values, ((0, 0), (0, 0), (1, 0), (0, 0)))[:, :, :-1]
        for layer in range(self.layers):
            over = Conv(
                2 * self.width, (half + 1, self.window), dtype=self.dtype,
                padding=((half, 0), (half, half)), name=f"above_{layer}",
            )(above)  # fmt: skip
            along = Conv(
                2 * self.width, (1, half + 1), dtype=self.dtype, padding=((0, 0), (half, 0)),
                name=f"left_{layer}",
            )(left)  # fmt: skip
            lower = jnp.pad(over, ((0, 0), (1, 0), (0, 0), (0, 0)))[:, :-1]
            along += Conv(2 * self.width, (1, 1), dtype=self.dtype, name=f"down_{layer}")(lower)
            above, gated = _gate(over), _gate(along)
            made = Conv(self.width, (1, 1), dtype=self.dtype, name=f"out_{layer}")(gated)
            # The first layer has no shortcut, since its input has other channels.
            left = made if layer == 0 else left + made
        return left


class PixelCnn(nn.Module):
    """Logits of what is at each place of a grid, from what is at those before it.

    References:
        Van den Oord et al., Conditional Image Generation with PixelCNN Decoders, 2016; as a prior
        of codes, Van den Oord et al., Neural Discrete Representation Learning, 2017, section 3.3.
    """

    width: int = 64
    """Channels of each of the two stacks."""
    layers: int = 4
    """Gated layers."""
    window: int = 5
    """Side of the window that a layer sees; odd. All layers together see half of that, times their
    number, to either side."""
    dtype: Precision | None = None
    """Number format of the arithmetic; None: the experiment's (float32 when used alone)."""

    def __post_init__(self) -> None:
        check(self)
        if self.layers < 1:
            raise ValueError(f"PixelCnn.layers = {self.layers}: must be at least 1")
        if self.window < 3 or self.window % 2 == 0:
            raise ValueError(f"PixelCnn.window = {self.window}: an odd number, at least 3")
        super().__post_init__()

    @nn.compact
    def __call__(
        self,
        grid: Float[Array, "batch rows columns categories"],
        *,
        train: bool,
        axis_name: str | None = None,
    ) -> Float[Array, "batch rows columns categories"]:
        """Logits, float32; nothing differs in training.

        Args:
            grid: one-hot categories.
            train: not used.
            axis_name: not used.
        """
        del train, axis_name
        dtype = compute_dtype(self.dtype)
        embedded = Conv(self.width, (1, 1), dtype=dtype, name="embedding")(grid)
        values = CausalLayers(self.width, self.layers, self.window, dtype)(embedded)
        hidden = nn.relu(Conv(self.width, (1, 1), dtype=dtype, name="hidden")(nn.relu(values)))
        batch, rows, columns, categories = grid.shape
        logits = VectorHead(categories)(hidden.reshape(-1, self.width))
        return logits.reshape(batch, rows, columns, categories)


def _gate(values: Float[Array, "*shape twice"]) -> Float[Array, "*shape half"]:
    """``tanh(a) sigmoid(b)`` of the two halves of the channels."""
    first, second = jnp.split(values, 2, axis=-1)
    return jnp.tanh(first) * nn.sigmoid(second)
