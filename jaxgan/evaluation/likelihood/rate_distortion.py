"""Rate-distortion curves: what models trained with several betas spend and lose, in nats an image.

The rate is the mean KL of the posteriors from the prior, the distortion the mean negative
log-likelihood of the images given their codes; rate and distortion together are the negative ELBO.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float64

from jaxgan.evaluation.likelihood.summaries import mean_over_images
from jaxgan.evaluation.statistics.intervals import Estimate, bootstrap


class Point(NamedTuple):
    """One trained model."""

    beta: float
    rate: Estimate
    distortion: Estimate
    on_hull: bool
    """Whether no mixture of the other models beats it."""


class Curve(NamedTuple):
    """What several models can do together, by rising rate.

    The intervals cover the drawing of the test images, not the training seeds.
    """

    points: tuple[Point, ...]
    hull: Float64[np.ndarray, "corners 2"]
    """(rate, distortion) of the corners of the lower convex hull, rates rising, distortions
    falling."""
    area: Estimate
    """Under the hull, from ``low`` to ``high``, in square nats; smaller is better. Curves compare
    only over one range of rates."""
    low: float
    """Rate at which the area begins."""
    high: float
    """Rate at which the area ends."""


def rate_distortion_curve(
    betas: Sequence[float],
    rates: Float[np.ndarray, "_models _images"],
    distortions: Float[np.ndarray, "_models _images"],
    *,
    low: float | None = None,
    high: float | None = None,
    replicates: int = 200,
    seed: int = 0,
) -> Curve:
    """The curve that models trained with several betas trace.

    Whoever may choose between two encoders by a coin gets every rate and distortion between theirs,
    so all that lies above the lower convex hull can be had. An optimal family of models has the
    slope ``-beta`` at each of its points (Alemi et al. 2018, section 3); a model that is not on the
    hull was not trained well.

    Args:
        betas: weight of the KL in each model's training.
        rates: KL of each test image under each model, the same images in the same order.
        distortions: ``-E log p(x|z)`` of the same.
        low: rate at which the area begins; by default that of the hull's first corner.
        high: rate at which it ends; by default that of the last.
        replicates: bootstrap resamplings of the images for the interval of the area.
        seed: of the resamplings.

    Raises:
        ValueError: there is no model or image, the shapes do not fit, a value is not finite, a rate
            is negative, or ``low`` is left of the hull or not below ``high``.

    References:
        Alemi et al., Fixing a Broken ELBO, 2018. Higgins et al., beta-VAE, 2017, equation 4.
    """
    rates, distortions = np.asarray(rates, np.float64), np.asarray(distortions, np.float64)
    if rates.shape != distortions.shape or len(betas) != len(rates):
        raise ValueError(
            f"{len(betas)} betas, rates of shape {rates.shape} and distortions of shape"
            f" {distortions.shape}: there must be one row a beta and one column an image"
        )
    if not rates.size:
        raise ValueError("a curve needs at least one model and one image")
    if not (np.isfinite(rates).all() and np.isfinite(distortions).all()):
        raise ValueError("a rate or a distortion is NaN or infinite")
    if rates.min() < 0:
        raise ValueError(f"a rate is {rates.min():.3g}: a KL divergence is at least 0")

    means = np.stack([rates.mean(1), distortions.mean(1)], axis=1)
    corners = lower_hull(means)
    hull = means[corners]
    start = float(hull[0, 0]) if low is None else low
    end = float(hull[-1, 0]) if high is None else high
    if start < hull[0, 0] or (end <= start and (low, high) != (None, None)):
        raise ValueError(
            f"the area from rate {start:g} to {end:g}: it must begin at {hull[0, 0]:g}, the least"
            " rate on the hull, or later, and end after it begins"
        )

    def area(rows: np.ndarray) -> float:
        drawn = rows.reshape(len(rows), 2, -1).mean(0).T
        return area_under(drawn[lower_hull(drawn)], start, end)

    # One row an image with all its numbers: models are compared on the same images.
    by_image = np.concatenate([rates, distortions]).T
    points = [
        Point(float(beta), mean_over_images(rate), mean_over_images(distortion), i in corners)
        for i, (beta, rate, distortion) in enumerate(zip(betas, rates, distortions, strict=True))
    ]
    if by_image.shape[0] > 1:
        estimate = bootstrap(area, by_image, replicates=replicates, seed=seed)
    else:
        estimate = Estimate(area(by_image), float("nan"), float("nan"))
    by_rate = sorted(points, key=lambda point: point.rate.value)
    return Curve(tuple(by_rate), hull, estimate, start, end)


def lower_hull(points: Float[np.ndarray, "models 2"]) -> list[int]:
    """Corners of the convex, falling curve below which no point lies.

    >>> lower_hull(np.array([[0.0, 10.0], [1.0, 9.0], [2.0, 3.0], [5.0, 1.0], [7.0, 4.0]]))
    [0, 2, 3]

    Args:
        points: (rate, distortion) of each model.

    Returns:
        Indices of the corners, by rising rate. Points on a straight piece between two corners are
        none.
    """
    corners: list[int] = []
    # Of two points of one rate the better one comes first, and the other never gets in.
    for i in np.lexsort((points[:, 1], points[:, 0])).tolist():
        if corners and points[i, 1] >= points[corners[-1], 1]:
            continue
        while len(corners) > 1 and _turns_right(
            points[corners[-2]], points[corners[-1]], points[i]
        ):
            corners.pop()
        corners.append(i)
    return corners


def _turns_right(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> bool:
    """Whether b lies on or above the straight line from a to c."""
    return bool((b[0] - a[0]) * (c[1] - a[1]) <= (b[1] - a[1]) * (c[0] - a[0]))


def area_under(hull: Float64[np.ndarray, "corners 2"], low: float, high: float) -> float:
    """Integral of the hull's distortion over the rates from ``low`` to ``high``.

    Right of the last corner the distortion stays as it is (bits may be wasted). Left of the first,
    where only a resampled hull is ever asked, its first piece goes on.
    """
    rates, distortions = hull[:, 0], hull[:, 1]
    inside = rates[(rates > low) & (rates < high)]
    places = np.concatenate([[low], inside, [high]])
    levels = np.interp(places, rates, distortions)
    if len(hull) > 1:
        slope = (distortions[1] - distortions[0]) / (rates[1] - rates[0])
        levels = levels + slope * np.minimum(places - rates[0], 0.0)
    return float(np.trapezoid(levels, places))
