"""Features of many images, through a backbone that compiles once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float32, Num

from jaxgan.evaluation.features import Backbone

BATCH = 500
"""Images a call of the backbone: one compiled shape, and small in memory for small images."""


class Extracted(NamedTuple):
    """Features of a set of images."""

    features: Float32[np.ndarray, "n d"]
    quantized: bool
    """Whether the images were of 8 bits."""


def extract(
    backbone: Backbone,
    batches: Iterable[Num[np.ndarray | jax.Array, "_batch h w c"]],
    *,
    which: str = "given",
    size: int = BATCH,
) -> Extracted:
    """Features of images that arrive in batches of any size.

    The backbone sees batches of one size only: the last is padded, and the padding's features are
    dropped.

    Args:
        backbone: gives the features.
        batches: images, all uint8 or (points) all float32.
        which: what error messages call them.
        size: images a call of the backbone.

    Raises:
        ValueError: there are no images, they do not have the shape that the backbone reads, or they
            are of another type.
    """
    found: list[np.ndarray] = []
    dtype = np.dtype(np.uint8)
    for images in _regrouped(_checked(batches, backbone, which), size):
        dtype, count = images.dtype, len(images)
        padded = np.pad(images, [(0, size - count), (0, 0), (0, 0), (0, 0)])
        found.append(np.asarray(backbone.features(jnp.asarray(padded)), np.float32)[:count])
    if not found:
        raise ValueError(f"there are no {which} images to take features of")
    return Extracted(np.concatenate(found), dtype == np.uint8)


def _checked(
    batches: Iterable[Num[np.ndarray | jax.Array, "_batch h w c"]], backbone: Backbone, which: str
) -> Iterator[np.ndarray]:
    first: np.dtype | None = None
    for batch in batches:
        images = np.asarray(batch)
        shape, expected = images.shape[1:], backbone.image_shape
        if expected is not None and shape != tuple(expected):
            raise ValueError(
                f"backbone {backbone.name} reads images of shape {tuple(expected)}, "
                f"the {which} ones are {shape}"
            )
        first = images.dtype if first is None else first
        if images.dtype not in (np.uint8, np.float32) or images.dtype != first:
            raise ValueError(
                f"the {which} images must all be uint8, or all float32 for points; "
                f"got {images.dtype}" + ("" if images.dtype == first else f" after {first}")
            )
        yield images


def _regrouped(batches: Iterable[np.ndarray], size: int) -> Iterator[np.ndarray]:
    """The same images in batches of ``size``, the last one shorter."""
    held: list[np.ndarray] = []
    count = 0
    for batch in batches:
        rest = batch
        while count + len(rest) >= size:
            taken = size - count
            yield np.concatenate([*held, rest[:taken]])
            rest, held, count = rest[taken:], [], 0
        if len(rest):
            held.append(rest)
            count += len(rest)
    if held:
        yield np.concatenate(held)
