"""``jaxgan plan``: writes down all runs of a study, for any number of processes to train."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import tyro

from jaxgan.cli import options as experiments
from jaxgan.cli import reading
from jaxgan.cli.compare import check_seeds
from jaxgan.config import ConfigError, check_name
from jaxgan.machine import xla
from jaxgan.run import experiment_file, workdir
from jaxgan.study import plan as plans
from jaxgan.study.comparison import Study
from jaxgan.study.final import final
from jaxgan.study.folder import REAL, REAL_PICTURE, RUNS
from jaxgan.study.plan import Line
from jaxgan.study.runner import StudyOptions, changed
from jaxgan.study.trials import Drawn, drawn, lines_of
from jaxgan.training.grouping import Force
from jaxgan.training.preparation import prepared


@dataclasses.dataclass(frozen=True)
class PlanOptions:
    """Write the plan of a study: a file of its runs, a line each, which `jaxgan run` does.

    The study's file and the experiments' files are run to read them; nothing is trained.
    """

    file: tyro.conf.Positional[Path]
    """The study's Python file, which says `study = Study(...)`."""
    out: Path | None = None
    """File of the plan; None: plan.jsonl. The folder of the runs gets a copy, by which `jaxgan
    report` knows what is missing."""
    overwrite: bool = False
    """Write over another plan."""
    population: Force = "auto"
    """Runs that are trained in one program, as one line: those that differ in seeds and numbers
    alone, where that is faster (auto), wherever it can be done (always), or none (never)."""
    best_of: str = ""
    """Plan of the study's search, all of which has been run: each row's best setting, by the
    validation split, is planned with seeds that the search has not had."""
    study: Annotated[StudyOptions, tyro.conf.arg(name="")] = StudyOptions()


def plan(arguments: list[str]) -> None:
    """The command; prints how many lines there are, and how to run them.

    Raises:
        ConfigError: there is no such study, it cannot work, or a file would be written over.
        DataError: the data is missing or damaged.
    """
    check_seeds(arguments)
    if not arguments:
        raise ConfigError("name a study's Python file: jaxgan plan STUDY.py")
    options = reading.read(PlanOptions, arguments, "jaxgan plan")
    study = changed(load_study(options.file), options.study)
    check_name(study.name)
    name = study.name
    if options.best_of:
        name, path = f"{name}-best", Path(options.best_of)
        seeds = options.study.seeds
        study, found = final(study, plans.read(path), path, experiments.read_entry, seeds)
    else:
        found = drawn(study, experiments.read_entry)
    folder = Path(options.study.workdir or f"runs/{name}")
    xla.set_flags(one.experiment.precision for one in found)
    _rehearse(found)
    _write(lines_of(study, found, folder, options.population), folder, options)


def load_study(path: Path) -> Study:
    """The value called ``study`` in a Python file.

    Raises:
        ConfigError: there is no such file or value, or the file fails.
    """
    if path.suffix != ".py" or not path.is_file():
        raise ConfigError(f"{path} is no Python file: name a study such as compare_digits.py")
    found = getattr(experiment_file.load_file(path), "study", None)
    if not isinstance(found, Study):
        raise ConfigError(f"{path} defines no `study = Study(...)`")
    return found


def _rehearse(found: Sequence[Drawn]) -> None:
    """What would fail on the way is found out now, of the first trial of each row."""
    for one in {one.trial.row: one for one in reversed(found)}.values():
        # One device: where the plan is run there may be others.
        prepared(one.experiment, "none")


def _write(lines: Sequence[Line], folder: Path, options: PlanOptions) -> None:
    out, copy = options.out or Path(plans.NAME), folder / plans.NAME
    workdir.check_folder(folder)
    try:
        there = {path.name for path in folder.iterdir()} if folder.exists() else set()
    except OSError as error:
        raise ConfigError(f"cannot read {folder}: {error.strerror or error}") from error
    if there and plans.NAME not in there and not there <= {RUNS, REAL, REAL_PICTURE}:
        raise ConfigError(
            f"{folder} exists and is neither empty nor the folder of a plan's runs: choose another"
            " --workdir"
        )
    places = [*dict.fromkeys((copy.absolute(), out.absolute()))]
    for path in places:
        _check_file(path, lines, overwrite=options.overwrite)
    for path in places:
        plans.write(path, lines)
    told = ", ".join(f"{count} {name}" for name, count in _counts(lines).items())
    print(f"{out}: {len(lines)} line{'s' * (len(lines) > 1)} ({told})")
    print(f"one of them: jaxgan run --plan {out} --index 0")
    print(f"all of them: jaxgan run --plan {out} --all")
    print(f"a report of what is finished: jaxgan report {folder}")


def _check_file(path: Path, lines: Sequence[Line], *, overwrite: bool) -> None:
    """Refuses to write over something else than the same plan."""
    shown = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
    if path.is_dir():
        raise ConfigError(f"{shown} is a folder: name a file")
    if overwrite or not path.exists():
        return
    try:
        same = path.read_text(encoding="utf-8") == plans.text(lines, path.resolve().parent)
    except (OSError, UnicodeError):
        same = False
    if not same:
        raise ConfigError(f"{shown} exists and is another plan: --overwrite replaces it")


def _counts(lines: Sequence[Line]) -> dict[str, int]:
    """How many runs of each row."""
    counts: dict[str, int] = {}
    for line in lines:
        for trial in line.members:
            counts[trial.row] = counts.get(trial.row, 0) + 1
    return counts
