"""SAGAN's networks: SNGAN's with labels, self-attention in both, and both spectrally normalized.

Widths and sizes that were published, and their parameters with RGB images and 128 latents:

======  =======  =====================================  ==========  =============
pixels  classes  fields                                  generator   discriminator
======  =======  =====================================  ==========  =============
32      10       width 256 (G) and 128 (D)               4,386,308   1,075,586
128     1000     width 64, max_multiple 16 (both)       42,017,412  39,448,258
======  =======  =====================================  ==========  =============

Attention is at half the image's size, as in StudioGAN and in BigGAN's code; the paper has it at 32
pixels of 128, which is ``attention=(2,)``.

References:
    Zhang et al., Self-Attention Generative Adversarial Networks, 2019, section 4.
"""

from __future__ import annotations

from jaxgan.networks.conditional_resnet import (
    ConditionalResnetGenerator,
    ProjectionResnetDiscriminator,
)
from jaxgan.networks.layers.weights import WeightNorm
from jaxgan.networks.residual_levels import attention_blocks
from jaxgan.typing import ImageShape


class SaganGenerator(ConditionalResnetGenerator):
    """`jaxgan.networks.conditional_resnet.ConditionalResnetGenerator` with self-attention.

    All its weights are spectrally normalized, too.
    """

    weight_norm: WeightNorm | None = "spectral"
    """What the weights of all layers are normalized by; None: nothing."""
    gain: float = 1.0
    """Factor of the first weights of the blocks' 3x3 convolutions."""
    attention: tuple[int, ...] = (1,)
    """Halvings of the image's size after which features have self-attention."""


class SaganDiscriminator(ProjectionResnetDiscriminator):
    """`jaxgan.networks.conditional_resnet.ProjectionResnetDiscriminator` with self-attention.

    Between a block's convolutions it has as many channels as after them.
    """

    gain: float = 1.0
    """Factor of the first weights of the blocks' 3x3 convolutions."""
    wide: bool = True
    """Between a block's convolutions, as many channels as in its result."""
    attention: tuple[int, ...] = (1,)
    """Halvings of the image's size after which features have self-attention."""

    def blocks(self, image_shape: ImageShape) -> tuple[int, int]:
        """See `jaxgan.networks.residual_levels.attention_blocks`."""
        return attention_blocks(image_shape)
