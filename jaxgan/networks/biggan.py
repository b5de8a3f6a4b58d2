"""BigGAN's networks: residual blocks, one embedding for all layers, hierarchical latents.

Widths and sizes that were published, and their parameters with RGB images:

======  =======  =======  ==============================================  ==========  =============
pixels  classes  latents  fields                                          generator   discriminator
======  =======  =======  ==============================================  ==========  =============
32      10        80      width 384 (G) and 192 (D), max_multiple 1         9,416,196     2,415,170
64      200      100      width 160 (G), max_multiple 8, and 80 (D), 16
128     1000     120      width 96, max_multiple 16 (both)                 70,433,988    87,982,370
======  =======  =======  ==============================================  ==========  =============

The first row and the second are StudioGAN's for CIFAR-10 and Tiny ImageNet, the last one is that of
the paper and of both well-known codes. The author's own PyTorch code for CIFAR-10 has neither
attention nor a shared embedding: its generator is the one of `jaxgan.networks.conditional_resnet`
of width 256, spectrally normalized, its discriminator the one here of the same width (4,304,387 and
4,207,361 parameters).

References:
    Brock, Donahue and Simonyan, Large Scale GAN Training for High Fidelity Natural Image Synthesis,
    2019, section 3 and appendix B.
"""

from __future__ import annotations

from collections.abc import Mapping

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgan.networks.layers.conditional_norm import ModulatedBatchNorm
from jaxgan.networks.layers.labels import ClassEmbedding
from jaxgan.networks.layers.norm import BatchNorm
from jaxgan.networks.layers.options import compute_dtype
from jaxgan.networks.layers.residual import Normalize, glorot_init, normalization
from jaxgan.networks.layers.weights import WeightNorm
from jaxgan.networks.residual_levels import generator_levels
from jaxgan.networks.resnet import ResnetImages
from jaxgan.networks.sagan import SaganDiscriminator
from jaxgan.typing import ImageShape, Pixels


class BigGanGenerator(ResnetImages):
    """BigGAN's generator.

    One vector a class is shared by all layers. Beside a part of the latent, it gives the scales and
    biases of each block's normalizations (`ModulatedBatchNorm`); the first part of the latent goes
    into the dense layer. All weights are spectrally normalized but those vectors.

    >>> import jax
    >>> generator = BigGanGenerator(width=8, max_multiple=1)
    >>> latents = {"noise": jnp.zeros((2, 20)), "label": jnp.array([3, 7])}
    >>> arguments = {"image_shape": (8, 8, 1), "classes": 10, "train": False}
    >>> key = jax.random.key(0)
    >>> jax.eval_shape(lambda: generator.init_with_output(key, latents, **arguments)[0]).shape
    (2, 8, 8, 1)
    """

    width: int = 96
    """Channels of the finest level; they double with each halving of the resolution."""
    max_multiple: int = 16
    """Channels of the widest levels, as a multiple of width."""
    weight_norm: WeightNorm | None = "spectral"
    """What the weights of all layers are normalized by; None: nothing."""
    orthogonal_init: bool = True
    """Orthogonal first weights, instead of Glorot's."""
    gain: float = 1.0
    """Factor of the first weights of the blocks' 3x3 convolutions."""
    attention: tuple[int, ...] = (1,)
    """Halvings of the image's size after which features have self-attention."""
    embedding_size: int = 128
    """Length of the vector that stands for a class."""
    hierarchical: bool = True
    """The latent goes in parts into the dense layer and each block; otherwise as a whole into the
    dense layer alone."""

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
            ValueError: for an image shape that `generator_levels` cannot build, attention where
                there are no features, less noise than parts, or a number of classes that is not
                known (0).
        """
        noise, dtype = latents["noise"], compute_dtype(self.dtype)
        init = glorot_init(1.0, self.orthogonal_init, self.init_std)
        told = ClassEmbedding(self.embedding_size, init)(latents["label"], classes=classes)
        levels = generator_levels(image_shape, self.width, self.max_multiple)
        conditions = [told] * (len(levels.channels) - 1)
        if self.hierarchical:
            noise, *rest = parts(noise, len(levels.channels))
            conditions = [jnp.concatenate([told, own], axis=-1) for own in rest]

        def norm(block: int) -> Normalize:
            layer = ModulatedBatchNorm(weight_norm=self.weight_norm, kernel_init=init, dtype=dtype)
            return lambda values: layer(
                values, condition=conditions[block], train=train, axis_name=axis_name
            )

        def last() -> Normalize:
            return normalization(BatchNorm, dtype=dtype, train=train, axis_name=axis_name)

        return self.images(noise, image_shape=image_shape, norm=norm, last=last)


class BigGanDiscriminator(SaganDiscriminator):
    """BigGAN's discriminator: SAGAN's, with orthogonal first weights."""

    width: int = 96
    """Channels of the first block; they double with each block."""
    max_multiple: int = 16
    """Channels of the widest blocks, as a multiple of width."""
    orthogonal_init: bool = True
    """Orthogonal first weights, instead of Glorot's."""


def parts(noise: Float[Array, "batch size"], count: int) -> list[Float[Array, "batch part"]]:
    """A latent in so many parts, in order.

    All have ``size // count`` numbers, but for the first one, which also has what is left over.

    >>> [part.shape[1] for part in parts(jnp.zeros((1, 120)), 6)]
    [20, 20, 20, 20, 20, 20]

    Raises:
        ValueError: there are fewer numbers than parts.
    """
    size = noise.shape[1] // count
    if not size:
        raise ValueError(
            f"{noise.shape[1]} latents for a dense layer and {count - 1} blocks: hierarchical ones"
            " want at least one for each"
        )
    first = noise.shape[1] - size * (count - 1)
    return jnp.split(noise, [first + size * index for index in range(count - 1)], axis=1)
