"""The ranked table for papers (LaTeX, booktabs) and for notes (Markdown)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from jaxgan.visualization.report.data import MetricColumn, MetricValue, Report
from jaxgan.visualization.report.markup import printable
from jaxgan.visualization.report.ranking import Standing, best, legend, marks, ranked, verdict
from jaxgan.visualization.report.text import MISSING, compact, number, seed_points, spread

_LATEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#",
    "%": r"\%", "_": r"\_", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\textquotedbl{}",
    "\N{MINUS SIGN}": "$-$", "\N{PLUS-MINUS SIGN}": r"$\pm$", "\N{EN DASH}": "--",
    "\N{DOWNWARDS ARROW}": r"$\downarrow$", "\N{UPWARDS ARROW}": r"$\uparrow$",
    "\N{ALMOST EQUAL TO}": r"$\approx$", "\N{DAGGER}": r"$\dagger$", "\N{INFINITY}": r"$\infty$",
    "\N{GREEK SMALL LETTER BETA}": r"$\beta$", "\N{REPLACEMENT CHARACTER}": "?",
    "[": "{[}", "]": "{]}",
}  # fmt: skip


def latex(text: str) -> str:
    """Text made fit for LaTeX, on one line."""
    return "".join(_LATEX.get(one, one) for one in _one_line(text))


def markdown(text: str) -> str:
    """Text made fit for a cell of a Markdown table: no markup, no HTML, one line."""
    escaped = re.sub(r"([\\`*_{}\[\]#|~$!])", r"\\\1", _one_line(text))
    return escaped.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _one_line(text: str) -> str:
    return " ".join(printable(text).split())


def latex_table(report: Report) -> str:
    """A ``table`` with the rules of booktabs, best row first; comments say what it is."""
    head, *body = _cells(report, latex, lambda text: f"\\textbf{{{text}}}")
    lines = [
        f"% {_one_line(report.title)}. {_one_line(report.created)}",
        r"% Needs \usepackage{booktabs}.",
        r"\begin{table}",
        r"  \centering",
        f"  \\caption{{{latex(_caption(report))}}}",
        f"  \\begin{{tabular}}{{rl{'r' * (len(head) - 2)}}}",
        r"    \toprule",
    ]
    lines += [f"    {' & '.join(head)} \\\\", r"    \midrule"]
    rows = [f"    {' & '.join(cells)} \\\\" for cells in body]
    if report.floor is not None:
        rows.insert(-1, r"    \midrule")
    lines += [*rows, r"    \bottomrule", r"  \end{tabular}", r"\end{table}"]
    return "\n".join(lines) + "\n"


def markdown_table(report: Report) -> str:
    """A heading, the verdict, the table, and what its marks mean."""
    head, *body = _cells(report, markdown, lambda text: f"**{text}**")
    rule = ["--:", "---", *["--:"] * (len(head) - 2)]
    table = [f"| {' | '.join(cells)} |" for cells in (head, rule, *body)]
    notes = [markdown(line) for line in (report.interval, *legend(report))]
    parts = [f"## {markdown(report.title)}", markdown(verdict(report)), "\n".join(table), *notes]
    return "\n\n".join(parts) + "\n"


def _caption(report: Report) -> str:
    told = (f"{report.title}. {report.budget}; {report.interval}.", *legend(report))
    return " ".join(_one_line(line) for line in told)


def _cells(
    report: Report, escape: Callable[[str], str], bold: Callable[[str], str]
) -> list[list[str]]:
    """The head, and one line a row, in the order of the ranking; real images last."""
    arrows = {True: " ↓", False: " ↑", None: ""}
    titles = [f"{column.title}{arrows[column.lower_is_better]}" for column in report.metrics]
    told = any(row.failures is not None and row.failures.told for row in report.rows)
    last = ["parameters", *["failed"] * told]
    table = [[escape(title) for title in ("#", "run", *titles, *last)]]
    leaders = {column.name: best(report, column.name) for column in report.metrics}
    for place in ranked(report):
        row, cells = place.row, []
        for column in report.metrics:
            text = escape(_value(row.metrics, column) or MISSING)
            if mark := marks(report, row, column):
                text += f" {escape(mark)}"
            cells.append(bold(text) if row.name in leaders[column.name] else text)
        if place.standing is Standing.FAILED and not row.metrics:
            cells[0] = escape("failed")
        rank = MISSING if place.rank is None else str(place.rank)
        ends = [compact(row.parameters)]
        ends += [MISSING if row.failures is None else row.failures.share] * told
        table.append([escape(rank), escape(row.name), *cells, *map(escape, ends)])
    if floor := report.floor:
        values = [_value(floor.metrics, column) or MISSING for column in report.metrics]
        table.append(
            [escape(text) for text in (MISSING, floor.name, *values, *[MISSING] * len(last))]
        )
    return table


def _value(metrics: Mapping[str, MetricValue], column: MetricColumn) -> str:
    """A cell's numbers; empty where there are none."""
    value = metrics.get(column.name)
    if value is None:
        return ""
    extra = spread(value.mean, value.interval, column.digits)
    if not extra and value.interval is not None:
        extra = f"[{', '.join(number(end, column.digits) for end in value.interval)}]"
    if points := seed_points(value, column.digits):
        extra = f"({', '.join(points)})"
    return f"{number(value.mean, column.digits)} {extra}".rstrip()
