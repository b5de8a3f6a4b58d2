"""The networks of InfoGAN on MNIST, which Lucic et al. compare all objectives with.

Two convolutions of stride 2 and a wide dense layer, and a generator that mirrors them. Images are
4, 8, 12 ... pixels a side. With ``slope=0.2`` in both they are the pair of Lucic et al. (2018),
whose autoencoders are in `jaxgan.networks.infogan_autoencoders`.

=================================  =========  ============
parameters at 28 pixels, one gray  as here    biases=True
=================================  =========  ============
generator, 74 latent numbers       6,645,121     6,652,481
discriminator                      6,558,017     6,559,169
its recognition network            133,134         133,262
=================================  =========  ============

The right column is the authors' code, where layers keep a bias that the normalization behind them
takes away again.

References:
    Chen et al., InfoGAN, 2016, appendix C.1. Lucic et al., Are GANs Created Equal?, 2018, section
    5.1 (the architecture, with batch norm in the discriminator as a hyperparameter).
"""

from __future__ import annotations

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgan.networks.layers.conv import Conv, ConvTranspose
from jaxgan.networks.layers.dense import Dense
from jaxgan.networks.layers.heads import CodesHead, LogitHead
from jaxgan.networks.layers.norm import BatchNorm
from jaxgan.networks.layers.options import Precision, check, compute_dtype, kernel_init
from jaxgan.typing import ImageShape, Latents, Logits, Pixels


class InfoGanPixels(nn.Module):
    """Settings of InfoGAN's generator, and all of it but the last nonlinearity.

    Generators and decoders derive from it.
    """

    width: int = 64
    """Channels before the last layer; there are twice as many one layer earlier."""
    units: int = 1024
    """Units of the first layer."""
    batch_norm: bool = True
    """Normalize all layers but the last."""
    biases: bool = False
    """Keep biases where batch norm makes them idle, as the authors' code does."""
    init_std: float | None = 0.02
    """Standard deviation of the first weights; None: scaled by fan-in."""
    dtype: Precision | None = None
    """Number format of the arithmetic; None: the experiment's (float32 when used alone)."""
    slope: float = 0.0
    """Slope of the ReLU for negative values; 0.2 in the generator of Lucic et al."""

    def __post_init__(self) -> None:
        check(self)
        super().__post_init__()

    def pixels(
        self, latent: Latents, image_shape: ImageShape, *, train: bool, axis_name: str | None = None
    ) -> Pixels:
        """Unbounded values ``(batch, *image_shape)``; called inside a module's ``__call__``.

        Raises:
            ValueError: height or width are no multiple of 4.
        """
        height, width = coarse(image_shape)
        dtype, init = compute_dtype(self.dtype), kernel_init(self.init_std)
        bias = self.biases or not self.batch_norm

        def finish(values: Array) -> Array:
            if self.batch_norm:
                values = BatchNorm(dtype=dtype)(values, train=train, axis_name=axis_name)
            return nn.leaky_relu(values, self.slope) if self.slope else nn.relu(values)

        values: Array = latent
        # The second layer's units are normalized one by one, before they are pixels.
        for units in (self.units, height * width * 2 * self.width):
            values = finish(Dense(units, use_bias=bias, dtype=dtype, kernel_init=init)(values))
        values = values.reshape(-1, height, width, 2 * self.width)
        size = {"kernel_size": (4, 4), "strides": (2, 2), "dtype": dtype, "kernel_init": init}
        values = finish(ConvTranspose(self.width, use_bias=bias, **size)(values))
        return ConvTranspose(image_shape[2], **size)(values).astype(jnp.float32)


