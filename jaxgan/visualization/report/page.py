"""The report as one HTML page that asks nothing of any server."""

from __future__ import annotations

import base64
import struct
from collections.abc import Mapping
from importlib import resources

from jaxgan.visualization.report.charts import color_class, curve_chart, swatch
from jaxgan.visualization.report.data import Plot, Report, Row
from jaxgan.visualization.report.markup import esc, link, paragraphs
from jaxgan.visualization.report.ranking import Ranked, legend, ranked, verdict
from jaxgan.visualization.report.scatter import line_swatch, marker_swatch, scatter_chart
from jaxgan.visualization.report.search import BandPlot
from jaxgan.visualization.report.series import Series, banded, collect, curve_names
from jaxgan.visualization.report.table import results_table, seeds_tables
from jaxgan.visualization.report.text import MISSING, number

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_MOST_DIRECT_LABELS = 14

PICTURE_KINDS: Mapping[str, tuple[str, str]] = {
    "samples": ("Samples", "Drawn from the prior, not picked."),
    "classes": ("Classes", "Each row is one class, from the same noise in every row."),
    "interpolation": ("Interpolation", "Each row is one path between two latents."),
    "reconstructions": (
        "Reconstructions",
        "Held-out examples above, what the model makes of their codes right below.",
    ),
    "neighbors": (
        "Nearest neighbors",
        "Samples above, the closest training example of each right below: a copy means memorizing.",
    ),
}
"""Heading and explanation of kinds of pictures that are known, in the order of the page."""


def render(report: Report) -> str:
    """The page. The same report gives the same text."""
    style = resources.files("jaxgan.visualization.report").joinpath("style.css").read_text("utf-8")
    order = ranked(report)
    sections = [
        ("results", "Results", _results(report, order)),
        ("budgets", "Budget of trials", _budgets(report)),
        ("plots", "Trade-offs", _plots(report)),
        ("curves", "Learning curves", _curves(report)),
        ("pictures", "Pictures", _pictures(report, order)),
        ("reproduce", "How to reproduce", _reproduce(report, order)),
        ("protocol", "Protocol", _definitions(report.protocol)),
        ("environment", "Versions and hardware", _definitions(report.environment)),
    ]
    shown = [section for section in sections if section[2]]
    links = "".join(f'<li><a href="#{name}">{title}</a></li>' for name, title, _ in shown)
    body = "".join(
        f'<section id="{name}" aria-labelledby="{name}-title">'
        f'<h2 id="{name}-title">{title}</h2>{content}</section>'
        for name, title, content in shown
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="color-scheme" content="light dark">\n'
        '<link rel="icon" href="data:,">\n'
        f"<title>{esc(report.title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n"
        f"<header><h1>{esc(report.title)}</h1>"
        f'<p class="meta">{esc(report.budget)} · {_count(report)} · {esc(report.created)}</p>'
        f'<p class="verdict">{esc(verdict(report))}</p>'
        f'<nav aria-label="Sections"><ul>{links}</ul></nav></header>\n'
        f"<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _count(report: Report) -> str:
    seeds = sorted({len(row.seeds) for row in report.rows})
    if not seeds:
        return "no runs"
    spread = str(seeds[0]) if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]}"
    runs = "1 objective" if len(report.rows) == 1 else f"{len(report.rows)} objectives"
    return f"{runs}, {spread} seed{'' if spread == '1' else 's'} each"


