"""Images of triangles as JAX functions of their corners, exact and with exact derivatives.

The triangles are those of `jaxgan.data.sources.triangles`. The area of a pixel that a triangle
covers is a continuous function of the corners, and smooth but for where an edge runs along a border
between pixels: it can be differentiated without any blurring.
"""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

SIZE = 28
"""Height and width of an image in pixels."""

MIN_AREA = 24.0
"""Area of the smallest triangle of the manifold, in pixels."""

_PRECISION = jax.lax.Precision.HIGHEST

# Rises and runs of edges below this are taken for this, in pixels.
_TINY = 1e-6


HALF = np.array([[0.0, 0.0], [SIZE, 0.0], [0.0, SIZE]], np.float32)
"""Half of the image, in case nothing better is at hand."""


@jax.custom_jvp
def coverage(corners: Float[Array, "3 2"]) -> Float[Array, "28 28"]:
    """The part of each pixel that a triangle covers, exactly but for rounding.

    Between two vertical lines, the mean of ``clip(y - j, 0, 1)`` along an edge is the part of pixel
    ``j`` that lies above it; its integral over all edges, with the sign of their direction, is what
    lies between them. Its derivative is `coverage_derivative`'s.

    Args:
        corners: x and y in pixels, from 0 to 28, in either direction of turning.
    """
    lines = jnp.arange(SIZE + 1.0)
    start, end = corners, jnp.roll(corners, -1, axis=0)
    (x0, y0), (run, rise) = start.T[..., None], (end - start).T[..., None]
    # Crossings of the vertical lines, as shares of an edge: (edge, line).
    along = jnp.clip((lines - x0) / _not_zero(run), 0.0, 1.0)
    widths = jnp.diff(jnp.clip(lines, jnp.minimum(x0, x0 + run), jnp.maximum(x0, x0 + run)))
    y = (y0 + along * rise)[:, None, :] - lines[:-1, None]
    one, two = y[..., :-1], y[..., 1:]
    low, high = jnp.minimum(one, two), jnp.maximum(one, two)
    a, b = jnp.clip(low, 0.0, 1.0), jnp.clip(high, 0.0, 1.0)
    # Split into what crosses the pixel and what lies beyond it, where no digits cancel.
    beyond = jnp.maximum(high, 1.0) - jnp.maximum(low, 1.0)
    crossing = (b - a) * (a + b) / 2
    length = high - low
    mean = jnp.where(length > 1e-5, (crossing + beyond) / jnp.maximum(length, 1e-5), (a + b) / 2)
    signed = jnp.sum(jnp.sign(run)[..., None] * widths[:, None, :] * mean, axis=0)
    return jnp.clip(jnp.abs(signed), 0.0, 1.0)


def coverage_derivative(corners: Float[Array, "3 2"]) -> Float[Array, "3 2 28 28"]:
    """Derivative of `coverage` with respect to each coordinate of each corner.

    When an edge moves, a pixel gains the area that the edge's part in it sweeps. So the derivative
    with respect to one end is the edge's outward normal, times the integral over that part of how
    much each of its points moves with the end: from 1 at the end itself to 0 at the other.
    """
    start, end = corners, jnp.roll(corners, -1, axis=0)
    step = end - start
    pixels = jnp.arange(float(SIZE))
    # Shares of an edge between which it lies in a column and in a row: (edge, axis, pixel).
    first = (pixels - start[..., None]) / _not_zero(step[..., None])
    last = (pixels + 1.0 - start[..., None]) / _not_zero(step[..., None])
    enter, leave = jnp.minimum(first, last), jnp.maximum(first, last)
    s0 = jnp.clip(jnp.maximum(enter[:, 1, :, None], enter[:, 0, None, :]), 0.0, 1.0)
    s1 = jnp.clip(jnp.minimum(leave[:, 1, :, None], leave[:, 0, None, :]), 0.0, 1.0)
    length = jnp.maximum(s1 - s0, 0.0)
    to_end = length * (s0 + s1) / 2
    to_start = length - to_end
    normal = jnp.sign(signed_area(corners)) * jnp.stack([step[:, 1], -step[:, 0]], axis=-1)
    normal = normal[:, :, None, None]
    # The end of an edge is the start of the next.
    return to_start[:, None] * normal + jnp.roll(to_end[:, None] * normal, 1, axis=0)


@coverage.defjvp
def _coverage_jvp(primals, tangents):
    (corners,), (moved,) = primals, tangents
    tangent = jnp.einsum("kdyx,kd->yx", coverage_derivative(corners), moved, precision=_PRECISION)
    return coverage(corners), tangent


@jax.jit
def draw(corners: Float[Array, "n 3 2"]) -> Float[Array, "n 28 28"]:
    """`coverage` of many triangles."""
    return jax.vmap(coverage)(corners)


@partial(jax.jit, static_argnums=1)
def random_triangles(key: Array, count: int) -> Float[Array, "count 3 2"]:
    """Triangles of the manifold with corners uniform on the image."""
    draws = jax.random.uniform(key, (count, 12, 3, 2), maxval=float(SIZE))
    # Seven in ten are large enough; in the unlikely case that of twelve none is, half the image.
    draws = jnp.concatenate([draws, jnp.broadcast_to(HALF, (count, 1, 3, 2))], axis=1)
    large = jnp.abs(signed_area(draws)) >= MIN_AREA
    return draws[jnp.arange(count), jnp.argmax(large, axis=1)]


def project(corners: Float[Array, "3 2"]) -> tuple[Float[Array, "3 2"], Bool[Array, ""]]:
    """A triangle nearby with its corners in the image, and whether it is of the manifold.

    One that is too small is blown up about its centroid; in a corner of the image there may be no
    room for that.
    """
    corners = jnp.clip(corners, 0.0, float(SIZE))
    area = jnp.abs(signed_area(corners))
    center = jnp.mean(corners, axis=0)
    scale = jnp.sqrt(jnp.maximum(MIN_AREA / jnp.maximum(area, 1e-3), 1.0))
    grown = jnp.clip(center + scale * (corners - center), 0.0, float(SIZE))
    # Rounding takes a few millionths of the area away.
    return grown, jnp.abs(signed_area(grown)) >= MIN_AREA * (1 - 1e-5)


def signed_area(corners: Float[Array | np.ndarray, "*b 3 2"]) -> Float[Array | np.ndarray, "*b"]:
    """Areas of triangles in pixels, positive if they turn from the x axis to the y axis."""
    one, two = corners[..., 1, :] - corners[..., 0, :], corners[..., 2, :] - corners[..., 0, :]
    return (one[..., 0] * two[..., 1] - one[..., 1] * two[..., 0]) / 2


def _not_zero(values: Float[Array, "*b"]) -> Float[Array, "*b"]:
    return jnp.where(jnp.abs(values) < _TINY, _TINY, values)
