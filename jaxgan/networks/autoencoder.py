"""Discriminators that encode and decode an image: how real it is, is how well that works.

The logit is minus the energy, the error of the reconstruction, so that larger is more real as with
every discriminator. The code is a head. Those of BEGAN's paper are in `jaxgan.networks.began`.

References:
    Zhao, Mathieu and LeCun, Energy-Based Generative Adversarial Networks, 2017, section 2.3.
    Berthelot, Schumm and Metz, BEGAN, 2017, section 3.1.
"""

from __future__ import annotations

from typing import ClassVar, Literal, TypeAlias

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgan.networks.hidden import HiddenLayers
from jaxgan.networks.layers.heads import VectorHead
from jaxgan.networks.layers.options import Activation, Precision, check
from jaxgan.networks.mlp import MlpDecoder
from jaxgan.networks.trunk import DownPyramid
from jaxgan.networks.vae import ConvDecoder
from jaxgan.typing import Logits, Pixels

Exponent: TypeAlias = Literal[1, 2]
"""Power of a pixel's error: 1 for L1, 2 for squares."""

Energies: TypeAlias = tuple[Logits, dict[str, Float[Array, "batch code"]]]
"""Minus the energies, and by the name ``code`` the codes, both float32."""


def energy(images: Pixels, reconstructions: Pixels, exponent: Exponent) -> Float[Array, "batch"]:
    """``|x - D(x)|^exponent``, the mean over an image's pixels and channels, float32.

    The mean, not the sum: margins and equilibria then do not depend on the size of images.

    >>> images = jnp.array([1.0, -1.0]).reshape(1, 1, 2, 1)
    >>> [energy(images, jnp.zeros_like(images) - 0.5, power).tolist() for power in (1, 2)]
    [[1.0], [1.25]]

    Args:
        images: as the discriminator was given them.
        reconstructions: what it made of them.
        exponent: 1 or 2.
    """
    error = jnp.abs(images.astype(jnp.float32) - reconstructions)
    powered = error if exponent == 1 else jnp.square(error)
    return jnp.mean(powered.reshape(images.shape[0], -1), axis=1)


class MlpAutoencoder(nn.Module):
    """Images or points to energies by dense layers: widths, the code, the widths backwards."""

    autoencodes: ClassVar[bool] = True

    widths: tuple[int, ...] = (256,)
    """Units of the encoder's hidden layers; the decoder has them in the opposite order."""
    code_size: int = 32
    """Length of a code."""
    activation: Activation = "relu"
    """Nonlinearity of hidden layers; code and reconstruction have none."""
    slope: float = 0.2
    """Slope of leaky_relu for negative values."""
    exponent: Exponent = 2
    """Power of a pixel's error: 1 for L1 (BEGAN), 2 for squares (EBGAN)."""
    init_std: float | None = None
    """Standard deviation of the first weights; None: scaled by fan-in."""
    dtype: Precision | None = None
    """Number format of the arithmetic; None: the experiment's (float32 when used alone)."""

    def __post_init__(self) -> None:
        check(self)
        super().__post_init__()

    @nn.compact
    def __call__(self, images: Pixels, *, train: bool, axis_name: str | None = None) -> Energies:
        """Minus the energy of each image, ``(batch,)``, and ``{"code": (batch, code_size)}``."""
        height, width, channels = images.shape[1:]
        hidden = HiddenLayers(
            self.widths,
            activation=self.activation,
            slope=self.slope,
            init_std=self.init_std,
            dtype=self.dtype,
        )(images.reshape(images.shape[0], -1), train=train, axis_name=axis_name)
        code = VectorHead(self.code_size, self.init_std)(hidden)
        decoded = MlpDecoder(
            self.widths[::-1],
            activation=self.activation,
            slope=self.slope,
            init_std=self.init_std,
            dtype=self.dtype,
        )(code, image_shape=(height, width, channels), train=train, axis_name=axis_name)
        return -energy(images, decoded, self.exponent), {"code": code}


class DcganAutoencoder(nn.Module):
    """Images to energies by the pyramids of DCGAN, down to a code and up again.

    References:
        Zhao et al., Energy-Based Generative Adversarial Networks, 2017, appendix C (whose codes
        are images of few pixels; here they are vectors).
    """

    autoencodes: ClassVar[bool] = True

    width: int = 64
    """Channels of the finest level; they double with each halving of the resolution."""
    max_multiple: int = 8
    """Channels of the widest layers, as a multiple of width."""
    code_size: int = 32
    """Length of a code."""
    batch_norm: bool = True
    """Normalize all layers but the first, the code and the last."""
    exponent: Exponent = 2
    """Power of a pixel's error: 1 for L1 (BEGAN), 2 for squares (EBGAN)."""
    init_std: float | None = 0.02
    """Standard deviation of the first weights; None: scaled by fan-in."""
    dtype: Precision | None = None
    """Number format of the arithmetic; None: the experiment's (float32 when used alone)."""

    def __post_init__(self) -> None:
        check(self)
        super().__post_init__()

    @nn.compact
    def __call__(self, images: Pixels, *, train: bool, axis_name: str | None = None) -> Energies:
        """Minus the energy of each image, ``(batch,)``, and ``{"code": (batch, code_size)}``.

        Raises:
            ValueError: for an image shape that `jaxgan.networks.trunk.pyramid` cannot build.
        """
        height, width, channels = images.shape[1:]
        features = DownPyramid(
            self.width,
            self.max_multiple,
            batch_norm=self.batch_norm,
            activation="leaky_relu",
            init_std=self.init_std,
            dtype=self.dtype,
        )(images, train=train, axis_name=axis_name)
        code = VectorHead(self.code_size, self.init_std)(features)
        decoded = ConvDecoder(
            self.width,
            self.max_multiple,
            batch_norm=self.batch_norm,
            init_std=self.init_std,
            dtype=self.dtype,
        )(code, image_shape=(height, width, channels), train=train, axis_name=axis_name)
        return -energy(images, decoded, self.exponent), {"code": code}
