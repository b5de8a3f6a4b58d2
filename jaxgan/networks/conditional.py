"""Networks that are told the class: any network with the label beside its input, and a DCGAN.

All learn the number of classes when they are called, as they learn the shape of an image.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgan.networks.layers.conditional_norm import ConditionalBatchNorm
from jaxgan.networks.layers.labels import ClassEmbedding, one_hot
from jaxgan.networks.layers.options import Precision, check
from jaxgan.networks.mlp import MlpDecoder, MlpDiscriminator, MlpEncoder, MlpGenerator
from jaxgan.networks.trunk import UpPyramid
from jaxgan.typing import ImageShape, Labels, Pixels


class LabelledGenerator(nn.Module):
    """Any generator, with the label beside the noise.

    >>> import jax
    >>> generator = LabelledGenerator(MlpGenerator(widths=(32,)))
    >>> latents = {"noise": jnp.zeros((2, 16)), "label": jnp.array([3, 7])}
    >>> images, _ = generator.init_with_output(
    ...     jax.random.key(0), latents, image_shape=(8, 8, 1), classes=10, train=False
    ... )
    >>> images.shape
    (2, 8, 8, 1)

    Mirza and Osindero gave noise and label a hidden layer each before they joined them. Joining
    them at once, as here, is the common form.

    References:
        Mirza and Osindero, Conditional Generative Adversarial Nets, 2014, section 3.2.
    """

    body: nn.Module = MlpGenerator()
    """What makes images from noise and label as one vector."""
    embedding: int = 0
    """Length of the trained vector that stands for a class; 0: one-hot labels."""

    def __post_init__(self) -> None:
        check(self)
        super().__post_init__()

    @nn.compact
    def __call__(
        self,
        latents: Mapping[str, Array],
        *,
        image_shape: ImageShape,
        classes: int,
        train: bool,
        axis_name: str | None = None,
    ) -> Pixels:
        """What the body makes of noise and label, ``(batch, *image_shape)``.

        Args:
            latents: ``noise``, float ``(batch, size)``, and ``label``, integer ``(batch,)``. The
                image of a label that is no class is NaN.
            image_shape: height, width, channels.
            classes: number of classes.
            train: as the body has it.
            axis_name: as the body has it.

        Raises:
            ValueError: the number of classes is not known (0).
        """
        noise, labels = latents["noise"], latents["label"]
        if self.embedding:
            told = ClassEmbedding(self.embedding)(labels, classes=classes)
        else:
            told = one_hot(labels, classes)
        return self.body(
            jnp.concatenate([noise, told], axis=-1),
            image_shape=image_shape,
            train=train,
            axis_name=axis_name,
        )


class LabelledDecoder(LabelledGenerator):
    """Any decoder, with the label beside the code: ``p(x|z, y)``; called as `LabelledGenerator`.

    References:
        Kingma et al., Semi-Supervised Learning with Deep Generative Models, 2014 (M2). Sohn, Lee
        and Yan, Learning Structured Output Representation using Deep Conditional Generative
        Models, 2015.
    """

    body: nn.Module = MlpDecoder()
    """What makes a likelihood's parameters from code and label as one vector."""


class LabelledDiscriminator(nn.Module):
    """Any discriminator, with the label beside the image.

    Mirza and Osindero gave image and label a maxout layer each before they joined them. Joining
    them at once, as here, is the common form.

    References:
        Mirza and Osindero, Conditional Generative Adversarial Nets, 2014, section 3.2.
    """

    body: nn.Module = MlpDiscriminator()
    """What judges images and labels."""
    planes: bool = True
    """A channel a class, of ones or zeros, which any body can read. Off: image and label as one
    vector, for multilayer perceptrons, which then have one input a class and not one a pixel."""

    @nn.compact
    def __call__(
        self,
        images: Pixels,
        labels: Labels,
        *,
        classes: int,
        train: bool,
        axis_name: str | None = None,
    ) -> Any:
        """What the body says of images and labels.

        Args:
            images: ``(batch, height, width, channels)``.
            labels: class of each; of one that is none, the body sees NaN.
            classes: number of classes.
            train: as the body has it.
            axis_name: as the body has it.

        Raises:
            ValueError: the number of classes is not known (0).
        """
        told = beside(images, labels, classes=classes, planes=self.planes)
        return self.body(told, train=train, axis_name=axis_name)


