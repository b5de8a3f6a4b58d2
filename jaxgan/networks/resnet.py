"""The residual networks of SNGAN (Miyato et al. 2018), for square images of 8 to 128 pixels a side.

Widths and sizes of the published ones, and their parameters with RGB images, 128 latents, as in
mimicry:

======  ============================  ==========  =============
pixels  fields of both                generator   discriminator
======  ============================  ==========  =============
32      width 256 (G) and 128 (D),     4,276,739   1,053,825
        max_multiple 1
48      width 64, max_multiple 16      4,878,083  10,141,441
64      width 64, max_multiple 16     12,220,675  10,141,441
128     width 64, max_multiple 16     32,150,787  29,017,857
======  ============================  ==========  =============

Authors and ports differ in small things that are fields here: how resolutions are doubled, whether
the discriminator's last layer has a bias, what a shortcut sees.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgan.networks.layers.attention import SelfAttention
from jaxgan.networks.layers.conv import Conv
from jaxgan.networks.layers.dense import Dense
from jaxgan.networks.layers.judging import Judging, Scoring
from jaxgan.networks.layers.minibatch import Minibatch, beside_features
from jaxgan.networks.layers.norm import Norm, norm_layer
from jaxgan.networks.layers.options import Precision, check, compute_dtype
from jaxgan.networks.layers.residual import (
    GAIN,
    DownBlock,
    FirstBlock,
    Normalize,
    UpBlock,
    Upsampling,
    glorot_init,
    normalization,
)
from jaxgan.networks.layers.virtual_norm import with_reference, without_reference
from jaxgan.networks.layers.weights import WeightNorm
from jaxgan.networks.residual_levels import (
    check_attention,
    discriminator_blocks,
    generator_levels,
)
from jaxgan.typing import ImageShape, Latents, Pixels


class ResnetImages(nn.Module):
    """Settings of SNGAN's generator, and how it makes images, but for its normalizations.

    Generators that normalize in different ways derive from it.
    """

    width: int = 256
    """Channels of the finest level; they double with each halving of the resolution."""
    max_multiple: int = 1
    """Channels of the widest levels, as a multiple of width."""
    upsampling: Upsampling = "nearest"
    """How resolutions are doubled: nearest (the authors) or bilinear (mimicry)."""
    weight_norm: WeightNorm | None = None
    """What the weights of all layers are normalized by; None: nothing, as the authors have it."""
    orthogonal_init: bool = False
    """Orthogonal first weights, instead of Glorot's."""
    gain: float = GAIN
    """Factor of the first weights of the blocks' 3x3 convolutions."""
    init_std: float | None = None
    """Standard deviation of first weights that are normal; None: they are as said above."""
    attention: tuple[int, ...] = ()
    """Halvings of the image's size after which features have self-attention, such as 1 (SAGAN)."""
    dtype: Precision | None = None
    """Number format of the arithmetic; None: the experiment's (float32 when used alone)."""

    def __post_init__(self) -> None:
        check(self)
        super().__post_init__()

    def images(
        self,
        latent: Latents,
        *,
        image_shape: ImageShape,
        norm: Callable[[int], Normalize],
        last: Callable[[], Normalize],
    ) -> Pixels:
        """Images ``(batch, *image_shape)`` in [-1, 1]; called inside a module's ``__call__``.

        See `values`, of which this is the tanh.
        """
        return jnp.tanh(self.values(latent, image_shape=image_shape, norm=norm, last=last))

    def values(
        self,
        latent: Latents,
        *,
        image_shape: ImageShape,
        norm: Callable[[int], Normalize],
        last: Callable[[], Normalize],
    ) -> Pixels:
        """Unbounded values ``(batch, *image_shape)``; called inside a module's ``__call__``.

        Args:
            latent: what the dense layer gets.
            image_shape: height, width, channels.
            norm: makes the normalizations of a block, one by one, from its number (0: the first).
            last: makes the normalization after them.

        Raises:
            ValueError: for an image shape that `generator_levels` cannot build, or attention where
                there are no features.
        """
        levels = generator_levels(image_shape, self.width, self.max_multiple)
        blocks = len(levels.channels) - 1
        check_attention(self.attention, range(blocks + 1))
        options: dict[str, Any] = {
            "dtype": compute_dtype(self.dtype),
            "kernel_init": glorot_init(1.0, self.orthogonal_init, self.init_std),
            "weight_norm": self.weight_norm,
        }
        coarse = (levels.base, levels.base, levels.channels[-1])
        values = Dense(coarse[0] * coarse[1] * coarse[2], **options)(latent)
        values = values.reshape(-1, *coarse)
        for number in range(blocks + 1):
            if number:
                block = UpBlock(
                    levels.channels[blocks - number],
                    upsampling=self.upsampling,
                    weight_norm=self.weight_norm,
                    orthogonal_init=self.orthogonal_init,
                    gain=self.gain,
                    init_std=self.init_std,
                    dtype=options["dtype"],
                )
                values = block(values, (norm(number - 1), norm(number - 1)))
            if blocks - number in self.attention:
                values = SelfAttention(**options)(values)
        values = Conv(image_shape[2], (3, 3), **options)(nn.relu(last()(values)))
        return values.astype(jnp.float32)


