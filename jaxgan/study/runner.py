"""Studies: several experiments under one budget, several seeds each, compared in one report."""

from __future__ import annotations

import dataclasses
import functools
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from jaxgan.algorithms.base import build
from jaxgan.config import (
    ConfigError,
    Evaluation,
    Experiment,
    Parallel,
    Run,
    check_name,
    check_seed,
    config_errors,
)
from jaxgan.evaluation.metrics import SAMPLE_METRICS, check_names
from jaxgan.evaluation.model_metrics import MODEL_METRICS
from jaxgan.machine import parallel, xla
from jaxgan.measurement import available
from jaxgan.measurement.scoring import final_split
from jaxgan.run import workdir
from jaxgan.run.config_json import to_json
from jaxgan.run.finite import NonFiniteError
from jaxgan.run.restore import CheckpointError
from jaxgan.study import comparison, folder
from jaxgan.study.agreement import check_likelihoods, likelihood_of
from jaxgan.study.comparison import Entry, Study, Trained
from jaxgan.study.floor import measured_floor
from jaxgan.study.rows import Outcome, short_metrics
from jaxgan.training import initial, loop
from jaxgan.training.preparation import prepared
from jaxgan.visualization.report.columns import COLUMNS
from jaxgan.visualization.report.text import joined
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
    _check_settings(settings)
    study = replace(
        study,
        seeds=settings.seeds or study.seeds,
        images=settings.images or study.images,
        metrics=settings.metrics or study.metrics,
        rank_by=settings.rank_by or study.rank_by,
    )
    check_name(study.name)
    path = Path(settings.workdir or f"runs/{study.name}")
    planned = [(entry, *_planned(*read(entry), study)) for entry in study.entries]
    experiments = [experiment for _, experiment, _ in planned]
    _check(study, experiments)
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
    total, done = len(planned) * len(study.seeds), 0
    for entry, experiment, description in planned:
        outcomes = []
        for seed in study.seeds:
            done += 1
            seeded = replace(experiment, seed=seed)
            say(f"[{done}/{total}] {experiment.name}, seed {seed}: ", end="")
            try:
                outcome = _train(seeded, folder.run_folder(path, seeded), settings)
            except loop.Interrupted as stop:
                say()
                message = f"{stop}; the same command goes on with all of it"
                raise loop.Interrupted(message, stop.signal_number) from None
            say(_line(outcome, study.rank_by))
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


def _check_settings(settings: StudyOptions) -> None:
    if settings.images < 0:
        raise ConfigError(f"--images {settings.images}: must be at least 1")
    for seed in settings.seeds:
        check_seed(seed)


def _quiet(*values: object, **settings: object) -> None:
    """Stands in for ``print`` on the processes that do not report."""


