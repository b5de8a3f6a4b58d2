"""What all parts of the scaling benchmark share: fair timing, the machine in words, tables."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import jax
import numpy as np
from side_by_side.machine import cores, processor

import jaxgan
from jaxgan.config import Experiment
from jaxgan.data import splits
from jaxgan.program import Program, compile_program, example_batch
from jaxgan.run import provenance
from jaxgan.run.experiment_file import load_experiment

EXPERIMENTS = Path(__file__).parents[1]

Row: TypeAlias = dict[str, Any]
"""One line of a table, and one object of the JSON file."""


def experiment(name: str) -> Experiment:
    """The experiment of a file beside this folder."""
    return load_experiment(EXPERIMENTS / f"{name}.py")


def environment(**changes: str) -> dict[str, str]:
    """The environment of another process that imports the same jaxgan as this one."""
    package = str(Path(jaxgan.__file__).parents[1])
    paths = [package, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), **changes}


def alternate(runs: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """Medians of runs that take turns, so that what else the machine does meets all alike.

    Args:
        runs: each does its work and returns its seconds. One turn goes before, and is not counted.
        rounds: how often each is run; every other round goes backwards.
    """
    names = list(runs)
    for name in names:
        runs[name]()
    times: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(rounds):
        for name in names[:: -1 if turn % 2 else 1]:
            times[name].append(runs[name]())
    return {name: statistics.median(values) for name, values in times.items()}


class Stepper:
    """One state that is trained on, step by step, by the compiled step and nothing else.

    Args:
        setting: what to train; its own seed applies.
        mode: as `jaxgan.machine.parallel.plan` takes it.
    """

    def __init__(self, setting: Experiment, mode: Any = "none") -> None:
        self.program: Program = compile_program(setting, mode)
        replicate = self.program.plan.replicate
        blank = example_batch(setting)
        self._state = replicate(jax.device_get(self.program.init(setting.seed, blank)))
        self._arrays = replicate(splits.in_memory(setting.data, "train"))
        self._seed = replicate(np.asarray(setting.seed, np.uint32))

    def advance(self) -> Any:
        """Dispatches one step, without waiting for it; returns its metrics."""
        step = self.program.phases[0].resident_step
        self._state, metrics = step(self._state, self._arrays, self._seed)
        return metrics

    def seconds(self, steps: int) -> float:
        """Time of so many steps, all done."""
        metrics: Any = None
        started = time.perf_counter()
        for _ in range(steps):
            metrics = self.advance()
        jax.block_until_ready(metrics)
        return time.perf_counter() - started


def enough(stepper: Stepper, seconds: float) -> int:
    """How many steps take about that long, at least 3; compiles the step."""
    stepper.seconds(2)
    return max(3, round(seconds / (stepper.seconds(3) / 3)))


def machine() -> Row:
    """What the numbers depend on besides the code."""
    versions = provenance.versions()
    return {
        "processor": processor(),
        "cores": cores(),
        "load_at_start": round(os.getloadavg()[0], 2),
        "device": jax.devices()[0].device_kind,
        **{name: versions[name] for name in ("python", "jax", "jaxlib", "flax", "jaxgan")},
    }


def table(rows: Sequence[Row]) -> str:
    """Rows of one measure as a Markdown table."""
    names = [name for name in rows[0] if name != "measure"]
    cells = [[name.replace("_", " ") for name in names]]
    cells += [[_cell(row.get(name)) for name in names] for row in rows]
    widths = [max(len(line[i]) for line in cells) for i in range(len(names))]
    text = [isinstance(rows[0][name], str) for name in names]
    cells.insert(
        1, [("-" * w if t else "-" * (w - 1) + ":") for w, t in zip(widths, text, strict=True)]
    )
    return "\n".join(
        "| "
        + " | ".join(
            c.ljust(w) if t else c.rjust(w) for c, w, t in zip(line, widths, text, strict=True)
        )
        + " |"
        for line in cells
    )


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 100 else f"{value:,.0f}"
    return "" if value is None else str(value)
