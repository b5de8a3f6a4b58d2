"""One run of a study: trained, gone on with, or found finished or failed."""

from __future__ import annotations

from pathlib import Path

from jaxgan.config import Experiment, Parallel, Run
from jaxgan.machine import parallel as machine
from jaxgan.run import failure, workdir
from jaxgan.run.finite import NonFiniteError
from jaxgan.run.restore import CheckpointError
from jaxgan.study.rows import Outcome, short_metrics
from jaxgan.training import loop

LOST = 60.0
"""Seconds of work that a killed run loses at most, and what comes until the next line of its log: a
hundredth of its steps."""


def settings(experiment: Experiment, folder: Path, parallel: Parallel) -> Run:
    """Where and how a study trains a run."""
    return Run(
        workdir=str(folder),
        checkpoint_every=max(experiment.steps, 1),
        checkpoint_seconds=LOST,
        log_every=max(1, experiment.steps // 100),
        keep=1,
        images_every=0,
        parallel=parallel,
        tensorboard=False,
        quiet=True,
    )


def trained(
    experiment: Experiment,
    folder: Path,
    parallel: Parallel,
    *,
    file: str | None = None,
    retry: bool = False,
) -> Outcome:
    """Trains one run, goes on with it, or finds it finished or failed for good.

    Args:
        experiment: with the study's budget and a seed.
        folder: of the run.
        parallel: as in `jaxgan.config.Run`.
        file: the experiment's file, written down so that the run can be resumed by itself.
        retry: train again what has failed for good.

    Raises:
        Busy: another process is at it.
        Interrupted: a signal came; the run is saved.
        ConfigError: the settings do not go together, or the folder holds a run with others.
        RunError: the folder holds something else.
        LogError: a log cannot be written.
    """
    # Another process may begin the run between a look at its folder and its lock.
    for attempt in range(2):
        started = (folder / workdir.CONFIG).exists()
        if started and retry:
            machine.on_main_process(lambda: failure.clear(folder))
        if started and (known := _known(experiment, folder)) is not None:
            return known
        try:
            run = settings(experiment, folder, parallel)
            result = loop.train(experiment, run, resume=started, file=file)
            return Outcome(experiment.seed, folder, result, None)
        except NonFiniteError as error:
            _write_down(folder, str(error))
            return Outcome(experiment.seed, folder, None, str(error))
        except CheckpointError as error:
            return Outcome(experiment.seed, folder, None, str(error))
        except workdir.RunError:
            if started or attempt or not (folder / workdir.CONFIG).exists():
                raise
    raise AssertionError("the second attempt returns or raises")


def _known(experiment: Experiment, folder: Path) -> Outcome | None:
    """What a run has come to that is there already; None: it has not ended."""
    result, why = workdir.read_result(folder), failure.read(folder)
    if result is None and why is None:
        return None
    workdir.check_same(folder, experiment)
    return Outcome(experiment.seed, folder, result, None if result else why)


def _write_down(folder: Path, why: str) -> None:
    machine.on_main_process(lambda: failure.write(folder, why))


def told(outcome: Outcome, metric: str) -> str:
    """What came of a run, in words: ``fid 0.123 after 4.5 s``.

    Args:
        outcome: of the run.
        metric: short name of the one that is told.
    """
    if outcome.result is None:
        return f"failed: {outcome.failed}"
    value = short_metrics(outcome.result).get(metric)
    seconds = outcome.result["seconds"]["training"]
    return (
        f"{metric} {value:.3f} after {seconds:.1f} s" if value is not None else f"{seconds:.1f} s"
    )
