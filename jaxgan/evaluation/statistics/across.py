"""Methods compared over several tasks, with few runs of each: after Agarwal et al. 2021.

"Deep reinforcement learning at the edge of the statistical precipice" (NeurIPS 2021) and its
package ``rliable``: aggregates over all runs of all tasks, with an interval from a bootstrap that
draws the runs of each task again from that task. Here tasks may have different numbers of runs; the
values of that package are tests.

Scores are higher where better, and on a scale that all tasks share, except in
`probability_of_improvement`, which compares ranks within each task. The interquartile mean leaves
out the worst quarter of the runs, which is where collapsed GANs are: never show it without the
share of runs that failed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float

from jaxgan.evaluation.statistics.intervals import Estimate

Scores = Sequence[Float[np.ndarray, "..."]]
"""One array of runs a task."""


def interquartile_mean(scores: Scores) -> float:
    """Mean of the middle half of all runs of all tasks (25% trimmed at each end).

    Of n runs, ``floor(n / 4)`` are left out at each end, as in ``scipy.stats.trim_mean``.

    Raises:
        ValueError: there is no run.
    """
    values = np.sort(_together(scores))
    cut = len(values) // 4
    return float(values[cut : len(values) - cut].mean())


def optimality_gap(scores: Scores, goal: float = 1.0) -> float:
    """By how much runs fall short of a goal, on average: ``goal - mean(min(score, goal))``.

    Raises:
        ValueError: there is no run.
    """
    return float(goal - np.minimum(_together(scores), goal).mean())


def performance_profile(
    scores: Scores, thresholds: Float[np.ndarray, "t"]
) -> Float[np.ndarray, "t"]:
    """Share of all runs of all tasks whose score is above each threshold.

    Raises:
        ValueError: there is no run.
    """
    values = np.sort(_together(scores))
    return 1.0 - np.searchsorted(values, thresholds, side="right") / len(values)


def probability_of_improvement(scores: Scores, others: Scores) -> float:
    """Chance that a run of one method beats a run of another on the same task, mean over tasks.

    Mann and Whitney's U over the product of the numbers of runs; ties count one half.

    Args:
        scores: of the one method, one array a task.
        others: of the other, of the same tasks in the same order.

    Raises:
        ValueError: the tasks are not as many, or one has no run.
    """
    if len(scores) != len(others):
        raise ValueError(f"{len(scores)} tasks cannot be compared with {len(others)}")
    if not scores or any(not len(runs) for runs in (*scores, *others)):
        raise ValueError("every task needs at least one run of both methods")
    return float(np.mean([_wins(a, b) for a, b in zip(scores, others, strict=True)]))


def _wins(runs: np.ndarray, others: np.ndarray) -> float:
    ordered = np.sort(others)
    below = np.searchsorted(ordered, runs, side="left")
    not_above = np.searchsorted(ordered, runs, side="right")
    return float((below + not_above).sum() / (2 * len(runs) * len(others)))


def _together(scores: Scores) -> np.ndarray:
    values = np.concatenate([np.ravel(runs) for runs in scores]) if scores else np.empty(0)
    if not len(values):
        raise ValueError("there are no runs to take a mean of")
    return np.asarray(values, np.float64)


def stratified(
    statistic: Callable[..., float],
    *methods: Scores,
    draws: int = 2_000,
    seed: int = 0,
    confidence: float = 0.95,
) -> Estimate:
    """A statistic of runs, with a percentile interval from a bootstrap within tasks and methods.

    Tasks are what they are: the interval is over the runs, not over which tasks there might be.

    >>> runs = [np.array([1.0, 2.0, 3.0]), np.array([5.0, 5.0])]
    >>> stratified(interquartile_mean, runs).value.__round__(3)
    3.333

    Args:
        statistic: of as many methods' scores as are given.
        methods: scores, one array of runs a task each.
        draws: how often runs are drawn again. Agarwal et al. take 50,000, and 2,000 for the
            probability of improvement.
        seed: of the drawing.
        confidence: share of the draws within the interval.

    Raises:
        ValueError: as the statistic; or ``confidence`` is not between 0 and 1.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, got {confidence}")
    value, generator = statistic(*methods), np.random.default_rng(seed)

    def drawn(runs: np.ndarray) -> np.ndarray:
        return runs[generator.integers(len(runs), size=len(runs))]

    values = [statistic(*([drawn(runs) for runs in one] for one in methods)) for _ in range(draws)]
    tail = (1 - confidence) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    # A percentile may miss the value itself where there are few runs.
    return Estimate(value, min(float(low), value), max(float(high), value))
