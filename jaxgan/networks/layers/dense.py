"""Matrix products with a bias."""

from __future__ import annotations

from typing import Any

import flax.linen as nn
import jax.numpy as jnp
from flax.linen.dtypes import promote_dtype
from jax.nn.initializers import Initializer
from jaxtyping import Array, Float

from jaxgan.networks.layers.weights import WeightNorm, normalized


def add_bias(
    values: Float[Array, "*shape features"], bias: Float[Array, "features"]
) -> Float[Array, "*shape features"]:
    """Values plus bias in the type of the values, added in that of the bias.

    The gradient of a bias is a sum over the whole batch and all pixels. In bfloat16 such a sum
    stops to grow when it is some hundred times its terms, which XLA does not prevent on CPUs.
    """
    return (values.astype(bias.dtype) + bias).astype(values.dtype)


class Dense(nn.Module):
    """A dense layer; parameters and results are those of `flax.linen.Dense`."""

    features: int
    """Units."""
    use_bias: bool = True
    """Whether a bias is added."""
    dtype: Any = None
    """Type of the product; None: that of input and parameters. Biases are added in theirs."""
    kernel_init: Initializer = nn.initializers.lecun_normal()
    """Distribution of the first weights; biases start at 0."""
    weight_norm: WeightNorm | None = None
    """What the weights are normalized by; None: nothing."""

    @nn.compact
    def __call__(self, inputs: Float[Array, "batch inputs"]) -> Float[Array, "batch features"]:
        """The inputs times the weights."""
        shape = (inputs.shape[-1], self.features)
        kernel = self.param("kernel", self.kernel_init, shape, jnp.float32)
        kernel = normalized(self, "kernel", kernel, self.weight_norm)
        inputs, kernel = promote_dtype(inputs, kernel, dtype=self.dtype)
        outputs = inputs @ kernel
        if not self.use_bias:
            return outputs
        bias = self.param("bias", nn.initializers.zeros_init(), (self.features,), jnp.float32)
        return add_bias(outputs, bias)
