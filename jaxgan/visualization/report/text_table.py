"""The ranked table for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from jaxgan.visualization.report.data import MetricColumn, Report
from jaxgan.visualization.report.ranking import Ranked, Standing, ranked, verdict
from jaxgan.visualization.report.text import (
    MISSING,
    compact,
    duration,
    first_line,
    number,
    shortened,
    spread,
)

_LONGEST_NAME = 28


def text_table(report: Report, *, width: int = 100) -> str:
    """The ranked table as plain text, aligned, with the verdict below.

    Metrics for which the width does not suffice are named below the table instead; the one that
    ranks always stays.

    Args:
        report: what to show.
        width: most characters a line.
    """
    order = ranked(report)
    others = [column for column in report.metrics if column.name != report.rank_by]
    shown = [report.ranking_column, *others]
    lines = _lines(order, shown, _LONGEST_NAME)
    while max(map(len, lines)) > width and len(shown) > 1:
        shown.pop()
        lines = _lines(order, shown, _LONGEST_NAME)
    if max(map(len, lines)) > width:
        lines = [line[:width].rstrip() for line in _lines(order, shown, _LONGEST_NAME // 2)]
    paragraphs = []
    if any(place.standing is Standing.TIED for place in order):
        paragraphs.append("~ within the noise of the first: the intervals overlap")
    if left_out := [column.label for column in report.metrics if column not in shown]:
        paragraphs.append(f"Not shown here: {', '.join(left_out)}")
    paragraphs += [
        f"{place.row.name} failed: {shortened(first_line(place.row.failed), 200)}"
        for place in order
        if place.row.failed is not None
    ]
    paragraphs.append(verdict(report))
    wrapped = [line for text in paragraphs for line in textwrap.wrap(text, width)]
    return "\n".join([*lines, "", *wrapped]) + "\n"


def _lines(order: Sequence[Ranked], columns: Sequence[MetricColumn], longest: int) -> list[str]:
    head = ["#", "run", *(_label(column) for column in columns), "params", "time/seed"]
    cells = [head, *(_cells(place, columns, longest) for place in order)]
    widths = [max(len(row[index]) for row in cells) for index in range(len(head))]
    left = (0, 1)
    aligned = [
        "  ".join(
            text.ljust(size) if index in left else text.rjust(size)
            for index, (text, size) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]
    rule = "  ".join("-" * size for size in widths)
    return [aligned[0], rule, *aligned[1:]]


def _label(column: MetricColumn) -> str:
    return f"{column.label} {'↓' if column.lower_is_better else '↑'}"


def _cells(place: Ranked, columns: Sequence[MetricColumn], longest: int) -> list[str]:
    row = place.row
    rank = MISSING if place.rank is None else str(place.rank)
    mark = "~" if place.standing is Standing.TIED else ""
    time = duration(sum(row.seconds) / len(row.seconds)) if row.seconds else MISSING
    values = []
    for column in columns:
        value = row.metrics.get(column.name)
        if value is None:
            failed = place.standing is Standing.FAILED and column is columns[0]
            values.append("failed" if failed else MISSING)
            continue
        mean = number(value.mean, column.digits)
        half = spread(value.mean, value.interval, column.digits)
        if not half and value.interval is not None:
            low, high = (number(end, column.digits) for end in value.interval)
            half = f"[{low}, {high}]"
        values.append(f"{mean} {half}".rstrip())
    name = shortened(row.name, longest)
    return [rank + mark, name, *values, compact(row.parameters), time]
