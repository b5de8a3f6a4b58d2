"""One line of a study's plan, done by this process: trained, gone on with, or found ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from jaxgan.config import ConfigError, Experiment, Parallel
from jaxgan.machine import parallel as machine
from jaxgan.machine import xla
from jaxgan.run import failure, lock, workdir
from jaxgan.run.restore import CheckpointError
from jaxgan.run.trust import digest_of
from jaxgan.study import folder, one_run, plan
from jaxgan.study.comparison import Entry
from jaxgan.study.floor import kept_floor
from jaxgan.study.plan import Line, Trial
from jaxgan.study.rows import Outcome
from jaxgan.study.trials import Read, digest, folder_of
from jaxgan.training import members


class Ended(NamedTuple):
    """What came of a line."""

    status: plan.State
    """``missing``: another process is at it."""
    told: str
    """In words."""


def work(
    line: Line,
    *,
    read: Read,
    parallel: Parallel = "auto",
    retry: bool = False,
    changed_files: bool = False,
) -> Ended:
    """Does one line of a plan; at once, where it has ended before.

    Args:
        line: of the plan.
        read: from an entry to its experiment.
        parallel: as in `jaxgan.config.Run`.
        retry: train again what has failed for good.
        changed_files: train what the experiments' files say now, whatever they said when the plan
            was drawn.

    Raises:
        ConfigError: a file has changed since the plan was drawn, or its experiment cannot work.
        DataError: the data is missing or damaged.
        RunError: a folder holds something else, or cannot be written.
        Interrupted: a signal came; what was trained is saved.
    """
    status, why = plan.state(line)
    if status == "finished" or (status == "failed" and not retry):
        return Ended(status, f"failed before: {why}" if why else "finished before")
    for place in map(line.folder, line.members):
        # Whoever has it is asked before anything is read and traced; the lock itself decides.
        if (who := lock.holder(place)) is not None:
            return Ended("missing", f"{place} is being written by {who.described()}")
    experiments = experiments_of(line, read, changed_files=changed_files)
    xla.set_flags(line.study.precisions)
    machine.on_main_process(lambda: folder.make(line.workdir))
    kept_floor(experiments[0], line.study.metrics, line.workdir)
    try:
        outcomes = _trained(line, experiments, parallel, retry)
    except lock.Busy as error:
        return Ended("missing", str(error))
    except CheckpointError as error:
        return Ended("failed", str(error))
    failed = any(one.failed for one in outcomes)
    return Ended("failed" if failed else "finished", _told(outcomes, line.study.rank_by))


def _trained(
    line: Line, experiments: Sequence[Experiment], parallel: Parallel, retry: bool
) -> list[Outcome]:
    """What has become of a line's members, one by itself or several in one program."""
    folders, files = [*map(line.folder, line.members)], [str(one.file) for one in line.members]
    if len(folders) == 1:
        one, folder, file = experiments[0], folders[0], files[0]
        return [one_run.trained(one, folder, parallel, file=file, retry=retry)]
    if retry:
        for folder in folders:
            failure.clear(folder)
    runs = [
        one_run.settings(one, folder, parallel)
        for one, folder in zip(experiments, folders, strict=True)
    ]
    ended = members.train(experiments, runs, resume=True, files=files)
    return [
        Outcome(one.seed, folder, end.result, end.failed or None)
        for one, folder, end in zip(experiments, folders, ended, strict=True)
    ]


def _told(outcomes: Sequence[Outcome], metric: str) -> str:
    """What came of a line, in words; of several members how many have ended, and why some so."""
    if len(outcomes) == 1:
        return one_run.told(outcomes[0], metric)
    failed = [one.failed for one in outcomes if one.failed]
    whys = "; ".join(dict.fromkeys(failed))
    return f"{len(outcomes) - len(failed)} finished" + (
        f", {len(failed)} failed: {whys}" if failed else ""
    )


def experiments_of(
    line: Line, read: Read, *, changed_files: bool = False
) -> tuple[Experiment, ...]:
    """The experiments of a line's members, as they were when the plan was drawn.

    Args:
        line: of the plan; its files are run.
        read: from an entry to its experiment.
        changed_files: take what they say now.

    Raises:
        ConfigError: a file has changed, or something that it depends on; says which.
    """
    return tuple(experiment_of(trial, read, changed_files) for trial in line.members)


def experiment_of(trial: Trial, read: Read, changed_files: bool = False) -> Experiment:
    """The experiment of one trial; see `experiments_of`."""
    found = digest_of(trial.file)
    if found != trial.sha256 and not changed_files:
        how = "is not there" if found is None else "has changed"
        raise ConfigError(
            f"{trial.file} {how} since the plan was drawn: draw it again, or say --changed-files to"
            " train what it says now"
        )
    experiment, _ = read(Entry(str(trial.file), trial.words))
    if folder_of(experiment) != trial.folder and not changed_files:
        raise ConfigError(
            f"{trial.file} gives another configuration ({digest(experiment)}) than when the plan"
            f" was drawn ({trial.folder}), although the file is the same: jaxgan, or a module that"
            " it imports, has changed. Draw the plan again, or say --changed-files"
        )
    return experiment


def check(lines: Sequence[Line], read: Read, *, changed_files: bool = False) -> None:
    """Whatever would keep one of the lines from being trained, found before the first is.

    Raises:
        ConfigError: as `experiments_of`; or a folder holds another run.
    """
    for line in lines:
        experiments = experiments_of(line, read, changed_files=changed_files)
        for trial, experiment in zip(line.members, experiments, strict=True):
            if (line.folder(trial) / workdir.CONFIG).exists():
                workdir.check_same(line.folder(trial), experiment)
