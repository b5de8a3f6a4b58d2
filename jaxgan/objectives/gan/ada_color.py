"""ADA's color: one affine map of the channels of each image.

References:
    Karras et al., Training Generative Adversarial Networks with Limited Data, 2020, appendix B.
    The ranges are those of the published code.
"""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxgan.objectives.gan.ada_draws import Draws
from jaxgan.typing import Pixels

Matrix = Float[Array, "4 4"]
_GRAY = np.outer([1, 1, 1, 0], [1, 1, 1, 0]).astype(np.float32) / 3
"""Projection of a color on the axis of grays."""
_PLANE = np.diag([1, 1, 1, 0]).astype(np.float32) - _GRAY
"""Projection of a color on what is left of it without its gray."""
# Turns a color by a right angle about the axis of grays, and drops its gray.
_QUARTER = np.zeros((4, 4), np.float32)
_QUARTER[:3, :3] = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / np.sqrt(3)


def color(draws: Draws, strength: Array, channels: int) -> Matrix:
    """The map of a color (r, g, b, 1): brightness, contrast, luma flip, hue, saturation.

    Each happens with probability ``strength``: N(0, 0.2) is added to all channels; they are
    multiplied by 2 to the power of N(0, 0.5); by a fair coin their gray changes its sign; they are
    turned about the axis of grays by a uniform angle; their distance from it is multiplied by 2 to
    the power of N(0, 1). The last two are for three channels.

    Args:
        draws: of one image.
        strength: probability.
        channels: of the image: 1 or 3.
    """
    normals, uniforms = draws.normals, draws.uniforms
    added = draws.gated("brightness", strength, 0.2 * normals["brightness"], 0.0)
    found = jnp.eye(4).at[:3, 3].set(added)
    factor = draws.gated("contrast", strength, jnp.exp2(0.5 * normals["contrast"]), 1.0)
    found = found.at[:3].multiply(factor)
    flip = draws.gated("luma", strength, jnp.floor(2 * uniforms["luma"]), 0.0)
    found = _then(jnp.eye(4) - 2 * flip * _GRAY, found)
    if channels == 3:
        angle = draws.gated("hue", strength, jnp.pi * (2 * uniforms["hue"] - 1), 0.0)
        turn = jnp.eye(4) + (jnp.cos(angle) - 1) * _PLANE + jnp.sin(angle) * _QUARTER
        pure = draws.gated("saturation", strength, jnp.exp2(normals["saturation"]), 1.0)
        found = _then(jnp.eye(4) + (pure - 1) * _PLANE, _then(turn, found))
    return found


def colored(images: Pixels, maps: Float[Array, "batch 4 4"]) -> Pixels:
    """Images with their colors mapped; of gray ones, what the map does to grays.

    Args:
        images: (batch, height, width, 1 or 3).
        maps: as `color` gives them.
    """
    if images.shape[-1] == 1:
        # Grays are mapped to grays: the rows differ by rounding alone.
        factor = jnp.sum(maps[:, :3, :3], axis=(1, 2)) / 3
        added = jnp.sum(maps[:, :3, 3], axis=1) / 3
        return images * factor[:, None, None, None] + added[:, None, None, None]
    turned = jnp.einsum("bij,bhwj->bhwi", maps[:, :3, :3], images, precision="highest")
    return turned + maps[:, None, None, :3, 3]


def _then(after: Matrix, before: Matrix) -> Matrix:
    return jnp.matmul(after, before, precision="highest")
