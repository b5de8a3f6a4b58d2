"""How far images are from being triangles: precision on a manifold that is known exactly.

The idea is that of "Are GANs Created Equal? A Large-Scale Study" (Lucic et al. 2018): on images
of filled triangles, the distance from a sample to the manifold of the data can be computed,
so precision needs no features and no neighbors. Recall, on the other side, is the share of test
images that a generator can make, found by inverting it (`jaxgan.evaluation.manifolds.inversion`).

**Manifold.** All 28x28 images, white on black, of triangles with corners in the image and an area
of at least `MIN_AREA` pixels (`jaxgan.data.sources.triangles`). A pixel's value is the covered part
of it.

**Distance.** Euclidean, over the 784 pixels with values from 0 to 1. The closest triangle is looked
for by Levenberg-Marquardt steps on its six coordinates, from several starts; the steps stay in the
manifold, so that what is found is the distance to a genuine triangle and can only be too large. The
renderer is exact and has an exact derivative (`jaxgan.evaluation.manifolds.triangle_images`). With
these steps and starts, distances of triangles and of noisy ones are found to a thousandth; of
images that are far away, some are up to 2 % too large.

**Threshold.** An image counts as a triangle within `THRESHOLD` = 1: it differs by as much as from
one pixel that is black instead of white. Rounding to 8 bits gives a distance of 0.01, white noise
of one hundredth of the range gives 0.28, and circles and squares are about 5 away. From a triangle
for testing to the nearest of the 60,000 for training it is 3 (median; the least of 200 is 1.3), so
that a generator of nothing but copies recalls none. Any other threshold can be given.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float32, Num

from jaxgan import rng
from jaxgan.evaluation.manifolds.inversion import to_unit
from jaxgan.evaluation.manifolds.triangle_images import (
    HALF,
    SIZE,
    coverage,
    coverage_derivative,
    draw,
    project,
    random_triangles,
)
from jaxgan.evaluation.statistics.intervals import Estimate
from jaxgan.evaluation.statistics.proportions import share

THRESHOLD = 1.0
"""Distance up to which an image counts as a triangle, or as one that a generator can make."""

STEPS_OF_ALL = 4
"""Levenberg-Marquardt steps from each start."""

STEPS = 12
"""Further steps from the best of them."""

_KEPT = 3

_PRECISION = jax.lax.Precision.HIGHEST

# Samples whose starts are refined at once.
_BLOCK = 128

# Triangles that are compared with every sample; the nearest ones are starts.
_BANK = 8192
_NEAREST = 4


class Closest(NamedTuple):
    """The closest triangles found."""

    distances: Float32[np.ndarray, " n"]
    """Euclidean, of pixels from 0 to 1."""
    corners: Float32[np.ndarray, "n 3 2"]
    """x (to the right) and y (down), in pixels."""


class Scores(NamedTuple):
    """Precision and recall on a known manifold, with 95% intervals."""

    precision: Estimate
    recall: Estimate
    f1: Estimate
    """Their harmonic mean."""


def closest(
    images: Num[np.ndarray | Array, "n 28 28 1"], *, random_starts: int = 2, seed: int = 0
) -> Closest:
    """The triangle closest to each image.

    Starts are: the triangle with the moments of the image up to the third order and the one turned
    against it, each for the image as it is and for the pixels that are more white than black; the
    four nearest of 8,192 random triangles; and random ones.

    Args:
        images: uint8, or floats from 0 to 1.
        random_starts: how many random starts each image has, besides the other eight.
        seed: of everything random.

    Raises:
        ValueError: there is no image, or a pixel is not finite.
    """
    if len(images) == 0:
        raise ValueError("distances to the closest triangle: there are no images")
    pixels = to_unit(images)[..., 0]
    bank_key, start_key = (rng.role_key(rng.base_key(seed), role) for role in ("bank", "starts"))
    bank = random_triangles(bank_key, _BANK)
    drawn = draw(bank)
    found = []
    size = min(_BLOCK, len(pixels))
    for start in range(0, len(pixels), size):
        part = pixels[start : start + size]
        # The last one is filled up: one shape, hence one compilation.
        block = jnp.asarray(np.pad(part, ((0, size - len(part)), (0, 0), (0, 0))))
        key = jax.random.fold_in(start_key, start)
        squared, corners = _fit(block, bank, drawn, key, random_starts)
        found.append((np.sqrt(squared)[: len(part)], np.asarray(corners)[: len(part)]))
    return Closest(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def share_within(
    distances: Float[np.ndarray, " n"], threshold: float = THRESHOLD, confidence: float = 0.95
) -> Estimate:
    """The share of distances up to the threshold, with Wilson's interval over drawing samples.

    Precision if the distances are those of samples to the closest triangle (`closest`); recall if
    they are those of test images to the closest image that a generator can make.

    Raises:
        ValueError: there are no distances, one is NaN, or a number is out of range.
    """
    if threshold <= 0:
        raise ValueError(f"the threshold of distances must be positive, got {threshold}")
    if np.isnan(distances).any():
        raise ValueError("distances must be numbers, some are NaN")
    return share(np.asarray(distances) <= threshold, confidence)


def scores(
    sample_distances: Float[np.ndarray, " n"],
    test_distances: Float[np.ndarray, " m"],
    threshold: float = THRESHOLD,
) -> Scores:
    """Precision, recall and F1 at one threshold.

    F1 grows with both of its parts. Its interval goes from the F1 of the lower ends to that of the
    upper ends of two intervals that hold together with 95% probability (each with its root); it is
    wider than need be. All cover the drawing of samples and of test images, not training seeds.

    Args:
        sample_distances: of generated samples to the closest triangle (`closest`).
        test_distances: of test images to the closest image of the generator
            (`jaxgan.evaluation.manifolds.inversion.invert`).
        threshold: the same for both.

    Raises:
        ValueError: as `share_within`.
    """
    parts = [share_within(d, threshold, 0.95**0.5) for d in (sample_distances, test_distances)]
    f1 = Estimate(*(_harmonic(p, r) for p, r in zip(*parts, strict=True)))
    precision, recall = (share_within(d, threshold) for d in (sample_distances, test_distances))
    return Scores(precision, recall, f1)


@partial(jax.jit, static_argnums=4)
def _fit(
    images: Float[Array, "n 28 28"],
    bank: Float[Array, "bank 3 2"],
    drawn: Float[Array, "bank 28 28"],
    key: Array,
    random_starts: int,
) -> tuple[Float[Array, " n"], Float[Array, "n 3 2"]]:
    """Squared distances and corners of the best triangles."""
    count = len(images)
    products = jnp.einsum("nyx,byx->nb", images, drawn, precision=_PRECISION)
    _, nearest = jax.lax.top_k(2 * products - jnp.sum(drawn**2, axis=(1, 2)), _NEAREST)
    starts = [
        jax.vmap(_moment_starts)(images),
        jax.vmap(_moment_starts)((images > 0.5).astype(images.dtype)),
        bank[nearest],
        random_triangles(key, count * random_starts).reshape(count, random_starts, 3, 2),
    ]
    begun = jax.vmap(jax.vmap(_Fit.start, (None, 0)))(images, jnp.concatenate(starts, axis=1))
    fits = _refine(images, begun, STEPS_OF_ALL)
    # Most starts are hopeless by now, and many are the same.
    order = jnp.argsort(fits.squared, axis=1)[:, :_KEPT]
    kept = jax.tree.map(lambda leaf: jax.vmap(lambda v, i: v[i])(leaf, order), fits)
    fits = _refine(images, kept, STEPS)
    best = jnp.argmin(fits.squared, axis=1)
    rows = jnp.arange(count)
    return fits.squared[rows, best], fits.corners[rows, best]


class _Fit(NamedTuple):
    """A triangle on its way to an image."""

    corners: Float[Array, "*b 3 2"]
    residual: Float[Array, "*b 28 28"]
    squared: Float[Array, "*b"]
    damping: Float[Array, "*b"]

    @staticmethod
    def start(image: Float[Array, "28 28"], corners: Float[Array, "3 2"]) -> _Fit:
        """At some corners, or near them if they make no triangle of the manifold."""
        near, inside = project(corners)
        near = jnp.where(inside, near, HALF)
        residual = coverage(near) - image
        return _Fit(near, residual, jnp.sum(residual**2), jnp.ones(()))


def _refine(images: Float[Array, "n 28 28"], fits: _Fit, steps: int) -> _Fit:
    step = jax.vmap(jax.vmap(_step, (None, 0)))
    return jax.lax.scan(lambda fit, _: (step(images, fit), None), fits, length=steps)[0]


def _step(image: Float[Array, "28 28"], fit: _Fit) -> _Fit:
    """A Levenberg-Marquardt step, kept if it leads closer.

    Coordinates at the image's border that would leave it stay (their columns are dropped).
    """
    corners = fit.corners.reshape(6)
    slopes = coverage_derivative(fit.corners).reshape(6, SIZE * SIZE)
    gradient = jnp.einsum("ip,p->i", slopes, fit.residual.reshape(-1), precision=_PRECISION)
    outward = ((corners <= 0) & (gradient > 0)) | ((corners >= SIZE) & (gradient < 0))
    free = jnp.where(outward, 0.0, 1.0)
    curvature = jnp.einsum("ip,jp->ij", slopes, slopes, precision=_PRECISION)
    curvature = curvature * free[:, None] * free + fit.damping * jnp.eye(6)
    move = jnp.linalg.solve(curvature, gradient * free)
    moved, inside = project((corners - move).reshape(3, 2))
    residual = coverage(moved) - image
    squared = jnp.sum(residual**2)
    better = inside & (squared < fit.squared)
    damping = jnp.clip(jnp.where(better, 0.3, 4.0) * fit.damping, 1e-4, 1e6)
    return _Fit(
        jnp.where(better, moved, fit.corners),
        jnp.where(better, residual, fit.residual),
        jnp.where(better, squared, fit.squared),
        damping,
    )


def _moment_starts(weights: Float[Array, "28 28"]) -> Float[Array, "2 3 2"]:
    """The triangle whose moments up to the third order are the image's, and the opposite one.

    Every triangle is the image of an equilateral one under an affine map. With mean and covariance
    removed only a rotation is left, and the third moment of ``u + iv`` turns three times as fast.
    An equilateral triangle of covariance 1 has corners at ``sqrt(8)`` from its centroid.
    """
    y, x = jnp.meshgrid(*[jnp.arange(SIZE) + 0.5] * 2, indexing="ij")
    points = jnp.stack([x, y], axis=-1).reshape(-1, 2)
    shares = weights.reshape(-1) / jnp.maximum(jnp.sum(weights), 1e-6)
    mean = shares @ points
    centered = points - mean
    # All of a pixel lies at its middle here, which takes a twelfth from each variance.
    covariance = (shares[:, None] * centered).T @ centered + jnp.eye(2) / 12
    root_det = jnp.sqrt(jnp.maximum(jnp.linalg.det(covariance), 1e-6))
    # The square root of a symmetric 2x2 matrix (Cayley-Hamilton).
    root = (covariance + root_det * jnp.eye(2)) / jnp.sqrt(jnp.trace(covariance) + 2 * root_det)
    white = jnp.linalg.solve(root, centered.T)
    u, v = white
    third = jnp.sum(shares * (u**3 - 3 * u * v**2)), jnp.sum(shares * (3 * u**2 * v - v**3))
    turn = jnp.arctan2(third[1], third[0]) / 3
    angles = turn + jnp.arange(3) * (2 * np.pi / 3) + jnp.array([[0.0], [np.pi / 3]])
    circle = jnp.stack([jnp.cos(angles), jnp.sin(angles)], axis=-1)
    return mean + np.sqrt(8.0) * circle @ root


def _harmonic(a: float, b: float) -> float:
    return 2 * a * b / (a + b) if a + b > 0 else 0.0
