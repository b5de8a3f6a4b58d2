"""Tables for people, in plain text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from jaxgan.measurement.numbers import Number
from jaxgan.visualization.report.columns import COLUMNS
from jaxgan.visualization.report.text import MISSING, number

_COLUMNS = {column.name: column for column in COLUMNS}
_ARROWS = {True: " ↓", False: " ↑", None: ""}


def aligned(rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> list[str]:
    """Lines whose cells stand below each other, two spaces apart.

    >>> aligned([["fid", "4.2"], ["recall", "0.31"]], right=[1])
    ['fid      4.2', 'recall  0.31']

    Args:
        rows: of equally many cells.
        right: columns whose cells end below each other, and do not start so.
    """
    rows = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if place in right else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def printable(text: str) -> str:
    """A line of text that comes from a file, and must not speak to the terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def finite(value: Any) -> float | None:
    """A number as JSON can hold it."""
    return value if isinstance(value, int | float) and math.isfinite(value) else None


def age(seconds: float | int) -> str:
    """How long ago something was, roughly.

    >>> age(59), age(7200), age(200_000)
    ('1 min', '2 h', '2 days')
    """
    minutes = max(0, round(seconds / 60))
    if minutes < 120:
        return f"{minutes} min"
    hours = round(seconds / 3600)
    return f"{hours} h" if hours < 48 else f"{round(hours / 24)} days"


def shown(value: float, metric: str) -> str:
    """A metric's value, with the digits that reports give it."""
    if not math.isfinite(value):
        return MISSING
    column = _COLUMNS.get(metric)
    return number(value, 4 if column is None else column.digits)


def numbers_table(numbers: Sequence[Number]) -> list[str]:
    """Metric, value and 95% interval of each number, and below them how they were measured.

    Standard errors, which the intervals tell too, are left out.
    """
    metrics = {found.metric for found in numbers}
    numbers = [
        one for one in numbers if one.metric.removesuffix("_se") not in metrics - {one.metric}
    ]
    if not numbers:
        return ["there are no numbers"]
    rows = [["metric", "value", "95% interval", ""]]
    for one in numbers:
        column = _COLUMNS.get(one.metric)
        interval = MISSING
        if math.isfinite(one.low) and math.isfinite(one.high):
            interval = f"{shown(one.low, one.metric)} to {shown(one.high, one.metric)}"
        arrow = "" if column is None else _ARROWS[column.lower_is_better]
        unit = "" if column is None else column.unit
        rows.append([f"{one.metric}{arrow}", shown(one.value, one.metric), interval, unit])
    lines = [*aligned(rows, right=[1]), ""]
    by_protocol: dict[str, list[str]] = {}
    for one in numbers:
        by_protocol.setdefault(one.protocol, []).append(one.metric)
    return lines + [f"{', '.join(names)}: {how}" for how, names in by_protocol.items()]
