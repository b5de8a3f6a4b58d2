"""``jaxgan list``: the runs in some folders, a line each."""

from __future__ import annotations

import dataclasses
import json
import time
from pathlib import Path
from typing import Any

import tyro

from jaxgan.cli import reading, tables
from jaxgan.config import ConfigError
from jaxgan.evaluation.protocol import short_name
from jaxgan.run.overview import Overview, find, look
from jaxgan.visualization.report.text import MISSING

RUNS = Path("runs")
"""Where runs are written, unless said otherwise."""


@dataclasses.dataclass(frozen=True)
class ListOptions:
    """List the runs in folders and all that is below them: how far each is, and its first metric.

    Only files of data are read: nothing of a run is executed or changed.
    """

    folders: tyro.conf.Positional[tuple[Path, ...]] = (RUNS,)
    """Where to look."""
    json: bool = False
    """Print JSON, one object a run, with all numbers."""


def list(arguments: Any) -> None:
    """The command; prints a table, or JSON.

    Raises:
        ConfigError: there is no such folder.
    """
    options = reading.read(ListOptions, arguments, "jaxgan list")
    for folder in options.folders:
        if not folder.is_dir() and folder != RUNS:
            raise ConfigError(f"{folder}: there is no such folder")
    found = [look(folder) for folder in find(options.folders)]
    if options.json:
        print(json.dumps([document(one) for one in found], indent=2))
        return
    if not found:
        print(f"there are no runs in {', '.join(map(str, options.folders))}")
        return
    rows = [["folder", "name", "seed", "step", "state", "metric", "value", "age"]]
    rows += [_row(one, time.time()) for one in found]
    print("\n".join(tables.aligned(rows, right=[2, 3, 6, 7])))
    for one in found:
        if one.why:
            print(f"{one.folder} is {one.status}: {tables.printable(one.why)}")


def document(found: Overview) -> dict[str, Any]:
    """A run at a glance as JSON data; numbers that are none are null."""
    metrics = found.result.get("metrics", {})
    return {
        "folder": str(found.folder),
        "name": found.name,
        "seed": found.seed,
        "step": found.step,
        "steps": found.steps,
        "state": found.status,
        "why": found.why,
        "changed": round(found.changed, 3),
        "checkpoints": [*found.checkpoints],
        "metrics": {name: tables.finite(value) for name, value in metrics.items()},
        "intervals": found.result.get("intervals", {}),
    }


def _row(found: Overview, now: float) -> Any:
    metric, value = found.headline or ("", float("nan"))
    steps = MISSING if found.steps is None else f"{found.step:,}/{found.steps:,}"
    return [
        str(found.folder),
        found.name or MISSING,
        MISSING if found.seed is None else str(found.seed),
        steps,
        found.status,
        short_name(metric) or MISSING,
        tables.shown(value, short_name(metric)),
        tables.age(now - found.changed),
    ]
