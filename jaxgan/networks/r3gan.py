"""The networks of R3GAN (Huang et al. 2024), for square images of 4 pixels a side or more.

Fields of the published ones, and their parameters with RGB images and 64 latents:

==============  =============================  ===========  ===========  =============
data            widths                         group_width  generator    discriminator
==============  =============================  ===========  ===========  =============
CIFAR-10        (768,)                         16            20,781,952     21,280,512
FFHQ-64         (768, 768, 768, 768, 384)      16            22,429,824     22,381,440
FFHQ-256        (768,) * 4 + (384, 192, 96)    16            23,057,952     23,009,568
ImageNet-32     (1536,)                        32            82,914,304     86,548,992
ImageNet-64     (1536,)                        32           103,570,432    107,205,120
==============  =============================  ===========  ===========  =============

CIFAR-10 and ImageNet are with labels, of 10 and of 1,000 classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgan.networks.layers.aggregated import (
    AggregatedBlock,
    DiscriminativeBasis,
    GenerativeBasis,
    fan_in_init,
)
from jaxgan.networks.layers.conv import Conv
from jaxgan.networks.layers.fir import downsampled, upsampled
from jaxgan.networks.layers.labels import ClassEmbedding
from jaxgan.networks.layers.options import Precision, check, compute_dtype
from jaxgan.typing import ImageShape, Labels, Latents, Logits, Pixels

COARSEST = 7
"""Pixels a side of the coarsest stage, at most."""


def stages(size: int, widths: tuple[int, ...]) -> tuple[int, tuple[int, ...]]:
    """Pixels a side of the coarsest stage, and the channels of all stages, that one first.

    Sizes are halved while they are even and above 7. The last width is that of all finer stages
    too; widths of stages that a small image has not are left out.

    >>> stages(32, (768,)), stages(28, (64, 32, 16, 8))
    ((4, (768, 768, 768, 768)), (7, (64, 32, 16)))

    Args:
        size: pixels a side of the image.
        widths: channels, coarsest stage first.
    """
    coarsest, count = size, 1
    while coarsest % 2 == 0 and coarsest > COARSEST:
        coarsest, count = coarsest // 2, count + 1
    return coarsest, (*widths, *[widths[-1]] * count)[:count]


class _Stages(nn.Module):
    """Settings of both networks."""

    widths: tuple[int, ...] = (768,)
    """Channels of each stage, the coarsest first; of finer ones as of the last."""
    blocks: int = 2
    """Residual blocks of each stage."""
    group_width: int = 16
    """Channels of each group of the 3x3 convolutions."""
    expansion: int = 2
    """Channels inside a block, as a multiple of those outside."""
    bfloat16_stages: int = 0
    """How many of the finest stages compute in bfloat16 whatever ``dtype`` is; 3 in the published
    networks for 32 pixels, 4 in larger ones."""
    dtype: Precision | None = None
    """Number format of the arithmetic; None: the experiment's (float32 when used alone)."""

    def __post_init__(self) -> None:
        check(self)
        if not self.widths or min(self.blocks, self.group_width, self.expansion) < 1:
            raise ValueError(
                f"widths = {self.widths}, blocks = {self.blocks}, group_width = {self.group_width},"
                f" expansion = {self.expansion}: there must be a width, and all at least 1"
            )
        super().__post_init__()

    def kind(self, stage: int, count: int) -> Any:
        """Type of the arithmetic of a stage; ``count`` of them in all, the coarsest is 0."""
        fine = stage >= count - self.bfloat16_stages
        return jnp.bfloat16 if fine else compute_dtype(self.dtype)

    def stage(self, values: Array, count: int, dtype: Any) -> Array:
        """The blocks of one of ``count`` stages; called inside a module's ``__call__``."""
        for _ in range(self.blocks):
            values = AggregatedBlock(
                self.blocks * count, self.group_width, self.expansion, dtype=dtype
            )(values)
        return values


def _projection(features: int, dtype: Any) -> Conv:
    return Conv(features, (1, 1), use_bias=False, dtype=dtype, kernel_init=fan_in_init())


class R3GanImages(_Stages):
    """Settings of R3GAN's generator, and how it makes images of what the latents say."""

    def images(self, inputs: Float[Array, "batch inputs"], image_shape: ImageShape) -> Pixels:
        """Images ``(batch, *image_shape)``, unbounded, float32; called inside ``__call__``.

        Raises:
            ValueError: the image is not square.
        """
        size, widths = _size(image_shape, self.widths)
        values: Array = GenerativeBasis(size, widths[0])(inputs)
        for index, width in enumerate(widths):
            dtype = self.kind(index, len(widths))
            values = values.astype(dtype)
            if index:
                if width != values.shape[-1]:
                    values = _projection(width, dtype)(values)
                values = upsampled(values)
            values = self.stage(values, len(widths), dtype)
        return _projection(image_shape[2], values.dtype)(values).astype(jnp.float32)


