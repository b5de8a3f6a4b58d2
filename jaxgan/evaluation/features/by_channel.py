"""A classifier of gray images, applied to each channel of images that have several."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Num

from jaxgan.evaluation.features.backbone import Backbone, Images2Rows, Outputs

EACH = "each"
"""What `jaxgan.evaluation.protocol.Protocol` calls this treatment of channels."""


def by_channel(backbone: Backbone, channels: int) -> Backbone:
    """What is known of a stack of gray images: see `jaxgan.data.sources.stacked`.

    Features are those of the channels one after the other. Channels are judged independently, so
    the score of a combination of classes is the sum of its channels' log probabilities; there are
    as many as classes to the power of channels, and the last channel's class changes fastest.

    Args:
        backbone: a classifier of gray images.
        channels: how many there are.
    """
    assert backbone.both is not None
    assert backbone.image_shape is not None

    def features(images: Num[Array | np.ndarray, "batch h w c"]) -> Float[Array, "batch d"]:
        return _rows(backbone.features(_apart(images)), channels)

    def both(images: Num[Array | np.ndarray, "batch h w c"]) -> Outputs:
        assert backbone.both is not None
        found = backbone.both(_apart(images))
        return Outputs(_rows(found.features, channels), _combined(found.logits, channels))

    logits: Images2Rows = lambda images: both(images).logits  # noqa: E731
    return backbone._replace(
        features=features,
        logits=logits,
        both=both,
        image_shape=(*backbone.image_shape[:2], channels),
        dimension=backbone.dimension * channels,
        channels=EACH,
    )


@jax.jit
def _apart(images: Num[Array | np.ndarray, "batch h w c"]) -> Num[Array, "rows h w 1"]:
    """All channels as images of their own, those of one image next to one another."""
    apart = jnp.moveaxis(images, -1, 1)
    return apart.reshape(math.prod(apart.shape[:2]), *apart.shape[2:], 1)


def _rows(found: Any, channels: int) -> Any:
    return found.reshape(len(found) // channels, -1)


@partial(jax.jit, static_argnums=1)
def _combined(scores: Float[Array, "rows classes"], channels: int) -> Float[Array, "batch modes"]:
    each = jax.nn.log_softmax(scores).reshape(-1, channels, scores.shape[-1])
    combined = each[:, 0]
    for channel in range(1, channels):
        more = combined[:, :, None] + each[:, channel, None, :]
        combined = more.reshape(len(more), -1)
    return combined
