"""How far a number may be off: over training runs, and over the drawing of samples.

Training seeds are few (3 to 10), so the interval of their mean is Student's; the normal quantile
would make one from three seeds less than half as wide as it has to be. For one metric of one run,
sets of samples are drawn again from themselves (`bootstrap`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Shaped


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


class Estimate(NamedTuple):
    """A metric's value and the ends of its 95% interval, which are NaN where it has none."""

    value: float
    low: float
    high: float


def normal_estimate(value: float, standard_error: float, confidence: float = 0.95) -> Estimate:
    """``value +- z * standard_error``, for what is about normal and has a known standard error.

    Raises:
        ValueError: ``confidence`` is not between 0 and 1.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, got {confidence}")
    from scipy import special

    half = float(special.ndtri((1 + confidence) / 2)) * standard_error
    return Estimate(value, value - half, value + half)


def bootstrap(
    statistic: Callable[..., float],
    *sets: Shaped[np.ndarray | jax.Array, "_ ..."],
    replicates: int = 200,
    seed: int = 0,
    confidence: float = 0.95,
    corrected: bool = False,
    replace: bool = True,
) -> Estimate:
    """A statistic of samples, with an interval over the drawing of those samples.

    Each set's rows are drawn again from that set, independently of the other sets, and the
    statistic is taken of the result. What is then used is only how the replicates ``t*`` lie about
    their own mean ``m*``, because many metrics are biased and more so on resampled sets: a
    resampled FID lies above the one it was resampled from, nearly always, hence the percentiles of
    the replicates cover nothing (and the bias-corrected percentiles of Efron 1987 do not exist).

    - As it is, the interval is ``[t - (q_high - m*), t + (m* - q_low)]`` about the value ``t`` of
      the sets themselves, and covers the statistic's expectation *at these sample sizes*, which is
      what a protocol with given sample counts asks for.
    - With ``corrected``, the value is ``2t - m*``, free of the bias to first order, and the
      interval is the basic one ``[2t - q_high, 2t - q_low]`` (Davison and Hinkley 1997, equation
      5.6), which covers the statistic of the whole distributions, as from infinitely many samples.

    Either way the ends surround the value, and may leave the range of the statistic's values. They
    tell of the drawing of samples; another training seed may differ by more.

    Args:
        statistic: from as many arrays as there are sets to a number.
        sets: samples along the first axis. To draw rows of several arrays together, give the rows'
            indices as the set.
        replicates: how often sets are drawn again.
        seed: of the drawing.
        confidence: probability of covering.
        corrected: whether the bias that resampling shows is subtracted, see above.
        replace: whether rows are drawn with replacement, as many as there are. Otherwise it is a
            random half of each set, whose deviations are as large as those of the whole (the
            jackknife that leaves out half, Shao and Wu 1989). That is for statistics which repeated
            rows spoil, such as distances to nearest neighbors; the bias that it shows is of half
            the sample size.

    Returns:
        The value and the interval; the ends are NaN if a set has a single row, or the statistic is
        not finite.

    Raises:
        ValueError: there is no set, a set is empty, there are fewer than two replicates, or
            ``confidence`` is not between 0 and 1.
    """

    def named(*resampled: np.ndarray) -> Mapping[str, float]:
        return {"": statistic(*resampled)}

    return bootstrap_each(
        named,
        *sets,
        replicates=replicates,
        seed=seed,
        confidence=confidence,
        corrected=corrected,
        replace=replace,
    )[""]


def bootstrap_each(
    statistic: Callable[..., Mapping[str, float]],
    *sets: Shaped[np.ndarray | jax.Array, "_ ..."],
    replicates: int = 200,
    seed: int = 0,
    confidence: float = 0.95,
    corrected: bool = False,
    replace: bool = True,
) -> dict[str, Estimate]:
    """`bootstrap` of several numbers that are computed together, such as precision and recall.

    Args:
        statistic: from as many arrays as there are sets to numbers by name, always the same names.
        sets: as in `bootstrap`, like the rest.
        replicates: see there.
        seed: see there.
        confidence: see there.
        corrected: see there.
        replace: see there.

    Raises:
        ValueError: as `bootstrap`.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, got {confidence}")
    if replicates < 2:
        raise ValueError(f"an interval needs at least 2 replicates, got {replicates}")
    arrays = [np.asarray(rows) for rows in sets]
    counts = [len(rows) for rows in arrays]
    if not counts or min(counts) == 0:
        raise ValueError(f"nothing to draw from: the sets have {counts} rows")
    values = {name: float(value) for name, value in statistic(*arrays).items()}
    if min(counts) == 1:
        return {name: Estimate(value, math.nan, math.nan) for name, value in values.items()}
    generator = np.random.default_rng(seed)

    def drawn(rows: np.ndarray) -> np.ndarray:
        if replace:
            return rows[generator.integers(len(rows), size=len(rows))]
        return rows[generator.permutation(len(rows))[: len(rows) // 2]]

    results = [statistic(*map(drawn, arrays)) for _ in range(replicates)]
    tail = (1 - confidence) / 2
    estimates = {}
    for name, value in values.items():
        replicated = np.array([result[name] for result in results], np.float64)
        if not (math.isfinite(value) and np.isfinite(replicated).all()):
            estimates[name] = Estimate(value, math.nan, math.nan)
            continue
        mean = float(replicated.mean())
        below, above = np.quantile(replicated, [tail, 1 - tail])
        center = 2 * value - mean if corrected else value
        # Quantiles of replicates that are all equal may differ from their mean by a rounding.
        low, high = center - max(above - mean, 0.0), center + max(mean - below, 0.0)
        estimates[name] = Estimate(center, float(low), float(high))
    return estimates
