"""What ADA's transformations are drawn from: standard numbers, one set an image.

Drawing is kept apart from what the numbers mean, so that a transformation is a function of them,
which can be held to numbers that were not drawn.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

from jaxgan import rng
from jaxgan.typing import PRNGKey

GATES = (
    "flip", "turn", "shift",
    "scale", "first rotation", "stretch", "last rotation", "fraction",
    "brightness", "contrast", "luma", "hue", "saturation",
    "band 0", "band 1", "band 2", "band 3", "noise", "cutout",
)  # fmt: skip
"""Whether an image is transformed so."""
UNIFORMS = (
    "flip", "turn", "shift x", "shift y", "first rotation", "last rotation", "luma", "hue",
    "cutout x", "cutout y",
)  # fmt: skip
"""How, where that is uniform."""
NORMALS = (
    "scale", "stretch", "fraction x", "fraction y", "brightness", "contrast", "saturation",
    "band 0", "band 1", "band 2", "band 3", "noise",
)  # fmt: skip
"""How, where that is normal."""


class Draws(NamedTuple):
    """Numbers of one image, by name; with a leading axis, of a batch.

    Attributes:
        gates: of U(0, 1): a transformation of probability q happens where its own is below q.
        uniforms: of U(0, 1).
        normals: of N(0, 1).
    """

    gates: dict[str, Float[Array, "*batch"]]
    uniforms: dict[str, Float[Array, "*batch"]]
    normals: dict[str, Float[Array, "*batch"]]

    def gated(self, name: str, strength: Array, value: Array, still: float) -> Array:
        """A transformation's number where it happens, and elsewhere the one that changes nothing.

        Args:
            name: of the gate.
            strength: its probability; 1 and more is always.
            value: where it happens.
            still: where it does not.
        """
        return jnp.where(self.gates[name] < strength, value, still)


def draw(key: PRNGKey) -> Draws:
    """The numbers of one image.

    All are drawn, whichever are used: a part switched off leaves those of the others as they are.
    """
    count = len(GATES) + len(UNIFORMS) + len(NORMALS)
    # Of U(-1, 1), open at both ends, all in one call: one call compiles in half a second.
    low = float(np.nextafter(np.float32(-1), np.float32(0)))
    numbers = jax.random.uniform(rng.role_key(key, "numbers"), (count,), minval=low)
    normals = np.sqrt(2, dtype=np.float32) * lax.erf_inv(numbers[-len(NORMALS) :])
    uniforms = (numbers + 1) / 2
    return Draws(
        dict(zip(GATES, uniforms[: len(GATES)], strict=True)),
        dict(zip(UNIFORMS, uniforms[len(GATES) : -len(NORMALS)], strict=True)),
        dict(zip(NORMALS, normals, strict=True)),
    )