class R3GanGenerator(R3GanImages):
    """R3GAN's generator: a trained basis, residual blocks, and resampling with a filter.

    >>> import jax
    >>> generator = R3GanGenerator(widths=(16, 8), group_width=8, blocks=1)
    >>> def images(key):
    ...     latents = jnp.zeros((2, 64))
    ...     return generator.init_with_output(key, latents, image_shape=(8, 8, 3), train=False)[0]
    >>> jax.eval_shape(images, jax.random.key(0)).shape
    (2, 8, 8, 3)

    References:
        Huang et al., The GAN is dead; long live the GAN! A Modern GAN Baseline, 2024.
    """

    @nn.compact
    def __call__(
        self,
        latents: Latents,
        *,
        image_shape: ImageShape,
        train: bool,
        axis_name: str | None = None,
    ) -> Pixels:
        """Images ``(batch, *image_shape)``, not bounded to [-1, 1], float32.

        Args:
            latents: ``(batch, size)``.
            image_shape: height, width, channels.
            train: makes no difference.
            axis_name: neither does this.

        Raises:
            ValueError: the image is not square, or channels are not whole groups.
        """
        del train, axis_name
        return self.images(latents, image_shape)


class ConditionalR3GanGenerator(R3GanImages):
    """`R3GanGenerator` that gets a vector for each class beside the noise."""

    embedding: int = 64
    """Length of the vector."""

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
        """Images ``(batch, *image_shape)``, not bounded to [-1, 1], float32.

        Args:
            latents: ``noise``, float ``(batch, size)``, and ``label``, integer ``(batch,)``. The
                image of a label that is no class is NaN.
            image_shape: height, width, channels.
            classes: their number.
            train: makes no difference.
            axis_name: neither does this.

        Raises:
            ValueError: the image is not square, channels are not whole groups, or the number of
                classes is not known (0).
        """
        del train, axis_name
        vectors = ClassEmbedding(self.embedding, fan_in_init())(latents["label"], classes=classes)
        return self.images(jnp.concatenate([latents["noise"], vectors], axis=-1), image_shape)


class R3GanFeatures(_Stages):
    """Settings of R3GAN's discriminator, and what it makes of an image."""

    def numbers(self, images: Pixels, count: int) -> Float[Array, "batch count"]:
        """So many numbers of each image, float32; called inside a module's ``__call__``.

        Raises:
            ValueError: the images are not square.
        """
        _, widths = _size(images.shape[1:], self.widths)
        finest = len(widths) - 1
        dtype = self.kind(finest, len(widths))
        values: Array = _projection(widths[-1], dtype)(images.astype(dtype))
        for index in reversed(range(len(widths))):
            dtype = self.kind(index, len(widths))
            values = self.stage(values.astype(dtype), len(widths), dtype)
            if index:
                values = downsampled(values)
                if widths[index - 1] != widths[index]:
                    values = _projection(widths[index - 1], dtype)(values)
        return DiscriminativeBasis(count)(values)


class R3GanDiscriminator(R3GanFeatures):
    """R3GAN's discriminator: the generator's stages the other way round.

    References:
        Huang et al., The GAN is dead; long live the GAN! A Modern GAN Baseline, 2024.
    """

    @nn.compact
    def __call__(self, images: Pixels, *, train: bool, axis_name: str | None = None) -> Logits:
        """One logit an image, float32.

        Raises:
            ValueError: the images are not square, or channels are not whole groups.
        """
        del train, axis_name
        return self.numbers(images, 1)[:, 0]


class ConditionalR3GanDiscriminator(R3GanFeatures):
    """`R3GanDiscriminator` whose logit is the product of as many numbers as the coarsest stage has
    channels with a vector of the class."""

    @nn.compact
    def __call__(
        self,
        images: Pixels,
        labels: Labels,
        *,
        classes: int,
        train: bool,
        axis_name: str | None = None,
    ) -> Logits:
        """One logit an image and label, float32; NaN for a label that is no class.

        Raises:
            ValueError: the images are not square, channels are not whole groups, or the number of
                classes is not known (0).
        """
        del train, axis_name
        size = self.widths[0]
        embedding = ClassEmbedding(size, fan_in_init(size**-0.5))
        return jnp.sum(self.numbers(images, size) * embedding(labels, classes=classes), axis=-1)


def _size(shape: tuple[int, ...], widths: tuple[int, ...]) -> tuple[int, tuple[int, ...]]:
    height, width, _ = shape
    if height != width:
        raise ValueError(f"images of {height} by {width} pixels: R3GAN's networks want square ones")
    return stages(height, widths)