class ResnetGenerator(ResnetImages):
    """SNGAN's generator: residual blocks with batch norm that double the resolution.

    >>> import jax
    >>> generator = ResnetGenerator(width=8)
    >>> images, _ = generator.init_with_output(
    ...     jax.random.key(0), jax.numpy.zeros((2, 16)), image_shape=(8, 8, 1), train=False
    ... )
    >>> images.shape
    (2, 8, 8, 1)

    References:
        Miyato et al., Spectral Normalization for Generative Adversarial Networks, 2018, appendix
        B.4.
    """

    batch_norm: bool = True
    """Normalize before each ReLU."""
    norm: Norm | None = None
    """What normalizes in place of batch norm; None: nothing."""

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
            ValueError: for an image shape that `generator_levels` cannot build.
        """
        layer, dtype = norm_layer(self.batch_norm, self.norm), compute_dtype(self.dtype)

        def norm(block: int = 0) -> Normalize:
            del block
            return normalization(layer, dtype=dtype, train=train, axis_name=axis_name)

        rows = with_reference(layer, latent, train=train, axis_name=axis_name)
        made = self.images(rows, image_shape=image_shape, norm=norm, last=norm)
        return without_reference(layer, made)


class ResnetFeatures(Judging):
    """Settings of SNGAN's discriminator, and all of it but the last layer.

    Discriminators that differ in their last layer derive from it.
    """

    width: int = 128
    """Channels of the first block; they double with each block."""
    max_multiple: int = 1
    """Channels of the widest blocks, as a multiple of width."""
    weight_norm: WeightNorm | None = "spectral"
    """What the weights of all layers are normalized by; None: nothing."""
    pooling: Literal["sum", "mean"] = "sum"
    """Over the pixels of the last block: their sum, or their mean as in WGAN-GP."""
    last_bias: bool = True
    """Whether the last layer has a bias, as in the PyTorch ports; the authors' has none."""
    in_place_relu: bool = False
    """Shortcuts see relu(x), as in the PyTorch ports, whose first ReLU overwrites its input."""
    orthogonal_init: bool = False
    """Orthogonal first weights, instead of Glorot's."""
    gain: float = GAIN
    """Factor of the first weights of the blocks' 3x3 convolutions."""
    init_std: float | None = None
    """Standard deviation of first weights that are normal; None: they are as said above."""
    wide: bool = False
    """Between a block's convolutions, as many channels as in its result, as in SAGAN and BigGAN."""
    attention: tuple[int, ...] = ()
    """Halvings of the image's size after which features have self-attention, such as 1 (SAGAN)."""
    norm: Norm | None = None
    """What normalizes before the ReLUs of all blocks but the first; None: nothing."""
    minibatch: Minibatch | None = None
    """What the last layer sees of the batch as a whole; None: nothing."""
    dtype: Precision | None = None
    """Number format of the arithmetic; None: the experiment's (float32 when used alone)."""

    def __post_init__(self) -> None:
        check(self)
        super().__post_init__()

    def blocks(self, image_shape: ImageShape) -> tuple[int, int]:
        """Blocks that halve, and those after them that do not."""
        return discriminator_blocks(image_shape)

    def features(
        self, images: Pixels, *, train: bool, axis_name: str | None = None
    ) -> Float[Array, "batch features"]:
        """What the last layer gets; called inside a module's ``__call__``.

        Raises:
            ValueError: for an image shape that `blocks` has none for, or attention where there are
                no features.
        """
        _, height, width, channels = images.shape
        halving, more = self.blocks((height, width, channels))
        check_attention(self.attention, range(1, halving + 1))
        layer, dtype = norm_layer(False, self.norm), compute_dtype(self.dtype)
        common: dict[str, Any] = {
            "weight_norm": self.weight_norm,
            "orthogonal_init": self.orthogonal_init,
            "gain": self.gain,
            "init_std": self.init_std,
            "dtype": dtype,
        }

        def attended(values: Array, halvings: int) -> Array:
            if halvings not in self.attention:
                return values
            init = glorot_init(1.0, self.orthogonal_init, self.init_std)
            return SelfAttention(self.weight_norm, init, dtype)(values)

        rows = with_reference(layer, images, train=train, axis_name=axis_name)
        values = attended(FirstBlock(self.width, **common)(rows), 1)
        for place in range(1, halving + more):
            norms = tuple(
                normalization(layer, dtype=dtype, train=train, axis_name=axis_name)
                for _ in range(0 if layer is None else 2)
            )
            values = DownBlock(
                self.width * min(2**place, self.max_multiple),
                halve=place < halving,
                in_place_relu=self.in_place_relu,
                wide=self.wide,
                **common,
            )(values, norms)
            values = attended(values, place + 1) if place < halving else values
        # Float32 from here, since a sum over pixels is.
        values = nn.relu(without_reference(layer, values)).astype(jnp.float32)
        pooled = jnp.sum(values, (1, 2)) if self.pooling == "sum" else jnp.mean(values, (1, 2))
        return beside_features(self.minibatch, pooled, axis_name)

    def head_options(self) -> dict[str, Any]:
        """What the last layers have in common with the others."""
        return {
            "weight_norm": self.weight_norm,
            "kernel_init": glorot_init(1.0, self.orthogonal_init, self.init_std),
            "use_bias": self.last_bias,
        }


class ResnetDiscriminator(Scoring, ResnetFeatures):
    """SNGAN's discriminator: residual blocks without batch norm, all layers spectrally normalized.

    References:
        Miyato et al., Spectral Normalization for Generative Adversarial Networks, 2018, appendix
        B.4.
    """
