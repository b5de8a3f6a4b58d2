"""Convolutions whose weights an example's style scales: the layers of StyleGAN2's generator.

References:
    Karras et al., Analyzing and Improving the Image Quality of StyleGAN, 2020, section 2.2 and
    appendix B.
"""

from __future__ import annotations

import math
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from jaxgan.networks.layers.convolution import conv
from jaxgan.networks.layers.dense import add_bias
from jaxgan.networks.layers.equalized import EqualizedDense
from jaxgan.networks.layers.fir import up_conv
from jaxgan.rng import role_key

CLAMP = 256.0
"""Largest value that a layer puts out; half precision could not hold much larger ones."""


def leaky(
    values: Float[Array, "*shape"], gain: float = 1.0, clamp: bool = True
) -> Float[Array, "*shape"]:
    """Leaky ReLU of slope 0.2 times ``sqrt(2) gain``, cut off at +-`CLAMP` ``gain``."""
    made = nn.leaky_relu(values, 0.2) * (math.sqrt(2.0) * gain)
    return jnp.clip(made, -CLAMP * gain, CLAMP * gain) if clamp else made


def modulated_conv(
    images: Float[Array, "batch height width in_channels"],
    kernel: Float[Array, "size size in_channels out_channels"],
    styles: Float[Array, "batch in_channels"],
    *,
    demodulate: bool = True,
    up: bool = False,
    dtype: Any = None,
) -> Float[Array, "batch out_height out_width out_channels"]:
    """A convolution with the weights ``w'_tio = s_i w_tio`` of each example, demodulated.

    Demodulation divides them by ``sqrt(sum_ti w'_tio^2 + 1e-8)``, so that of inputs of variance 1
    come outputs of variance 1, without looking at any (equations 1 and 3 of the paper).

    The weights of an example are never made. Scaling those of channels in is scaling the channels,
    and dividing those of channels out is dividing what comes out: one convolution for the whole
    batch, where weights of their own would make one in as many groups as there are examples.

    Args:
        images: channels last.
        kernel: of all examples, 3 pixels a side, or 1 without ``up``.
        styles: factors of the channels in.
        demodulate: whether to divide.
        up: whether the resolution doubles (`jaxgan.networks.layers.fir.up_conv`).
        dtype: of the convolution; None: that of the images. Factors are computed in float32.
    """
    dtype = dtype or images.dtype
    # In float32, because the gradients of factors are sums over pixels.
    scaled = (images.astype(jnp.float32) * styles[:, None, None, :]).astype(dtype)
    made = (up_conv if up else conv)(scaled, kernel.astype(dtype))
    if not demodulate:
        return made
    with jax.named_scope("demodulation"):
        energies = jnp.sum(jnp.square(kernel), axis=(0, 1))
        factors = jax.lax.rsqrt(jnp.square(styles) @ energies + 1e-8)
    return (made.astype(jnp.float32) * factors[:, None, None, :]).astype(dtype)


class StyledConv(nn.Module):
    """Style, modulated convolution, noise, bias, leaky ReLU.

    The style is ``A w + b`` with ``b`` from 1, at an equalized learning rate. The noise is one map
    for all channels of an example, times a trained number that starts at 0. It is drawn with a key
    of the example's; without keys it is the layer's constant, of collection ``noise``.
    """

    features: int
    """Channels of the result."""
    up: bool = False
    """Whether the resolution doubles."""
    dtype: Any = None
    """Type of the convolution; None: float32. Styles are float32."""

    @nn.compact
    def __call__(
        self,
        images: Float[Array, "batch height width in_channels"],
        w: Float[Array, "batch units"],
        keys: Key[Array, "batch"] | None = None,
    ) -> Float[Array, "batch out_height out_width features"]:
        """The layer's feature maps.

        Args:
            images: feature maps of the layer before.
            w: mapped latents.
            keys: of the noise of each example, which other layers may have as well; None: constant.
        """
        channels = images.shape[-1]
        styles = EqualizedDense(channels, bias_init=1.0, dtype=jnp.float32, name="style")(w)
        shape = (3, 3, channels, self.features)
        kernel = self.param("kernel", nn.initializers.normal(1.0), shape, jnp.float32)
        dtype = self.dtype or jnp.float32
        made = modulated_conv(images, kernel, styles, up=self.up, dtype=dtype)
        strength = self.param("noise_strength", nn.initializers.zeros_init(), (), jnp.float32)
        bias = self.param("bias", nn.initializers.zeros_init(), (self.features,), jnp.float32)
        maps = self._noise(made.shape[1], made.shape[2], keys)
        noisy = (made.astype(jnp.float32) + (strength * maps)[..., None]).astype(dtype)
        return leaky(add_bias(noisy, bias))

    def _noise(self, height: int, width: int, keys: Array | None) -> Array:
        def draw(key: Array) -> Array:
            return jax.random.normal(key, (height, width), jnp.float32)

        constant = self.variable("noise", "constant", lambda: draw(self.make_rng("params")))
        if keys is None:
            return constant.value[None]
        return jax.vmap(lambda key: draw(role_key(key, self.name or "")))(keys)


class ToImage(nn.Module):
    """Channels of an image from feature maps: a modulated 1x1 convolution without demodulation.

    The style is divided by the root of the number of channels in, as the weights' scale is nowhere
    else made equal.
    """

    channels: int
    """Of the image."""
    dtype: Any = None
    """Type of the convolution; None: float32."""

    @nn.compact
    def __call__(
        self, images: Float[Array, "batch height width in_channels"], w: Float[Array, "batch units"]
    ) -> Float[Array, "batch height width channels"]:
        """Unbounded pixels, float32."""
        count = images.shape[-1]
        affine = EqualizedDense(count, bias_init=1.0, dtype=jnp.float32, name="style")
        shape = (1, 1, count, self.channels)
        kernel = self.param("kernel", nn.initializers.normal(1.0), shape, jnp.float32)
        bias = self.param("bias", nn.initializers.zeros_init(), (self.channels,), jnp.float32)
        made = modulated_conv(
            images, kernel, affine(w) / math.sqrt(count), demodulate=False,
            dtype=self.dtype or jnp.float32,
        )  # fmt: skip
        return jnp.clip(add_bias(made, bias), -CLAMP, CLAMP).astype(jnp.float32)
