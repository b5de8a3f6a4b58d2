"""The ranked table of the page, and the values of every seed."""

from __future__ import annotations

from collections.abc import Mapping

from jaxgan.visualization.report.axes import Scale
from jaxgan.visualization.report.charts import interval_plot, interval_scale, swatch
from jaxgan.visualization.report.data import MetricColumn, MetricValue, Report, Row
from jaxgan.visualization.report.markup import esc
from jaxgan.visualization.report.ranking import (
    LIKE_BEST,
    OVER_SAMPLES,
    UNJUDGED,
    Ranked,
    Standing,
    best,
    incomplete,
    marks,
    ranked,
)
from jaxgan.visualization.report.text import (
    MISSING,
    chance,
    compact,
    duration,
    first_line,
    number,
    seed_points,
    spread,
)

_MARKS = {
    Standing.TIED: ("tied", f"{LIKE_BEST} not significantly behind the first"),
    Standing.UNKNOWN: ("unknown", "significance cannot be judged"),
    Standing.INCOMPLETE: ("failed", "not ranked"),
    Standing.FAILED: ("failed", "failed"),
}


def results_table(report: Report) -> str:
    """The ranked table. On narrow screens the style sheet turns its rows into cards.

    Rows that become cards are no table for assistive technology any more; the explicit roles keep
    them one.
    """
    order = ranked(report)
    colors = {row.name: index for index, row in enumerate(report.rows)}
    scales = {
        column.name: interval_scale(
            [row.metrics[column.name] for row in report.rows if column.name in row.metrics]
        )
        for column in report.metrics
    }
    head = "".join(
        [
            _header("#", "Rank", "rank"),
            _header("Run"),
            # Before the metrics, whose number varies: on narrow screens the last ones scroll.
            _header("Parameters", kind="num"),
            _header("Time a seed", kind="num"),
            *(_metric_header(column, scales[column.name], report) for column in report.metrics),
        ]
    )
    body = "".join(_row(report, place, colors[place.row.name], scales) for place in order)
    return (
        '<table class="results" role="table">'
        f"<caption>Ranked by {esc(report.ranking_column.label)}</caption>"
        f'<thead role="rowgroup"><tr role="row">{head}</tr></thead>'
        f'<tbody role="rowgroup">{body}</tbody></table>'
    )


def _header(text: str, title: str = "", kind: str = "") -> str:
    inner = f'<abbr title="{esc(title)}">{esc(text)}</abbr>' if title else esc(text)
    name = f' class="{kind}"' if kind else ""
    return f'<th scope="col" role="columnheader"{name}>{inner}</th>'


def _metric_header(column: MetricColumn, scale: Scale | None, report: Report) -> str:
    directions = {True: "↓ lower is better", False: "↑ higher is better", None: "neither is better"}
    direction = directions[column.lower_is_better]
    unit = f' <span class="unit">{esc(column.unit)}</span>' if column.unit else ""
    note = "; plot: log scale" if scale is not None and scale.log else ""
    name = "num key" if column.name == report.rank_by else "num"
    return (
        f'<th scope="col" role="columnheader" class="{name}">{esc(column.label)}{unit}'
        f"<small>{direction}{note}</small></th>"
    )


def _row(report: Report, place: Ranked, color: int, scales: Mapping[str, Scale | None]) -> str:
    row = place.row
    rank = MISSING if place.rank is None else str(place.rank)
    mark, words = _MARKS.get(place.standing, ("", ""))
    badge = f'<span class="badge {mark}">{words}</span>' if words else ""
    seeds = f"{len(row.seeds)} seed{'s' if len(row.seeds) != 1 else ''}"
    time = duration(sum(row.seconds) / len(row.seconds)) if row.seconds else MISSING
    cells = [
        f'<td role="cell" class="rank"><span class="place">{rank}</span></td>',
        f'<th scope="row" role="rowheader" class="name">{swatch(color)}'
        f'<span class="run">{esc(row.name)}</span> <span class="badge">{esc(row.family)}</span>'
        f'{badge}<span class="objective">{esc(row.objective)}</span>'
        f"{_failure(row) if row.metrics else ''}</th>",
        _plain("Parameters", compact(row.parameters), f"{row.parameters:,}"),
        _plain("Time a seed", time, f"{row.steps:,} steps", seeds),
    ]
    if row.failed is not None and not row.metrics:
        cells.append(
            f'<td role="cell" class="failure" colspan="{len(report.metrics)}">{_failure(row)}</td>'
        )
    else:
        cells += [
            _cell(report, row, column, color, scales[column.name]) for column in report.metrics
        ]
    name = ' class="first"' if place.standing is Standing.LEADER else ""
    return f'<tr role="row"{name}>{"".join(cells)}</tr>'


