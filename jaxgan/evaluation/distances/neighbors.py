"""Nearest training images of samples: the plain look for memorization."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Num


class Neighbors(NamedTuple):
    """The nearest first, along the last axis."""

    indices: Int[Array, "m k"]
    distances: Float[Array, "m k"]


def nearest_neighbors(
    samples: Num[np.ndarray | Array, "m *shape"],
    train: Num[np.ndarray | Array, "n *shape"],
    *,
    k: int = 1,
    block: int = 1024,
) -> Neighbors:
    """The ``k`` training images nearest to each sample, by Euclidean distance of pixels.

    May be called under ``jax.jit``, with ``k`` and ``block`` static. Memory grows with
    ``m * block`` and ``m * k * pixels``, not with ``m * n``.

    Args:
        samples: images. Those of 8 bits count as values in [0, 1], floats as they are.
        train: images of the same shape.
        k: how many neighbors.
        block: training images that are compared at a time.

    Returns:
        Indices into ``train`` and distances, ``(m, k)`` each, the nearest first. Candidates are
        found through a matrix product in float32; their distances, and the order among the ``k``,
        are then computed from the differences, so that the distance to a copy is exactly zero.

    Raises:
        ValueError: ``train`` has fewer than ``k`` images; ``k`` or ``block`` is not positive; or
            only one of the two sets is of 8 bits, so that their scales differ.
    """
    if (samples.dtype == np.uint8) != (train.dtype == np.uint8):
        raise ValueError(
            f"samples are {samples.dtype} and training images {train.dtype}: "
            "pixel distances need both as uint8 or both as floats of one scale"
        )
    if not 1 <= k <= len(train):
        raise ValueError(f"asked for {k} neighbors among {len(train)} training images")
    if block < 1:
        raise ValueError(f"block must be positive, got {block}")
    size = min(max(block, k), len(train))
    return _nearest(jnp.asarray(samples), jnp.asarray(train), k, size)


@partial(jax.jit, static_argnums=(2, 3))
def _nearest(
    samples: Num[Array, "m *shape"], train: Num[Array, "n *shape"], k: int, block: int
) -> Neighbors:
    count = train.shape[0]
    queries = _rows(samples)
    # About their mean, images have small norms, and the expansion below cancels less.
    center = queries.mean(axis=0)
    queries_centered = queries - center

    flat = train.reshape(count, -1)
    blocks = -(-count // block)
    padded = jnp.pad(flat, ((0, blocks * block - count), (0, 0))).reshape(blocks, block, -1)

    def visit(
        best: tuple[Array, Array], part: tuple[Array, Array]
    ) -> tuple[tuple[Array, Array], None]:
        images, start = part
        candidates = _rows(images) - center
        products = jnp.matmul(queries_centered, candidates.T, precision=jax.lax.Precision.HIGHEST)
        # |q - c|^2 without |q|^2, which does not change the order.
        scores = 2 * products - jnp.square(candidates).sum(axis=1)
        indices = start + jnp.arange(block)
        scores = jnp.where(indices < count, scores, -jnp.inf)
        all_scores = jnp.concatenate([best[0], scores], axis=1)
        all_indices = jnp.concatenate([best[1], jnp.broadcast_to(indices, scores.shape)], axis=1)
        top, positions = jax.lax.top_k(all_scores, k)
        return (top, jnp.take_along_axis(all_indices, positions, axis=1)), None

    nothing = (
        jnp.full((len(queries), k), -jnp.inf),
        jnp.zeros((len(queries), k), jnp.int32),
    )
    starts = jnp.arange(blocks) * block
    (_, indices), _ = jax.lax.scan(visit, nothing, (padded, starts))

    differences = queries[:, None, :] - _rows(flat[indices.reshape(-1)]).reshape(
        len(queries), k, -1
    )
    distances = jnp.sqrt(jnp.square(differences).sum(axis=-1))
    if train.dtype == jnp.uint8:
        # Scaled last: whole numbers subtract exactly.
        distances = distances / 255.0
    order = jnp.argsort(distances, axis=1, stable=True)
    return Neighbors(
        jnp.take_along_axis(indices, order, axis=1), jnp.take_along_axis(distances, order, axis=1)
    )


def _rows(images: Num[Array, "n *shape"]) -> Float[Array, "n pixels"]:
    """One row of float32 an image."""
    return images.reshape(images.shape[0], -1).astype(jnp.float32)
