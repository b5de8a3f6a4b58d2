"""Self-attention over the pixels of an image (Zhang et al. 2019)."""

from __future__ import annotations

from typing import Any

import flax.linen as nn
import jax.numpy as jnp
from jax.nn.initializers import Initializer
from jaxtyping import Array, Float

from jaxgan.networks.layers.conv import Conv
from jaxgan.networks.layers.weights import WeightNorm


class SelfAttention(nn.Module):
    """Every pixel looks at all places of the image, and takes over what it finds there.

    With 1x1 convolutions ``q`` and ``k`` to an eighth of the channels and ``v`` to half of them,
    all without biases, and the largest of two by two pixels of ``k`` and ``v``:

        y_i = x_i + gamma o(sum_j a_ij v_j),  a_ij = exp(q_i . k_j) / sum_j' exp(q_i . k_j')

    ``o`` is a 1x1 convolution back to all channels. ``gamma`` is one trained number that starts at
    0, so that at first nothing is changed. Products are not divided by a root of the channels.

    References:
        Zhang et al., Self-Attention Generative Adversarial Networks, 2019, section 3 (where keys
        and values are those of all pixels). Brock et al., Large Scale GAN Training for High
        Fidelity Natural Image Synthesis, 2019, whose code and SAGAN's own pool them.
    """

    weight_norm: WeightNorm | None = "spectral"
    """What the weights are normalized by; None: nothing."""
    kernel_init: Initializer = nn.initializers.xavier_uniform()
    """Distribution of the first weights."""
    dtype: Any = None
    """Type of the arithmetic; None: that of input and parameters. The softmax is float32."""

    @nn.compact
    def __call__(
        self, inputs: Float[Array, "batch height width channels"]
    ) -> Float[Array, "batch height width channels"]:
        """The inputs, and what they attend to.

        Args:
            inputs: at least 2 by 2 pixels; of odd sizes, the last row or column is not looked at.
        """
        channels = inputs.shape[-1]

        def conv(features: int, name: str) -> Conv:
            return Conv(
                features, (1, 1), use_bias=False, dtype=self.dtype, name=name,
                kernel_init=self.kernel_init, weight_norm=self.weight_norm,
            )  # fmt: skip

        # Narrow networks have at least one channel of each.
        narrow, half = max(channels // 8, 1), max(channels // 2, 1)
        query = _places(conv(narrow, "query")(inputs))
        key = _places(pooled(conv(narrow, "key")(inputs)))
        value = _places(pooled(conv(half, "value")(inputs)))
        logits = jnp.einsum("bic,bjc->bij", query, key)
        shares = nn.softmax(logits.astype(jnp.float32), axis=-1).astype(value.dtype)
        found = jnp.einsum("bij,bjc->bic", shares, value).reshape(*inputs.shape[:-1], half)
        gamma = self.param("gamma", nn.initializers.zeros_init(), (), jnp.float32)
        return inputs + (gamma * conv(channels, "out")(found)).astype(inputs.dtype)


def pooled(
    images: Float[Array, "batch height width channels"],
) -> Float[Array, "batch half_height half_width channels"]:
    """The largest of two by two pixels; an odd row or column at the end is left out.

    >>> pooled(jnp.arange(12.0).reshape(1, 3, 4, 1))[0, :, :, 0].tolist()
    [[5.0, 7.0]]
    """
    batch, height, width, channels = images.shape
    # In float32, for the gradient is a sum.
    even = images[:, : height // 2 * 2, : width // 2 * 2].astype(jnp.float32)
    apart = even.reshape(batch, height // 2, 2, width // 2, 2, channels)
    return apart.max(axis=(2, 4)).astype(images.dtype)


def _places(
    images: Float[Array, "batch height width channels"],
) -> Float[Array, "batch places channels"]:
    return images.reshape(images.shape[0], -1, images.shape[-1])
