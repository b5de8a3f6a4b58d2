"""ADA's geometry: where each pixel of an augmented image comes from, and how it is fetched.

Places are (x, y, 1), to the right and down in pixels from the middle of the image. A transformation
is the matrix that takes a place in the augmented image to its place in the image, so that the one
that happens first stands leftmost in a product.

References:
    Karras et al., Training Generative Adversarial Networks with Limited Data, 2020, appendix B.
    The ranges are those of the published code, as is the order of the matrices.
"""

from __future__ import annotations

import functools

import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

from jaxgan.objectives.gan.ada_draws import Draws
from jaxgan.objectives.gan.wavelets import SYM6
from jaxgan.typing import Pixels

Matrix = Float[Array, "3 3"]
_FILTER = np.array(SYM6) / np.sum(SYM6)
_ZEROS = 2
"""Zeros around the magnified image: where all that is read outside may be read."""


def blit(draws: Draws, strength: Array, height: int, width: int) -> Matrix:
    """What moves pixels and makes none: a mirror, quarter turns, a shift by whole pixels.

    Each happens with probability ``strength``, and is then uniform: the mirror is a fair coin, the
    turns are one of four, the shift is up to an eighth of height and width.

    Args:
        draws: of one image.
        strength: probability.
        height: of the image.
        width: of the image.
    """
    uniforms = draws.uniforms
    flip = draws.gated("flip", strength, jnp.floor(2 * uniforms["flip"]), 0.0)
    turns = draws.gated("turn", strength, jnp.floor(4 * uniforms["turn"]), 0.0)
    across, down = (
        draws.gated(
            "shift", strength, jnp.round((2 * uniforms[f"shift {axis}"] - 1) / 8 * length), 0.0
        )
        for axis, length in (("x", width), ("y", height))
    )
    # Cosines and sines of quarter turns are whole numbers.
    turn = jnp.round(_rotation(jnp.pi / 2 * turns))
    return product(_scaling(1 - 2 * flip, 1.0), turn, _shift(-across, -down))


def geometry(draws: Draws, strength: Array, height: int, width: int) -> Matrix:
    """A scale, a rotation, a stretch, another rotation and a shift, none of them by whole pixels.

    Scale and stretch are 2 to the power of N(0, 0.2), the stretch divides one axis by what it
    multiplies the other with; rotations are uniform in all directions; the shift is N(0, 1/8) of
    height and width. Each happens with probability p = ``strength``, but for the rotations, of
    which either happens with probability 1 - sqrt(1 - p), so that one of them does with p.

    Args:
        draws: of one image.
        strength: probability.
        height: of the image.
        width: of the image.
    """
    normals = draws.normals
    scale = draws.gated("scale", strength, jnp.exp2(0.2 * normals["scale"]), 1.0)
    stretch = draws.gated("stretch", strength, jnp.exp2(0.2 * normals["stretch"]), 1.0)
    either = 1 - jnp.sqrt(jnp.clip(1 - strength, 0.0, 1.0))
    first, last = (
        draws.gated(name, either, jnp.pi * (2 * draws.uniforms[name] - 1), 0.0)
        for name in ("first rotation", "last rotation")
    )
    across, down = (
        draws.gated("fraction", strength, normals[f"fraction {axis}"] / 8 * length, 0.0)
        for axis, length in (("x", width), ("y", height))
    )
    return product(
        _scaling(1 / scale, 1 / scale),
        _rotation(first),
        _scaling(1 / stretch, stretch),
        _rotation(last),
        _shift(-across, -down),
    )


def warped(images: Pixels, sources: Float[Array, "batch 3 3"]) -> Pixels:
    """Images with their pixels moved, smoothly: without aliasing, and differentiable.

    An image is continued by reflection, magnified by two through the filter of sym6, sampled
    bilinearly where the matrix says, and reduced again through the same filter. What lies beyond
    its reflections is 0. An image whose matrix is the identity is left as it is, exactly.

    The published code continues images as far as the whole batch needs, and no further than their
    own size. Here it is their own size always: shapes are known before any draw, and what becomes
    of an image depends on no other.

    Args:
        images: (batch, height, width, channels).
        sources: from places in augmented images to places in images.
    """
    height, width = images.shape[1:3]
    rows, columns = _magnifier(height), _magnifier(width)
    large = jnp.einsum("ih,bhwc,jw->bijc", rows, images, columns, precision="highest")
    # The filters lie half a fine sample off the middles of pixels.
    finer = product(
        _shift(-0.5, -0.5), _scaling(2.0, 2.0), sources, _scaling(0.5, 0.5), _shift(0.5, 0.5)
    )
    places = jnp.einsum("bij,hwj->bhwi", finer[:, :2], _places(height, width), precision="highest")
    sampled = _sampled(large, places)
    moved = jnp.einsum(
        "ih,bhwc,jw->bijc", _reducer(height), sampled, _reducer(width), precision="highest"
    )
    still = jnp.all(sources == jnp.eye(3), axis=(1, 2))
    return jnp.where(still[:, None, None, None], images, moved)


