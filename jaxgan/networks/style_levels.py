"""Resolutions and widths of StyleGAN2's networks, and images of other sizes than theirs."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgan.networks.layers.options import Precision, compute_dtype
from jaxgan.typing import ImageShape

SMALLEST, LARGEST = 8, 1024


def resolutions(image_shape: ImageShape) -> tuple[int, ...]:
    """Powers of two from 4 to the first that is no smaller than the image's longer side.

    >>> resolutions((28, 28, 1))
    (4, 8, 16, 32)

    Raises:
        ValueError: a side is shorter than 8 pixels or longer than 1,024.
    """
    sides = image_shape[:2]
    if min(sides) < SMALLEST or max(sides) > LARGEST:
        raise ValueError(
            f"images of {sides[0]}x{sides[1]}: StyleGAN2's networks want {SMALLEST} to {LARGEST}"
        )
    return tuple(2**power for power in range(2, (max(sides) - 1).bit_length() + 1))


def styles_of(image_shape: ImageShape) -> int:
    """How many styles a generator takes: one a convolution, and that of the last image.

    >>> [styles_of((size, size, 3)) for size in (32, 256, 1024)]
    [8, 14, 18]
    """
    return 2 * len(resolutions(image_shape))


def channels(resolution: int, base: int, width: int) -> int:
    """Channels of the feature maps at a resolution, ``min(base / resolution, width)``."""
    return max(1, min(base // resolution, width))


def dtype_at(
    resolution: int, image_shape: ImageShape, half_resolutions: int, precision: Precision | None
) -> Any:
    """What a resolution computes in: the network's format in the finest ones, float32 elsewhere.

    The coarsest, 4 pixels a side, is never among the finest (Karras et al., Training Generative
    Adversarial Networks with Limited Data, 2020, appendix C, and its code).
    """
    finest = resolutions(image_shape)[1:][-half_resolutions:] if half_resolutions else ()
    return compute_dtype(precision) if resolution in finest else jnp.float32


def cropped(
    images: Float[Array, "batch height width channels"], image_shape: ImageShape
) -> Float[Array, "batch out_height out_width channels"]:
    """The middle of square images, where data is smaller than the resolution that is made."""
    (height, width), (tall, wide) = images.shape[1:3], image_shape[:2]
    top, left = (height - tall) // 2, (width - wide) // 2
    return images[:, top : top + tall, left : left + wide]


def framed(
    images: Float[Array, "batch height width channels"],
) -> Float[Array, "batch out_height out_width channels"]:
    """Square images of the finest resolution with others in the middle, and 0 around them."""
    _, height, width, count = images.shape
    size = resolutions((height, width, count))[-1]
    if (height, width) == (size, size):
        return images
    top, left = (size - height) // 2, (size - width) // 2
    edges = ((0, 0), (top, size - height - top), (left, size - width - left), (0, 0))
    return jnp.pad(images, edges)
