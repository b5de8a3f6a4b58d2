"""Networks of bidirectional GANs: encoders to one code an image, discriminators of pairs.

Encoders that give a mean and a variance instead (`jaxgan.networks.mlp.MlpEncoder`,
`jaxgan.networks.vae.ConvEncoder`) are stochastic there, as in ALI.

References:
    Donahue, Krahenbuhl and Darrell, Adversarial Feature Learning, 2017. Dumoulin et al.,
    Adversarially Learned Inference, 2017.
"""

from __future__ import annotations

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgan.networks.dcgan import DcganFeatures
from jaxgan.networks.layers.heads import LogitHead, VectorHead
from jaxgan.networks.layers.judging import Judging
from jaxgan.networks.mlp import HiddenLayers, MlpFeatures
from jaxgan.typing import Codes, Logits, Pixels


class _Coder(Judging):
    """A code from the layers of a discriminator."""

    @nn.compact
    def __call__(
        self, images: Pixels, *, latent_size: int, train: bool, axis_name: str | None = None
    ) -> Codes:
        """Codes, float32 ``(batch, latent_size)``.

        Raises:
            ValueError: for images that the layers are not for.
        """
        features = self.features(images, train=train, axis_name=axis_name)
        return VectorHead(latent_size, **self.head_options())(features)


class MlpCoder(_Coder, MlpFeatures):
    """Images or points to one code each, by dense layers with leaky ReLU."""


class DcganCoder(_Coder, DcganFeatures):
    """Images to one code each, by the layers of DCGAN's discriminator."""


class PairMlpDiscriminator(MlpFeatures):
    """Pairs of an image (or point) and a code to logits: both as one vector.

    References:
        Donahue et al., Adversarial Feature Learning, 2017, section 4 (permutation-invariant MNIST).
    """

    @nn.compact
    def __call__(
        self, images: Pixels, codes: Codes, *, train: bool, axis_name: str | None = None
    ) -> Logits:
        """One logit a pair, float32."""
        vector = jnp.concatenate([images.reshape(images.shape[0], -1), codes], axis=-1)
        features = self.features(vector[:, None, None, :], train=train, axis_name=axis_name)
        return LogitHead(**self.head_options())(features)


class PairDcganDiscriminator(DcganFeatures):
    """Pairs of an image and a code to logits: features of both meet in dense layers.

    The image goes through the layers of DCGAN's discriminator, the code through a dense layer, and
    both together through another.

    References:
        Dumoulin et al., Adversarially Learned Inference, 2017 (whose layers are wider and more).
    """

    hidden: int = 256
    """Units of the dense layers that see the code, and the code with the image."""

    @nn.compact
    def __call__(
        self, images: Pixels, codes: Codes, *, train: bool, axis_name: str | None = None
    ) -> Logits:
        """One logit a pair, float32.

        Raises:
            ValueError: for an image shape that `jaxgan.networks.trunk.pyramid` cannot build.
        """

        def dense(values: Float[Array, "batch values"]) -> Float[Array, "batch features"]:
            layers = HiddenLayers(
                (self.hidden,), activation="leaky_relu", dtype=self.dtype, **self.head_options()
            )
            return layers(values, train=train, axis_name=axis_name)

        features = self.features(images, train=train, axis_name=axis_name)
        both = jnp.concatenate([features, dense(codes).astype(features.dtype)], axis=-1)
        return LogitHead(**self.head_options())(dense(both))
