"""The ranked table of the page, and the values of every seed."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence

from jaxgan.visualization.report.axes import Scale
from jaxgan.visualization.report.charts import interval_plot, interval_scale, swatch
from jaxgan.visualization.report.data import Floor, MetricColumn, MetricValue, Report, Row
from jaxgan.visualization.report.markup import esc, link
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


FIRST, OTHERS = 6, 7
"""Metrics that fit beside the names on a page of usual width; further ones get further tables."""


def results_table(report: Report) -> str:
    """The ranked table; as several, one below the other, where one would be too wide.

    On narrow screens the style sheet turns rows into cards. Rows that become cards are no table for
    assistive technology any more; the explicit roles keep them one.
    """
    order = ranked(report)
    colors = {row.name: index for index, row in enumerate(report.rows)}
    shown = [*report.rows, *([report.floor] if report.floor else [])]
    scales = {
        column.name: interval_scale(
            [row.metrics[column.name] for row in shown if column.name in row.metrics]
        )
        for column in report.metrics
    }
    tables = []
    for index, columns in enumerate(column_groups(report)):
        first = index == 0
        head = "".join(
            [
                _header("#", "Rank", "rank"),
                _header("Run"),
                *([_header("Parameters", kind="num"), _header("Time a seed", kind="num")] * first),
                *(_metric_header(column, scales[column.name], report) for column in columns),
            ]
        )
        lines = [
            _row(report, place, columns, colors[place.row.name], scales, whole=first)
            for place in order
        ]
        if report.floor is not None:
            lines.append(_floor_row(report.floor, columns, whole=first))
        ranking = f"Ranked by {report.ranking_column.label}"
        caption = ranking if first else f"More metrics of the same runs. {ranking}"
        tables.append(
            '<div class="scroll" role="region" tabindex="0" aria-label="Ranked results">'
            '<table class="results" role="table">'
            f"<caption>{esc(caption)}</caption>"
            f'<thead role="rowgroup"><tr role="row">{head}</tr></thead>'
            f'<tbody role="rowgroup">{"".join(lines)}</tbody></table></div>'
        )
    return "".join(tables)


def column_groups(report: Report) -> tuple[tuple[MetricColumn, ...], ...]:
    """The columns of each table; the one that ranks is in the first."""
    columns = [*report.metrics]
    if report.ranking_column not in columns[:FIRST]:
        columns.remove(report.ranking_column)
        columns.insert(0, report.ranking_column)
    rest = columns[FIRST:]
    tables = math.ceil(len(rest) / OTHERS)
    # About as many in each, instead of a last table with a single one.
    edges = [round(index * len(rest) / tables) for index in range(tables + 1)] if tables else []
    return (
        tuple(columns[:FIRST]),
        *(tuple(rest[a:b]) for a, b in itertools.pairwise(edges)),
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


def _row(
    report: Report,
    place: Ranked,
    columns: Sequence[MetricColumn],
    color: int,
    scales: Mapping[str, Scale | None],
    *,
    whole: bool,
) -> str:
    row = place.row
    rank = MISSING if place.rank is None else str(place.rank)
    mark, words = _MARKS.get(place.standing, ("", ""))
    if place.standing is Standing.INCOMPLETE:
        words = f"{words}: {incomplete(row, report.rank_by)}"
    badge = f'<span class="badge {mark}">{words}</span>' if words else ""
    if row.failures is not None and row.failures.told:
        badge += f' <span class="badge">{esc(row.failures.text)}</span>'
    seeds = f"{len(row.seeds)} seed{'s' if len(row.seeds) != 1 else ''}"
    time = duration(sum(row.seconds) / len(row.seconds)) if row.seconds else MISSING
    about = (
        f'<span class="badge">{esc(row.family)}</span>'
        f'{badge}<span class="objective">{esc(row.objective)}</span>'
        f"{_failure(row) if row.metrics else ''}"
    )
    cells = [
        f'<td role="cell" class="rank"><span class="place">{rank}</span></td>',
        f'<th scope="row" role="rowheader" class="name">{swatch(color)}'
        f'<span class="run">{esc(row.name)}</span> {about if whole else ""}</th>',
    ]
    if whole:
        cells += [
            _plain("Parameters", compact(row.parameters), f"{row.parameters:,}"),
            _plain("Time a seed", time, f"{row.steps:,} steps", seeds),
        ]
    if row.failed is not None and not row.metrics:
        message = _failure(row) if whole else '<span class="why">Failed</span>'
        cells.append(f'<td role="cell" class="failure" colspan="{len(columns)}">{message}</td>')
    else:
        cells += [_cell(report, row, column, color, scales[column.name]) for column in columns]
    name = ' class="first"' if place.standing is Standing.LEADER else ""
    return f'<tr role="row"{name}>{"".join(cells)}</tr>'


def _floor_row(floor: Floor, columns: Sequence[MetricColumn], *, whole: bool) -> str:
    about = f'<span class="objective">{esc(floor.explanation)}</span>' if whole else ""
    cells = [
        f'<td role="cell" class="rank"><span class="place">{MISSING}</span></td>',
        f'<th scope="row" role="rowheader" class="name"><span class="run">{esc(floor.name)}</span>'
        f" {about}</th>",
    ]
    if whole:
        cells += [f'<td role="cell" class="num only-wide">{MISSING}</td>'] * 2
    for column in columns:
        value = floor.metrics.get(column.name)
        text = MISSING if value is None else number(value.mean, column.digits)
        cells.append(_plain(column.title, text))
    return f'<tr role="row" class="floor">{"".join(cells)}</tr>'


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
    reason = incomplete(row, column.name)
    why = f'<span class="why">{esc(reason)}</span>' if reason else ""
    if row.failures is not None and row.failures.failed:
        # Beside every mean: what is left of a method that often fails looks better than it is.
        why += f'<span class="range lost">{row.failures.share} failed</span>'
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


def seeds_tables(report: Report) -> str:
    """The values of every seed, one line a seed, each with a link to its run."""
    return "".join(_seeds_table(report, columns) for columns in column_groups(report))


def _seeds_table(report: Report, columns: Sequence[MetricColumn]) -> str:
    titles = ("Run", "Seed", *(column.title for column in columns), "Time")
    head = "".join(f'<th scope="col">{esc(title)}</th>' for title in titles)
    lines = []
    for place in ranked(report):
        row = place.row
        for index, seed in enumerate(row.seeds):
            cells = []
            for column in columns:
                value = row.metrics.get(column.name)
                one = value.per_seed[index] if value is not None and value.per_seed else None
                text = MISSING if one is None else number(one, column.digits)
                cells.append(f'<td class="num">{text}</td>')
            time = duration(row.seconds[index]) if index < len(row.seconds) else MISSING
            shown = link(row.runs[index], str(seed)) if row.runs else str(seed)
            lines.append(
                f'<tr><th scope="row">{esc(row.name)}</th><td class="num">{shown}</td>'
                f'{"".join(cells)}<td class="num">{time}</td></tr>'
            )
    return (
        '<div class="scroll" role="region" tabindex="0" aria-label="Values of every seed">'
        f'<table class="seeds"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )
