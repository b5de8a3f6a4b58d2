"""Charts as inline SVG: intervals for table cells, and learning curves.

Colors come from the page's style sheet by class (``s0`` to ``s7``, told apart by color-blind
readers), so that a chart follows the light or dark scheme. From the ninth series on lines are
dashed as well.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from jaxgan.visualization.report.axes import Scale, fitted, linear
from jaxgan.visualization.report.data import MetricValue
from jaxgan.visualization.report.markup import esc
from jaxgan.visualization.report.series import Series
from jaxgan.visualization.report.text import shortened

COLORS = 8
_DASHES = ("", "7 3", "2 3", "9 3 2 3")
_LABEL_CHARACTERS = 17
_LABEL_PITCH = 15.0


def color_class(index: int) -> str:
    """Style-sheet class of the series with this index."""
    return f"s{index % COLORS}"


def _dash(index: int) -> str:
    dash = _DASHES[index // COLORS % len(_DASHES)]
    return f' stroke-dasharray="{dash}"' if dash else ""


def swatch(index: int) -> str:
    """A short line in a series' color, for legends and names."""
    return (
        f'<svg class="swatch {color_class(index)}" viewBox="0 0 22 10" aria-hidden="true">'
        f'<path class="line" d="M1 5H21"{_dash(index)}/></svg>'
    )


def interval_scale(values: Sequence[MetricValue]) -> Scale | None:
    """One scale for the intervals of a table's column; None if there is nothing finite to show."""
    ends = [
        end
        for value in values
        for end in (*(value.interval or (value.mean, value.mean)), *value.defined)
    ]
    finite = [end for end in ends if abs(end) < float("inf")]
    return fitted(finite, margin=0.06) if finite else None


def interval_plot(
    value: MetricValue, scale: Scale, index: int, reference: tuple[float, float] | None
) -> str:
    """A dot with whiskers on its column's scale, and below it a small one for each seed; decoration
    beside the numbers.

    Args:
        value: what to show.
        scale: the column's.
        index: of the series.
        reference: the leader's interval, shaded, so that an overlap can be seen.
    """

    def x(number: float) -> float:
        return 4 + 112 * min(max(scale(number), 0.0), 1.0)

    parts = []
    if reference is not None:
        left, right = x(reference[0]), x(reference[1])
        parts.append(
            f'<rect class="reference" x="{left:.1f}" y="0" width="{max(right - left, 1):.1f}"'
            ' height="20"/>'
        )
    parts.append('<path class="rail" d="M4 7H116"/>')
    if value.interval is not None:
        left, right = (x(end) for end in value.interval)
        parts.append(
            f'<path class="whisker" d="M{left:.1f} 7H{right:.1f}'
            f'M{left:.1f} 4V10M{right:.1f} 4V10"/>'
        )
    if abs(value.mean) < float("inf"):
        parts.append(f'<circle class="dot" cx="{x(value.mean):.1f}" cy="7" r="3.5"/>')
    parts += [f'<circle class="seed" cx="{x(one):.1f}" cy="16" r="2"/>' for one in value.defined]
    return (
        f'<svg class="interval {color_class(index)}" viewBox="0 0 120 20" aria-hidden="true">'
        f"{''.join(parts)}</svg>"
    )