def product(*matrices: Float[Array, "... 3 3"]) -> Float[Array, "... 3 3"]:
    """The matrices one after the other, exactly where they hold whole numbers."""
    return functools.reduce(functools.partial(jnp.matmul, precision="highest"), matrices)


def _scaling(x: float | Array, y: float | Array) -> Matrix:
    return jnp.diag(jnp.stack([jnp.asarray(x), jnp.asarray(y), jnp.ones(())]))


def _rotation(angle: Array) -> Matrix:
    cos, sin, one, zero = jnp.cos(angle), jnp.sin(angle), jnp.ones(()), jnp.zeros(())
    return jnp.stack([cos, -sin, zero, sin, cos, zero, zero, zero, one]).reshape(3, 3)


def _shift(x: float | Array, y: float | Array) -> Matrix:
    return jnp.eye(3).at[0, 2].set(x).at[1, 2].set(y)


@functools.cache
def _magnifier(length: int) -> np.ndarray:
    """(2 (3 length - 2), length): continues a row by reflection, and doubles its samples."""
    padded = np.pad(np.eye(length), [(length - 1, length - 1), (0, 0)], mode="reflect")
    count = len(padded)
    spread = np.zeros((2 * count, count))
    for sample in range(2 * count):
        for source in range(count):
            tap = 5 + sample - 2 * source
            if 0 <= tap < len(_FILTER):
                spread[sample, source] = 2 * _FILTER[tap]
    return (spread @ padded).astype(np.float32)


@functools.cache
def _reducer(length: int) -> np.ndarray:
    """(length, 2 length + 10): every second sample of what the filter makes of a finer row."""
    found = np.zeros((length, 2 * length + len(_FILTER) - 2))
    for place in range(length):
        found[place, 2 * place : 2 * place + len(_FILTER)] = _FILTER
    return found.astype(np.float32)


@functools.cache
def _places(height: int, width: int) -> np.ndarray:
    """Of the samples that `_reducer` reads: (rows, columns, 3), from the middle, in half pixels."""
    down, across = (
        np.arange(count) - (count - 1) / 2
        for count in (_reducer(height).shape[1], _reducer(width).shape[1])
    )
    grid = np.stack(np.broadcast_arrays(across, down[:, None], 1.0), axis=-1)
    return grid.astype(np.float32)


def _sampled(
    images: Float[Array, "batch height width channels"],
    places: Float[Array, "batch rows columns 2"],
) -> Float[Array, "batch rows columns channels"]:
    """Bilinear samples at (x, y) from the middle; zeros lie around an image."""
    height, width, channels = images.shape[1:]
    around = [(0, 0), (_ZEROS, _ZEROS), (_ZEROS, _ZEROS), (0, 0)]
    framed = jnp.pad(images, around)
    last = jnp.array([width, height]) + 2 * (_ZEROS - 1)
    exact = places + (jnp.array([width, height]) - 1) / 2 + _ZEROS
    corner = jnp.floor(exact)
    along = exact - corner
    # Far outside, a window of zeros is as good as any other.
    start = jnp.clip(corner, 0, last).astype(jnp.int32)[..., ::-1]
    windows = lax.gather(
        framed,
        start,
        lax.GatherDimensionNumbers(
            offset_dims=(3, 4, 5),
            collapsed_slice_dims=(),
            start_index_map=(1, 2),
            operand_batching_dims=(0,),
            start_indices_batching_dims=(0,),
        ),
        (1, 2, 2, channels),
        mode=lax.GatherScatterMode.PROMISE_IN_BOUNDS,
    )
    right, down = along[..., :1], along[..., 1:]
    above, below = (w[..., 0, :] * (1 - right) + w[..., 1, :] * right for w in _halves(windows))
    return above * (1 - down) + below * down


def _halves(windows: Array) -> tuple[Array, Array]:
    return windows[..., 0, :, :], windows[..., 1, :, :]