class LabelledEncoder(nn.Module):
    """Any encoder, with the label beside the image: ``q(z|x, y)``.

    References:
        Kingma et al., Semi-Supervised Learning with Deep Generative Models, 2014 (M2). Sohn, Lee
        and Yan, Learning Structured Output Representation using Deep Conditional Generative
        Models, 2015.
    """

    body: nn.Module = MlpEncoder()
    """What makes codes of images and labels."""
    planes: bool = True
    """As in `LabelledDiscriminator`."""

    @nn.compact
    def __call__(
        self,
        images: Pixels,
        labels: Labels,
        *,
        latent_size: int,
        classes: int,
        train: bool,
        axis_name: str | None = None,
    ) -> Any:
        """The body's codes of images and labels.

        Args:
            images: ``(batch, height, width, channels)``.
            labels: class of each; of one that is none, the body sees NaN.
            latent_size: length of a code.
            classes: number of classes.
            train: as the body has it.
            axis_name: as the body has it.

        Raises:
            ValueError: the number of classes is not known (0).
        """
        told = beside(images, labels, classes=classes, planes=self.planes)
        return self.body(told, latent_size=latent_size, train=train, axis_name=axis_name)


class ConditionalDcganGenerator(nn.Module):
    """DCGAN's generator whose batch normalization has scales and biases for each class.

    The dense layer gets the noise alone. Until the scales and biases of two classes differ (all
    start at 1 and 0), so do their images not.

    References:
        Miyato and Koyama, cGANs with Projection Discriminator, 2018, section 5. Radford et al.,
        Unsupervised Representation Learning with Deep Convolutional Generative Adversarial
        Networks, 2016, section 3.
    """

    width: int = 64
    """Channels before the last layer; they double with each halving of the resolution."""
    max_multiple: int = 8
    """Channels of the widest layers, as a multiple of width."""
    init_std: float | None = 0.02
    """Standard deviation of the first weights; None: scaled by fan-in."""
    dtype: Precision | None = None
    """Number format of the arithmetic; None: the experiment's (float32 when used alone)."""

    def __post_init__(self) -> None:
        check(self)
        super().__post_init__()

    @nn.compact
    def __call__(
        self,
        latents: Mapping[str, Array],
        *,
        image_shape: ImageShape,
        classes: int,
        train: bool,
        axis_name: str | None = None,
    ) -> Pixels:
        """Images ``(batch, *image_shape)`` in [-1, 1], float32.

        Args:
            latents: ``noise``, float ``(batch, size)``, and ``label``, integer ``(batch,)``. The
                image of a label that is no class is NaN.
            image_shape: height, width, channels.
            classes: number of classes.
            train: normalize with statistics of this batch; otherwise with running averages.
            axis_name: mapped axis over which the batch is sharded.

        Raises:
            ValueError: for an image shape that `jaxgan.networks.trunk.pyramid` cannot build, or a
                number of classes that is not known (0).
        """

        def norm(dtype: Any) -> Any:
            layer = ConditionalBatchNorm(dtype=dtype)
            return functools.partial(layer, labels=latents["label"], classes=classes)

        pixels = UpPyramid(
            self.width,
            self.max_multiple,
            batch_norm=True,
            activation="relu",
            init_std=self.init_std,
            dtype=self.dtype,
        )(
            latents["noise"],
            image_shape=image_shape,
            train=train,
            axis_name=axis_name,
            make_norm=norm,
        )
        return jnp.tanh(pixels)


def beside(
    images: Pixels, labels: Labels, *, classes: int, planes: bool
) -> Float[Array, "batch rows columns values"]:
    """Images with their one-hot labels, as something that a network for images takes.

    Args:
        images: ``(batch, height, width, channels)``.
        labels: class of each; that of one that is none is NaN throughout.
        classes: number of classes.
        planes: append a channel a class; otherwise flatten the image and append the label, which
            gives ``(batch, 1, 1, height * width * channels + classes)``.
    """
    told = one_hot(labels, classes).astype(images.dtype)[:, None, None, :]
    if planes:
        told = jnp.broadcast_to(told, (*images.shape[:3], classes))
    else:
        images = images.reshape(images.shape[0], 1, 1, -1)
    return jnp.concatenate([images, told], axis=-1)
