"""After a search: each row's best setting, by the validation split, with fresh seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from jaxgan.config import ConfigError
from jaxgan.study import plan
from jaxgan.study.collected import outcome_of
from jaxgan.study.comparison import Study
from jaxgan.study.plan import Line, Trial
from jaxgan.study.rows import Outcome
from jaxgan.study.selection import best_setting, settings_of, told
from jaxgan.study.trials import Drawn, Read, folder_of
from jaxgan.study.worker import experiment_of


def final(
    study: Study, lines: Sequence[Line], file: Path, read: Read, seeds: Sequence[int] = ()
) -> tuple[Study, tuple[Drawn, ...]]:
    """What is left to train of a study whose settings have been searched.

    Args:
        study: the one that was searched.
        lines: of the search's plan.
        file: the plan's, for messages.
        read: from an entry to its experiment.
        seeds: of the runs; none: as many as the study has, from after the last one of the search.

    Returns:
        The study as it is to be reported, which searches nothing any more, and its trials.

    Raises:
        ConfigError: the plan searches nothing, or is not done yet; a seed is one of the search's,
            whose luck has been selected; nothing can be selected; or a file has changed.
        RunError: the documents of a run are damaged.
    """
    searched = {trial.seed for line in lines for trial in line.members}
    if any(trial.setting is None for line in lines for trial in line.members):
        raise ConfigError(f"{file} searches no settings: there is no best one to choose")
    if missing := [line.index for line in lines if plan.state(line)[0] == "missing"]:
        raise ConfigError(
            f"{len(missing)} lines of {file} are not finished: `jaxgan run --plan {file} --all`"
        )
    first = max(searched) + 1
    fresh = tuple(seeds) or tuple(range(first, first + len(study.seeds)))
    if again := sorted(searched & {*fresh}):
        raise ConfigError(
            f"seed {again[0]} is one of the search's, and its luck has been selected: take others,"
            f" such as --seeds {' '.join(str(first + i) for i in range(len(study.seeds)))}"
        )
    rows: dict[str, list[tuple[Trial, Outcome]]] = {}
    for line in lines:
        for trial in line.members:
            rows.setdefault(trial.row, []).append((trial, outcome_of(line, trial, file)))
    metric = lines[0].study.rank_by
    words, found = [], []
    for row, runs in rows.items():
        settings = settings_of([trial.setting for trial, _ in runs], [one for _, one in runs])
        number = best_setting(settings, metric).number
        chosen = next(trial for trial, _ in runs if trial.setting == number)
        words.append(f"{row}: {told(settings, metric)}")
        experiment = experiment_of(chosen, read)
        for seed in fresh:
            seeded = replace(experiment, seed=seed)
            trial = chosen._replace(seed=seed, folder=folder_of(seeded), setting=None)
            found.append(Drawn(trial, seeded))
    tuning = "; ".join(filter(None, (study.tuning, *words)))
    reported = replace(study, space={}, trials=0, seeds=fresh, rank_by=metric, tuning=tuning)
    return reported, tuple(found)