def _results(report: Report, order: tuple[Ranked, ...]) -> str:
    parts = [
        f'<p class="note">Values are means over the seeds, with the {esc(report.interval)} in'
        " brackets; small dots are the seeds. The best mean of a column is bold; the shaded stripe"
        f" is its interval.</p>{results_table(report)}"
    ]
    if lines := legend(report):
        items = "".join(f"<li>{esc(line)}</li>" for line in lines)
        parts.append(f'<ul class="marks note">{items}</ul>')
    with_cells = [place.row for place in order if place.row.metrics or place.row.failed is None]
    missing = any(column.name not in row.metrics for column in report.metrics for row in with_cells)
    if missing:
        parts.append(
            f'<p class="note">{MISSING} The metric is not defined for the objective (a likelihood'
            " bound, say, for a GAN), or was not measured.</p>"
        )
    explained = {
        column.title: column.explanation for column in report.metrics if column.explanation
    }
    parts.append(_definitions(explained))
    parts += [paragraphs(note) for note in report.notes]
    parts.append(
        f"<details><summary>Every seed</summary>{seeds_tables(report)}</details>"
        f'<p class="note">The same numbers with all digits: {link("results.csv", "results.csv")},'
        f" {link('results.json', 'results.json')}; the table for papers and for notes:"
        f" {link('table.tex', 'table.tex')} (LaTeX), {link('table.md', 'table.md')} (Markdown)."
        " All beside this page.</p>"
    )
    return "".join(parts)


def _plots(report: Report) -> str:
    if not report.plots:
        return ""
    indices = {row.name: index for index, row in enumerate(report.rows)}
    figures = "".join(_plot_figure(plot, indices) for plot in report.plots)
    return (
        '<p class="note">Whiskers are the intervals of the table, small dots the seeds. Rows of'
        f' which a seed failed are left out.</p><div class="charts">{figures}</div>'
    )


def _plot_figure(plot: Plot, indices: Mapping[str, int]) -> str:
    keys = [
        f"<li>{marker_swatch(indices[point.row])}{esc(point.row)}</li>" for point in plot.points
    ]
    if plot.line:
        keys.append(f"<li>{line_swatch()}{esc(plot.line_label)}</li>")
    return (
        f"<figure><figcaption>{esc(plot.title)}</figcaption>"
        f'<p class="note">{esc(plot.explanation)}</p>'
        f'<div class="wide">{scatter_chart(plot, indices, width=560)}</div>'
        f'<div class="narrow">{scatter_chart(plot, indices, width=320)}</div>'
        f'<ul class="legend always">{"".join(keys)}</ul></figure>'
    )


def _curves(report: Report) -> str:
    labels = {column.name: column.title for column in report.metrics}
    figures = []
    for name in curve_names(report):
        if series := collect(report, name):
            figures.append(_figure(series, labels.get(name, name)))
    if not figures:
        return ""
    return (
        '<p class="note">Line: mean over the seeds. Band: from the lowest to the highest seed.'
        " Pointing at a line singles it out.</p>"
        f'<div class="charts">{"".join(figures)}</div>'
    )


def _budgets(report: Report) -> str:
    figures = "".join(_budget_figure(report, plot) for plot in report.budgets)
    return f'<div class="charts">{figures}</div>' if figures else ""


def _budget_figure(report: Report, plot: BandPlot) -> str:
    series = banded(report, plot)
    note = f'<p class="note">{esc(plot.explanation)}</p>' if plot.explanation else ""
    return _figure(series, plot.title, plot.y_label, plot.x_label, note)


def _figure(
    series: tuple[Series, ...],
    title: str,
    label: str = "",
    across: str = "real images seen",
    note: str = "",
) -> str:
    direct, label = len(series) <= _MOST_DIRECT_LABELS, label or title
    keys = "".join(f"<li>{swatch(one.color)}{esc(one.name)}</li>" for one in series)
    # Two drawings, of which the style sheet shows the one that fits: text in a drawing that is
    # merely shrunk to the width of a phone cannot be read.
    wide = curve_chart(series, label, width=560, direct_labels=direct, across=across)
    narrow = curve_chart(series, label, width=320, direct_labels=False, across=across)
    return (
        f"<figure><figcaption>{esc(title)}</figcaption>{note}"
        f'<div class="wide">{wide}</div><div class="narrow">{narrow}</div>'
        f'<ul class="legend{"" if direct else " always"}">{keys}</ul></figure>'
    )


