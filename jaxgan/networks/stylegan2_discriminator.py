"""StyleGAN2's discriminators, residual and plain, for images of 8 to 1,024 pixels a side.

Parameters with RGB images are those of stylegan2-ada-pytorch:

======  =====================================  ==========  ===================
pixels  fields                                 parameters  configuration there
======  =====================================  ==========  ===================
32      architecture orig                      20,720,641  cifar
32      architecture orig, 10 classes          23,089,664  cifar
32      base 16384                             21,507,073  auto
64      base 16384                             23,407,361  auto
128     base 16384                             23,882,369  auto
256     base 16384                             24,001,089  auto, paper256
256     none                                   28,864,129  stylegan2
======  =====================================  ==========  ===================

References:
    Karras et al., Analyzing and Improving the Image Quality of StyleGAN, 2020. Karras et al.,
    Training Generative Adversarial Networks with Limited Data, 2020, appendix C, and its code.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar, Literal

import flax.linen as nn
import jax.numpy as jnp
from flax.linen.dtypes import promote_dtype
from jaxtyping import Array, Float

from jaxgan.networks.layers.blocks import block_end
from jaxgan.networks.layers.dense import add_bias
from jaxgan.networks.layers.equalized import EqualizedConv, EqualizedDense, scaled
from jaxgan.networks.layers.fir import down_conv
from jaxgan.networks.layers.labels import check_classes
from jaxgan.networks.layers.minibatch import Minibatch, MinibatchStddev
from jaxgan.networks.layers.modulated import leaky
from jaxgan.networks.layers.options import Precision, check
from jaxgan.networks.layers.style_mapping import StyleMapping
from jaxgan.networks.style_levels import channels, dtype_at, framed, resolutions
from jaxgan.typing import Labels, Logits, Pixels


class DownConv(nn.Module):
    """A convolution at an equalized learning rate that halves the resolution, behind a filter."""

    features: int
    """Channels of the result."""
    size: int
    """Pixels of the kernel's side, 3 or 1."""
    use_bias: bool
    """Whether a bias is added."""
    dtype: Any
    """Type of the arithmetic."""

    @nn.compact
    def __call__(
        self, inputs: Float[Array, "batch height width in_channels"]
    ) -> Float[Array, "batch half_height half_width features"]:
        """The inputs filtered and convolved."""
        shape = (self.size, self.size, inputs.shape[-1], self.features)
        kernel = self.param("kernel", nn.initializers.normal(1.0), shape, jnp.float32)
        inputs, kernel = promote_dtype(inputs, scaled(kernel), dtype=self.dtype)
        outputs = down_conv(inputs, kernel)
        if not self.use_bias:
            return outputs
        bias = self.param("bias", nn.initializers.zeros_init(), (self.features,), jnp.float32)
        return add_bias(outputs, bias)


class StyleFeatures(nn.Module):
    """Settings of StyleGAN2's discriminators, and all that they do with images and labels.

    Images of other sizes than powers of two have zeros around them.
    """

    minibatch: ClassVar[Minibatch] = "stddev"
    """What the last layers see of the batch as a whole."""
    width: int = 512
    """Most channels of a layer."""
    base: int = 32768
    """Channels times resolution, where that is less; half in the configurations paper256 and auto
    (below 512 pixels)."""
    architecture: Literal["resnet", "orig"] = "resnet"
    """Blocks with shortcuts, or without, as in cifar."""
    group: int = 4
    """Images, of the whole batch of all devices, whose standard deviations are one number."""
    mapping_layers: int = 8
    """Layers that map labels, where there are any."""
    half_resolutions: int = 4
    """Finest resolutions that are computed in dtype; the others are in float32."""
    dtype: Precision | None = None
    """Number format of the arithmetic; None: the experiment's (float32 when used alone)."""

    def __post_init__(self) -> None:
        check(self)
        if self.architecture not in ("resnet", "orig"):
            raise ValueError(f"architecture = {self.architecture!r}: must be resnet or orig")
        super().__post_init__()

    @nn.compact
    def judged(
        self, images: Pixels, labels: Labels | None, classes: int, axis_name: str | None
    ) -> Logits:
        """One logit an image; called by ``__call__``."""
        shape = (images.shape[1], images.shape[2], images.shape[3])
        sizes, values = resolutions(shape)[:0:-1], framed(images)
        residual = self.architecture == "resnet"
        for size in sizes:
            features, fewer = (channels(n, self.base, self.width) for n in (size, size // 2))
            dtype = dtype_at(size, shape, self.half_resolutions, self.dtype)
            if size == sizes[0]:
                start = EqualizedConv(features, (1, 1), dtype=dtype, name="from_image")
                values = leaky(start(values))
            # The sum of two terms has the variance of one.
            gain = math.sqrt(0.5) if residual else 1.0
            conv = EqualizedConv(features, (3, 3), dtype=dtype, name=f"conv_{size}")
            down = DownConv(fewer, 3, True, dtype, name=f"down_{size}")
            made = leaky(down(leaky(conv(values))), gain)
            if residual:
                skip = DownConv(fewer, 1, False, dtype, name=f"skip_{size}")
                made = made + skip(values) * gain
            values = block_end(made)
        values = MinibatchStddev(self.group)(values.astype(jnp.float32), axis_name=axis_name)
        coarsest = channels(4, self.base, self.width)
        conv = EqualizedConv(coarsest, (3, 3), dtype=jnp.float32, name="end_conv")
        values = leaky(conv(values)).reshape(len(images), -1)
        dense = EqualizedDense(coarsest, dtype=jnp.float32, name="end_dense")
        values = leaky(dense(values), clamp=False)
        last = coarsest if classes else 1
        values = EqualizedDense(last, dtype=jnp.float32, name="end_logit")(values)
        if not classes:
            return values[:, 0]
        of_labels = StyleMapping(coarsest, self.mapping_layers, name="mapping")
        mapped = of_labels(None, labels, classes=classes)
        return jnp.sum(values * mapped, axis=-1) / math.sqrt(coarsest)


class StyleGan2Discriminator(StyleFeatures):
    """StyleGAN2's discriminator: halving blocks, minibatch standard deviation, two dense layers.

    References:
        Karras et al., Analyzing and Improving the Image Quality of StyleGAN, 2020, section 4.1.
    """

    def __call__(self, images: Pixels, *, train: bool, axis_name: str | None = None) -> Logits:
        """One logit an image, float32.

        Args:
            images: in [-1, 1].
            train: makes no difference.
            axis_name: mapped axis over which the batch is sharded.

        Raises:
            ValueError: for an image shape that `resolutions` has none for.
        """
        del train
        return self.judged(images, None, 0, axis_name)


class LabelledStyleGan2Discriminator(StyleFeatures):
    """`StyleGan2Discriminator` that says how well an image goes with its label.

    The logit is ``f(x) . m(y) / sqrt(size)`` with the mapped label ``m(y)``, a projection (Miyato
    and Koyama 2018) without a term of the image alone.
    """

    def __call__(
        self,
        images: Pixels,
        labels: Labels,
        *,
        classes: int,
        train: bool,
        axis_name: str | None = None,
    ) -> Logits:
        """One logit an image, float32; NaN for a label that is no class.

        Args:
            images: in [-1, 1].
            labels: their classes.
            classes: number of classes.
            train: makes no difference.
            axis_name: mapped axis over which the batch is sharded.

        Raises:
            ValueError: for an image shape that `resolutions` has none for, or a number of classes
                that is not known (0).
        """
        del train
        check_classes(classes)
        return self.judged(images, labels, classes, axis_name)
