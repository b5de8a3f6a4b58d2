"""Writes a report: the page, and the same numbers for programs."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from jaxgan.machine.atomic import write_atomically
from jaxgan.visualization.report.data import Floor, MetricValue, Report, Row
from jaxgan.visualization.report.exports import latex_table, markdown_table
from jaxgan.visualization.report.page import render
from jaxgan.visualization.report.ranking import Ranked, legend, ranked, verdict


def write_report(folder: str | Path, report: Report) -> Path:
    """Writes ``index.html``, ``results.csv``, ``results.json``, ``table.tex`` and ``table.md``.

    The page is one file that asks nothing of any server and can be mailed as it is. Each file is
    replaced as a whole or not at all, and the same report gives the same bytes.

    Args:
        folder: made if it is not there.
        report: what to show.

    Returns:
        The path of the page.

    Raises:
        OSError: a file cannot be written; the message names it.
    """
    folder = Path(folder)
    write_atomically(folder / "results.csv", csv_text(report).encode("utf-8", "replace"))
    write_atomically(folder / "results.json", json_text(report).encode("ascii"))
    write_atomically(folder / "table.tex", latex_table(report).encode("utf-8", "replace"))
    write_atomically(folder / "table.md", markdown_table(report).encode("utf-8", "replace"))
    return write_atomically(folder / "index.html", render(report).encode("utf-8"))


def csv_text(report: Report) -> str:
    """One line a row of the table, best first; numbers with all their digits.

    A metric takes the columns ``NAME``, ``NAME_low``, ``NAME_high``, ``NAME_over`` (what the
    interval is over), ``NAME_p`` (corrected p-value of the difference from the best) and one
    ``NAME_seed_SEED`` for each seed of the report. What there is not is left empty. Real images,
    where they were measured, are the last line, of the standing ``floor``. ``failed_runs`` of
    ``all_runs`` failed; of a searched row they are its trials.
    """
    seeds = sorted({seed for row in report.rows for seed in row.seeds})
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    head = ["rank", "standing", "name", "family", "objective", "parameters", "steps", "seeds"]
    head += ["seconds", "failed", "failed_runs", "all_runs"]
    for column in report.metrics:
        head += [f"{column.name}{part}" for part in ("", "_low", "_high", "_over", "_p")]
        head += [f"{column.name}_seed_{seed}" for seed in seeds]
    writer.writerow(head)
    for place in ranked(report):
        row = place.row
        seconds = sum(row.seconds) / len(row.seconds) if row.seconds else None
        line: list[Any] = [place.rank, place.standing.name.lower(), row.name, row.family]
        line += [row.objective, row.parameters, row.steps, " ".join(map(str, row.seeds))]
        failed, of, _ = row.failures or (0, len(row.seeds), "")
        line += [seconds, row.failed, failed, of]
        for column in report.metrics:
            line += _csv_cells(row, row.metrics.get(column.name), seeds)
        writer.writerow(line)
    if floor := report.floor:
        line = [None, "floor", floor.name, None, floor.explanation, *[None] * 7]
        for column in report.metrics:
            value = floor.metrics.get(column.name)
            line += [value and value.mean, *[None] * (4 + len(seeds))]
        writer.writerow(line)
    return buffer.getvalue()


def _csv_cells(row: Row, value: MetricValue | None, seeds: list[int]) -> list[float | str | None]:
    if value is None:
        return [None] * (5 + len(seeds))
    by_seed = dict(zip(row.seeds, value.per_seed, strict=False))
    over = None if value.low is None else value.over
    numbers = [value.mean, value.low, value.high, over, value.p_value]
    return [*numbers, *(by_seed.get(seed) for seed in seeds)]


def json_text(report: Report) -> str:
    """All of the report but its pictures, as strict JSON, best row first.

    What is not finite is the string ``"nan"``, ``"inf"`` or ``"-inf"``, as in a run's log.
    """
    content = {
        "title": report.title,
        "created": report.created,
        "command": report.command,
        "budget": report.budget,
        "verdict": verdict(report),
        "rank_by": report.rank_by,
        "interval": report.interval,
        "metrics": [asdict(column) for column in report.metrics],
        "rows": [_json_row(place) for place in ranked(report)],
        "floor": _json_floor(report.floor),
        "protocol": dict(report.protocol),
        "environment": dict(report.environment),
        "notes": list(report.notes),
        "legend": list(legend(report)),
        "plots": [asdict(plot) for plot in report.plots],
        "budgets": [asdict(plot) for plot in report.budgets],
    }
    return json.dumps(_strict(content), indent=1, allow_nan=False) + "\n"


def _json_floor(floor: Floor | None) -> dict[str, Any] | None:
    if floor is None:
        return None
    metrics = {name: asdict(value) for name, value in floor.metrics.items()}
    return {"name": floor.name, "explanation": floor.explanation, "metrics": metrics}


def _json_row(place: Ranked) -> dict[str, Any]:
    row = place.row
    return {
        "rank": place.rank,
        "standing": place.standing.name.lower(),
        "name": row.name,
        "objective": row.objective,
        "family": row.family,
        "description": row.description,
        "command": row.command,
        "parameters": row.parameters,
        "steps": row.steps,
        "seconds": row.seconds,
        "seeds": row.seeds,
        "runs": row.runs,
        "failed": row.failed,
        "failures": row.failures and row.failures._asdict(),
        "metrics": {name: asdict(value) for name, value in row.metrics.items()},
        "curves": {
            name: [asdict(curve) for curve in curves] for name, curves in row.curves.items()
        },
    }


def _strict(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {name: _strict(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_strict(inner) for inner in value]
    return value
