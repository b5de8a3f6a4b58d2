"""What multilayer perceptrons are made of: hidden layers, and the layer that makes images."""

from __future__ import annotations

import functools
import math

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgan.networks.layers.dense import Dense
from jaxgan.networks.layers.dropout import Dropout
from jaxgan.networks.layers.norm import Norm, norm_layer
from jaxgan.networks.layers.options import (
    Activation,
    Precision,
    activate,
    compute_dtype,
    kernel_init,
)
from jaxgan.networks.layers.virtual_norm import with_reference, without_reference
from jaxgan.networks.layers.weights import WeightNorm
from jaxgan.typing import ImageShape, Pixels


class HiddenLayers(nn.Module):
    """Dense layers, each with its normalization, nonlinearity and dropout."""

    widths: tuple[int, ...]
    """Units of each layer."""
    activation: Activation = "relu"
    """Nonlinearity, unless there is maxout."""
    slope: float = 0.2
    """Slope of leaky_relu for negative values."""
    pieces: int = 1
    """Linear pieces a maxout unit takes the largest of; 1: no maxout."""
    batch_norm: bool = False
    """Normalize before the nonlinearity."""
    dropout: float = 0.0
    """Probability that a unit is dropped."""
    init_std: float | None = None
    """Standard deviation of the first weights; None: scaled by fan-in."""
    dtype: Precision | None = None
    """Number format of the arithmetic; None: the experiment's (float32 when used alone)."""
    norm: Norm | None = None
    """What normalizes in place of batch norm; None: nothing."""
    weight_norm: WeightNorm | None = None
    """What the weights of all layers are normalized by; None: nothing."""
    orthogonal_init: bool = False
    """Orthogonal first weights, instead of normal ones."""

    @nn.compact
    def __call__(
        self, values: Float[Array, "batch inputs"], *, train: bool, axis_name: str | None = None
    ) -> Float[Array, "batch features"]:
        """The last layer's values."""
        dtype, norm = compute_dtype(self.dtype), norm_layer(self.batch_norm, self.norm)
        values = with_reference(norm, values, train=train, axis_name=axis_name)
        for width in self.widths:
            values = Dense(
                width * self.pieces,
                # A normalization layer brings its own bias.
                use_bias=norm is None,
                dtype=dtype,
                kernel_init=kernel_init(self.init_std, self.orthogonal_init),
                weight_norm=self.weight_norm,
            )(values)
            if norm is not None:
                values = norm(dtype=dtype)(values, train=train, axis_name=axis_name)
            if self.pieces > 1:
                # Slices of neighboring columns, because a reduction over a short last axis, and
                # even more its gradient, is several times slower on CPUs.
                values = functools.reduce(jnp.maximum, jnp.split(values, self.pieces, axis=-1))
            else:
                values = activate(self.activation, values, self.slope)
            values = Dropout(self.dropout)(values, train=train, axis_name=axis_name)
        return without_reference(norm, values)


def to_images(
    hidden: Float[Array, "batch features"],
    image_shape: ImageShape,
    init_std: float | None,
    dtype: Precision | None,
    *,
    weight_norm: WeightNorm | None = None,
    orthogonal: bool = False,
) -> Pixels:
    """A dense layer with one unit a pixel and channel; called inside a module's ``__call__``."""
    dense = Dense(
        math.prod(image_shape),
        dtype=compute_dtype(dtype),
        kernel_init=kernel_init(init_std, orthogonal),
        weight_norm=weight_norm,
        name="pixels",
    )
    return dense(hidden).reshape(-1, *image_shape).astype(jnp.float32)