def _pictures(report: Report, order: tuple[Ranked, ...]) -> str:
    colors = {row.name: index for index, row in enumerate(report.rows)}
    parts = []
    # An algorithm's own sheets have names only.
    others = sorted({kind for row in report.rows for kind in row.pictures} - PICTURE_KINDS.keys())
    own = {kind: (esc(kind.replace("_", " ").capitalize()), "") for kind in others}
    for kind, (title, explanation) in {**PICTURE_KINDS, **own}.items():
        cards = [
            _card(report, place, kind, title, colors[place.row.name])
            for place in order
            if kind in place.row.pictures
        ]
        floor = report.floor
        if cards and kind == "samples" and floor is not None and floor.picture is not None:
            alt = f"Some {esc(floor.name)}"
            cards.insert(0, _figure_of(floor.picture, "real", alt, floor.name))
        if cards:
            note = f'<p class="note">{explanation}</p>' if explanation else ""
            parts.append(f'<h3>{title}</h3>{note}<div class="cards">{"".join(cards)}</div>')
    return "".join(parts)


def _card(report: Report, place: Ranked, kind: str, title: str, color: int) -> str:
    row, column = place.row, report.ranking_column
    picture = row.pictures[kind]
    value = row.metrics.get(report.rank_by)
    shown = None if value is None else value.mean
    if value is not None and value.per_seed and row.pictured in row.seeds:
        # What is seen is one seed, and so is its number.
        shown = value.per_seed[row.seeds.index(row.pictured)]
    score = "" if shown is None else f"{column.label} {number(shown, column.digits)}"
    place_text = f"{place.rank}." if place.rank is not None else ""
    pictured = "" if row.pictured is None else f"seed {row.pictured}"
    if pictured and row.runs:
        pictured = link(row.runs[row.seeds.index(row.pictured)], pictured)
    lines = " · ".join(part for part in (esc(score), pictured) if part)
    alt = f"{title} of {esc(row.name)}"
    return _figure_of(picture, color_class(color), alt, row.name, place_text, lines)


def _figure_of(
    picture: bytes, kind: str, alt: str, name: str, place: str = "", lines: str = ""
) -> str:
    width, height = struct.unpack(">II", picture[16:24])  # of the header chunk, always the first
    small = ' class="small"' if width < 240 else ""
    source = f"data:image/png;base64,{base64.b64encode(picture).decode('ascii')}"
    return (
        f'<figure class="card {kind}"><img{small} src="{source}"'
        f' width="{width}" height="{height}" alt="{alt}" loading="lazy">'
        f'<figcaption><span class="place">{place}</span> <span class="run">{esc(name)}'
        f'</span><span class="score">{lines}</span></figcaption></figure>'
    )


def _reproduce(report: Report, order: tuple[Ranked, ...]) -> str:
    whole = _command("This report", report.command) if report.command else ""
    return whole + "".join(_recipe(place.row) for place in order)


def _recipe(row: Row) -> str:
    seeds = ", ".join(str(seed) for seed in row.seeds)
    steps = f"{row.steps:,} steps · seeds {seeds}" if seeds else f"{row.steps:,} steps"
    return (
        f'<article><h3>{esc(row.name)}</h3><p class="note">{esc(row.objective)} · {steps}</p>'
        f"{_folders(row)}{paragraphs(row.description)}<pre><code>{esc(row.command)}</code></pre></article>"
    )


def _folders(row: Row) -> str:
    if not row.runs:
        return ""
    links = ", ".join(
        link(path, f"seed {seed}") for seed, path in zip(row.seeds, row.runs, strict=True)
    )
    return f'<p class="note">Runs: {links}</p>'


def _command(title: str, command: str) -> str:
    return f"<article><h3>{esc(title)}</h3><pre><code>{esc(command)}</code></pre></article>"


def _definitions(entries: Mapping[str, str]) -> str:
    if not entries:
        return ""
    rows = "".join(
        f"<div><dt>{esc(name)}</dt><dd>{esc(text)}</dd></div>" for name, text in entries.items()
    )
    return f"<dl>{rows}</dl>"
