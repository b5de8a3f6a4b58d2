"""Multi-scale structural similarity, and what it says of the variety of samples.

Wang, Simoncelli and Bovik 2003 ("Multi-scale structural similarity for image quality assessment",
equation 7) compare two images. Odena, Olah and Shlens 2017 (section 4.2) take the mean over random
pairs of one class for a measure of how little samples differ: high means alike, and is to be
compared with the same number of real images.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Num

from jaxgan.evaluation.statistics.intervals import Estimate, mean_interval

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Exponents of the scales, the finest first (Wang et al. 2003, section 3.2)."""

WINDOW = 11
"""Side of the Gaussian window, in pixels."""

SIGMA = 1.5
"""Its width, in pixels."""

_BATCH = 256


class Scales(NamedTuple):
    """What images of some size allow."""

    scales: int
    """How many of the five; the exponents of those are divided by their sum."""
    window: int
    """Side of the window: 11, or an image's shorter side where that is less."""


class Similarity(NamedTuple):
    """How alike the samples of a set are."""

    value: Estimate
    """Mean over classes of the mean over pairs; 1 for images that are all the same."""
    classes: Mapping[int, Estimate]
    """The mean over the pairs of each class; one entry, 0, where there are no labels."""
    pairs: int
    """How many pairs a class, at most."""
    scales: Scales


def scales_of(height: int, width: int) -> Scales:
    """How many scales fit, and in which window.

    A scale fits as long as the window does. In images smaller than the window, there is one scale,
    and window and Gaussian are both smaller.

    >>> scales_of(28, 28)
    Scales(scales=2, window=11)

    Args:
        height: of the images, in pixels.
        width: of the images, in pixels.
    """
    side = min(height, width)
    fitting = 1
    while fitting < len(WEIGHTS) and side // 2**fitting >= WINDOW:
        fitting += 1
    return Scales(fitting, min(WINDOW, side))


def ms_ssim(
    a: Num[np.ndarray | Array, "n h w c"],
    b: Num[np.ndarray | Array, "n h w c"],
    *,
    value_range: float = 255.0,
) -> Float[np.ndarray, "n"]:
    """Similarity of each image with its partner.

    Channels are compared one by one and averaged. Windows lie within the image; between scales,
    images are averaged over 2x2 pixels, an odd last row or column left out. A scale whose contrast
    term is negative counts as 0, for a fractional power has no other meaning there.

    Args:
        a: images.
        b: their partners.
        value_range: of the pixels, white minus black: 255 for 8 bits.

    Returns:
        At most 1, which only equal images reach. `scales_of` says how many scales went into it.

    Raises:
        ValueError: the shapes differ, or ``value_range`` is not positive, or a pixel not finite.
    """
    if a.shape != b.shape:
        raise ValueError(f"MS-SSIM: pairs need equal shapes, got {a.shape} and {b.shape}")
    if not value_range > 0:
        raise ValueError(f"MS-SSIM: value_range must be positive, got {value_range}")
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise ValueError("MS-SSIM: images have pixels that are NaN or infinite")
    parts = []
    for start in range(0, len(a), _BATCH):
        x, y = (np.asarray(images[start : start + _BATCH]) for images in (a, b))
        count = len(x)
        if len(a) > _BATCH:
            # One program for all batches.
            x, y = (np.pad(z, ((0, _BATCH - count), (0, 0), (0, 0), (0, 0))) for z in (x, y))
        parts.append(np.asarray(_ms_ssim(jnp.asarray(x), jnp.asarray(y), value_range))[:count])
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)


