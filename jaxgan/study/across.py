"""Methods compared over several data sets, where one report would have numbers of two scales.

After Agarwal et al. 2021: the interquartile mean and the optimality gap of all runs together, and
the chance that a run of the first method beats one of another on the same data set. The first two
need scores of one scale: on each data set 0 stands for one value of the metric and 1 for another,
which whoever compares should name; by default they are the worst and the best mean of the methods
there, so that scores then depend on which methods are compared. The last needs no scale.

A run that has failed counts as the worst score that there is on its data set, and as beaten by all
that have not. The interquartile mean leaves such runs out, so their share stands beside it.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from jaxgan.config import ConfigError
from jaxgan.evaluation.statistics import across as statistics
from jaxgan.evaluation.statistics.intervals import Estimate
from jaxgan.study.agreement import check_likelihoods, full_names
from jaxgan.study.rows import Finished, short_metrics
from jaxgan.study.selection import lower_is_better
from jaxgan.visualization.report.exports import markdown
from jaxgan.visualization.report.search import Failures
from jaxgan.visualization.report.text import MISSING, number

DRAWS = 2_000
"""Of the bootstrap: quantiles of 2,000 draws are off by some hundredths of the interval's width."""

Ends = Mapping[str, tuple[float, float]]
"""By data set: the values of the metric that have the scores 0 and 1."""


class Method(NamedTuple):
    """One method over all data sets."""

    name: str
    failures: Failures
    interquartile_mean: Estimate
    optimality_gap: Estimate
    """To the score 1."""
    beaten: Estimate | None
    """Chance that a run of the first method beats one of this; None: it is the first."""


class Across(NamedTuple):
    """Methods over data sets, the best interquartile mean first."""

    metric: str
    ends: dict[str, tuple[float, float]]
    """By data set: the values of the metric that have the scores 0 and 1."""
    methods: tuple[Method, ...]


def compare(
    rows: Mapping[str, Sequence[Finished]],
    metric: str,
    ends: Ends | None = None,
    *,
    draws: int = DRAWS,
    seed: int = 0,
) -> Across:
    """Compares the methods that have been run on all of several data sets.

    Args:
        rows: by data set, those of its report; methods are told apart by the names of their rows.
        metric: short name.
        ends: values with the scores 0 and 1, by data set; None: the worst and the best mean.
        draws: of the bootstrap, within each data set.
        seed: of the draws.

    Raises:
        ConfigError: there are no data sets, a method is missing on one, runs of one data set were
            not measured alike, no run of a data set has the metric, or the ends are none.
    """
    if not rows:
        raise ConfigError("name at least one data set")
    down = lower_is_better(metric)
    values = {data: _values(data, some, metric) for data, some in rows.items()}
    names = [*dict.fromkeys(name for some in values.values() for name in some)]
    for data, name in itertools.product(values, names):
        if name not in values[data]:
            raise ConfigError(f"{name} has no runs on {data}: only what is on all can be compared")
    known = {data: _ends(data, some, down, ends) for data, some in values.items()}
    scored = {data: _scores(values[data], *known[data]) for data in values}
    worst = {data: min(itertools.chain(*some.values())) for data, some in scored.items()}

    def with_failed(instead: Mapping[str, float]) -> dict[str, list[np.ndarray]]:
        """The scores of each method by data set, those of failed runs included."""
        return {
            name: [
                np.array([*scored[data][name], *[instead[data]] * _failed(values[data][name])])
                for data in values
            ]
            for name in names
        }

    filled, ranked = with_failed(worst), with_failed(dict.fromkeys(values, -math.inf))
    means = {name: statistics.interquartile_mean(filled[name]) for name in names}
    order = sorted(names, key=lambda name: -means[name])

    def told(name: str) -> Method:
        options = {"draws": draws, "seed": seed}
        runs = [one for data in values for one in values[data][name]]
        beaten = None
        if name != order[0]:
            beaten = statistics.stratified(
                statistics.probability_of_improvement, ranked[order[0]], ranked[name], **options
            )
        return Method(
            name,
            Failures(_failed(runs), len(runs)),
            statistics.stratified(statistics.interquartile_mean, filled[name], **options),
            statistics.stratified(statistics.optimality_gap, filled[name], **options),
            beaten,
        )

    return Across(metric, known, tuple(told(name) for name in order))


def _failed(values: Sequence[float | None]) -> int:
    return sum(value is None for value in values)


def _values(data: str, rows: Sequence[Finished], metric: str) -> dict[str, list[float | None]]:
    """Of each method one value a run; None of a run that has failed, or has no finite value."""
    results = {
        o.folder.name: o.result for row in rows for o in row.outcomes if o.result is not None
    }
    full_names(results)
    check_likelihoods(metric, {row.subject.name: row.subject.likelihood for row in rows})
    values: dict[str, list[float | None]] = {}
    for row in rows:
        found = [short_metrics(o.result).get(metric) if o.result else None for o in row.outcomes]
        values[row.subject.name] = [
            one if one is not None and math.isfinite(one) else None for one in found
        ]
    if all(one is None for some in values.values() for one in some):
        raise ConfigError(f"no run on {data} has a value of {metric}")
    return values


def _ends(
    data: str, values: Mapping[str, Sequence[float | None]], down: bool, given: Ends | None
) -> tuple[float, float]:
    if given is not None:
        if data not in given or given[data][0] == given[data][1]:
            raise ConfigError(f"{data} needs two different values, of the scores 0 and 1")
        return given[data]
    kept = [[one for one in some if one is not None] for some in values.values()]
    means = [math.fsum(some) / len(some) for some in kept if some]
    if min(means) == max(means):
        raise ConfigError(
            f"on {data} there is no worst and best mean, by which scores would be made: name the"
            " values that have the scores 0 and 1"
        )
    return (max(means), min(means)) if down else (min(means), max(means))


def _scores(
    values: Mapping[str, Sequence[float | None]], zero: float, one: float
) -> dict[str, list[float]]:
    return {
        name: [(value - zero) / (one - zero) for value in some if value is not None]
        for name, some in values.items()
    }


def table(found: Across) -> str:
    """The comparison as Markdown, and what its columns are."""
    head = ["method", "IQM ↑", "optimality gap ↓", "failed", "beaten by the first"]
    lines = [[markdown(one) for one in head], ["---", *["--:"] * 4]]
    for one in found.methods:
        beaten = MISSING if one.beaten is None else _told(one.beaten)
        cells = [one.name, _told(one.interquartile_mean), _told(one.optimality_gap)]
        lines.append([markdown(text) for text in (*cells, one.failures.share, beaten)])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    shown = "\n".join(
        f"| {' | '.join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))} |"
        for line in lines
    )
    scale = "; ".join(
        f"{data}: {number(zero, 3)} and {number(one, 3)}"
        for data, (zero, one) in found.ends.items()
    )
    notes = (
        f"Over {len(found.ends)} data sets by {found.metric}, whose values with the scores 0 and 1"
        f" are: {scale}. IQM: mean of the middle half of all runs, which leaves failed ones out, so"
        " that it is to be read with their share. Optimality gap: by how much runs fall short of 1."
        " Beaten by the first: chance that a run of the first method is better on the same data"
        " set. In brackets 95% intervals over runs, drawn again within each data set."
    )
    return f"{shown}\n\n{markdown(notes)}\n"


def _told(value: Estimate) -> str:
    return f"{number(value.value, 2)} [{number(value.low, 2)}, {number(value.high, 2)}]"
