"""At which resolutions SNGAN's residual networks have blocks."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from jaxgan.networks.trunk import Pyramid, pyramid
from jaxgan.typing import ImageShape

COARSEST = 7
"""Pixels a side of a generator's coarsest level, at most."""

PUBLISHED = {48: (4, 1), 64: (5, 0), 128: (5, 1)}
"""By image size: a discriminator's blocks that halve, and those after them that do not."""


def generator_levels(image_shape: ImageShape, width: int, max_multiple: int) -> Pyramid:
    """Halves while the size is even and above 7; doubles the channels each time, up to a cap.

    ``channels`` are those of each block's result, finest first; the dense layer's are those of one
    more doubling.

    >>> generator_levels((48, 48, 3), width=64, max_multiple=8)
    Pyramid(base=6, channels=(64, 128, 256, 512))
    >>> generator_levels((28, 28, 1), width=64, max_multiple=1)
    Pyramid(base=7, channels=(64, 64, 64))

    Raises:
        ValueError: for an image shape that `jaxgan.networks.trunk.pyramid` cannot build.
    """
    pyramid(image_shape, width, max_multiple)  # its checks
    base, channels = image_shape[0], [width]
    while base % 2 == 0 and base > COARSEST:
        channels.append(width * min(2 ** len(channels), max_multiple))
        base //= 2
    return Pyramid(base, tuple(channels))


def discriminator_blocks(image_shape: ImageShape) -> tuple[int, int]:
    """Blocks that halve, and those after them that do not.

    What is not published has, as at 32 pixels, two that do not halve, after as many as leave 8
    pixels or fewer.

    >>> [discriminator_blocks((size, size, 3)) for size in (8, 28, 32, 64)]
    [(1, 2), (2, 2), (2, 2), (5, 0)]

    Raises:
        ValueError: for an image shape that `jaxgan.networks.trunk.pyramid` cannot build.
    """
    pyramid(image_shape, 1, 1)  # its checks
    size = image_shape[0]
    if size in PUBLISHED:
        return PUBLISHED[size]
    halvings = 1
    while (size >> halvings) % 2 == 0 and size >> halvings > 8:
        halvings += 1
    return halvings, 2


def attention_blocks(image_shape: ImageShape) -> tuple[int, int]:
    """`discriminator_blocks` of SAGAN and BigGAN, which at 64 pixels end with a block at 4 pixels.

    >>> [attention_blocks((size, size, 3)) for size in (32, 64, 128)]
    [(2, 2), (4, 1), (5, 1)]

    Raises:
        ValueError: as `discriminator_blocks`.
    """
    return (4, 1) if image_shape[:2] == (64, 64) else discriminator_blocks(image_shape)


def check_attention(halvings: Sequence[int], there: Collection[int]) -> None:
    """Refuses self-attention where a network has no features.

    Args:
        halvings: of the image's size, after which there should be some.
        there: after which there are features.

    Raises:
        ValueError: names what is not there.
    """
    for number in halvings:
        if number not in there:
            raise ValueError(
                f"attention = {tuple(halvings)}: of images of this size there are no features after"
                f" {number} halvings, but after {', '.join(map(str, there))}"
            )