def curve_chart(
    series: Sequence[Series],
    label: str,
    *,
    width: int,
    direct_labels: bool,
    across: str = "real images seen",
) -> str:
    """Curves of all rows: the mean as a line, the range of the seeds as a band.

    Args:
        series: at least one.
        label: of the metric, with its unit.
        width: of the drawing in CSS pixels; text keeps its size whatever the width.
        direct_labels: names at the ends of the lines, instead of a legend elsewhere.
        across: label of the horizontal axis, which counts something.
    """
    height, left, top, bottom = 280, 50, 12, 44
    right = 136 if direct_labels else 12
    plot_width, plot_height = width - left - right, height - top - bottom
    x, y = _scales(series, ticks=max(3, plot_width // 64))

    def at(place: float, value: float) -> tuple[float, float]:
        # Kept near the frame: far-away coordinates lose precision when a page is printed.
        return x(place) * plot_width, min(max(1 - y(value), -1.0), 2.0) * plot_height

    names = ", ".join(one.name for one in series)
    scale_note = ", logarithmic scale" if y.log else ""
    cut_note = "; early values cut off" if y.cut else ""
    parts = [
        f'<svg class="chart" viewBox="0 0 {width} {height}" role="img">',
        f"<title>{esc(label)} by {esc(across)}{scale_note}: {esc(names)}</title>",
    ]
    for tick in y.ticks:
        level = top + (1 - y(tick)) * plot_height
        parts.append(f'<path class="gridline" d="M{left} {level:.1f}h{plot_width}"/>')
        parts.append(
            f'<text class="tick" x="{left - 7}" y="{level + 4:.1f}" text-anchor="end">'
            f"{esc(y.label(tick))}</text>"
        )
    for tick in x.ticks:
        place = left + x(tick) * plot_width
        parts.append(f'<path class="axis" d="M{place:.1f} {top + plot_height}v4"/>')
        parts.append(
            f'<text class="tick" x="{place:.1f}" y="{top + plot_height + 18}"'
            f' text-anchor="middle">{esc(x.label(tick))}</text>'
        )
    parts.append(f'<path class="axis" d="M{left} {top + plot_height}h{plot_width}"/>')
    parts.append(
        f'<text class="axis-label" x="{left + plot_width / 2:.1f}" y="{height - 8}"'
        f' text-anchor="middle">{esc(across)}{cut_note}</text>'
    )
    frame = f'x="{left}" y="{top}" width="{plot_width}" height="{plot_height}"'
    parts.append(f"<svg {frame}>")  # an inner drawing cuts off what lies outside of the frame
    for one in series:
        parts.append(_line(one, at))
    parts.append("</svg>")
    if direct_labels:
        ends = [at(one.x[-1], one.mean[-1]) for one in series]
        wanted = [min(max(level, 0.0), float(plot_height)) for _, level in ends]
        label_x = float(left + plot_width + 14)
        for one, (end, _), level, place in zip(
            series, ends, wanted, spaced(wanted, float(plot_height)), strict=True
        ):
            parts.append(_end_label(one, left + end, top + level, label_x, top + place))
    parts.append("</svg>")
    return "".join(parts)


def _scales(series: Sequence[Series], ticks: int) -> tuple[Scale, Scale]:
    first = min(one.x[0] for one in series)
    last = max(one.x[-1] for one in series)
    start = 0.0 if 0 <= first <= 0.25 * last else first
    x = linear(start, last if last > start else start + 1.0, ticks)
    # What is counted along the axis has no halves.
    x = replace(x, ticks=tuple(tick for tick in x.ticks if tick == round(tick)))
    ends = [
        (place, value)
        for one in series
        for line in (one.low, one.mean, one.high)
        for place, value in zip(one.x, line, strict=True)
    ]
    late = [value for place, value in ends if x(place) >= 0.15]
    return x, fitted([value for _, value in ends], late=late)


def _line(one: Series, at: Callable[[float, float], tuple[float, float]]) -> str:
    points = [at(place, value) for place, value in zip(one.x, one.mean, strict=True)]
    path = "L".join(f"{px:.1f} {py:.1f}" for px, py in points)
    parts = [f'<g class="series {color_class(one.color)}"><title>{esc(one.name)}</title>']
    if one.seeds > 1 and len(points) > 1:
        upper = [at(place, value) for place, value in zip(one.x, one.high, strict=True)]
        lower = [at(place, value) for place, value in zip(one.x, one.low, strict=True)]
        outline = "L".join(f"{px:.1f} {py:.1f}" for px, py in (*upper, *reversed(lower)))
        parts.append(f'<path class="band" d="M{outline}Z"/>')
    if len(points) > 1:
        parts.append(f'<path class="line" d="M{path}"{_dash(one.color)}/>')
    if len(points) <= 12:
        parts += [f'<circle class="dot" cx="{px:.1f}" cy="{py:.1f}" r="2.5"/>' for px, py in points]
    parts.append("</g>")
    return "".join(parts)


def _end_label(one: Series, x: float, y: float, label_x: float, label_y: float) -> str:
    text = esc(shortened(one.name, _LABEL_CHARACTERS))
    return (
        f'<g class="{color_class(one.color)}"><title>{esc(one.name)}</title>'
        f'<path class="leader" d="M{x + 2:.1f} {y:.1f}L{label_x - 4:.1f} {label_y:.1f}"/>'
        f'<text class="end-label" x="{label_x:.1f}" y="{label_y + 4:.1f}">{text}</text></g>'
    )


def spaced(wanted: Sequence[float], height: float, pitch: float = _LABEL_PITCH) -> list[float]:
    """Levels for labels: near where they are wanted, in that order, at least ``pitch`` apart.

    Args:
        wanted: one level a label.
        height: labels stay between 0 and this, or spread evenly where there is no room.
        pitch: least distance.
    """
    order = sorted(range(len(wanted)), key=lambda index: wanted[index])
    if len(wanted) > 1:
        pitch = min(pitch, height / (len(wanted) - 1))
    levels = [0.0] * len(wanted)
    below = -pitch
    for index in order:
        below = levels[index] = max(wanted[index], below + pitch)
    above = height + pitch
    for index in reversed(order):
        above = levels[index] = min(levels[index], above - pitch)
    return levels
