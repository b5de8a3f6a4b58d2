"""Per-image means out of mergeable sums (ELBO, KL, accuracy), their intervals, and bits/dim.

An algorithm's ``evaluate`` returns, for each quantity, its sum over a batch and how many images
that was. Batches merge by addition, on the host in float64: a float32 sum over 60,000 images of
some hundred nats each would already drop the last image's decimals.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import SupportsFloat, TypeAlias

import numpy as np
from jaxtyping import Float

from jaxgan.evaluation.ranges import range_of
from jaxgan.evaluation.statistics.intervals import Estimate, mean_interval
from jaxgan.evaluation.statistics.proportions import wilson
from jaxgan.evaluation.statistics.ranges import around
from jaxgan.typing import Measure

AnySums: TypeAlias = Mapping[str, tuple[SupportsFloat, SupportsFloat]]
"""name -> (sum, count), as device scalars (`jaxgan.typing.Sums`) or as plain numbers."""

HostSums: TypeAlias = dict[str, tuple[float, float]]
"""The same as plain numbers."""

SQUARED = "_squared"
"""``elbo_squared`` holds the sum of the squares of what ``elbo`` holds the sum of."""

TRIALS = "_trials"
"""``accuracy_trials`` says that ``accuracy`` is a share, and holds the number of decisions, each
right or wrong, that it is a share of: one or several an image."""


def merge(a: AnySums, b: AnySums) -> HostSums:
    """Adds two results entry by entry.

    Raises:
        ValueError: one has a quantity that the other lacks.
    """
    if a.keys() != b.keys():
        odd = ", ".join(sorted(a.keys() ^ b.keys()))
        raise ValueError(f"only one of the two sums to merge has: {odd}")
    return {
        name: (float(a[name][0]) + float(b[name][0]), float(a[name][1]) + float(b[name][1]))
        for name in a
    }


def merge_all(parts: Iterable[AnySums]) -> HostSums:
    """Adds the results of all batches of a data set.

    Raises:
        ValueError: there is none, or they do not all have the same quantities.
    """
    total: AnySums | None = None
    for part in parts:
        total = part if total is None else merge(total, part)
    if total is None:
        raise ValueError("no batch was evaluated, there is nothing to sum up")
    return {name: (float(value), float(count)) for name, (value, count) in total.items()}


def finalize(sums: AnySums) -> dict[str, Estimate]:
    """Means per image, with 95% intervals over the drawing of the images.

    A quantity ``accuracy`` that comes with ``accuracy_trials`` has Wilson's interval of a share; a
    quantity ``elbo`` that comes with ``elbo_squared`` has Student's, within the metric's range
    (`jaxgan.evaluation.ranges`); others have none (NaN), as has the mean of one image. Entries that
    hold trials or squares are used up by this.

    Raises:
        ValueError: a count is not positive, or a quantity and its squares or trials differ in their
            counts.
    """
    means: dict[str, Estimate] = {}
    for name, (value, count) in sums.items():
        total, n = float(value), float(count)
        if not n > 0:
            raise ValueError(f"{name}: summed over {n:g} images, a mean needs at least one")
        if any(name.endswith(end) and name.removesuffix(end) in sums for end in (SQUARED, TRIALS)):
            continue
        if name + TRIALS in sums:
            means[name] = wilson(total / n, _part(sums, name, TRIALS, n))
        elif name + SQUARED in sums:
            half = _half_width(total, _part(sums, name, SQUARED, n), n)
            means[name] = around(total / n, half, range_of(name))
        else:
            means[name] = Estimate(total / n, math.nan, math.nan)
    return means


def _part(sums: AnySums, name: str, ending: str, n: float) -> float:
    """What goes with a quantity, of as many images."""
    part, count = (float(one) for one in sums[name + ending])
    if count != n:
        raise ValueError(f"{name}: {n:g} images, but {count:g} in {name}{ending}")
    return part


def _half_width(total: float, squares: float, n: float) -> float:
    """Of Student's 95% interval of a mean."""
    if n <= 1:
        return math.nan
    from scipy import special

    # Equal values may leave a rounding error of either sign.
    variance = max(squares - total * total / n, 0.0) / (n - 1)
    return float(special.stdtrit(n - 1, 0.975)) * math.sqrt(variance / n)


def mean_over_images(values: Float[np.ndarray, "images"]) -> Estimate:
    """The mean of per-image values, with Student's 95% interval.

    The interval covers the drawing of the images (and random draws made apart for each image, which
    are part of the values' spread), not what another training seed would change.

    Raises:
        ValueError: there is no value, or one is not finite.
    """
    interval = mean_interval(np.asarray(values, np.float64).tolist())
    return Estimate(interval.mean, interval.low, interval.high)


_NO_BITS = {
    "density": "a density taken at the 8-bit levels themselves can be made as large as one likes"
    " by narrow peaks: add uniform noise of one level's width to the pixels (dequantize them)",
    "cross-entropy": "the Bernoulli cross-entropy of gray values is no normalized probability:"
    " binarize the images, or use a likelihood of 8-bit pixels; compare it in nats an image",
    "similarity": "minus a distance of images is the log of no probability",
    "coarsened": "pixels rounded to fewer levels, or drawn from gray ones, hold fewer bits than"
    " those of the data set: compare it in nats an image, with values of the same levels",
}


def bits_per_dim(
    log_likelihood: Estimate, *, dimensions: int, measure: Measure, level_width: float = 1 / 256
) -> Estimate:
    """``-log p / (dimensions log 2)``, of densities minus ``log2(level_width)``.

    If ``y = (x + u) level_width`` with ``u`` uniform on [0, 1), then ``log P(x) >= E log p(y) +
    dimensions log(level_width)`` by Jensen's inequality: with 256 levels on [0, 1], 8 bits are
    added, and the result bounds the model's bits from above.

    >>> bits_per_dim(Estimate(0.0, 0.0, 0.0), dimensions=64, measure="dequantized").value
    8.0

    Args:
        log_likelihood: mean over images, in nats an image; a lower bound of it gives an upper
            bound of the bits.
        dimensions: pixels times channels of an image.
        measure: what ``log_likelihood`` is the log of.
        level_width: distance of neighboring levels in the units that the density is over: 1/256 on
            [0, 1], 1/128 on [-1, 1].

    Returns:
        Bits a dimension; the ends of the interval change places, since fewer bits are better.

    Raises:
        ValueError: ``measure`` has no bits, or ``dimensions`` or ``level_width`` is not positive.

    References:
        Theis, van den Oord and Bethge, A note on the evaluation of generative models, 2016,
        section 3.1.
    """
    if measure in _NO_BITS:
        raise ValueError(f"bits/dim of a log-likelihood of kind {measure!r}: {_NO_BITS[measure]}")
    if dimensions < 1 or not 0 < level_width < math.inf:
        raise ValueError(
            f"dimensions = {dimensions}, level_width = {level_width}: both must be positive"
        )
    constant = math.log2(level_width) if measure == "dequantized" else 0.0

    def bits(nats: float) -> float:
        return -nats / (dimensions * math.log(2)) - constant

    return Estimate(bits(log_likelihood.value), bits(log_likelihood.high), bits(log_likelihood.low))
