"""What a method gives for a budget of trials: expected best of k, over the whole axis of k.

The best of n trials says as much of n as of the method. From the same n trials follows what the
best of any fewer of them would have been on average (Lucic et al. 2018, figure 4, draw that curve;
Dodge et al. 2019 give it a formula, with replacement).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float


class Curve(NamedTuple):
    """A number for each k from 1 to n, with the ends of a band."""

    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray


def weights(count: int) -> Float[np.ndarray, "n n"]:
    """Chance that the i-th best of n trials is the best of k drawn without replacement.

    ``C(n - i, k - 1) / C(n, k)`` in row k - 1 and column i - 1: the i-th is drawn, and k - 1 of the
    n - i that are worse. As a product of ratios below 1, which does not overflow where the
    binomials do (from n = 1,030 on they leave the doubles).

    >>> weights(3).round(3).tolist()
    [[0.333, 0.333, 0.333], [0.667, 0.333, 0.0], [1.0, 0.0, 0.0]]

    Args:
        count: n, at least 1.
    """
    k = np.arange(1, count + 1)[:, None]
    worse = count - np.arange(1, count)[None]  # n - i, of the trials i = 1 ... n - 1
    ratios = np.maximum(worse - k + 1, 0) / worse
    return np.cumprod(np.concatenate([k / count, ratios], axis=1), axis=1)


def expected_best(
    values: Float[np.ndarray, "*draws n"],
    chosen_by: Float[np.ndarray, "*draws n"] | None = None,
) -> Float[np.ndarray, "*draws n"]:
    """Expectation of the value of the best of k trials, for all k from 1 to n.

    ``sum_i x_i C(n - i, k - 1) / C(n, k)`` over trials from the best to the worst. That is the mean
    over all sets of k of the n trials, and so unbiased for k fresh trials.

    >>> expected_best(np.array([3.0, 1.0, 2.0])).round(3).tolist()
    [2.0, 1.333, 1.0]

    Args:
        values: one a trial, such as test numbers. Failed trials need a value too, see `filled`.
        chosen_by: the best trial has the least of these, such as validation numbers; None: of the
            values themselves. To choose by the largest, give their negatives.

    Raises:
        ValueError: there is no trial, or a number is NaN.
    """
    keys = values if chosen_by is None else chosen_by
    if not values.shape[-1]:
        raise ValueError("the best of no trials")
    if np.isnan(values).any() or np.isnan(keys).any():
        raise ValueError("trials without a value must be given one: see `filled`")
    order = np.argsort(keys, axis=-1, kind="stable")
    best_first = np.take_along_axis(np.asarray(values, np.float64), order, axis=-1)
    if np.isfinite(best_first).all():
        return best_first @ weights(values.shape[-1]).T
    # Where nothing is drawn an infinite value adds nothing, and not a NaN.
    table = weights(values.shape[-1])
    terms = np.where(table > 0, best_first[..., None, :], 0.0) * table
    return terms.sum(axis=-1)


def filled(values: Sequence[float | None], worst: float) -> Float[np.ndarray, "n"]:
    """The values of trials, of which None has failed and gets the worst.

    A failed trial costs as much as another and brings nothing. Infinity would be exact and say
    little: the expectation would be infinite for every k up to the number of failures. So it gets
    the worst value that any finished trial has, of all methods alike, that none gains by failing.

    Args:
        values: one a trial.
        worst: of the finished trials of all methods.
    """
    return np.array([worst if one is None or math.isnan(one) else one for one in values], float)


def budget_curve(
    values: Float[np.ndarray, "n"],
    chosen_by: Float[np.ndarray, "n"] | None = None,
    *,
    draws: int = 2_000,
    seed: int = 0,
    confidence: float = 0.95,
) -> Curve:
    """`expected_best` with a percentile band over the drawing of trials.

    Trials are drawn again with replacement, as many, with their two numbers together.
    The band is right for budgets well below n and too narrow near it, where all hangs on the few
    best trials. Of 24 exponential or uniform values the 95% band holds the truth in 93 to 94% of
    1,000 simulations at k = 1, 90 to 94% up to k = 6, 81 to 83% at 12, 58 to 61% at 24; of 12
    values in 84 to 91% up to k = 3; of 100 (400 simulations) in 90 to 96% up to k = 25. Each had
    400 draws; the script is not in the repository, ``test_budget.py`` repeats a part.

    Args:
        values: as in `expected_best`.
        chosen_by: as there.
        draws: how often trials are drawn again.
        seed: of the drawing.
        confidence: share of the draws within the band, at each k.

    Raises:
        ValueError: as `expected_best`; or there are fewer than two draws, or ``confidence`` is not
            between 0 and 1.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, got {confidence}")
    if draws < 2:
        raise ValueError(f"a band needs at least 2 draws, got {draws}")
    mean, count = expected_best(values, chosen_by), len(values)
    keys = values if chosen_by is None else chosen_by
    rows = np.random.default_rng(seed).integers(count, size=(draws, count))
    curves = expected_best(values[rows], keys[rows])
    tail = (1 - confidence) / 2
    low, high = np.quantile(curves, [tail, 1 - tail], axis=0)
    return Curve(mean, np.minimum(low, mean), np.maximum(high, mean))
