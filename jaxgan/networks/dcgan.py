"""DCGAN (Radford, Metz and Chintala 2016), for square images of 8 to 128 pixels a side.

Image sizes need not be powers of two: 28 is halved to 14 and 7. Kernels are 4x4, as in the authors'
later Torch code; the paper's figure has 5x5.
"""

from __future__ import annotations

from typing import Any

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgan.networks.layers.judging import Judging, Scoring
from jaxgan.networks.layers.minibatch import Minibatch, beside_features
from jaxgan.networks.layers.norm import Norm
from jaxgan.networks.layers.options import Precision, check
from jaxgan.networks.layers.weights import WeightNorm
from jaxgan.networks.trunk import DownPyramid, UpPyramid
from jaxgan.typing import ImageShape, Latents, Pixels


class DcganGenerator(nn.Module):
    """Latents to images: dense layer, transposed convolutions, batch norm, ReLU, tanh.

    >>> import jax
    >>> generator = DcganGenerator(width=8)
    >>> latent = jax.numpy.zeros((2, 16))
    >>> images, _ = generator.init_with_output(
    ...     jax.random.key(0), latent, image_shape=(28, 28, 1), train=False
    ... )
    >>> images.shape
    (2, 28, 28, 1)

    References:
        Radford et al., Unsupervised Representation Learning with Deep Convolutional Generative
        Adversarial Networks, 2016, section 3 and figure 1 (which is width 128 at 64 pixels).
    """

    width: int = 64
    """Channels before the last layer; they double with each halving of the resolution."""
    max_multiple: int = 8
    """Channels of the widest layers, as a multiple of width."""
    batch_norm: bool = True
    """Normalize all layers but the last."""
    init_std: float | None = 0.02
    """Standard deviation of the first weights; None: scaled by fan-in."""
    dtype: Precision | None = None
    """Number format of the arithmetic; None: the experiment's (float32 when used alone)."""
    norm: Norm | None = None
    """What normalizes in place of batch norm; None: nothing."""
    weight_norm: WeightNorm | None = None
    """What the weights of all layers are normalized by; None: nothing."""
    orthogonal_init: bool = False
    """Orthogonal first weights, instead of normal ones."""

    def __post_init__(self) -> None:
        check(self)
        super().__post_init__()

    @nn.compact
    def __call__(
        self,
        latent: Latents,
        *,
        image_shape: ImageShape,
        train: bool,
        axis_name: str | None = None,
    ) -> Pixels:
        """Images ``(batch, *image_shape)`` in [-1, 1], float32.

        Raises:
            ValueError: for an image shape that `jaxgan.networks.trunk.pyramid` cannot build.
        """
        pixels = UpPyramid(
            self.width,
            self.max_multiple,
            batch_norm=self.batch_norm,
            activation="relu",
            init_std=self.init_std,
            dtype=self.dtype,
            norm=self.norm,
            weight_norm=self.weight_norm,
            orthogonal_init=self.orthogonal_init,
        )(latent, image_shape=image_shape, train=train, axis_name=axis_name)
        return jnp.tanh(pixels)


class DcganFeatures(Judging):
    """Settings of DCGAN's discriminator, and all of it but the last layer.

    Discriminators that differ in their last layer derive from it.
    """

    width: int = 64
    """Channels of the first layer; they double with each halving of the resolution."""
    max_multiple: int = 8
    """Channels of the widest layers, as a multiple of width."""
    batch_norm: bool = True
    """Normalize all layers but the first; to be off under a gradient penalty."""
    init_std: float | None = 0.02
    """Standard deviation of the first weights; None: scaled by fan-in."""
    dtype: Precision | None = None
    """Number format of the arithmetic; None: the experiment's (float32 when used alone)."""
    norm: Norm | None = None
    """What normalizes in place of batch norm; None: nothing."""
    weight_norm: WeightNorm | None = None
    """What the weights of all layers are normalized by; None: nothing."""
    orthogonal_init: bool = False
    """Orthogonal first weights, instead of normal ones."""
    minibatch: Minibatch | None = None
    """What the last layer sees of the batch as a whole; None: nothing."""

    def __post_init__(self) -> None:
        check(self)
        super().__post_init__()

    def features(
        self, images: Pixels, *, train: bool, axis_name: str | None = None
    ) -> Float[Array, "batch features"]:
        """What the last layer gets; called inside a module's ``__call__``.

        Raises:
            ValueError: for an image shape that `jaxgan.networks.trunk.pyramid` cannot build.
        """
        values = DownPyramid(
            self.width,
            self.max_multiple,
            batch_norm=self.batch_norm,
            activation="leaky_relu",
            init_std=self.init_std,
            dtype=self.dtype,
            norm=self.norm,
            weight_norm=self.weight_norm,
            orthogonal_init=self.orthogonal_init,
        )(images, train=train, axis_name=axis_name)
        return beside_features(self.minibatch, values, axis_name)

    def head_options(self) -> dict[str, Any]:
        """What the last layers have in common with the others."""
        return {
            "init_std": self.init_std,
            "weight_norm": self.weight_norm,
            "orthogonal_init": self.orthogonal_init,
        }


class DcganDiscriminator(Scoring, DcganFeatures):
    """Images to logits: strided convolutions, batch norm except in the first layer, leaky ReLU 0.2.

    References:
        Radford et al., Unsupervised Representation Learning with Deep Convolutional Generative
        Adversarial Networks, 2016, section 3.
    """
