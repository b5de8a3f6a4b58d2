"""The results as a table and as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from side_by_side.measure import Group, Row

_HEAD = (
    "step",
    "precision",
    "implementation",
    "ms/step",
    "images/s",
    "peak MB",
    "/ fastest PyTorch",
    "/ linen",
    "of matrix rate",
)
_LEFT = 3
"""Columns of words, which are aligned to the left."""
_MISSING = "–"

NOTES = """\
ms/step: median over the rounds of this run, in which the implementations of one step and precision
take turns.
peak MB: largest memory of the process while it is timed, less what it had right after importing its
framework.
/ fastest PyTorch, / linen: time divided by that of the fastest PyTorch variant and of plain Flax;
below 1 is faster.
of matrix rate: operations that the step needs, divided by its time and by the machine's rate in a
product of 2048 x 2048 matrices in that precision, measured in JAX (in PyTorch where only that ran).
"""


def rows_as_json(groups: Sequence[Group]) -> str:
    """A list of objects with the fields of `side_by_side.measure.Row`."""
    return json.dumps([row._asdict() for group in groups for row in group.rows], indent=2) + "\n"


def details(groups: Sequence[Group]) -> list[dict[str, Any]]:
    """What stands behind the rows, as plain data: one object a step and precision."""
    found = []
    for group in groups:
        if not group.rows:
            continue
        first = group.rows[0]
        losses = {name: answer["losses"] for name, answer in group.answers.items()}
        found.append(
            {
                "step": first.step,
                "precision": first.precision,
                "flops_per_step": group.flops,
                "matrix_gflops_per_s": round(group.matrix_rate / 1e9, 1),
                "parameters": next(iter(group.answers.values()))["parameters"],
                "steps_a_round": group.steps,
                "ms_of_rounds": {k: [round(t, 3) for t in v] for k, v in group.rounds.items()},
                "losses_of_checked_steps": losses,
                "notes": group.notes,
            }
        )
    return found


def text(groups: Sequence[Group]) -> str:
    """The table for a terminal."""
    lines = [list(_HEAD), *_cells(groups)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEAD))]
    aligned = [
        "  ".join(
            cell.ljust(width) if column < _LEFT else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]
    return "\n".join([aligned[0], "  ".join("-" * width for width in widths), *aligned[1:]]) + "\n"


def markdown(groups: Sequence[Group]) -> str:
    """The table in Markdown."""
    rules = ["---"] * _LEFT + ["---:"] * (len(_HEAD) - _LEFT)
    lines = [list(_HEAD), rules, *_cells(groups)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cells(groups: Sequence[Group]) -> list[list[str]]:
    return [_row_cells(row, group) for group in groups for row in group.rows]


def _row_cells(row: Row, group: Group) -> list[str]:
    rate = 1000.0 * group.flops / row.ms_per_step
    return [
        row.step,
        row.precision,
        row.implementation,
        f"{row.ms_per_step:.3g}" if row.ms_per_step < 100 else f"{row.ms_per_step:.0f}",
        f"{row.images_per_s:,.0f}",
        _MISSING if row.peak_mb is None else f"{row.peak_mb:,.0f}",
        _ratio(row, group, lambda name: name.startswith("torch_")),
        _ratio(row, group, lambda name: name == "linen"),
        f"{100.0 * rate / group.matrix_rate:.0f}%",
    ]


def _ratio(row: Row, group: Group, is_among: Callable[[str], bool]) -> str:
    """Time of a row over that of the fastest of some implementations."""
    times = [other.ms_per_step for other in group.rows if is_among(other.implementation)]
    return f"{row.ms_per_step / min(times):.2f}" if times else _MISSING
