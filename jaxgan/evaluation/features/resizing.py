"""What networks for photographs do to images first: three channels, and one size.

Three bilinear filters, because published numbers depend on which one is meant; the first two look
at two pixels of each row and column however much smaller the result is.
"""

from __future__ import annotations

from functools import partial
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float32, Int, Num

Filter = Literal["tf1-bilinear", "bilinear", "antialiased-bilinear"]
"""``tf1-bilinear``: as TensorFlow 1 did without options: pixel ``i`` of the result lies at
``i * size / out`` of the image, so that it is shifted by up to half a pixel.
``bilinear``: the centers of the corner areas agree, as in PyTorch's ``interpolate`` with
``align_corners=False``.
``antialiased-bilinear``: the same, with a triangle as wide as a pixel of the result where that is
the larger one, as Pillow does."""


def to_rgb(images: Num[Array, "batch h w c"]) -> Float32[Array, "batch h w 3"]:
    """Images of one or three channels as float32 ones of three; values are kept."""
    height, width, channels = images.shape[1:]
    values = images.astype(jnp.float32)
    return values if channels == 3 else jnp.broadcast_to(values, (len(images), height, width, 3))


def resize(
    images: Float32[Array, "batch h w c"], side: int, kind: Filter
) -> Float32[Array, "batch {side} {side} c"]:
    """Images of ``side`` x ``side`` pixels, through a filter; values keep their range."""
    batch, height, width, channels = images.shape
    if kind == "antialiased-bilinear":
        shape = (batch, side, side, channels)
        exact = jax.lax.Precision.HIGHEST
        return jax.image.resize(images, shape, "linear", antialias=True, precision=exact)
    centers = kind == "bilinear"
    low, high, share = _neighbors(height, side, centers)
    rows = _between(images[:, low], images[:, high], share[:, None, None])
    low, high, share = _neighbors(width, side, centers)
    return _between(rows[:, :, low], rows[:, :, high], share[:, None])


@partial(jax.jit, static_argnames="times")
def area_means(images: Num[Array, "batch h w c"], times: int) -> Float32[Array, "batch y x c"]:
    """Means over squares of ``times`` x ``times`` pixels, which must fill the images."""
    batch, height, width, channels = images.shape
    squares = (batch, height // times, times, width // times, times, channels)
    return jnp.mean(images.astype(jnp.float32).reshape(squares), axis=(2, 4))


def _between(
    low: Float[Array, "*shape"], high: Float[Array, "*shape"], share: Float[np.ndarray, "..."]
) -> Float[Array, "*shape"]:
    return low + (high - low) * share


def _neighbors(
    size: int, side: int, centers: bool
) -> tuple[Int[np.ndarray, "{side}"], Int[np.ndarray, "{side}"], Float32[np.ndarray, "{side}"]]:
    """The two pixels that each one of the result lies between, and the share of the second.

    In float32, as the references do it: a position that should be whole may come out just below.
    """
    scale = np.float32(size / side)
    index = np.arange(side, dtype=np.float32)
    half = np.float32(0.5)
    position = (index + half) * scale - half if centers else index * scale
    position = np.maximum(position, np.float32(0))
    low = np.minimum(position.astype(np.int32), size - 1)
    return low, np.minimum(low + 1, size - 1), position - low.astype(np.float32)
