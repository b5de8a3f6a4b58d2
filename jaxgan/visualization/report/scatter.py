"""Plots of two metrics against each other, as inline SVG.

Rows are told apart by the shape of their markers as well as by their color, which comes from the
page's style sheet as in `jaxgan.visualization.report.charts`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from jaxgan.visualization.report.axes import Scale, linear
from jaxgan.visualization.report.charts import color_class
from jaxgan.visualization.report.data import MetricValue, Plot, PlotPoint
from jaxgan.visualization.report.markup import esc
from jaxgan.visualization.report.text import number

SHAPES = (
    "M-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0 -9 0Z",  # circle
    "M-4 -4H4V4H-4Z",  # square
    "M0 -5.5L5 4H-5Z",  # triangle
    "M0 -5.5L5.5 0L0 5.5L-5.5 0Z",  # diamond
    "M0 5.5L5 -4H-5Z",  # triangle on its tip
    "M-1.7 -5H1.7V-1.7H5V1.7H1.7V5H-1.7V1.7H-5V-1.7H-1.7Z",  # cross
    "M0 -5.5L5.3 -1.7L3.3 4.5H-3.3L-5.3 -1.7Z",  # pentagon
)
"""Outlines about the origin. Their number and that of the colors have no common divisor, so 56 rows
look different."""


def _marker(index: int) -> str:
    return SHAPES[index % len(SHAPES)]


def marker_swatch(index: int) -> str:
    """The marker of the row with this index, for legends."""
    return (
        f'<svg class="swatch {color_class(index)}" viewBox="-11 -6 22 12" aria-hidden="true">'
        f'<path class="marker" d="{_marker(index)}"/></svg>'
    )


def line_swatch() -> str:
    """The line of a plot, for legends."""
    return (
        '<svg class="swatch" viewBox="0 0 22 10" aria-hidden="true">'
        '<path class="hull" d="M1 5H21"/></svg>'
    )


def scatter_chart(plot: Plot, indices: Mapping[str, int], *, width: int) -> str:
    """The points of a plot, with the whiskers of both their intervals, and its line.

    Axes are linear: straight lines between models are what mixing them gives.

    Args:
        plot: what to show.
        indices: of the rows in the report, by name; they choose color and shape.
        width: of the drawing in CSS pixels; text keeps its size whatever the width.
    """
    height, left, top, bottom = 320, 64, 14, 44
    # Labels stand at the right of their markers, above which a falling line leaves room.
    right = 16 + 6 * max(len(point.label) for point in plot.points)
    plot_width, plot_height = width - left - right, height - top - bottom
    x = _axis([p.x for p in plot.points], [a for a, _ in plot.line], max(3, plot_width // 64))
    y = _axis([p.y for p in plot.points], [b for _, b in plot.line], 6)

    def across(value: float) -> float:
        return left + x(value) * plot_width

    def down(value: float) -> float:
        return top + (1 - y(value)) * plot_height

    names = ", ".join(point.row for point in plot.points)
    parts = [
        f'<svg class="chart scatter" viewBox="0 0 {width} {height}" role="img">',
        f"<title>{esc(plot.title)}: {esc(plot.y_label)} by {esc(plot.x_label)} of {esc(names)}"
        "</title>",
        f"<desc>{esc('; '.join(_told(plot, point) for point in plot.points))}</desc>",
    ]
    for tick in y.ticks:
        level = down(tick)
        parts.append(f'<path class="gridline" d="M{left} {level:.1f}h{plot_width}"/>')
        parts.append(
            f'<text class="tick" x="{left - 7}" y="{level + 4:.1f}" text-anchor="end">'
            f"{esc(y.label(tick))}</text>"
        )
    for tick in x.ticks:
        place = across(tick)
        parts.append(f'<path class="gridline" d="M{place:.1f} {top}v{plot_height}"/>')
        parts.append(
            f'<text class="tick" x="{place:.1f}" y="{top + plot_height + 18}"'
            f' text-anchor="middle">{esc(x.label(tick))}</text>'
        )
    parts.append(f'<path class="axis" d="M{left} {top}v{plot_height}h{plot_width}"/>')
    parts.append(
        f'<text class="axis-label" x="{left + plot_width / 2:.1f}" y="{height - 8}"'
        f' text-anchor="middle">{esc(plot.x_label)}</text>'
        f'<text class="axis-label" text-anchor="middle"'
        f' transform="translate(14 {top + plot_height / 2:.1f}) rotate(-90)">'
        f"{esc(plot.y_label)}</text>"
    )
    if len(plot.line) > 1:
        path = "L".join(f"{across(a):.1f} {down(b):.1f}" for a, b in plot.line)
        title = f"<title>{esc(plot.line_label)}</title>"
        parts.append(f'<path class="hull" d="M{path}">{title}</path>')
    for point in plot.points:
        place, level = across(point.x.mean), down(point.y.mean)
        whiskers = ""
        if point.x.interval is not None:
            start, end = (across(value) for value in point.x.interval)
            whiskers += f"M{start:.1f} {level:.1f}H{end:.1f}"
        if point.y.interval is not None:
            start, end = (down(value) for value in point.y.interval)
            whiskers += f"M{place:.1f} {start:.1f}V{end:.1f}"
        whisker = f'<path class="whisker" d="{whiskers}"/>' if whiskers else ""
        label = (
            f'<text class="end-label" x="{place + 8:.1f}" y="{level - 8:.1f}">'
            f"{esc(point.label)}</text>"
            if point.label
            else ""
        )
        index = indices[point.row]
        seeds = "".join(
            f'<circle class="seed" cx="{across(a):.1f}" cy="{down(b):.1f}" r="2"/>'
            for a, b in zip(point.x.per_seed, point.y.per_seed, strict=False)
            if a is not None and b is not None and math.isfinite(a + b)
        )
        parts.append(
            f'<g class="series {color_class(index)}"><title>{esc(_told(plot, point))}</title>'
            f'{seeds}{whisker}<path class="marker" transform="translate({place:.1f} {level:.1f})"'
            f' d="{_marker(index)}"/>{label}</g>'
        )
    parts.append("</svg>")
    return "".join(parts)


def _axis(values: Sequence[MetricValue], places: Sequence[float], ticks: int) -> Scale:
    ends = [
        end
        for value in values
        for end in (*(value.interval or (value.mean, value.mean)), *value.defined)
    ]
    low, high = min([*ends, *places]), max([*ends, *places])
    room = 0.08 * (high - low) or 0.1 * abs(high) or 0.5
    # A quantity that is never negative gets no negative ticks.
    start = 0.0 if low >= 0 > low - room else low - room
    return linear(start, high + room, ticks)


def _told(plot: Plot, point: PlotPoint) -> str:
    """A point in words."""

    def value(label: str, shown: MetricValue) -> str:
        text = f"{label} {number(shown.mean, 3)}"
        if shown.interval is not None:
            low, high = (number(end, 3) for end in shown.interval)
            text += f" ({low} to {high})"
        return text

    name = f"{point.row}, {point.label}" if point.label else point.row
    return f"{name}: {value(plot.x_label, point.x)}, {value(plot.y_label, point.y)}"
