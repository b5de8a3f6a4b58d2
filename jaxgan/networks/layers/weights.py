"""What a layer's weights are made from: nothing else, spectral or weight normalization."""

from __future__ import annotations

from typing import Literal, TypeAlias

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgan.networks.layers.spectral import spectrally_normalized

WeightNorm: TypeAlias = Literal["spectral", "weight"]
"""How weights are normalized, where they are."""


def normalized(
    layer: nn.Module, name: str, weight: Float[Array, "*shape"], norm: WeightNorm | None
) -> Float[Array, "*shape"]:
    """The weights that a layer computes with; called inside its ``__call__``.

    Args:
        layer: that has the weights, and gets what their normalization needs.
        name: of the weights among its parameters.
        weight: float32; the last axis counts outputs.
        norm: None: the weights as they are.
    """
    if norm == "spectral":
        return spectrally_normalized(layer, name, weight)
    if norm == "weight":
        return _weight_normalized(layer, name, weight)
    return weight


def _weight_normalized(layer: nn.Module, name: str, weight: Array) -> Array:
    """``g w / |w|`` with a trained length g for each output, ``NAME_length`` in ``params``.

    Lengths start as those of the first weights, so that at first nothing is changed. (The paper's
    first lengths come from a batch of data; PyTorch's are as here.)

    References:
        Salimans and Kingma, Weight Normalization, 2016, section 2, equation 2.
    """
    squares = jnp.sum(jnp.square(weight), axis=tuple(range(weight.ndim - 1)))
    lengths = jnp.sqrt(squares)
    wanted = layer.param(f"{name}_length", lambda key: lengths)
    return weight * (wanted / lengths)
