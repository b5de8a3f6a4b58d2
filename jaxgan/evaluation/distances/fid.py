"""Frechet distance between two sets of features, each taken for a Gaussian.

With Inception features this is the FID of Heusel et al. 2017 ("GANs Trained by a Two Time-Scale
Update Rule ...", equation 6). With any other features it is a different number, so its name says
which: ``fid[digits-cnn,...]`` (see `jaxgan.evaluation.protocol`).

The distance of few samples lies above that of many from the same distributions:
`jaxgan.evaluation.distances.fid_infinity` takes that away, and has an interval.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import jax
import numpy as np
from jaxtyping import Float, Float64

from jaxgan.evaluation.distances.moments import Moments, covariance

_INDEFINITE = 1e-6
"""Share of a covariance's trace that its factor may miss; a semi-definite one misses roundings."""


@dataclass(frozen=True, eq=False)
class Gaussian:
    """A Gaussian whose covariance, of any rank, is ``factor.T @ factor``."""

    mean: Float64[np.ndarray, "d"]
    factor: Float64[np.ndarray, "r d"]


def gaussian(mean: Float64[np.ndarray, "d"], cov: Float64[np.ndarray, "d d"]) -> Gaussian:
    """The Gaussian of a mean and a covariance, by Cholesky's decomposition with pivoting.

    Pivoting finds the rank, so that few samples' covariance has few rows in its factor; and it is
    ten times faster than eigenvectors.

    Raises:
        ValueError: a number is not finite, or the covariance is not positive semi-definite.
    """
    from scipy.linalg import get_lapack_funcs

    if not (np.isfinite(mean).all() and np.isfinite(cov).all()):
        raise ValueError("a Gaussian's mean and covariance must be finite")
    # By default it stops at pivots below d * epsilon * (largest variance).
    (decompose,) = get_lapack_funcs(("pstrf",), (cov,))
    lower, order, rank, _ = decompose((cov + cov.T) / 2, lower=1)
    factor = np.zeros((rank, len(mean)))
    factor[:, order - 1] = np.tril(lower)[:, :rank].T
    trace = float(np.trace(cov))
    if abs(np.vdot(factor, factor) - trace) > _INDEFINITE * abs(trace):
        raise ValueError("a Gaussian's covariance must be positive semi-definite")
    return Gaussian(mean, factor)


def gaussian_of(
    samples: Moments | Float[np.ndarray | jax.Array, "n d"],
    *,
    metric: str = "fid",
    name: str = "given",
) -> Gaussian:
    """The Gaussian with the mean and the unbiased covariance of samples.

    Up to ``d`` samples are their own factor, once they are centered: no matrix of ``d * d`` is
    needed, and nothing is lost to rounding.

    Args:
        samples: features or their moments.
        metric: what error messages call the number that this is for.
        name: what error messages call the samples.

    Raises:
        ValueError: there are fewer than two samples, or features that are not finite.
    """
    moments = isinstance(samples, Moments)
    values = np.empty((0, 0)) if moments else np.asarray(samples, np.float64)
    count = samples.count if moments else len(values)
    if count < 2:
        raise ValueError(
            f"{metric}: the {name} set has {count} samples, a covariance needs at least 2"
        )
    # One feature that is not finite makes the mean of its coordinate so.
    finite = (samples.mean, samples.second) if moments else (values,)
    if not all(np.isfinite(part).all() for part in finite):
        raise ValueError(f"{metric}: the {name} set has features that are NaN or infinite")
    if moments:
        return gaussian(samples.mean, covariance(samples))
    mean = values.mean(axis=0)
    scaled = (values - mean) / math.sqrt(count - 1)
    if count <= values.shape[1]:
        return Gaussian(mean, scaled)
    return gaussian(mean, scaled.T @ scaled)


def distance(a: Gaussian, b: Gaussian) -> float:
    """Squared Frechet (2-Wasserstein) distance of two Gaussians.

    ``|mean_a - mean_b|^2 + tr(A) + tr(B) - 2 tr((A^{1/2} B A^{1/2})^{1/2})`` (Dowson and Landau
    1982, equation 4).

    With factors ``A = F'F`` and ``B = G'G``, the last trace is the sum of the singular values of
    ``FG'``, for any such factors: ``A^{1/2}`` is ``F`` but for a rotation, and rotations leave
    singular values alone. Taken so, it is never complex, costs no more than the ranks ask for, and
    stays accurate to rounding for singular covariances, where a matrix square root of the product
    ``AB`` may not exist at all.

    Returns:
        The distance, never negative, in squared units of the features.
    """
    product = a.factor @ b.factor.T
    overlap = np.linalg.svdvals(product).sum() if product.size else 0.0
    shift = a.mean - b.mean
    # The traces are taken from the factors, too, so that equal inputs cancel.
    traces = np.vdot(a.factor, a.factor) + np.vdot(b.factor, b.factor)
    # Equal inputs may leave a rounding error of either sign; a distance has none.
    return max(float(shift @ shift + traces - 2 * overlap), 0.0)


def frechet_distance(
    mean_a: Float64[np.ndarray, "d"],
    cov_a: Float64[np.ndarray, "d d"],
    mean_b: Float64[np.ndarray, "d"],
    cov_b: Float64[np.ndarray, "d d"],
) -> float:
    """`distance` of two Gaussians, by their means and covariances.

    Args:
        mean_a: mean of one Gaussian.
        cov_a: its covariance, symmetric and positive semi-definite, of any rank.
        mean_b: mean of the other.
        cov_b: its covariance.

    Raises:
        ValueError: as `gaussian`.
    """
    return distance(gaussian(mean_a, cov_a), gaussian(mean_b, cov_b))


def frechet_between(
    real: Moments | Float[np.ndarray | jax.Array, "m d_real"],
    generated: Moments | Float[np.ndarray | jax.Array, "n d_generated"],
    *,
    metric: str = "fid",
    names: tuple[str, str] = ("real", "generated"),
) -> float:
    """`distance` of two sets of features, by their moments or from the features themselves.

    Args:
        real: features of one set, or their moments.
        generated: features of the other, or their moments.
        metric: what error messages call the number.
        names: what error messages call the two sets.

    Raises:
        ValueError: a set has fewer than two samples, or has a feature that is not finite; or the
            two have different dimensions.
    """
    sizes = [
        samples.mean.size if isinstance(samples, Moments) else samples.shape[1]
        for samples in (real, generated)
    ]
    a = gaussian_of(real, metric=metric, name=names[0])
    b = gaussian_of(generated, metric=metric, name=names[1])
    if sizes[0] != sizes[1]:
        raise ValueError(
            f"{metric}: the {names[0]} set has {sizes[0]}-dimensional features, "
            f"the {names[1]} set {sizes[1]}-dimensional ones"
        )
    return distance(a, b)
