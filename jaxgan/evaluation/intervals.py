"""What a few training runs say together: a mean with an interval, and paired differences.

Seeds are few (3 to 10), so the interval is Student's; the normal quantile would make one from three
seeds less than half as wide as it has to be.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Interval:
    """A mean over ``count`` values and the confidence interval of it.

    One value says nothing about its spread: ``low``, ``high`` and ``half_width`` are then NaN,
    never zero.
    """

    mean: float
    low: float
    high: float
    count: int

    @property
    def half_width(self) -> float:
        """Distance from the mean to either end."""
        return (self.high - self.low) / 2


def mean_interval(values: Sequence[float], confidence: float = 0.95) -> Interval:
    """Mean and two-sided Student-t interval: ``mean +- t_{n-1} * s / sqrt(n)``.

    >>> mean_interval([1.0, 2.0, 3.0]).low.__round__(3)
    -0.484

    Args:
        values: one finite number a seed, at least one.
        confidence: probability that the interval covers the expectation, for values drawn
            independently from one normal distribution.

    Raises:
        ValueError: there is no value, or one is not finite (a run that failed must be reported as
            such, not averaged), or ``confidence`` is not between 0 and 1.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, got {confidence}")
    if len(values) == 0:
        raise ValueError("no values to take a mean of")
    numbers = np.asarray(values, np.float64)
    if not np.isfinite(numbers).all():
        raise ValueError(f"a mean over seeds needs finite values, got {numbers.tolist()}")
    count, mean = len(numbers), float(numbers.mean())
    if count == 1:
        return Interval(mean, math.nan, math.nan, 1)
    # Imported here because it takes as long as all of optax, and training does without.
    from scipy import special

    quantile = float(special.stdtrit(count - 1, (1 + confidence) / 2))
    half = quantile * float(numbers.std(ddof=1)) / math.sqrt(count)
    return Interval(mean, mean - half, mean + half, count)


def paired_interval(a: Sequence[float], b: Sequence[float], confidence: float = 0.95) -> Interval:
    """Interval of the mean of ``a[i] - b[i]``, for two methods run with the same seeds.

    What a seed does to both alike (the order of the data, the first weights) cancels, so this tells
    two methods apart that their separate intervals do not.

    Raises:
        ValueError: the two have different lengths; or as `mean_interval`.
    """
    if len(a) != len(b):
        raise ValueError(f"pairs need equally many values, got {len(a)} and {len(b)}")
    differences = np.asarray(a, np.float64) - np.asarray(b, np.float64)
    return mean_interval(differences.tolist(), confidence)
