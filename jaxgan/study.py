"""Studies: several experiments under one budget, several seeds each, compared in one report."""

from __future__ import annotations

import dataclasses
import functools
import time
from collections.abc import Sequence
from pathlib import Path

from jaxgan import comparison, options, parallel, training, workdir, xla
from jaxgan.checkpoint import CheckpointError
from jaxgan.comparison import Entry, Outcome, Study, Trained
from jaxgan.config import ConfigError, Evaluation, Experiment, Parallel, Run
from jaxgan.recorder import NonFiniteError
from jaxgan.visualization.report.text_table import text_table
from jaxgan.visualization.report.write import write_report


@dataclasses.dataclass(frozen=True)
class StudyOptions:
    """What the command line of a study can change."""

    seeds: tuple[int, ...] = ()
    """Training seeds; empty: the study's own."""
    images: int = 0
    """Real images that each run sees; 0: the study's own number."""
    workdir: str = ""
    """Folder of the runs and the report; empty: runs/NAME. A folder with some of the runs in it is
    completed."""
    parallel: Parallel = "auto"
    """auto: pmap when there are several devices, else none."""


def run(study: Study, settings: StudyOptions | None = None, *, command: str) -> Path:
    """Trains all that is not there yet, writes the report, prints the table and the report's path.

    Args:
        study: what to compare.
        settings: changes from the command line.
        command: that started this, for the report.

    Returns:
        The path of ``index.html``.

    Raises:
        ConfigError: an experiment or the budget cannot work, or a folder holds other runs.
        DataError: the data is missing or damaged.
    """
    settings = settings or StudyOptions()
    study = dataclasses.replace(
        study, seeds=settings.seeds or study.seeds, images=settings.images or study.images
    )
    folder = Path(settings.workdir or f"runs/{study.name}")
    planned = [(entry, *_planned(entry, study)) for entry in study.entries]
    _check(study, [experiment for _, experiment, _ in planned])
    xla.set_flags(experiment.precision for _, experiment, _ in planned)
    started, rows = time.perf_counter(), []
    # Every process trains its share; one of them reports.
    say = functools.partial(print, flush=True) if parallel.is_main_process() else _quiet
    total, done = len(planned) * len(study.seeds), 0
    for entry, experiment, description in planned:
        outcomes = []
        for seed in study.seeds:
            done += 1
            seeded = dataclasses.replace(experiment, seed=seed)
            say(f"[{done}/{total}] {experiment.name}, seed {seed}: ", end="")
            outcome = _train(seeded, folder / "runs" / f"{experiment.name}-seed{seed}", settings)
            say(_line(outcome, study.rank_by))
            outcomes.append(outcome)
        rows.append(Trained(entry, experiment, description, tuple(outcomes)))
    report = comparison.report(study, rows, command=command, seconds=time.perf_counter() - started)
    page = folder / "index.html"

    def write() -> None:
        write_report(folder, report)

    parallel.on_main_process(write)
    say(f"\n{text_table(report)}\n\nreport: {page}")
    say(f"numbers: {folder / 'results.csv'}, results.json")
    return page


def _quiet(*values: object, **settings: object) -> None:
    """Stands in for ``print`` on the processes that do not report."""


def _planned(entry: Entry, study: Study) -> tuple[Experiment, str]:
    """The experiment of a row with the study's budget, and its file's docstring."""
    experiment = options.load_experiment(entry.file)
    parsed = options.parse(experiment, entry.arguments, program=f"python {entry.file}")
    experiment = parsed.experiment
    steps = study.images // experiment.images_per_step
    if not steps:
        raise ConfigError(
            f"a budget of {study.images} images is less than one step of {experiment.name}"
            f" ({experiment.images_per_step} images)"
        )
    every = max(1, steps // study.curve_points) if study.curve_points else 0
    evaluation = dataclasses.replace(experiment.evaluation, every=every)
    experiment = dataclasses.replace(experiment, steps=steps, evaluation=evaluation, seed=0)
    return experiment, options.load_file(entry.file).__doc__ or ""


def _check(study: Study, experiments: Sequence[Experiment]) -> None:
    if not experiments or not study.seeds:
        raise ConfigError("a comparison needs at least one experiment and one seed")
    names = [experiment.name for experiment in experiments]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigError(f"two experiments are called {twice[0]}: tell them apart by --name")
    if len(set(study.seeds)) < len(study.seeds):
        raise ConfigError(f"seeds {study.seeds}: one of them is there twice")
    first = experiments[0]
    for other in experiments[1:]:
        if other.data != first.data or _protocol(other) != _protocol(first):
            raise ConfigError(
                f"{first.name} and {other.name} have different data or evaluation settings:"
                " their numbers could not be compared"
            )


def _protocol(experiment: Experiment) -> Evaluation:
    """How the numbers of a run are measured, whenever that is."""
    return dataclasses.replace(experiment.evaluation, every=0)


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
        result = training.train(experiment, run_settings, resume=started)
    except (NonFiniteError, CheckpointError) as error:
        return Outcome(experiment.seed, folder, None, str(error))
    return Outcome(experiment.seed, folder, result, None)


def _line(outcome: Outcome, metric: str) -> str:
    if outcome.result is None:
        return f"failed: {outcome.failed}"
    value = comparison.short_metrics(outcome.result).get(metric)
    seconds = outcome.result["seconds"]["training"]
    return (
        f"{metric} {value:.3f} after {seconds:.1f} s" if value is not None else f"{seconds:.1f} s"
    )