class InfoGanGenerator(InfoGanPixels):
    """Latents to images: two dense layers, two transposed convolutions, batch norm, ReLU, tanh.

    The authors' images are in [0, 1] and end in a sigmoid, the same function up to a scale.

    >>> import jax
    >>> made, _ = jax.eval_shape(
    ...     lambda: InfoGanGenerator().init_with_output(
    ...         jax.random.key(0), jnp.zeros((2, 74)), image_shape=(28, 28, 1), train=False
    ...     )
    ... )
    >>> made.shape
    (2, 28, 28, 1)
    """

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
            ValueError: height or width are no multiple of 4.
        """
        return jnp.tanh(self.pixels(latent, image_shape, train=train, axis_name=axis_name))


class InfoGanFeatures(nn.Module):
    """Settings of InfoGAN's discriminator, and all of it but the last layer.

    Discriminators that differ in their last layers derive from it.
    """

    width: int = 64
    """Channels of the first layer; the second has twice as many."""
    units: int = 1024
    """Units of the dense layer."""
    batch_norm: bool = True
    """Normalize all layers but the first; to be off under a gradient penalty."""
    slope: float = 0.01
    """Slope of the leaky ReLU for negative values; 0.2 in the pair of Lucic et al."""
    biases: bool = False
    """Keep biases where batch norm makes them idle, as the authors' code does."""
    init_std: float | None = 0.02
    """Standard deviation of the first weights; None: scaled by fan-in."""
    dtype: Precision | None = None
    """Number format of the arithmetic; None: the experiment's (float32 when used alone)."""

    def __post_init__(self) -> None:
        check(self)
        super().__post_init__()

    def features(
        self, images: Pixels, *, train: bool, axis_name: str | None = None
    ) -> Float[Array, "batch units"]:
        """What the last layers get; called inside a module's ``__call__``.

        Raises:
            ValueError: height or width are no multiple of 4.
        """
        coarse(images.shape[1:])
        dtype, init = compute_dtype(self.dtype), kernel_init(self.init_std)
        bias = self.biases or not self.batch_norm
        size = {"kernel_size": (4, 4), "strides": (2, 2), "dtype": dtype, "kernel_init": init}

        def finish(values: Array) -> Array:
            if self.batch_norm:
                values = BatchNorm(dtype=dtype)(values, train=train, axis_name=axis_name)
            return nn.leaky_relu(values, self.slope)

        values = nn.leaky_relu(Conv(self.width, **size)(images), self.slope)
        values = finish(Conv(2 * self.width, use_bias=bias, **size)(values))
        values = values.reshape(values.shape[0], -1)
        return finish(Dense(self.units, use_bias=bias, dtype=dtype, kernel_init=init)(values))


class InfoGanDiscriminator(InfoGanFeatures):
    """Images to logits: two convolutions of stride 2 and a dense layer, leaky ReLU."""

    @nn.compact
    def __call__(self, images: Pixels, *, train: bool, axis_name: str | None = None) -> Logits:
        """One logit an image, float32.

        Raises:
            ValueError: height or width are no multiple of 4.
        """
        return LogitHead(self.init_std)(self.features(images, train=train, axis_name=axis_name))


class InfoGanCodesDiscriminator(InfoGanFeatures):
    """`InfoGanDiscriminator` that also names the codes an image was made from (the network Q).

    Q has a dense layer of its own behind the features that it shares with the discriminator.
    """

    categories: tuple[int, ...] = (10,)
    """Classes of each categorical code."""
    continuous: int = 2
    """Number of continuous codes."""
    code_units: int = 128
    """Units of Q's own layer."""

    def __post_init__(self) -> None:
        if any(one < 2 for one in self.categories) or self.continuous < 0 or self.code_units < 1:
            raise ValueError(
                f"categories = {self.categories}, continuous = {self.continuous}, code_units ="
                f" {self.code_units}: at least 2 classes a code, 0 codes and 1 unit"
            )
        if not self.categories and not self.continuous:
            raise ValueError("no codes to recognize: for none of them use InfoGanDiscriminator")
        super().__post_init__()

    @nn.compact
    def __call__(
        self, images: Pixels, *, train: bool, axis_name: str | None = None
    ) -> tuple[Logits, dict[str, Float[Array, "batch codes"]]]:
        """Logits of being real, and what is known of the codes, all float32.

        The heads are those of `CodesHead`.

        Raises:
            ValueError: height or width are no multiple of 4.
        """
        features = self.features(images, train=train, axis_name=axis_name)
        logits = LogitHead(self.init_std)(features)
        dtype, init = compute_dtype(self.dtype), kernel_init(self.init_std)
        bias = self.biases or not self.batch_norm
        values = Dense(self.code_units, use_bias=bias, dtype=dtype, kernel_init=init)(features)
        if self.batch_norm:
            values = BatchNorm(dtype=dtype)(values, train=train, axis_name=axis_name)
        values = nn.leaky_relu(values, self.slope)
        return logits, CodesHead(self.categories, self.continuous, self.init_std)(values)


def coarse(image_shape: tuple[int, ...]) -> tuple[int, int]:
    """Height and width after two halvings.

    Raises:
        ValueError: one of them is no multiple of 4.
    """
    height, width, _ = image_shape
    if height % 4 or width % 4:
        raise ValueError(
            f"images of {height}x{width}: InfoGAN's networks halve them twice, so their sides must"
            " be multiples of 4; resize or pad"
        )
    return height // 4, width // 4