def _planned(experiment: Experiment, description: str, study: Study) -> tuple[Experiment, str]:
    """The experiment of a row with the study's budget, and its file's docstring."""
    steps = study.images // experiment.images_per_step
    if not steps:
        raise ConfigError(
            f"a budget of {study.images} images is less than one step of {experiment.name}"
            f" ({experiment.images_per_step} images)"
        )
    every = max(1, steps // study.curve_points) if study.curve_points else 0
    metrics = _measured(experiment, study.metrics) or experiment.evaluation.metrics
    evaluation = replace(experiment.evaluation, every=every, metrics=metrics)
    experiment = replace(experiment, steps=steps, evaluation=evaluation, seed=0)
    return experiment, description


def _measured(experiment: Experiment, wanted: tuple[str, ...]) -> tuple[str, ...]:
    """Those metrics of a study that an experiment can have."""
    with config_errors():
        check_names(wanted)
    if not any(name in MODEL_METRICS for name in wanted):
        return wanted
    algorithm = build(experiment)
    left, why = [], ""
    for name in wanted:
        try:
            available.check([name], experiment, algorithm)
            left.append(name)
        except ConfigError as error:
            why = str(error)
    if wanted and not left:
        raise ConfigError(
            f"{experiment.name} has none of {', '.join(wanted)} ({why}): ask for a metric of"
            " all models as well, such as fid"
        )
    return tuple(left)


def _check(study: Study, experiments: Sequence[Experiment]) -> None:
    if not experiments or not study.seeds:
        raise ConfigError("a comparison needs at least one experiment and one seed")
    first_of: dict[str, Entry] = {}
    for entry, experiment in zip(study.entries, experiments, strict=True):
        other = first_of.setdefault(experiment.name, entry)
        if other is not entry:
            raise ConfigError(_of_one_name(experiment.name, other, entry))
    if len(set(study.seeds)) < len(study.seeds):
        raise ConfigError(f"seeds {study.seeds}: one of them is there twice")
    first = experiments[0]
    for other in experiments[1:]:
        if fields := workdir.difference(_protocol(first), _protocol(other)):
            raise ConfigError(
                f"{first.name} and {other.name} have different data or evaluation settings, so"
                f" their numbers could not be compared: {'; '.join(fields)}"
            )
    for name in study.metrics:
        if name in MODEL_METRICS and not any(name in one.evaluation.metrics for one in experiments):
            raise ConfigError(f"none of the experiments can be measured by {name}: leave it out")
    column = next((column for column in COLUMNS if column.name == study.rank_by), None)
    if column is None or column.lower_is_better is None:
        able = [column.name for column in COLUMNS if column.lower_is_better is not None]
        raise ConfigError(f"nothing can be ranked by {study.rank_by!r}; there are {joined(able)}")
    every = {**SAMPLE_METRICS, **MODEL_METRICS}
    makers = {name for name, metric in every.items() if study.rank_by in metric.gives}
    if makers and not any(makers & {*one.evaluation.metrics} for one in experiments):
        raise ConfigError(
            f"the ranking is by {study.rank_by}, which none of the metrics gives: add"
            f" {' or '.join(sorted(makers))} to them, or rank by another (--rank-by)"
        )
    check_likelihoods(study.rank_by, {one.name: likelihood_of(one) for one in experiments})


def _of_one_name(name: str, one: Entry, other: Entry) -> str:
    if (Path(one.file).resolve(), one.arguments) == (Path(other.file).resolve(), other.arguments):
        return f"{one.file} is there twice: name it once, every seed is a run of its own"
    return (
        f"two experiments are called {name} ({one.file}, {other.file}), and rows are told apart by"
        " their names: give one another name in its file, or by --name in the arguments of a"
        " study's entry"
    )


def _protocol(experiment: Experiment) -> Any:
    """How the numbers of a run are measured, whichever they are and whenever that is."""
    usual = Evaluation()
    evaluation = replace(experiment.evaluation, every=usual.every, metrics=usual.metrics)
    final = {"compared_with": final_split(experiment)}
    return {"data": to_json(experiment.data), "evaluation": to_json(evaluation), **final}


def _train(experiment: Experiment, folder: Path, settings: StudyOptions) -> Outcome:
    """Trains one run, goes on with it, or finds it finished."""
    run_settings = Run(
        workdir=str(folder),
        checkpoint_every=max(experiment.steps, 1),
        log_every=max(1, experiment.steps // 100),
        keep=1,
        images_every=0,
        parallel=settings.parallel,
        tensorboard=False,
        quiet=True,
    )
    started = (folder / workdir.CONFIG).exists()
    if started and (result := workdir.read_result(folder)) is not None:
        workdir.check_same(folder, experiment)
        return Outcome(experiment.seed, folder, result, None)
    try:
        result = loop.train(experiment, run_settings, resume=started)
    except (NonFiniteError, CheckpointError) as error:
        return Outcome(experiment.seed, folder, None, str(error))
    return Outcome(experiment.seed, folder, result, None)


def _line(outcome: Outcome, metric: str) -> str:
    if outcome.result is None:
        return f"failed: {outcome.failed}"
    value = short_metrics(outcome.result).get(metric)
    seconds = outcome.result["seconds"]["training"]
    return (
        f"{metric} {value:.3f} after {seconds:.1f} s" if value is not None else f"{seconds:.1f} s"
    )
