"""StyleGAN2's generator with skip connections to the image, for 8 to 1,024 pixels a side.

Parameters with RGB images and 512 latents are those of stylegan2-ada-pytorch:

======  ===============================  ==========  ===================
pixels  fields                           parameters  configuration there
======  ===============================  ==========  ===================
32      mapping_layers 2                 19,947,539  cifar
32      base 16384, mapping_layers 2     19,947,539  auto
64      base 16384, mapping_layers 2     22,243,608  auto
128     base 16384, mapping_layers 2     22,949,277  auto
256     base 16384, mapping_layers 2     23,191,522  auto
256     base 16384                       24,767,458  paper256
256     none                             30,034,338  stylegan2
======  ===============================  ==========  ===================

References:
    Karras et al., Analyzing and Improving the Image Quality of StyleGAN, 2020. Karras et al.,
    Training Generative Adversarial Networks with Limited Data, 2020, appendix C, and its code.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key

from jaxgan.networks.layers.blocks import block_end
from jaxgan.networks.layers.fir import upsampled
from jaxgan.networks.layers.labels import check_classes
from jaxgan.networks.layers.modulated import StyledConv, ToImage
from jaxgan.networks.layers.options import Precision, check
from jaxgan.networks.layers.style_mapping import StyleMapping
from jaxgan.networks.style_levels import channels, cropped, dtype_at, resolutions, styles_of
from jaxgan.rng import per_example
from jaxgan.typing import ImageShape, Labels, Latents, Pixels


class StyleSynthesis(nn.Module):
    """Images from styles: a constant, styled convolutions, and the sum of an image a resolution."""

    width: int
    """See `StyleImages`."""
    base: int
    """See `StyleImages`."""
    half_resolutions: int
    """See `StyleImages`."""
    dtype: Precision | None
    """See `StyleImages`."""

    @nn.compact
    def __call__(
        self,
        ws: Float[Array, "batch styles units"],
        keys: Key[Array, "batch"] | None,
        *,
        image_shape: ImageShape,
    ) -> Pixels:
        """Unbounded pixels ``(batch, *image_shape)``, float32.

        Args:
            ws: mapped latents, for each of the `styles_of` layers.
            keys: of each image's noise; None: the constant one.
            image_shape: height, width, channels.
        """
        first = (4, 4, channels(4, self.base, self.width))
        start = self.param("constant", nn.initializers.normal(1.0), first, jnp.float32)
        values, image = jnp.broadcast_to(start, (ws.shape[0], *first)), None
        for place, size in enumerate(resolutions(image_shape)):
            features = channels(size, self.base, self.width)
            dtype = dtype_at(size, image_shape, self.half_resolutions, self.dtype)
            if place:
                up = StyledConv(features, up=True, dtype=dtype, name=f"up_{size}")
                values = up(values, ws[:, 2 * place - 1], keys)
            conv = StyledConv(features, dtype=dtype, name=f"conv_{size}")
            values = block_end(conv(values, ws[:, 2 * place], keys))
            # The next resolution's first convolution has the same style.
            to_image = ToImage(image_shape[2], dtype=dtype, name=f"image_{size}")
            made = to_image(values, ws[:, 2 * place + 1])
            image = made if image is None else upsampled(image) + made
        assert image is not None
        return cropped(image, image_shape)


class StyleImages(nn.Module):
    """Settings of StyleGAN2's generators, and all that they do; they differ in what they are given.

    In training the collection ``average`` follows the mean ``w`` of mapped latents, towards which
    truncation goes; ``noise`` has each layer's constant map, for images of which neither a key
    ``dropout`` in training nor a seed says what noise they have. Images of other sizes than powers
    of two are the middle of the next larger ones.
    """

    width: int = 512
    """Most channels of a layer."""
    base: int = 32768
    """Channels times resolution, where that is less; half in the configurations paper256 and auto
    (below 512 pixels)."""
    units: int = 512
    """Length of mapped latents, and units of the layers that map them."""
    mapping_layers: int = 8
    """Layers that map latents."""
    average_decay: float = 0.995
    """Fraction of the mean ``w`` that a batch keeps."""
    half_resolutions: int = 4
    """Finest resolutions that are computed in dtype; the others are in float32, as are the mapping,
    styles and their factors."""
    dtype: Precision | None = None
    """Number format of the arithmetic; None: the experiment's (float32 when used alone)."""

    def __post_init__(self) -> None:
        check(self)
        super().__post_init__()

    def setup(self) -> None:
        """The two networks, and the mean of what the first puts out."""
        self.mapping = StyleMapping(self.units, self.mapping_layers)
        self.synthesis = StyleSynthesis(self.width, self.base, self.half_resolutions, self.dtype)
        self.average = self.variable("average", "w", jnp.zeros, (self.units,), jnp.float32)

    def styles(
        self,
        noise: Float[Array, "batch size"],
        labels: Labels | None = None,
        *,
        classes: int = 0,
        follow: bool = False,
        axis_name: str | None = None,
    ) -> Float[Array, "batch units"]:
        """Mapped latents.

        Args:
            noise: latents.
            labels: of the images; None for models without.
            classes: their number.
            follow: whether the mean takes this batch in.
            axis_name: mapped axis over which the batch is sharded.
        """
        w = self.mapping(noise, labels, classes=classes)
        if follow and not self.is_initializing():
            mean = jnp.mean(jax.lax.stop_gradient(w), axis=0)
            mean = mean if axis_name is None else jax.lax.pmean(mean, axis_name)
            self.average.value += (1.0 - self.average_decay) * (mean - self.average.value)
        return w

    def images(
        self,
        ws: Float[Array, "batch styles units"],
        seeds: Int[Array, "batch"] | None = None,
        *,
        image_shape: ImageShape,
        random: bool = False,
        axis_name: str | None = None,
    ) -> Pixels:
        """Images of styles, see `StyleSynthesis`.

        Args:
            ws: mapped latents, for each layer.
            seeds: of each image's noise; None: constant, unless it is drawn.
            image_shape: height, width, channels.
            random: whether noise is drawn, where there is a key ``dropout`` for it.
            axis_name: mapped axis over which the batch is sharded in contiguous blocks.
        """
        keys = None if seeds is None else jax.vmap(jax.random.key)(seeds)
        if random and self.has_rng("dropout"):
            # Shapes are worked out without devices.
            axis = None if self.is_initializing() else axis_name
            keys = per_example(lambda key: key, self.make_rng("dropout"), ws.shape[0], axis)
        return self.synthesis(ws, keys, image_shape=image_shape)

    def truncated(
        self, w: Float[Array, "batch units"], psi: Float[Array, "batch"]
    ) -> Float[Array, "batch units"]:
        """``w_mean + psi (w - w_mean)``, with the mean that training followed (Karras et al. 2019,
        appendix B)."""
        return self.average.value + psi[:, None] * (w - self.average.value)

    def of_latents(
        self,
        latents: Latents,
        classes: int,
        image_shape: ImageShape,
        train: bool,
        axis_name: str | None,
    ) -> Pixels:
        """Images of latents that may say how their styles are made.

        Args:
            latents: an array of noise; or ``noise`` by name, and with it ``label``, and where they
                are wanted ``seed``, of the noise maps where they are not drawn, ``psi``, by which
                styles are truncated, and ``fine``, other noise, towards whose ``w`` the styles go
                by ``share`` from layer ``cut`` on.
            classes: of the labels.
            image_shape: height, width, channels.
            train: whether noise is drawn and the mean of mapped latents follows.
            axis_name: mapped axis over which the batch is sharded.
        """
        given: Mapping[str, Any] = latents if isinstance(latents, Mapping) else {"noise": latents}
        labels = given["label"] if classes else None
        w = self.styles(given["noise"], labels, classes=classes, follow=train, axis_name=axis_name)
        places = jnp.arange(styles_of(image_shape))
        ws = jnp.broadcast_to(w[:, None], (w.shape[0], len(places), w.shape[1]))
        if "fine" in given:
            other = self.styles(given["fine"], labels, classes=classes)
            shares = jnp.where(places >= given["cut"][:, None], given["share"][:, None], 0.0)
            ws = ws + shares[..., None] * (other - w)[:, None]
        if "psi" in given:
            ws = jax.vmap(self.truncated, (1, None), 1)(ws, given["psi"])
        return self.images(
            ws, given.get("seed"), image_shape=image_shape, random=train, axis_name=axis_name
        )


