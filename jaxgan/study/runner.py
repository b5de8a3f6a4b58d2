"""Studies: several experiments under one budget, several seeds each, compared in one report."""

from __future__ import annotations

import dataclasses
import functools
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from jaxgan.config import ConfigError, Experiment, Parallel, check_name, check_seed
from jaxgan.machine import parallel, xla
from jaxgan.run import workdir
from jaxgan.study import comparison, folder, one_run
from jaxgan.study.checks import check
from jaxgan.study.comparison import Entry, Study, Trained
from jaxgan.study.floor import measured_floor
from jaxgan.study.trials import planned
from jaxgan.training import initial, loop
from jaxgan.training.preparation import prepared
from jaxgan.visualization.report.text_table import text_table
from jaxgan.visualization.report.write import write_report


@dataclasses.dataclass(frozen=True)
class StudyOptions:
    """What the command line of a study can change."""

    seeds: tuple[int, ...] = ()
    """Training seeds; empty: the study's own."""
    images: int = 0
    """Real images that each run sees; 0: the study's own number."""
    metrics: tuple[str, ...] = ()
    """What is measured, such as fid kid prdc likelihood; empty: what the study or its experiments
    ask for. Metrics of autoencoders are taken of those alone."""
    rank_by: str = ""
    """Short name of the metric that ranks, such as recall; empty: the study's own, mostly fid."""
    workdir: str = ""
    """Folder of the runs and the report; empty: runs/NAME. A folder with some of the runs in it is
    completed."""
    parallel: Parallel = "auto"
    """auto: pmap when there are several devices, else none."""


def run(
    study: Study,
    settings: StudyOptions | None = None,
    *,
    read: Callable[[Entry], tuple[Experiment, str]],
    command: str,
) -> Path:
    """Trains all that is not there yet, writes the report, prints the table and the report's path.

    Args:
        study: what to compare.
        settings: changes from the command line.
        read: from an entry to its experiment and what its file says of it.
        command: that started this, for the report.

    Returns:
        The path of ``index.html``.

    Raises:
        ConfigError: an experiment or the budget cannot work, or a folder holds other runs.
        DataError: the data is missing or damaged.
    """
    settings = settings or StudyOptions()
    study = changed(study, settings)
    if study.trials or study.space or any(entry.space for entry in study.entries):
        raise ConfigError(
            f"{study.name} searches settings: draw them by `jaxgan plan STUDY.py --out plan.jsonl`,"
            " and train them by `jaxgan run --plan plan.jsonl --all`"
        )
    check_name(study.name)
    path = Path(settings.workdir or f"runs/{study.name}")
    rows_read = [(entry, *read(entry)) for entry in study.entries]
    rows_planned = [(entry, planned(one, study), told) for entry, one, told in rows_read]
    experiments = [experiment for _, experiment, _ in rows_planned]
    check(study, experiments)
    xla.set_flags(experiment.precision for experiment in experiments)
    # Whatever would fail for the last row does so before the first one is trained.
    folder.check(path, [replace(one, seed=s) for one in experiments for s in study.seeds])
    for experiment in experiments:
        program = prepared(experiment, settings.parallel)
        runs = [path / "runs" / f"{experiment.name}-seed{seed}" for seed in study.seeds]
        if not all((run / workdir.CONFIG).exists() for run in runs):
            initial.asked_for(experiment, program)
    parallel.on_main_process(lambda: folder.make(path))
    started, rows = time.perf_counter(), []
    # Before the runs: what cannot be measured is found out now, and the reference is there for all.
    floor = measured_floor(experiments, path)
    # Every process trains its share; one of them reports.
    say = functools.partial(print, flush=True) if parallel.is_main_process() else _quiet
    total, done = len(rows_planned) * len(study.seeds), 0
    for entry, experiment, description in rows_planned:
        outcomes = []
        for seed in study.seeds:
            done += 1
            seeded = replace(experiment, seed=seed)
            say(f"[{done}/{total}] {experiment.name}, seed {seed}: ", end="")
            try:
                place = folder.run_folder(path, seeded)
                outcome = one_run.trained(seeded, place, settings.parallel, file=entry.file)
            except loop.Interrupted as stop:
                say()
                message = f"{stop}; the same command goes on with all of it"
                raise loop.Interrupted(message, stop.signal_number) from None
            say(one_run.told(outcome, study.rank_by))
            outcomes.append(outcome)
        rows.append(Trained(entry, experiment, description, tuple(outcomes)))
    seconds = time.perf_counter() - started
    try:
        report = comparison.report(
            study, rows, command=command, seconds=seconds, folder=path, floor=floor
        )
    except ConfigError:
        raise
    except ValueError as error:  # Of a report's values, which documents have been written into.
        raise workdir.RunError(f"the documents of a run are damaged: {error}") from error
    page = path / "index.html"

    def write() -> None:
        write_report(path, report)

    parallel.on_main_process(write)
    say(f"\n{text_table(report)}\n\nreport: {page}")
    say(f"numbers: {path / 'results.csv'}, results.json")
    return page


def changed(study: Study, settings: StudyOptions) -> Study:
    """A study, as a command line changes it.

    Raises:
        ConfigError: a seed or the budget is none.
    """
    if settings.images < 0:
        raise ConfigError(f"--images {settings.images}: must be at least 1")
    for seed in settings.seeds:
        check_seed(seed)
    return replace(
        study,
        seeds=settings.seeds or study.seeds,
        images=settings.images or study.images,
        metrics=settings.metrics or study.metrics,
        rank_by=settings.rank_by or study.rank_by,
    )


def _quiet(*values: object, **settings: object) -> None:
    """Stands in for ``print`` on the processes that do not report."""
