"""A study's settings searched by Optuna, over ask-and-tell: an adapter, for whoever wants one.

Settings that depend on what came before are another protocol than `jaxgan.study.spaces`: methods
that are compared need the same searcher and as many trials each, and the expected best of k trials
has no formula, since trials are not drawn alike. `jaxgan plan` is the rule.

Workers share a search through Optuna's journal, a file that may lie on NFS; a run's folder has the
lock that it has anyway. A trial that a killed worker has left is gone on with by the next one.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from jaxgan.config import ConfigError, Parallel
from jaxgan.run import lock
from jaxgan.study import one_run
from jaxgan.study.comparison import Entry, Study, space_of
from jaxgan.study.rows import Outcome
from jaxgan.study.selection import for_search, lower_is_better
from jaxgan.study.spaces import Choice, Distribution, LogUniform, Uniform, Value, words
from jaxgan.study.trials import Read, folder_of, planned

ARGUMENTS = "arguments"
"""Attribute of Optuna's trials: the words of their settings."""


def search(
    study: Study,
    entry: Entry,
    storage: Path,
    trials: int,
    workdir: Path,
    *,
    read: Read,
    parallel: Parallel = "auto",
    say: Callable[[str], None] = print,
) -> tuple[str, ...]:
    """Tries settings of one row until there are so many, by all workers together.

    Optuna's sampler (TPE) is seeded by the study's ``search_seed`` and the trial's number: one
    worker alone tries the same settings each time. Trials are trained with the first of the study's
    seeds, into the folders that a plan would give them; failed ones are told as such.

    Args:
        study: budget, space, and what selects.
        entry: the row.
        storage: Optuna's journal; made if it is not there.
        trials: how many there are to be, those of other workers included.
        workdir: folder of the runs.
        read: from an entry to its experiment.
        parallel: as in `jaxgan.config.Run`.
        say: gets a line a trial.

    Returns:
        The words of the best setting so far on the validation split, by any worker.

    Raises:
        ConfigError: Optuna is not installed, the experiment or space cannot work, or all trials so
            far have failed.
        Interrupted: a signal came; the run is saved, and its trial gone on with by the next worker.
    """
    optuna = _optuna()
    space = space_of(study, entry)
    if not space:
        raise ConfigError(f"{entry.file} has no space to draw settings from")
    row = for_search(planned(read(entry)[0], study), study.rank_by).name
    journal = optuna.storages.journal.JournalFileBackend(str(storage))
    shared = optuna.create_study(
        storage=optuna.storages.JournalStorage(journal),
        study_name=f"{study.name}: {row}",
        direction="minimize" if lower_is_better(study.rank_by) else "maximize",
        load_if_exists=True,
    )
    busy: set[int] = set()
    while (number := _next(optuna, shared, space, study.search_seed, trials, busy)) is not None:
        tried = tuple(shared.get_trials(deepcopy=False)[number].user_attrs[ARGUMENTS])
        experiment, _ = read(replace(entry, arguments=(*entry.arguments, *tried)))
        experiment = for_search(planned(experiment, study), study.rank_by)
        experiment = replace(experiment, seed=study.seeds[0])
        folder = workdir / folder_of(experiment)
        outcome = None
        if lock.holder(folder) is None:
            with contextlib.suppress(lock.Busy):
                outcome = one_run.trained(experiment, folder, parallel, file=entry.file)
        if outcome is None:
            busy.add(number)
            continue
        value = _value(outcome, study.rank_by)
        state = optuna.trial.TrialState.FAIL if value is None else None
        shared.tell(number, value, state=state, skip_if_finished=True)
        say(f"{row}, trial {number}: {one_run.told(outcome, study.rank_by)}")
    try:
        return tuple(shared.best_trial.user_attrs[ARGUMENTS])
    except ValueError:
        raise ConfigError(f"no trial of {row} has a value of {study.rank_by} so far") from None


def _optuna() -> Any:
    try:
        import optuna
    except ImportError:
        raise ConfigError(
            "optuna is not installed: pip install 'jaxgan[search]', or draw settings at random by"
            " `jaxgan plan`"
        ) from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def _next(
    optuna: Any,
    shared: Any,
    space: dict[str, Distribution],
    seed: int,
    trials: int,
    busy: set[int],
) -> int | None:
    """The number of a new trial, or of one that somebody has left; None: there are no more."""
    failed, running = optuna.trial.TrialState.FAIL, optuna.trial.TrialState.RUNNING
    if len(shared.get_trials(deepcopy=False)) < trials:
        trial = shared.ask()
        if trial.number >= trials:  # Another worker was quicker.
            shared.tell(trial, state=failed)
        else:
            # Workers with one seed must not all begin with the same settings.
            chosen = (seed * 1_000_003 + trial.number) % 2**32
            shared.sampler = optuna.samplers.TPESampler(seed=chosen)
            values = {flag: suggested(trial, flag, one) for flag, one in space.items()}
            typed = [word for flag, value in values.items() for word in words(flag, value)]
            trial.set_user_attr(ARGUMENTS, typed)
            return trial.number
    for trial in shared.get_trials(deepcopy=False):
        if trial.state == running and trial.number not in busy and ARGUMENTS in trial.user_attrs:
            return trial.number
    return None


def suggested(trial: Any, flag: str, distribution: Distribution) -> Value:
    """A value that Optuna suggests.

    Args:
        trial: of Optuna.
        flag: the parameter's name there.
        distribution: of a space; of another kind than those there are, the share is suggested.
    """
    match distribution:
        case Uniform(low, high):
            return trial.suggest_float(flag, low, high)
        case LogUniform(low, high):
            return trial.suggest_float(flag, low, high, log=True)
        case Choice(values):
            return values[trial.suggest_categorical(flag, range(len(values)))]
    return distribution.at(trial.suggest_float(flag, 0.0, 1 - 2**-53))


def _value(outcome: Outcome, metric: str) -> float | None:
    """What the validation split says; None of a run that has failed, or has no finite value."""
    return (outcome.result or {}).get("validation", {}).get(metric)
