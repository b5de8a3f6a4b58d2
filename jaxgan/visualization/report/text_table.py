"""The ranked table for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from jaxgan.visualization.report.data import MetricColumn, Report
from jaxgan.visualization.report.markup import printable
from jaxgan.visualization.report.ranking import Ranked, Standing, legend, marks, ranked, verdict
from jaxgan.visualization.report.text import (
    MISSING,
    compact,
    duration,
    first_line,
    number,
    seed_points,
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
    lines = _lines(report, shown, _LONGEST_NAME)
    while max(map(len, lines)) > width and len(shown) > 1:
        shown.pop()
        lines = _lines(report, shown, _LONGEST_NAME)
    if max(map(len, lines)) > width:
        lines = [line[:width].rstrip() for line in _lines(report, shown, _LONGEST_NAME // 2)]
    paragraphs = []
    paragraphs += legend(report)
    if left_out := [column.label for column in report.metrics if column not in shown]:
        paragraphs.append(f"Not shown here: {', '.join(left_out)}")
    paragraphs += [
        f"{place.row.name} failed: {shortened(first_line(place.row.failed), 200)}"
        for place in order
        if place.row.failed is not None
    ]
    if report.floor is not None:
        paragraphs.append(f"{report.floor.name}: {report.floor.explanation}")
    paragraphs.append(verdict(report))
    wrapped = [line for text in paragraphs for line in textwrap.wrap(text, width)]
    # Names may come from somebody else's files: no escape codes for the terminal.
    return printable("\n".join([*lines, "", *wrapped])) + "\n"


def _lines(report: Report, columns: Sequence[MetricColumn], longest: int) -> list[str]:
    order = ranked(report)
    head = ["#", "run", *(_label(column) for column in columns), "params", "time/seed"]
    told = any(row.failures is not None and row.failures.told for row in report.rows)
    head += ["failed"] * told
    texts = [_values(report, order, column) for column in columns]
    cells = [head]
    for index, place in enumerate(order):
        row = place.row
        rank = MISSING if place.rank is None else str(place.rank)
        time = duration(sum(row.seconds) / len(row.seconds)) if row.seconds else MISSING
        values = [text[index] for text in texts]
        if place.standing is Standing.FAILED and columns[0].name not in row.metrics:
            values[0] = "failed"
        name = shortened(row.name, longest)
        share = MISSING if row.failures is None else row.failures.share
        cells.append([rank, name, *values, compact(row.parameters), time, *[share] * told])
    if floor := report.floor:
        found = [floor.metrics.get(column.name) for column in columns]
        values = [
            MISSING if value is None else number(value.mean, column.digits)
            for value, column in zip(found, columns, strict=True)
        ]
        cells.append([MISSING, shortened(floor.name, longest), *values, *[MISSING] * (2 + told)])
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
    direction = {True: " ↓", False: " ↑", None: ""}[column.lower_is_better]
    return f"{column.label}{direction}"


def _values(report: Report, order: Sequence[Ranked], column: MetricColumn) -> list[str]:
    """A column's cells, with their marks in a column of their own, so that numbers stay aligned."""
    suffixes = [marks(report, place.row, column) for place in order]
    room = max(map(len, suffixes), default=0)
    cells = []
    for place, suffix in zip(order, suffixes, strict=True):
        value = place.row.metrics.get(column.name)
        if value is None:
            cells.append(MISSING)
            continue
        half = spread(value.mean, value.interval, column.digits)
        if not half and value.interval is not None:
            low, high = (number(end, column.digits) for end in value.interval)
            half = f"[{low}, {high}]"
        if points := seed_points(value, column.digits):
            half = f"({', '.join(points)})"
        text = f"{number(value.mean, column.digits)} {half}".rstrip()
        cells.append(f"{text} {suffix:<{room}}" if room else text)
    return cells