def diversity(
    images: Num[np.ndarray | Array, "n h w c"],
    labels: Int[np.ndarray | Array, "_labels"] | None = None,
    *,
    pairs: int = 100,
    seed: int = 0,
    value_range: float = 255.0,
) -> Similarity:
    """Mean similarity of random pairs, within each class where there are labels.

    No image is in two pairs, so that the pairs are independent and the interval is Student's: it
    covers the drawing of the samples and of the pairs, for the given classes.

    Args:
        images: samples.
        labels: their classes; None: all are of one.
        pairs: to draw in each class; fewer where it has fewer than twice as many images.
        seed: of the drawing.
        value_range: of the pixels, as in `ms_ssim`.

    Raises:
        ValueError: a class has fewer than two images, there are not as many labels as images, or
            ``pairs`` is not positive; or as `ms_ssim`.
    """
    if pairs < 1:
        raise ValueError(f"MS-SSIM: needs at least 1 pair, got {pairs}")
    if labels is not None and len(labels) != len(images):
        raise ValueError(f"MS-SSIM: {len(labels)} labels for {len(images)} images")
    values = np.asarray(images)
    classes = np.zeros(len(values), np.int64) if labels is None else np.asarray(labels)
    found: dict[int, Estimate] = {}
    variances = []
    for label in np.unique(classes):
        members = np.flatnonzero(classes == label)
        if len(members) < 2:
            raise ValueError(f"MS-SSIM: class {label} has {len(members)} image, a pair needs 2")
        # Each class by its own generator: its pairs do not depend on which others there are.
        order = np.random.default_rng([seed, abs(int(label))]).permutation(members)
        count = min(pairs, len(members) // 2)
        scores = ms_ssim(
            values[order[:count]], values[order[count : 2 * count]], value_range=value_range
        ).astype(np.float64)
        mean = mean_interval(scores.tolist())
        found[int(label)] = Estimate(mean.mean, mean.low, mean.high)
        variances.append(scores.var(ddof=1) / count if count > 1 else math.nan)
    if not found:
        raise ValueError("MS-SSIM: no images to draw pairs of")
    if len(found) == 1:
        value = next(iter(found.values()))
    else:
        middle = float(np.mean([each.value for each in found.values()]))
        half = 1.959963984540054 * math.sqrt(float(np.sum(variances))) / len(found)
        value = Estimate(middle, middle - half, middle + half)
    height, width = values.shape[1:3]
    return Similarity(value, found, pairs, scales_of(height, width))


@jax.jit
def _ms_ssim(
    a: Num[Array, "n h w c"], b: Num[Array, "n h w c"], value_range: Float[Array, ""] | float
) -> Float[Array, "n"]:
    scales, window = scales_of(a.shape[1], a.shape[2])
    weights = np.asarray(WEIGHTS[:scales]) / sum(WEIGHTS[:scales])
    x, y = (images.astype(jnp.float32) / value_range for images in (a, b))
    result = jnp.ones((a.shape[0], a.shape[3]))
    for scale in range(scales):
        if scale:
            x, y = _halved(x), _halved(y)
        similarity, contrast = _ssim(x, y, window)
        # Luminance counts at the coarsest scale alone.
        term = similarity if scale == scales - 1 else contrast
        result *= jnp.maximum(term, 0.0) ** weights[scale]
    return result.mean(axis=1)


def _ssim(
    x: Float[Array, "n h w c"], y: Float[Array, "n h w c"], window: int
) -> tuple[Float[Array, "n c"], Float[Array, "n c"]]:
    """Similarity, and its contrast-structure factor, of pixels in [0, 1]; means over the image."""
    steadier, steady = 0.01**2, 0.03**2
    rows, columns = _window_means(x.shape[1], window), _window_means(x.shape[2], window)

    def blurred(z: Float[Array, "n h w c"]) -> Float[Array, "n i j c"]:
        # Two small matrix products; a convolution of so few channels is many times slower.
        return jnp.einsum("ih,nhwc,jw->nijc", rows, z, columns, precision=jax.lax.Precision.HIGHEST)

    # Variances do not change with the image's mean, but without it they keep their digits.
    middle_x, middle_y = x.mean(axis=(1, 2), keepdims=True), y.mean(axis=(1, 2), keepdims=True)
    x, y = x - middle_x, y - middle_y
    mean_x, mean_y = blurred(x), blurred(y)
    variance_x = blurred(x * x) - mean_x**2
    variance_y = blurred(y * y) - mean_y**2
    covariance = blurred(x * y) - mean_x * mean_y
    mean_x, mean_y = mean_x + middle_x, mean_y + middle_y
    contrast = (2 * covariance + steady) / (variance_x + variance_y + steady)
    luminance = (2 * mean_x * mean_y + steadier) / (mean_x**2 + mean_y**2 + steadier)
    return (luminance * contrast).mean(axis=(1, 2)), contrast.mean(axis=(1, 2))


def _window_means(size: int, window: int) -> Float[np.ndarray, "places size"]:
    """Row ``i``: the Gaussian weights of the window that begins at pixel ``i``."""
    sigma = SIGMA * window / WINDOW
    weights = np.exp(-0.5 * ((np.arange(window) - (window - 1) / 2) / sigma) ** 2)
    weights /= weights.sum()
    places = size - window + 1
    means = np.zeros((places, size), np.float32)
    for place in range(places):
        means[place, place : place + window] = weights
    return means


def _halved(x: Float[Array, "n h w c"]) -> Float[Array, "n i j c"]:
    count, height, width, channels = x.shape
    even = x[:, : height // 2 * 2, : width // 2 * 2]
    return even.reshape(count, height // 2, 2, width // 2, 2, channels).mean(axis=(2, 4))
