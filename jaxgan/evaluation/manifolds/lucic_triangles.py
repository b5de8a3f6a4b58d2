"""How far images are from the published triangles of "Are GANs Created Equal?" (Lucic et al. 2018).

The manifold has four dimensions: what `jaxgan.data.sources.lucic_triangles` draws of four numbers
from 0 to 1, black on white. It is narrower than that of all triangles
(`jaxgan.evaluation.manifolds.triangles`, whose distance and threshold these are): corners keep to
their thirds of a circle of one size.

The published images count points of a grid, 8x8 a pixel, and the distance is to the triangle with
exact areas, which has derivatives: from an image of the set it is 0.07 away instead of 0 (median of
500 for testing, 0.17 at most). Levenberg-Marquardt steps on the four numbers start from the nearest
of 4,096 random triangles; they stay within the manifold, so that what is found can only be too
large.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float32, Num

from jaxgan import rng
from jaxgan.evaluation.manifolds.inversion import to_unit
from jaxgan.evaluation.manifolds.triangle_images import SIZE, coverage, coverage_derivative

POINTS = 8
"""Points that the published images count along either side of a pixel."""
BANK = 4096
"""Triangles that are compared with every image."""
STARTS = 4
"""The nearest of them, from which steps are made."""
STEPS = 16
"""Levenberg-Marquardt steps from each start."""

_PRECISION = jax.lax.Precision.HIGHEST

# Images that are fitted at once.
_BLOCK = 64


class Closest(NamedTuple):
    """The closest triangles found."""

    distances: Float32[np.ndarray, " n"]
    """Euclidean, of pixels from 0 to 1."""
    shares: Float32[np.ndarray, "n 4"]
    """The four numbers of each."""


def closest(images: Num[np.ndarray | Array, "n 28 28 1"], *, seed: int = 0) -> Closest:
    """The triangle of the set closest to each image.

    Args:
        images: uint8, or floats from 0 to 1; black on white.
        seed: of the random triangles.

    Raises:
        ValueError: there is no image, or a pixel is not finite.
    """
    if len(images) == 0:
        raise ValueError("distances to the closest triangle: there are no images")
    key = rng.role_key(rng.base_key(seed), "bank")
    bank = jax.random.uniform(key, (BANK, 4))
    return Closest(*jax.device_get(_closest(jnp.asarray(1 - to_unit(images)[..., 0]), bank)))


def corners_of(shares: Float[Array, "4"]) -> Float[Array, "3 2"]:
    """Corners, x and y in pixels as `coverage` has them, from four numbers between 0 and 1.

    `jaxgan.data.sources.lucic_triangles.corners_of` with derivatives. A pixel of those images is
    half a point less than half a pixel further up and to the left.
    """
    degrees = 120.0 * jnp.arange(3) + 10.0 + 110.0 * shares[:3]
    x, y = (jnp.cos(jnp.radians(degrees)) + 1) / 2, (jnp.sin(jnp.radians(degrees)) + 1) / 2
    turn = jnp.radians(shares[3] * 2 * np.pi)
    rows, columns = x * jnp.cos(turn) + y * jnp.sin(turn), y * jnp.cos(turn) - x * jnp.sin(turn)
    corners = 0.75 * SIZE * jnp.stack([columns, rows], axis=-1)
    return corners + (SIZE / 2 - corners.mean(axis=0)) + (0.5 - 0.5 / POINTS)


class _Fit(NamedTuple):
    """A triangle on its way to an image."""

    shares: Float[Array, "4"]
    residual: Float[Array, "28 28"]
    squared: Float[Array, ""]
    damping: Float[Array, ""]


@jax.jit
def _closest(
    images: Float[Array, "n 28 28"], bank: Float[Array, "bank 4"]
) -> tuple[Float[Array, " n"], Float[Array, "n 4"]]:
    drawn = jax.vmap(_image)(bank)
    norms = jnp.sum(drawn**2, axis=(1, 2))

    def of_one(image: Float[Array, "28 28"]) -> tuple[Array, Array]:
        products = jnp.einsum("byx,yx->b", drawn, image, precision=_PRECISION)
        _, nearest = jax.lax.top_k(2 * products - norms, STARTS)
        fits = jax.vmap(lambda shares: _fitted(image, shares))(bank[nearest])
        best = jnp.argmin(fits.squared)
        return jnp.sqrt(fits.squared[best]), fits.shares[best]

    return jax.lax.map(of_one, images, batch_size=_BLOCK)


def _image(shares: Float[Array, "4"]) -> Float[Array, "28 28"]:
    return coverage(corners_of(shares))


def _fitted(image: Float[Array, "28 28"], shares: Float[Array, "4"]) -> _Fit:
    residual = _image(shares) - image
    fit = _Fit(shares, residual, jnp.sum(residual**2), jnp.ones(()))
    return jax.lax.fori_loop(0, STEPS, lambda _, fit: _step(image, fit), fit)


def _step(image: Float[Array, "28 28"], fit: _Fit) -> _Fit:
    """A Levenberg-Marquardt step, kept if it leads closer; what would leave [0, 1] stays."""
    moves = jax.jacfwd(corners_of)(fit.shares)
    by_corner = coverage_derivative(corners_of(fit.shares))
    slopes = jnp.einsum("cdk,cdyx->kyx", moves, by_corner, precision=_PRECISION).reshape(4, -1)
    gradient = jnp.einsum("kp,p->k", slopes, fit.residual.reshape(-1), precision=_PRECISION)
    outward = ((fit.shares <= 0) & (gradient > 0)) | ((fit.shares >= 1) & (gradient < 0))
    free = jnp.where(outward, 0.0, 1.0)
    curvature = jnp.einsum("kp,lp->kl", slopes, slopes, precision=_PRECISION)
    curvature = curvature * free[:, None] * free + fit.damping * jnp.eye(4)
    shares = jnp.clip(fit.shares - jnp.linalg.solve(curvature, gradient * free), 0.0, 1.0)
    residual = _image(shares) - image
    squared = jnp.sum(residual**2)
    better = squared < fit.squared
    damping = jnp.clip(jnp.where(better, 0.3, 4.0) * fit.damping, 1e-4, 1e6)
    return _Fit(
        jnp.where(better, shares, fit.shares),
        jnp.where(better, residual, fit.residual),
        jnp.where(better, squared, fit.squared),
        damping,
    )
