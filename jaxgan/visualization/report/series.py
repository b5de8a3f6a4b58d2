"""Curves of several seeds, drawn together into a mean and a band."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np

from jaxgan.visualization.report.data import Curve, Report, Row
from jaxgan.visualization.report.search import BandPlot

MOST_POINTS = 160
"""More points than this along a curve are averaged in groups: the eye cannot tell, the file can."""


@dataclass(frozen=True)
class Series:
    """One row's curve of one metric.

    Attributes:
        name: of the row.
        color: index of the row in the report.
        x: real images seen, or other places along the horizontal axis.
        mean: over the seeds.
        low: least of the seeds, or the lower end of another band.
        high: largest of the seeds, or the upper end.
        seeds: how many were drawn together; one alone has no band.
    """

    name: str
    color: int
    x: tuple[float, ...]
    mean: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    seeds: int


def curve_names(report: Report) -> tuple[str, ...]:
    """Metrics that have curves: those of the table in its order, then others by name."""
    found = {name for row in report.rows for name, curves in row.curves.items() if curves}
    columns = [column.name for column in report.metrics if column.name in found]
    return (*columns, *sorted(found.difference(columns)))


def collect(report: Report, name: str) -> tuple[Series, ...]:
    """The series of all rows that have a curve of this name, in the order of the report."""
    series = (gather(row, color, name) for color, row in enumerate(report.rows))
    return tuple(one for one in series if one is not None)


def banded(report: Report, plot: BandPlot) -> tuple[Series, ...]:
    """The lines of a plot as series, in the order of the report."""
    colors = {row.name: color for color, row in enumerate(report.rows)}
    bands = sorted(plot.bands, key=lambda band: colors[band.row])
    return tuple(
        Series(one.row, colors[one.row], one.x, one.mean, one.low, one.high, seeds=2)
        for one in bands
    )


def gather(row: Row, color: int, name: str) -> Series | None:
    """Draws the curves of a row's seeds together; None if they have no finite point in common.

    Seeds are compared where all of them were measured: from the latest start to the earliest end,
    linearly in between. Points that are not finite are left out.
    """
    cleaned = [_finite(curve) for curve in row.curves.get(name, ())]
    curves = [curve for curve in cleaned if curve.images_seen]
    if not curves:
        return None
    start = max(curve.images_seen[0] for curve in curves)
    end = min(curve.images_seen[-1] for curve in curves)
    places = {x for curve in curves for x in curve.images_seen if start <= x <= end}
    if not places:
        return None
    x = np.array(sorted(places))
    values = np.stack([np.interp(x, curve.images_seen, curve.values) for curve in curves])
    rows = (x, values.mean(axis=0), values.min(axis=0), values.max(axis=0))
    if len(x) > MOST_POINTS:
        groups = np.linspace(0, len(x), MOST_POINTS + 1).astype(int)
        x_, mean, low, high = rows
        spans = list(itertools.pairwise(groups))
        rows = (
            np.array([x_[a:b].mean() for a, b in spans]),
            np.array([mean[a:b].mean() for a, b in spans]),
            np.array([low[a:b].min() for a, b in spans]),
            np.array([high[a:b].max() for a, b in spans]),
        )
    xs, mean, low, high = (tuple(array.tolist()) for array in rows)
    return Series(row.name, color, xs, mean, low, high, len(curves))


def _finite(curve: Curve) -> Curve:
    points = [
        (x, y)
        for x, y in zip(curve.images_seen, curve.values, strict=True)
        if math.isfinite(x) and math.isfinite(y)
    ]
    return Curve(tuple(x for x, _ in points), tuple(y for _, y in points))
