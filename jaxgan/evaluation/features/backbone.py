"""What a backbone is: a frozen feature extractor, with all that its numbers depend on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from flax import traverse_util
from jaxtyping import Array, Float, Num

from jaxgan.typing import ImageShape, Params

Images2Rows = Callable[[Num[Array, "batch h w c"]], Float[Array, "batch d"]]

BATCH = 500
"""Images a call of a backbone for small images."""


class Outputs(NamedTuple):
    """What a network gives for a batch of images."""

    features: Float[Array, "batch d"]
    logits: Float[Array, "batch classes"]


class Backbone(NamedTuple):
    """A frozen feature extractor: one of those of `load_backbone`, or any that fills this in."""

    name: str
    digest: str
    """First digits of the SHA-256 of its weights: a metric's number belongs to these."""
    features: Images2Rows
    """Pure, of compiled functions; images as they travel (uint8, or float32 for points)."""
    logits: Images2Rows | None
    """Class scores, for backbones that are classifiers."""
    image_shape: ImageShape | None
    """What it reads; None for anything."""
    dimension: int
    resize: str = "none"
    """Filter and size by which it resizes images itself, such as ``bilinear299x299``."""
    channels: str = "none"
    """What it does to channels: ``gray-to-rgb`` if it repeats a single one three times, ``each`` if
    it looks at every one by itself."""
    both: Callable[[Num[Array, "batch h w c"]], Outputs] | None = None
    """Features and class scores at the cost of one of them."""
    batch: int = BATCH
    """Images a call, so that what lies between the layers fits into memory."""


def weights_digest(params: Params) -> str:
    """Twelve hexadecimal digits that tell two sets of weights apart, by every bit of them."""
    flat = traverse_util.flatten_dict(params, sep="/")
    sha = hashlib.sha256()
    for name in sorted(flat):
        values = np.ascontiguousarray(flat[name], "<f4")
        sha.update(f"{name}{values.shape}".encode())
        sha.update(values.tobytes())
    return sha.hexdigest()[:12]


def network_backbone(
    network: nn.Module,
    params: Params,
    *,
    prepare: Callable[[Any], Any] = lambda images: images,
    **fields: Any,
) -> Backbone:
    """A network with its weights as a backbone.

    Making it again costs no compilation: the weights are arguments of one compiled function, which
    features and class scores share, and images of all sizes that ``prepare`` makes one of.

    Args:
        network: maps a batch of images to `Outputs`, or a pair like them.
        params: its parameters.
        prepare: what happens to the images first; compiled.
        fields: the other fields of `Backbone`.
    """
    both = partial(_outputs, network, jax.tree.map(jnp.asarray, params))
    return Backbone(
        features=lambda images: both(prepare(images)).features,
        logits=lambda images: both(prepare(images)).logits,
        both=lambda images: both(prepare(images)),
        **fields,
    )


@partial(jax.jit, static_argnums=0)
def _outputs(network: nn.Module, params: Params, images: Num[Array, "batch h w c"]) -> Outputs:
    outputs: Any = network.apply({"params": params}, images)
    return Outputs(*outputs)