class StyleGan2Generator(StyleImages):
    """StyleGAN2's generator: a mapping network, and what makes images of its styles.

    >>> generator = StyleGan2Generator(width=8, units=4, mapping_layers=2)
    >>> images, _ = generator.init_with_output(
    ...     jax.random.key(0), jnp.zeros((2, 16)), image_shape=(8, 8, 1), train=False
    ... )
    >>> images.shape
    (2, 8, 8, 1)
    """

    def __call__(
        self,
        latents: Latents,
        *,
        image_shape: ImageShape,
        train: bool,
        axis_name: str | None = None,
    ) -> Pixels:
        """Unbounded pixels ``(batch, *image_shape)``, float32, most of them in [-1, 1].

        Args:
            latents: ``(batch, size)``, or what `of_latents` takes.
            image_shape: height, width, channels.
            train: whether noise is drawn and the mean of mapped latents follows.
            axis_name: mapped axis over which the batch is sharded.

        Raises:
            ValueError: for an image shape that `resolutions` has none for.
        """
        return self.of_latents(latents, 0, image_shape, train, axis_name)


class LabelledStyleGan2Generator(StyleImages):
    """`StyleGan2Generator` whose mapping network sees labels."""

    def __call__(
        self,
        latents: Mapping[str, Array],
        *,
        image_shape: ImageShape,
        classes: int,
        train: bool,
        axis_name: str | None = None,
    ) -> Pixels:
        """Unbounded pixels ``(batch, *image_shape)``, float32; NaN for a label that is no class.

        Args:
            latents: what `of_latents` takes, with ``noise`` and ``label``.
            image_shape: height, width, channels.
            classes: number of classes.
            train: whether noise is drawn and the mean of mapped latents follows.
            axis_name: mapped axis over which the batch is sharded.

        Raises:
            ValueError: for an image shape that `resolutions` has none for, or a number of classes
                that is not known (0).
        """
        check_classes(classes)
        return self.of_latents(latents, classes, image_shape, train, axis_name)
