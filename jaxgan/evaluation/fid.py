"""Frechet distance between two sets of features, each taken for a Gaussian.

With Inception features this is the FID of Heusel et al. 2017 ("GANs Trained by a Two Time-Scale
Update Rule ...", equation 6). With any other features it is a different number, so its name says
which: ``fid[digits-cnn,...]`` (see `jaxgan.evaluation.protocol`).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

from jaxgan.evaluation.moments import Moments, covariance


def frechet_distance(
    mean_a: Float64[np.ndarray, "d"],
    cov_a: Float64[np.ndarray, "d d"],
    mean_b: Float64[np.ndarray, "d"],
    cov_b: Float64[np.ndarray, "d d"],
) -> float:
    """Squared Frechet (2-Wasserstein) distance of two Gaussians.

    ``|mean_a - mean_b|^2 + tr(A) + tr(B) - 2 tr((A^{1/2} B A^{1/2})^{1/2})`` (Dowson and Landau
    1982, equation 4).

    The last trace is the sum of the singular values of ``A^{1/2} B^{1/2}``. Taken so, it needs only
    eigenvectors of symmetric matrices, is never complex, and stays accurate to rounding for
    singular covariances, where a matrix square root of the product ``AB`` may not exist at all.

    Args:
        mean_a: mean of one Gaussian.
        cov_a: its covariance, symmetric and positive semi-definite, of any rank.
        mean_b: mean of the other.
        cov_b: its covariance.

    Returns:
        The distance, never negative, in squared units of the features.
    """
    root_a, axes_a = _root(cov_a)
    root_b, axes_b = _root(cov_b)
    # In the eigenbases the roots are diagonal, and rotations leave singular values alone.
    product = root_a[:, None] * (axes_a.T @ axes_b) * root_b
    overlap = np.linalg.svd(product, compute_uv=False).sum()
    shift = mean_a - mean_b
    # The traces are taken from the same (clipped) eigenvalues, so that equal inputs cancel.
    traces = (root_a**2).sum() + (root_b**2).sum()
    # Equal inputs may leave a rounding error of either sign; a distance has none.
    return max(float(shift @ shift + traces - 2 * overlap), 0.0)


def frechet_between(
    real: Moments,
    generated: Moments,
    *,
    metric: str = "fid",
    names: tuple[str, str] = ("real", "generated"),
) -> float:
    """`frechet_distance` of two sets of features, by their moments.

    Args:
        real: moments of one set.
        generated: moments of the other.
        metric: what error messages call the number.
        names: what error messages call the two sets.

    Raises:
        ValueError: a set has fewer than two samples, or has a feature that is not finite; or the
            two have different dimensions.
    """
    for moments, name in zip((real, generated), names, strict=True):
        if moments.count < 2:
            raise ValueError(
                f"{metric}: the {name} set has {moments.count} samples, "
                "a covariance needs at least 2"
            )
        # One feature that is not finite makes the mean of its coordinate so.
        if not (np.isfinite(moments.mean).all() and np.isfinite(moments.second).all()):
            raise ValueError(f"{metric}: the {name} set has features that are NaN or infinite")
    if real.mean.shape != generated.mean.shape:
        raise ValueError(
            f"{metric}: the {names[0]} set has {real.mean.size}-dimensional features, "
            f"the {names[1]} set {generated.mean.size}-dimensional ones"
        )
    return frechet_distance(real.mean, covariance(real), generated.mean, covariance(generated))


def _root(
    cov: Float64[np.ndarray, "d d"],
) -> tuple[Float64[np.ndarray, "d"], Float64[np.ndarray, "d d"]]:
    """Square roots of the eigenvalues of a covariance, and its eigenvectors as columns."""
    values, vectors = np.linalg.eigh((cov + cov.T) / 2)
    # Zero eigenvalues come out as roundings of either sign.
    return np.sqrt(np.clip(values, 0.0, None)), vectors
