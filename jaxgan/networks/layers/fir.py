"""Resampling by two with a small low-pass filter, alone and together with convolutions.

The filter is ``[1, 3, 3, 1] / 8`` along height and width. What lies outside an image is 0.

References:
    Karras et al., A Style-Based Generator Architecture for GANs, 2019, section 2 (there [1, 2, 1]);
    Analyzing and Improving the Image Quality of StyleGAN, 2020, whose code has these four taps.
    Zhang, Making Convolutional Networks Shift-Invariant Again, 2019.
"""

from __future__ import annotations

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from jaxgan.networks.layers.convolution import conv, conv_transpose

TAPS = (0.125, 0.375, 0.375, 0.125)
"""Of the filter, along one axis."""


def filtered(
    images: Float[Array, "batch height width channels"],
    *,
    pads: tuple[int, int],
    up: int = 1,
    down: int = 1,
) -> Float[Array, "batch out_height out_width channels"]:
    """Zeros between pixels, the filter, and one in so many of what comes out.

    An axis of N pixels becomes one of ``up N``, with ``up - 1`` zeros behind each pixel, and of it
    one of ``(up N + before + after - 4) // down + 1``. Means stay, whatever ``up`` is.

    Args:
        images: channels last.
        pads: zeros before and behind, along both axes, after those between pixels were put in.
        up: zeros and pixels for each pixel.
        down: steps between results.
    """
    for axis in (1, 2):
        edges = [(0, 0, 0)] * images.ndim
        edges[axis] = (pads[0], pads[1] + up - 1, up - 1)
        spread = lax.pad(images, jnp.zeros((), images.dtype), edges)
        last = (spread.shape[axis] - len(TAPS)) // down * down + 1
        # Four slices and not a convolution in groups, which CPUs are slow at.
        images = sum(
            (up * tap) * lax.slice_in_dim(spread, place, place + last, down, axis)
            for place, tap in enumerate(TAPS)
        )  # pyright: ignore[reportAssignmentType]
    return images


def upsampled(
    images: Float[Array, "batch height width channels"],
) -> Float[Array, "batch double_height double_width channels"]:
    """Images at twice the resolution.

    >>> upsampled(jnp.ones((1, 2, 2, 1)))[0, :, 1, 0].tolist()
    [0.75, 1.0, 1.0, 0.75]
    """
    return filtered(images, up=2, pads=(2, 1))


def downsampled(
    images: Float[Array, "batch height width channels"],
) -> Float[Array, "batch half_height half_width channels"]:
    """Images at half the resolution."""
    return filtered(images, down=2, pads=(1, 1))


def up_conv(
    images: Float[Array, "batch height width in_channels"],
    kernel: Float[Array, "size size in_channels out_channels"],
) -> Float[Array, "batch double_height double_width out_channels"]:
    """A transposed convolution of stride 2, and the filter.

    The kernel, of 3 pixels a side, is what each pixel leaves behind: as a correlation with zeros
    between pixels it is flipped, which the kernels of `conv` and of `down_conv` are not.
    """
    # `conv_transpose` does not flip, as `lax.conv_transpose` does not.
    spread = conv_transpose(images, kernel[::-1, ::-1], strides=(2, 2), padding="VALID")
    return 4 * filtered(spread, pads=(1, 1))


def down_conv(
    images: Float[Array, "batch height width in_channels"],
    kernel: Float[Array, "size size in_channels out_channels"],
) -> Float[Array, "batch half_height half_width out_channels"]:
    """The filter, and a convolution of stride 2 with a kernel of 3 pixels a side, or of 1."""
    if kernel.shape[0] == 1:  # nothing is filtered that would not be used
        return conv(downsampled(images), kernel)
    return conv(filtered(images, pads=(2, 2)), kernel, strides=(2, 2), padding="VALID")
