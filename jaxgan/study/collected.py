"""From a plan and what its runs have left on disk to a report. Nothing of a run is executed."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from jaxgan.config import ConfigError
from jaxgan.run import failure, workdir
from jaxgan.run.workdir import RunError
from jaxgan.study import finished, plan
from jaxgan.study.comparison import assemble, budget_told
from jaxgan.study.floor import read_floor
from jaxgan.study.plan import Line, Trial
from jaxgan.study.rows import Finished, Outcome, Setting
from jaxgan.study.selection import best_setting, settings_of
from jaxgan.study.subject import Subject
from jaxgan.visualization.report.data import Report


class Collected(NamedTuple):
    """The runs of a plan."""

    rows: list[Finished]
    """One a method; where settings were searched, of the best one on the validation split."""
    missing: list[int]
    """Lines that are not finished."""
    failed: list[tuple[int, str]]
    """Lines that have failed for good, and why."""


def collect(lines: Sequence[Line], file: Path, rank_by: str) -> Collected:
    """Whatever has ended of a plan; of a search, its other trials count as not tried yet.

    Args:
        lines: of the plan, at least one.
        file: the plan's, for messages.
        rank_by: short name of the metric by which settings are selected.

    Raises:
        RunError: the documents of a run are damaged, or no run has ended yet.
    """
    rows: dict[str, list[tuple[Trial, Outcome]]] = {}
    missing, failed = [], []
    for line in lines:
        for trial in line.members:
            rows.setdefault(trial.row, []).append((trial, outcome_of(line, trial, file)))
        status, why = plan.state(line)
        if status == "missing":
            missing.append(line.index)
        elif status == "failed":
            failed.append((line.index, why))
    if len(missing) == len(lines):
        raise RunError(f"no run is finished: `jaxgan run --plan {file} --all` trains them")
    ended = (
        [one for one in runs if one[0].setting is not None or not one[1].missing]
        for runs in rows.values()
    )
    return Collected([_row(runs, rank_by) for runs in ended if runs], missing, failed)


def outcome_of(line: Line, trial: Trial, file: Path) -> Outcome:
    """What has become of one trial: its result, or why there is none.

    Args:
        line: of the plan, in which it is.
        trial: one of its members.
        file: the plan's, for messages.

    Raises:
        RunError: the documents of the run are damaged.
    """
    folder = line.folder(trial)
    result = finished.read_one(folder).result if (folder / workdir.CONFIG).exists() else None
    if result is not None:
        return Outcome(trial.seed, folder, {"hardware": {}, "versions": {}} | result, None)
    unfinished = f"not finished: `jaxgan run --plan {file} --index {line.index}`"
    why = failure.read(folder)
    return Outcome(trial.seed, folder, None, why or unfinished, missing=why is None)


def _row(runs: Sequence[tuple[Trial, Outcome]], rank_by: str) -> Finished:
    """A method's row: of all its runs or, in a search, of those of its best setting."""
    settings: tuple[Setting, ...] = ()
    if runs[0][0].setting is not None:
        numbers = [trial.setting for trial, _ in runs]
        settings = settings_of(numbers, [outcome for _, outcome in runs])
        try:
            number = best_setting(settings, rank_by).number
        except ConfigError:  # None of them can be selected, and any says so.
            number = numbers[0]
        runs = [one for one in runs if one[0].setting == number]
    first = runs[0][0]
    commands = [shlex.join(["python", str(trial.file), *trial.words]) for trial, _ in runs]
    return Finished(
        Subject(**first.subject),
        first.description,
        "\n".join(commands),
        tuple(outcome for _, outcome in runs),
        settings,
    )


def report(
    lines: Sequence[Line],
    found: Collected,
    *,
    command: str,
    folder: Path,
    title: str,
    rank_by: str,
) -> Report:
    """The report of a plan, whatever of it is finished.

    Args:
        lines: of the plan.
        found: what `collect` made of them.
        command: makes the report again.
        folder: of the page, for links to the runs.
        title: of the page; empty: the study's.
        rank_by: short name of the metric that ranks, and has selected.

    Raises:
        ConfigError: two runs were not measured alike; says in which fields of the protocol.
    """
    study = lines[0].study
    results = [o.result for row in found.rows for o in row.outcomes if o.result is not None]
    seconds = sum(float(part) for result in results for part in result["seconds"].values())
    return assemble(
        found.rows,
        title=title or study.title,
        command=command,
        budget=f"{study.images:,} real images a run",
        rank_by=rank_by,
        protocol={
            "Budget": budget_told(study.images),
            "Time": f"{seconds:.0f} s of training and measuring, over all runs",
        },
        tuning=study.tuning,
        folder=folder,
        floor=read_floor(lines[0].workdir),
    )
