"""Structural similarity at several scales in place of a likelihood."""

from __future__ import annotations

import dataclasses
import math
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Num

from jaxgan.objectives.vae.likelihoods import Outputs, to_unit
from jaxgan.typing import Images, Measure, PerExample, Pixels

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Exponents of the scales, the finest first (Wang et al. 2003, section 3.2)."""

SIGMA = 1.5 / 11
"""Standard deviation of the Gaussian window, in sides of the window (Wang et al. 2004)."""

STEADIER, STEADY = 0.01**2, 0.03**2
"""Added to numerator and denominator of the luminance and of the contrast term."""

FLOOR = 0.05
"""Below it a scale's term counts by its tangent, for its power has no slope below 0, and has an
infinite one at 0."""


class Scales(NamedTuple):
    """What images of some size allow.

    Attributes:
        exponents: of the scales that there are, which sum to 1.
        window: side of the window.
    """

    exponents: tuple[float, ...]
    window: int


@dataclasses.dataclass(frozen=True)
class MsSsim:
    """Minus ``weight (1 - MS-SSIM)`` of an image and what was decoded, ``sigmoid(output)``.

    It is the log of no probability: a bound that it is part of bounds nothing, and its numbers can
    be compared with each other alone. A scale is there as long as the window fits into the image,
    which is halved from scale to scale; exponents are divided by the sum of those that are left.
    Where images are smaller than the window, there is one scale, with a window of their size.

    Channels are compared one by one and averaged; windows lie within the image. Where a term falls
    below 0.05, as where noise is compared with an image, its logarithm is continued by its tangent,
    so that a decoder that is all wrong has a slope.

    References:
        Wang, Simoncelli and Bovik, Multi-Scale Structural Similarity for Image Quality Assessment,
        2003, eq. 7. Snell et al., Learning to Generate Images with Perceptual Similarity Metrics,
        2017 (as the reconstruction of autoencoders and of VAEs).
    """

    bounded: ClassVar[bool] = True

    weight: float = 100.0
    """What a similarity that is lower by 1 costs, in the unit of the KL."""
    window: int = 11
    """Side of the window, in pixels; 11 in the paper. Smaller ones leave small images more scales,
    and their edges more weight."""

    def __post_init__(self) -> None:
        if not 0.0 < self.weight < math.inf:
            raise ValueError(f"weight = {self.weight}: must be positive and finite")
        if self.window < 2:
            raise ValueError(f"window = {self.window}: a window has a side of at least 2 pixels")

    def scales(self, height: int, width: int) -> Scales:
        """How many scales images of some size have, and in which window.

        >>> MsSsim().scales(28, 28).window, len(MsSsim().scales(28, 28).exponents)
        (11, 2)
        >>> MsSsim().scales(8, 8)
        Scales(exponents=(1.0,), window=8)
        """
        side, fitting = min(height, width), 1
        while fitting < len(WEIGHTS) and side // 2**fitting >= self.window:
            fitting += 1
        some = WEIGHTS[:fitting]
        return Scales(tuple(one / sum(some) for one in some), min(self.window, side))

    def similarity(self, a: Pixels, b: Pixels) -> PerExample:
        """MS-SSIM of images with pixels in [0, 1], at most 1, which only equal images reach."""
        exponents, window = self.scales(*a.shape[1:3])
        total = jnp.zeros((a.shape[0], a.shape[3]))
        for scale, exponent in enumerate(exponents):
            if scale:
                a, b = _halved(a), _halved(b)
            whole, contrast = _terms(a, b, window)
            # Luminance counts at the coarsest scale alone.
            term = whole if scale == len(exponents) - 1 else contrast
            total += exponent * _log(term)
        return jnp.mean(jnp.exp(total), axis=1)

    def decoded(self, channels: int) -> int:
        """One logit a channel."""
        return channels

    def learned(self, channels: int) -> tuple[float, ...]:
        """Nothing."""
        del channels
        return ()

    def from_uint8(self, images: Images) -> Pixels:
        """Images scaled to [0, 1]."""
        return to_unit(images)

    def log_prob(self, *, outputs: Outputs, targets: Pixels) -> PerExample:
        """Minus the weighted distance; 0 at best.

        Args:
            outputs: logits.
            targets: pixels in [0, 1].
        """
        return -self.weight * (1.0 - self.similarity(self.mean(outputs), targets))

    def mean(self, outputs: Outputs) -> Pixels:
        """What was decoded: pixels in [0, 1]."""
        return jax.nn.sigmoid(outputs)

    def measure(self, images: Num[np.ndarray, "..."]) -> Measure:
        """``similarity``, of whatever images."""
        del images
        return "similarity"


def _log(term: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """The logarithm, continued by its tangent below `FLOOR`."""
    inside = jnp.maximum(term, FLOOR)
    return jnp.log(inside) + (term - inside) / FLOOR


def _terms(
    x: Pixels, y: Pixels, window: int
) -> tuple[Float[Array, "batch channels"], Float[Array, "batch channels"]]:
    """Similarity and its contrast-structure factor, means over all places of the window."""
    rows, columns = _window_means(x.shape[1], window), _window_means(x.shape[2], window)

    def blurred(z: Array) -> Array:
        # Two small matrix products; a convolution of so few channels is many times slower.
        with jax.named_scope("similarity"):
            return jnp.einsum(
                "ih,nhwc,jw->nijc", rows, z, columns, precision=jax.lax.Precision.HIGHEST
            )

    # Variances do not change with the image's mean, but without it they keep their digits.
    middle_x, middle_y = x.mean(axis=(1, 2), keepdims=True), y.mean(axis=(1, 2), keepdims=True)
    x, y = x - middle_x, y - middle_y
    mean_x, mean_y = blurred(x), blurred(y)
    variances = blurred(x * x + y * y) - mean_x**2 - mean_y**2
    covariance = blurred(x * y) - mean_x * mean_y
    mean_x, mean_y = mean_x + middle_x, mean_y + middle_y
    contrast = (2 * covariance + STEADY) / (variances + STEADY)
    luminance = (2 * mean_x * mean_y + STEADIER) / (mean_x**2 + mean_y**2 + STEADIER)
    return (luminance * contrast).mean(axis=(1, 2)), contrast.mean(axis=(1, 2))


def _window_means(size: int, window: int) -> Float[np.ndarray, "places size"]:
    """Row ``i``: the Gaussian weights of the window that begins at pixel ``i``."""
    weights = np.exp(-0.5 * ((np.arange(window) - (window - 1) / 2) / (SIGMA * window)) ** 2)
    weights /= weights.sum()
    places = size - window + 1
    means = np.zeros((places, size), np.float32)
    for place in range(places):
        means[place, place : place + window] = weights
    return means


def _halved(x: Pixels) -> Float[Array, "batch half_height half_width channels"]:
    """Means of two by two pixels, an odd last row or column left out."""
    count, height, width, channels = x.shape
    even = x[:, : height // 2 * 2, : width // 2 * 2]
    return even.reshape(count, height // 2, 2, width // 2, 2, channels).mean(axis=(2, 4))
