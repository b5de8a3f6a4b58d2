"""Who is first, and whether that means anything."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

from jaxgan.visualization.report.data import MetricValue, Report, Row
from jaxgan.visualization.report.text import joined, number


class Standing(Enum):
    """How a row stands to the leader."""

    LEADER = "leader"
    TIED = "within the leader's noise"
    BEHIND = "behind the leader"
    UNKNOWN = "no interval to tell by"
    UNRANKED = "without a value"
    FAILED = "failed"


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


def overlap(a: MetricValue, b: MetricValue) -> bool | None:
    """Whether two intervals share a point; None where one of them is missing."""
    if a.interval is None or b.interval is None:
        return None
    return a.interval[0] <= b.interval[1] and b.interval[0] <= a.interval[1]


def ranked(report: Report) -> tuple[Ranked, ...]:
    """All rows: the ranked ones best first, those without a finite value, then the failed.

    A row of which some seeds failed is not ranked by the seeds that are left: surviving is part of
    the result.
    """
    sign = 1.0 if report.ranking_column.lower_is_better else -1.0

    def has_value(row: Row) -> bool:
        value = row.metrics.get(report.rank_by)
        return row.failed is None and value is not None and math.isfinite(value.mean)

    def mean(row: Row) -> float:
        return sign * row.metrics[report.rank_by].mean

    placed = sorted(filter(has_value, report.rows), key=mean)
    result = []
    for row in placed:
        leader = placed[0].metrics[report.rank_by]
        shared = overlap(leader, row.metrics[report.rank_by])
        standing = {None: Standing.UNKNOWN, True: Standing.TIED, False: Standing.BEHIND}[shared]
        rank = 1 + sum(mean(other) < mean(row) for other in placed)
        result.append(Ranked(row, rank, Standing.LEADER if row is placed[0] else standing))
    rest = [row for row in report.rows if not has_value(row)]
    result += [Ranked(row, None, Standing.UNRANKED) for row in rest if row.failed is None]
    result += [Ranked(row, None, Standing.FAILED) for row in rest if row.failed is not None]
    return tuple(result)


def best(report: Report, metric: str) -> frozenset[str]:
    """Names of the rows with the best finite mean of a metric, failed rows left out."""
    column = next(column for column in report.metrics if column.name == metric)
    means = {
        row.name: row.metrics[metric].mean
        for row in report.rows
        if row.failed is None and metric in row.metrics and math.isfinite(row.metrics[metric].mean)
    }
    if not means:
        return frozenset()
    target = min(means.values()) if column.lower_is_better else max(means.values())
    return frozenset(name for name, mean in means.items() if mean == target)


def verdict(report: Report) -> str:
    """One or two sentences: who is first, and whether the second differs by more than noise."""
    column = report.ranking_column
    order = ranked(report)
    places = [place for place in order if place.rank is not None]
    failed = [place.row.name for place in order if place.standing is Standing.FAILED]
    ending = f" {joined(failed)} failed and {_is(failed)} not ranked." if failed else ""
    if not places:
        return f"No run has a value of {column.label}, so there is no ranking.{ending}"

    def told(place: Ranked) -> str:
        value = place.row.metrics[report.rank_by]
        text = number(value.mean, column.digits)
        if value.interval is None:
            return text
        low, high = (number(end, column.digits) for end in value.interval)
        return f"{text}, interval {low} to {high}"

    first, *others = places
    direction = "lowest" if column.lower_is_better else "highest"
    start = f"{first.row.name} has the {direction} {column.label} ({told(first)})"
    if not others:
        return f"{start}; no other run has a value to compare it with.{ending}"
    second = others[0]
    tied = [place.row.name for place in others if place.standing is Standing.TIED]
    if second.standing is Standing.UNKNOWN:
        return (
            f"{start}, ahead of {second.row.name} ({told(second)}), but without an interval for"
            f" both there is no telling whether the difference is more than noise.{ending}"
        )
    if second.standing is Standing.BEHIND:
        clear = f"{start}, and its interval is clear of that of {second.row.name}, the second"
        also = f"; those of {joined(tied)} do overlap it" if tied else ""
        return f"{clear} ({told(second)}){also}.{ending}"
    also = f" The same goes for {joined(tied[1:])}." if tied[1:] else ""
    return (
        f"{start}, but its interval overlaps that of {second.row.name}, the second"
        f" ({told(second)}): the difference is within the noise of the seeds.{also}{ending}"
    )


def _is(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"
