"""Who is first, and whether that means anything."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from jaxgan.visualization.report.data import ALPHA, MetricColumn, Report, Row
from jaxgan.visualization.report.text import chance, joined, number, seed_points


class Standing(Enum):
    """How a row stands to the leader."""

    LEADER = "leader"
    TIED = "not significantly different from the leader"
    BEHIND = "significantly behind the leader"
    UNKNOWN = "significance cannot be judged"
    INCOMPLETE = "without a value in some seeds"
    UNRANKED = "without a value"
    FAILED = "failed"


LIKE_BEST = "≈"
"""Marks what does not differ significantly from the best of its column."""

UNJUDGED = "?"
"""Marks what cannot be compared with the best of its column, in tables where others can."""

OVER_SAMPLES = "†"
"""Marks an interval that is over samples."""


@dataclass(frozen=True)
class Ranked:
    """A row in its place.

    Attributes:
        row: the row.
        rank: from 1; equal means share a rank. None for a row that cannot be ranked.
        standing: against the leader.
    """

    row: Row
    rank: int | None
    standing: Standing


def has_value(row: Row, metric: str) -> bool:
    """Whether a row takes part in the comparison of a metric.

    A row of which some seeds failed, or have no value (a divergence between modes, say, where no
    sample lies at any), does not, by the seeds that are left: surviving is part of the result.
    """
    value = row.metrics.get(metric)
    if row.failed is not None or value is None:
        return False
    return math.isfinite(value.mean) and not value.missing


def incomplete(row: Row, metric: str) -> str:
    """Why a row whose seeds have not all a value is not ranked; empty for others."""
    value = row.metrics.get(metric)
    if row.failed is not None or value is None or not value.missing:
        return ""
    return f"no value in {value.missing} of {len(row.seeds)} seeds"


def leader(rows: Sequence[Row], column: MetricColumn) -> Row | None:
    """The first row with the best finite mean of a metric; None if there is none, or no best."""
    if column.lower_is_better is None:
        return None
    sign = 1.0 if column.lower_is_better else -1.0
    taking_part = [row for row in rows if has_value(row, column.name)]
    return min(taking_part, key=lambda row: sign * row.metrics[column.name].mean, default=None)


def ranked(report: Report) -> tuple[Ranked, ...]:
    """All rows: the ranked ones best first, then those with a value in some of their seeds, those
    without a finite value, and the failed."""
    metric = report.rank_by
    sign = 1.0 if report.ranking_column.lower_is_better else -1.0

    def mean(row: Row) -> float:
        return sign * row.metrics[metric].mean

    placed = sorted((row for row in report.rows if has_value(row, metric)), key=mean)
    result = []
    for row in placed:
        value = row.metrics[metric]
        standing = Standing.TIED if value.like_best else Standing.BEHIND
        if value.p_value is None:
            standing = Standing.UNKNOWN
        rank = 1 + sum(mean(other) < mean(row) for other in placed)
        result.append(Ranked(row, rank, Standing.LEADER if row is placed[0] else standing))
    rest = [
        Ranked(row, None, _unranked(row, metric))
        for row in report.rows
        if not has_value(row, metric)
    ]
    last = (Standing.INCOMPLETE, Standing.UNRANKED, Standing.FAILED)
    return (*result, *sorted(rest, key=lambda place: last.index(place.standing)))


def _unranked(row: Row, metric: str) -> Standing:
    if row.failed is not None:
        return Standing.FAILED
    return Standing.INCOMPLETE if incomplete(row, metric) else Standing.UNRANKED


def best(report: Report, metric: str) -> frozenset[str]:
    """Names of the rows with the best finite mean of a metric, failed rows left out."""
    column = next(column for column in report.metrics if column.name == metric)
    first = leader(report.rows, column)
    if first is None:
        return frozenset()
    target = first.metrics[metric].mean
    return frozenset(
        row.name
        for row in report.rows
        if has_value(row, metric) and row.metrics[metric].mean == target
    )


def marks(report: Report, row: Row, column: MetricColumn) -> str:
    """The marks of a cell, `legend` explains them."""
    value = row.metrics.get(column.name)
    if value is None:
        return ""
    found = LIKE_BEST if value.like_best else ""
    if not found and column.name in _open(report).get(row.name, ()) and _any_judged(report):
        found = UNJUDGED
    sampled = value.interval is not None and value.over == "samples"
    return found + (OVER_SAMPLES if sampled else "")


def legend(report: Report) -> tuple[str, ...]:
    """What the marks mean, those that there are; and whether significance could be judged."""
    values = [value for row in report.rows for value in row.metrics.values()]
    lines = []
    if _any_judged(report):
        test = (
            "two-sided t-test of the differences, paired over the training seeds, Holm's correction"
            f" for the number of rows, alpha {ALPHA:g}"
        )
        if any(value.like_best for value in values):
            lines.append(
                f"{LIKE_BEST} not significantly different from the best of its column ({test})."
            )
        else:
            lines.append(f"All differ significantly from the best of their column ({test}).")
        if _open(report):
            lines.append(
                f"{UNJUDGED} shares fewer than 3 training seeds with the best of the column:"
                " significance cannot be judged."
            )
    elif _open(report):
        lines.append("Fewer than 3 training seeds: significance cannot be judged.")
    if any(value.interval is None and len(value.defined) == 2 for value in values):
        lines.append("Two seeds are shown as they are: no interval can be told from two values.")
    if any(value.interval is not None and value.over == "samples" for value in values):
        lines.append(
            f"{OVER_SAMPLES} interval over the drawing of samples or test images, from one training"
            " seed: another seed may differ by more."
        )
    return tuple(lines)


def _any_judged(report: Report) -> bool:
    return any(v.p_value is not None for row in report.rows for v in row.metrics.values())


def _open(report: Report) -> dict[str, set[str]]:
    """By row, the metrics in which it has a best row to be compared with, and cannot be."""
    found: dict[str, set[str]] = {}
    for column in report.metrics:
        first = leader(report.rows, column)
        for row in report.rows:
            if first is None or row is first or not has_value(row, column.name):
                continue
            if row.metrics[column.name].p_value is None:
                found.setdefault(row.name, set()).add(column.name)
    return found


def verdict(report: Report) -> str:
    """One or two sentences: who is first, and whether the second differs by more than noise."""
    column = report.ranking_column
    order = ranked(report)
    places = [place for place in order if place.rank is not None]
    failed = [place.row.name for place in order if place.standing is Standing.FAILED]
    ending = "".join(
        f" {place.row.name} has {incomplete(place.row, report.rank_by)} and is not ranked."
        for place in order
        if place.standing is Standing.INCOMPLETE
    )
    ending += f" {joined(failed)} failed and {_is(failed)} not ranked." if failed else ""
    if not places:
        return f"No run has a value of {column.label}, so there is no ranking.{ending}"

    def told(place: Ranked) -> str:
        value = place.row.metrics[report.rank_by]
        text = number(value.mean, column.digits)
        if value.interval is not None:
            low, high = (number(end, column.digits) for end in value.interval)
            over = " over samples" if value.over == "samples" else ""
            text += f", interval{over} {low} to {high}"
        elif points := seed_points(value, column.digits):
            text += f", two seeds: {' and '.join(points)}"
        return text if value.p_value is None else f"{text}; {chance(value.p_value)}"

    first, *others = places
    direction = "lowest" if column.lower_is_better else "highest"
    start = f"{first.row.name} has the {direction} {column.label} ({told(first)})"
    if not others:
        return f"{start}; no other run has a value to compare it with.{ending}"
    second = others[0]
    tied = [place.row.name for place in others if place.standing is Standing.TIED]
    if second.standing is Standing.UNKNOWN:
        return (
            f"{start}, ahead of {second.row.name} ({told(second)}); with fewer than 3 seeds of both"
            f" there is no judging whether the difference is more than chance.{ending}"
        )
    if second.standing is Standing.BEHIND:
        clear = f"{start}, significantly ahead of {second.row.name}, the second ({told(second)})"
        also = f", though not of {joined(tied)}" if tied else ""
        return f"{clear}{also}.{ending}"
    also = f" The same goes for {joined(tied[1:])}." if tied[1:] else ""
    return (
        f"{start}, but {second.row.name}, the second ({told(second)}), does not differ"
        f" significantly from it.{also}{ending}"
    )


def _is(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"
