"""Features of many images, on all devices, through a backbone that compiles once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Float32, Num

from jaxgan.evaluation.features.backbone import Backbone
from jaxgan.machine.devices import shared


class Extracted(NamedTuple):
    """Features of a set of images."""

    features: Float32[np.ndarray, "n d"]
    logits: Float32[np.ndarray, "n classes"] | None
    """Class scores, where they were asked for."""
    images: Num[np.ndarray, "n h w c"]
    """The images themselves, on the host."""

    @property
    def quantized(self) -> bool:
        """Whether the images are of 8 bits."""
        return self.images.dtype == np.uint8


def extract(
    backbone: Backbone,
    batches: Iterable[Num[np.ndarray | jax.Array, "_batch h w c"]],
    *,
    which: str = "given",
    size: int | None = None,
    logits: bool = False,
) -> Extracted:
    """Features of images that arrive in batches of any size.

    The backbone sees batches of one size only, shared by the devices of this process: the last is
    padded, and the padding's features are dropped.

    Args:
        backbone: gives the features.
        batches: images, all uint8 or (points) all float32.
        which: what error messages call them.
        size: images a call of the backbone, rounded up to a multiple of the devices; None: as many
            as the backbone says.
        logits: whether class scores are wanted as well.

    Raises:
        ValueError: there are no images, they do not have the shape that the backbone reads, or they
            are of another type; or the backbone gives no class scores.
    """
    if logits and backbone.logits is None:
        raise ValueError(f"backbone {backbone.name} gives no class scores: take a classifier")
    devices = len(jax.local_devices())
    size = -(-(size or backbone.batch) // devices) * devices
    images, features, scores = [], [], []
    for batch in _regrouped(_checked(batches, backbone, which), size):
        images.append(batch)
        missing = [(0, size - len(batch))] + [(0, 0)] * (batch.ndim - 1)
        padded = shared(np.pad(batch, missing))
        found, classes = _outputs(backbone, padded, logits)
        features.append(np.asarray(found, np.float32)[: len(batch)])
        if classes is not None:
            scores.append(np.asarray(classes, np.float32)[: len(batch)])
    if not features:
        raise ValueError(f"there are no {which} images to take features of")
    return Extracted(
        np.concatenate(features), np.concatenate(scores) if scores else None, np.concatenate(images)
    )


def _outputs(
    backbone: Backbone, images: Num[jax.Array, "batch h w c"], logits: bool
) -> tuple[Any, Any | None]:
    """Features, and class scores if they are wanted."""
    if logits and backbone.both is not None:
        return backbone.both(images)
    scores = backbone.logits(images) if logits and backbone.logits is not None else None
    return backbone.features(images), scores


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
