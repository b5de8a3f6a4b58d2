"""Networks of InfoGAN: a generator that is given codes, discriminators that read them.

The reader Q is a head of the discriminator, on the features that its last layer gets, with a hidden
layer of its own, as in the paper.

References:
    Chen et al., InfoGAN: Interpretable Representation Learning by Information Maximizing Generative
    Adversarial Nets, 2016.
"""

from __future__ import annotations

from typing import Any, TypeAlias, cast

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgan.networks.dcgan import DcganFeatures
from jaxgan.networks.layers.heads import CodesHead, LogitHead
from jaxgan.networks.layers.judging import Judging
from jaxgan.networks.mlp import HiddenLayers, MlpFeatures, MlpGenerator
from jaxgan.typing import ImageShape, Latents, Logits, Pixels

Reading: TypeAlias = tuple[Logits, dict[str, Float[Array, "batch codes"]]]
"""Logits of being real, and what is read of the codes, all float32."""


class CodesGenerator(nn.Module):
    """Any generator, of all parts of a latent as one vector.

    >>> generator = CodesGenerator(MlpGenerator(widths=(32,)))
    >>> latents = {"noise": jnp.zeros((2, 16)), "category": (jnp.eye(2),)}
    >>> images, _ = generator.init_with_output(
    ...     jax.random.key(0), latents, image_shape=(8, 8, 1), train=False
    ... )
    >>> images.shape
    (2, 8, 8, 1)
    """

    body: nn.Module = MlpGenerator()
    """What makes images from one vector."""

    @nn.compact
    def __call__(
        self,
        latents: Latents,
        *,
        image_shape: ImageShape,
        train: bool,
        axis_name: str | None = None,
    ) -> Pixels:
        """What the body makes of the latents' parts side by side, ``(batch, *image_shape)``.

        Args:
            latents: arrays ``(batch, size)``, however nested, such as those that
                `jaxgan.objectives.codes.Codes` draws; the parts of a dictionary come in the order
                of their names.
            image_shape: height, width, channels.
            train: as the body has it.
            axis_name: as the body has it.
        """
        vector = jnp.concatenate(jax.tree.leaves(latents), axis=-1)
        return self.body(vector, image_shape=image_shape, train=train, axis_name=axis_name)


class _Reading(Judging):
    """A logit, and a reader of codes with a hidden layer of its own."""

    categories: tuple[int, ...] = (10,)
    """Categories of each categorical code, as in the prior."""
    continuous: int = 2
    """How many continuous codes there are, as in the prior."""
    hidden: int = 128
    """Units of the reader's hidden layer."""

    @nn.compact
    def __call__(self, images: Pixels, *, train: bool, axis_name: str | None = None) -> Reading:
        """One logit an image, and what is read of its codes, see
        `jaxgan.networks.layers.heads.CodesHead`.

        Raises:
            ValueError: for images that the layers are not for.
        """
        options, own = self.head_options(), cast("Any", self)
        features = self.features(images, train=train, axis_name=axis_name)
        layers = HiddenLayers((self.hidden,), activation="leaky_relu", dtype=own.dtype, **options)
        hidden = layers(features, train=train, axis_name=axis_name)
        reader = CodesHead(self.categories, self.continuous, **options)
        return LogitHead(**options)(features), reader(hidden)


class InformationDcganDiscriminator(_Reading, DcganFeatures):
    """`jaxgan.networks.dcgan.DcganDiscriminator` with a reader of codes."""


class InformationMlpDiscriminator(_Reading, MlpFeatures):
    """`jaxgan.networks.mlp.MlpDiscriminator` with a reader of codes."""
