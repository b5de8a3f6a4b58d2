"""Multilayer perceptrons, for points of the plane and for images taken as vectors."""

from __future__ import annotations

from typing import Any

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgan.networks.hidden import HiddenLayers, to_images
from jaxgan.networks.layers.dropout import Dropout
from jaxgan.networks.layers.heads import GaussianHead
from jaxgan.networks.layers.judging import Judging, Scoring
from jaxgan.networks.layers.minibatch import Minibatch, beside_features
from jaxgan.networks.layers.norm import Norm
from jaxgan.networks.layers.options import Activation, Precision, check
from jaxgan.networks.layers.weights import WeightNorm
from jaxgan.typing import ImageShape, Latents, Pixels


class MlpGenerator(nn.Module):
    """Latents to images or points.

    >>> import jax
    >>> generator = MlpGenerator(widths=(400,) * 4, batch_norm=True, bounded=False)  # PacGAN's
    >>> latent = jax.numpy.zeros((5, 2))
    >>> points, _ = generator.init_with_output(
    ...     jax.random.key(0), latent, image_shape=(1, 1, 2), train=False
    ... )
    >>> points.shape
    (5, 1, 1, 2)

    References:
        Goodfellow et al., Generative Adversarial Nets, 2014, section 5. Lin et al., PacGAN, 2018.
    """

    widths: tuple[int, ...] = (256, 256)
    """Units of each hidden layer."""
    batch_norm: bool = False
    """Normalize hidden layers before the nonlinearity."""
    activation: Activation = "relu"
    """Nonlinearity of hidden layers."""
    slope: float = 0.2
    """Slope of leaky_relu for negative values."""
    bounded: bool = True
    """End in tanh, for images in [-1, 1]; switch off for points."""
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
        """Images ``(batch, *image_shape)``, float32."""
        hidden = HiddenLayers(
            self.widths,
            activation=self.activation,
            slope=self.slope,
            batch_norm=self.batch_norm,
            init_std=self.init_std,
            dtype=self.dtype,
            norm=self.norm,
            weight_norm=self.weight_norm,
            orthogonal_init=self.orthogonal_init,
        )(latent, train=train, axis_name=axis_name)
        images = to_images(
            hidden,
            image_shape,
            self.init_std,
            self.dtype,
            weight_norm=self.weight_norm,
            orthogonal=self.orthogonal_init,
        )
        return jnp.tanh(images) if self.bounded else images


class MlpFeatures(Judging):
    """Settings of a discriminator of dense layers, and all of it but the last layer.

    Discriminators that differ in their last layer derive from it.
    """

    widths: tuple[int, ...] = (256, 256)
    """Units of each hidden layer."""
    dropout: float = 0.0
    """Probability that a hidden unit is dropped in training."""
    input_dropout: float = 0.0
    """Probability that an input is dropped in training."""
    slope: float = 0.2
    """Slope of the leaky ReLU for negative values."""
    pieces: int = 1
    """Linear pieces of a maxout unit; 1: leaky ReLU instead."""
    init_std: float | None = None
    """Standard deviation of the first weights; None: scaled by fan-in."""
    dtype: Precision | None = None
    """Number format of the arithmetic; None: the experiment's (float32 when used alone)."""
    norm: Norm | None = None
    """What normalizes before the nonlinearity; None: nothing."""
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
        """What the last layer gets; called inside a module's ``__call__``."""
        values = images.reshape(images.shape[0], -1)
        values = Dropout(self.input_dropout)(values, train=train, axis_name=axis_name)
        values = HiddenLayers(
            self.widths,
            activation="leaky_relu",
            slope=self.slope,
            pieces=self.pieces,
            dropout=self.dropout,
            init_std=self.init_std,
            dtype=self.dtype,
            norm=self.norm,
            weight_norm=self.weight_norm,
            orthogonal_init=self.orthogonal_init,
        )(values, train=train, axis_name=axis_name)
        return beside_features(self.minibatch, values, axis_name)

    def head_options(self) -> dict[str, Any]:
        """What the last layers have in common with the others."""
        return {
            "init_std": self.init_std,
            "weight_norm": self.weight_norm,
            "orthogonal_init": self.orthogonal_init,
        }


class MlpDiscriminator(Scoring, MlpFeatures):
    """Images or points to logits.

    With ``pieces`` above 1 the hidden layers are maxout layers (Goodfellow et al., Maxout Networks,
    2013), as in the first GAN and in PacGAN.

    References:
        Goodfellow et al., Generative Adversarial Nets, 2014, section 5. Lin et al., PacGAN, 2018.
    """


class MlpEncoder(nn.Module):
    """Images or points to the mean and log variance of their codes.

    References:
        Kingma and Welling, Auto-Encoding Variational Bayes, 2013, appendix C.2.
    """

    widths: tuple[int, ...] = (500,)
    """Units of each hidden layer."""
    activation: Activation = "tanh"
    """Nonlinearity of hidden layers."""
    slope: float = 0.2
    """Slope of leaky_relu for negative values."""
    init_std: float | None = None
    """Standard deviation of the first weights; None: scaled by fan-in."""
    dtype: Precision | None = None
    """Number format of the arithmetic; None: the experiment's (float32 when used alone)."""

    def __post_init__(self) -> None:
        check(self)
        super().__post_init__()

    @nn.compact
    def __call__(
        self, images: Pixels, *, latent_size: int, train: bool, axis_name: str | None = None
    ) -> tuple[Latents, Latents]:
        """Mean and log variance, each float32 ``(batch, latent_size)``."""
        hidden = HiddenLayers(
            self.widths,
            activation=self.activation,
            slope=self.slope,
            init_std=self.init_std,
            dtype=self.dtype,
        )(images.reshape(images.shape[0], -1), train=train, axis_name=axis_name)
        return GaussianHead(latent_size, self.init_std)(hidden)


class MlpDecoder(nn.Module):
    """Codes to the parameters of a likelihood: logits (Bernoulli) or means (Gaussian).

    References:
        Kingma and Welling, Auto-Encoding Variational Bayes, 2013, appendix C.1.
    """

    widths: tuple[int, ...] = (500,)
    """Units of each hidden layer."""
    activation: Activation = "tanh"
    """Nonlinearity of hidden layers."""
    slope: float = 0.2
    """Slope of leaky_relu for negative values."""
    init_std: float | None = None
    """Standard deviation of the first weights; None: scaled by fan-in."""
    dtype: Precision | None = None
    """Number format of the arithmetic; None: the experiment's (float32 when used alone)."""

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
        """Unbounded values ``(batch, *image_shape)``, float32."""
        hidden = HiddenLayers(
            self.widths,
            activation=self.activation,
            slope=self.slope,
            init_std=self.init_std,
            dtype=self.dtype,
        )(latent, train=train, axis_name=axis_name)
        return to_images(hidden, image_shape, self.init_std, self.dtype)