def _failure(row: Row) -> str:
    if row.failed is None:
        return ""
    start = f'<span class="why">Failed: {esc(first_line(row.failed))}</span>'
    if "\n" not in row.failed.strip():
        return start
    return f"{start}<details><summary>Full message</summary><pre>{esc(row.failed)}</pre></details>"


def _plain(label: str, text: str, *below: str) -> str:
    lines = "".join(f'<span class="range">{esc(line)}</span>' for line in below)
    return (
        f'<td role="cell" class="num" data-label="{esc(label)}"><span class="value">{esc(text)}'
        f"</span>{lines}</td>"
    )


def _cell(report: Report, row: Row, column: MetricColumn, color: int, scale: Scale | None) -> str:
    leaders = best(report, column.name)
    value = row.metrics.get(column.name)
    names = ["num"]
    if column.name == report.rank_by:
        names.append("key")
    if row.name in leaders:
        names.append("best")
    start = f'<td role="cell" class="{" ".join(names)}" data-label="{esc(column.title)}">'
    if value is None:
        reason = f"{column.label} is not defined for this objective, or was not measured"
        return f'{start}<abbr class="none" title="{esc(reason)}">{MISSING}</abbr></td>'
    half = spread(value.mean, value.interval, column.digits)
    text = f'<span class="value">{number(value.mean, column.digits)}'
    text += f" <small>{half}</small>" if half else ""
    text += f"{_mark(marks(report, row, column), value)}</span>"
    plot = ""
    if scale is not None:
        plot = interval_plot(value, scale, color, _stripe(report, column, leaders))
    why = (
        f'<span class="why">{esc(reason)}</span>'
        if (reason := incomplete(row, column.name))
        else ""
    )
    ends = _range(value, column.digits)
    return f'{start}{text}{plot}<span class="range">{ends}</span>{why}</td>'


def _mark(found: str, value: MetricValue) -> str:
    """The sign of a cell's significance, in words for those who do not see it."""
    if LIKE_BEST in found and value.p_value is not None:
        sign, words = (
            LIKE_BEST,
            f"not significantly different from the best, {chance(value.p_value)}",
        )
    elif UNJUDGED in found:
        sign, words = UNJUDGED, "significance cannot be judged"
    else:
        return ""
    text = esc(words)
    return f' <span class="mark" role="img" aria-label="{text}" title="{text}">{sign}</span>'


def _stripe(
    report: Report, column: MetricColumn, leaders: frozenset[str]
) -> tuple[float, float] | None:
    first = next((row for row in report.rows if row.name in leaders), None)
    return None if first is None else first.metrics[column.name].interval


def _range(value: MetricValue, digits: int) -> str:
    if points := seed_points(value, digits):
        return f"seeds {' and '.join(points)}"
    if value.interval is None:
        alike = len(value.defined) > 2 and len(set(value.defined)) == 1
        return "all seeds alike" if alike else "no interval"
    ends = f"[{number(value.interval[0], digits)}, {number(value.interval[1], digits)}]"
    return f"{ends} {OVER_SAMPLES} over samples" if value.over == "samples" else ends


def seeds_table(report: Report) -> str:
    """The values of every seed, one line a seed."""
    columns = ("Run", "Seed", *(column.title for column in report.metrics), "Time")
    head = "".join(f'<th scope="col">{esc(column)}</th>' for column in columns)
    lines = []
    for place in ranked(report):
        row = place.row
        for index, seed in enumerate(row.seeds):
            cells = []
            for column in report.metrics:
                value = row.metrics.get(column.name)
                one = value.per_seed[index] if value is not None and value.per_seed else None
                text = MISSING if one is None else number(one, column.digits)
                cells.append(f'<td class="num">{text}</td>')
            time = duration(row.seconds[index]) if index < len(row.seconds) else MISSING
            lines.append(
                f'<tr><th scope="row">{esc(row.name)}</th><td class="num">{seed}</td>'
                f'{"".join(cells)}<td class="num">{time}</td></tr>'
            )
    body = "".join(lines)
    return f'<table class="seeds"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
