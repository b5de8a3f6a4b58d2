"""Intervals that stay where a metric can be: a distance is never negative, a share at most 1.

An interval is made on a scale that has no end: of a metric that is bounded below the logarithm, of
one bounded on both sides the log odds, by the delta method. Cutting a symmetric interval off at the
bound would cover less than it says, as values near a bound are skewed: of three values of a gamma
distribution of shape 1, the 95% interval of Student's then holds the mean in 88% of 20,000 trials,
the one on the log scale in 94%; of a beta distribution of mean 0.95 (9.5, 0.5) it is 83% and 94%.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from jaxgan.evaluation.statistics.intervals import Estimate, mean_interval

LEAST_SEEDS = 3
"""Values that an interval over seeds takes. That of two exists, with a quantile of 12.7: it covers
by being so wide that it tells nothing, and the two values themselves tell more."""


class Range(NamedTuple):
    """The values that a metric can take, both ends included."""

    low: float | int = -math.inf
    high: float | int = math.inf


REAL = Range()
POSITIVE = Range(0.0, math.inf)
SHARE = Range(0.0, 1.0)


def around(value: float, half_width: float, inside: Range = REAL) -> Estimate:
    """``value`` with an interval of about ``half_width`` to each side that stays inside of a range.

    Bounded below by 0: ``value * exp(+- half_width / value)``. Between 0 and 1: ``half_width /
    (value (1 - value))`` about the value's log odds. Where the half width is small against the
    distance to the bounds, either is the symmetric interval.

    >>> around(10.0, 8.0, POSITIVE).low.__round__(3)
    4.493

    Args:
        value: of the metric.
        half_width: that the interval would have without any bounds; NaN for none.
        inside: the metric's range. At a bound, where the scale has no place for the value, and
            outside of the range, the symmetric interval is cut off instead.
    """
    low, high = inside
    plain = Estimate(value, value - half_width, value + half_width)
    if not math.isfinite(half_width) or half_width == 0 or not low < value < high:
        return within(plain, inside)
    if math.isinf(low) and math.isinf(high):
        return plain
    if math.isinf(high):
        distance = value - low
        factor = math.exp(min(half_width / distance, 700.0))
        return Estimate(value, low + distance / factor, low + distance * factor)
    if math.isinf(low):
        mirrored = around(-value, half_width, Range(-high, math.inf))
        return Estimate(value, -mirrored.high, -mirrored.low)
    odds = (value - low) / (high - value)
    slope = (high - low) / ((value - low) * (high - value))
    factor = math.exp(min(half_width * slope, 300.0))
    ends = (odds / factor, odds * factor)
    below, above = (low + (high - low) * end / (1 + end) for end in ends)
    return Estimate(value, min(max(below, low), value), max(min(above, high), value))


def within(estimate: Estimate, inside: Range) -> Estimate:
    """An interval of another method, cut off at a metric's bounds.

    What is cut off holds no value that the metric can have, so as often as before the interval
    covers it. A value outside of the range keeps its interval: the range is then wrong.
    """
    value, low, high = estimate
    if not inside.low <= value <= inside.high:
        return estimate
    return Estimate(value, max(low, inside.low), min(high, inside.high))  # NaN stays NaN


def over_seeds(values: Sequence[float], inside: Range = REAL, confidence: float = 0.95) -> Estimate:
    """The mean over training seeds, with Student's interval on the scale of `around`.

    There is none (NaN) of fewer than `LEAST_SEEDS` values, nor of values that are all alike: three
    accuracies of 1 do not say that the fourth will be 1 as well.

    Args:
        values: one finite number a seed, at least one.
        inside: the metric's range.
        confidence: probability of covering the expectation.

    Raises:
        ValueError: there is no value, or one is not finite, or ``confidence`` is not between 0
            and 1.
    """
    interval = mean_interval(values, confidence)
    if len(values) < LEAST_SEEDS or np.ptp(values) == 0:
        return Estimate(interval.mean, math.nan, math.nan)
    return around(interval.mean, interval.half_width, inside)
