"""What the files of a run's folder tell at a glance, damaged ones included.

Only JSON is read: nothing of a run is imported, compiled or changed, and it may be in training
meanwhile.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

from jaxgan.run import lock, restore, workdir
from jaxgan.run.workdir import RunError

TAIL = 1 << 16
"""Bytes at the end of a log in which its last record is looked for."""

Status = Literal["finished", "running", "stopped", "damaged"]


class Overview(NamedTuple):
    """A run, as its files tell of it."""

    folder: Path
    status: Status
    why: str
    """Who writes it where it is running, and what is wrong where it is damaged; else empty."""
    changed: float
    """When its log, result or configuration last changed, in seconds since 1970."""
    config: dict[str, Any]
    """``config.json``; empty if that is damaged."""
    result: dict[str, Any]
    """``result.json``; empty while the run is not finished."""
    name: str = ""
    """Of the experiment."""
    seed: int | None = None
    """Of the experiment."""
    step: int = 0
    """The last one that was logged or saved."""
    steps: int | None = None
    """The last one that was asked for."""
    checkpoints: tuple[int, ...] = ()
    """Steps that are saved, oldest first."""

    @property
    def headline(self) -> tuple[str, float] | None:
        """Full name and value of the first metric that was asked for; None if there is none."""
        metrics = self.result.get("metrics")
        if not isinstance(metrics, dict):
            return None
        numbers = {name: value for name, value in metrics.items() if isinstance(value, float)}
        evaluation = self.config.get("experiment", {}).get("evaluation")
        asked = evaluation.get("metrics") if isinstance(evaluation, dict) else None
        first = str(asked[0]) if isinstance(asked, list) and asked else ""
        found = [name for name in numbers if name.partition("[")[0] == first]
        return next(((name, numbers[name]) for name in [*found, *numbers]), None)


def find(folders: Iterable[Path]) -> Iterator[Path]:
    """Runs in folders and all that is below them, in the order of their names.

    Links are not followed, and what lies inside of a run is not looked at.
    """
    for root in folders:
        for above, below, files in os.walk(root):
            folder = Path(above)
            if _is_run(folder, {*below, *files}):
                below.clear()
                yield folder
            below.sort()


def _is_run(folder: Path, names: set[str]) -> bool:
    """Whether a folder holds a run, or what is left of one."""
    traces = {workdir.METRICS, workdir.RESULT, workdir.CHECKPOINTS} & names
    if workdir.CONFIG not in names:
        return {workdir.METRICS, workdir.CHECKPOINTS} <= names
    if traces:
        return True
    try:
        workdir.read_config(folder)
    except RunError:
        return False  # other programs have such files, too
    return True


def look(folder: Path) -> Overview:
    """A run at a glance; whatever is wrong with it is told, and never raised."""
    found = Overview(folder, "damaged", "", _changed(folder), {}, {})
    checkpoints = _checkpoints(folder / workdir.CHECKPOINTS)
    found = found._replace(checkpoints=checkpoints)
    try:
        config = workdir.read_config(folder)
        experiment = config["experiment"]
        name, seed, steps = (experiment.get(key) for key in ("name", "seed", "steps"))
        if not (isinstance(name, str) and isinstance(seed, int) and isinstance(steps, int)):
            raise RunError(f"{folder / workdir.CONFIG} is damaged: it lacks name, seed or steps")
        step = max(_last_step(folder / workdir.METRICS), *checkpoints, 0)
        found = found._replace(config=config, name=name, seed=seed, step=step, steps=steps)
        if (holder := lock.holder(folder)) is not None:
            return found._replace(status="running", why=holder.described())
        result = workdir.read_result(folder)
        if result is None:
            return found._replace(status="stopped")
    except RunError as error:
        return found._replace(why=str(error))
    except (OSError, RecursionError) as error:
        return found._replace(why=f"it cannot be read: {error}")
    reached = result.get("steps")
    if isinstance(reached, int):
        found = found._replace(step=reached)
    return found._replace(status="finished", result=result)


def _changed(folder: Path) -> float:
    times = [0.0]
    for name in (workdir.METRICS, workdir.RESULT, workdir.CONFIG):
        try:
            times.append((folder / name).stat().st_mtime)
        except OSError:
            continue
    return max(times)


def _checkpoints(folder: Path) -> tuple[int, ...]:
    """Steps of checkpoints that are there as a whole: those in the making have other names."""
    try:
        return tuple(restore.steps_in(folder))
    except restore.CheckpointError:
        return ()


def _last_step(log: Path) -> int:
    """The step of the last whole record of a log, of which only the end is read; 0: there is
    none."""
    try:
        with open(log, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - TAIL))
            lines = file.read(TAIL).split(b"\n")
    except OSError:
        return 0
    for line in reversed(lines[:-1]):
        try:
            step = json.loads(line)["step"]
        except (ValueError, KeyError, TypeError, RecursionError):
            continue
        if isinstance(step, int):
            return step
    return 0
