"""The trials of a study: which runs there will be, known before the first of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, TypeAlias

from jaxgan.algorithms.base import build
from jaxgan.config import ConfigError, Experiment, config_errors
from jaxgan.evaluation.metrics import check_names
from jaxgan.evaluation.model_metrics import MODEL_METRICS
from jaxgan.measurement import available
from jaxgan.run.config_json import to_json
from jaxgan.run.trust import digest_of
from jaxgan.study.checks import check, check_alike
from jaxgan.study.comparison import Entry, Study, space_of
from jaxgan.study.plan import Budget, Line, Trial
from jaxgan.study.selection import for_search
from jaxgan.study.spaces import settings
from jaxgan.study.subject import subject_of
from jaxgan.training.grouping import Force, grouped

Read: TypeAlias = Callable[[Entry], tuple[Experiment, str]]
"""From an entry to its experiment, and what its file says of it (`jaxgan.cli.options`)."""


class Drawn(NamedTuple):
    """A trial, and the experiment that its command line gives."""

    trial: Trial
    experiment: Experiment


def trials_of(study: Study, read: Read) -> tuple[Trial, ...]:
    """All runs of a study, row by row: each setting with each seed. See `drawn`."""
    return tuple(one.trial for one in drawn(study, read))


def drawn(study: Study, read: Read) -> tuple[Drawn, ...]:
    """As `trials_of`, with their experiments.

    A setting that a finite space gives twice is there once: it would be the same run.

    Raises:
        ConfigError: an experiment, the budget or the space cannot work, or the rows could not be
            compared.
    """
    first: list[Experiment] = []
    found: dict[str, Drawn] = {}
    for entry in study.entries:
        rows = [*_settings(study, entry, read)]
        first += [experiment for _, _, experiment, _ in rows[:1]]
        for setting, arguments, experiment, description in rows:
            for seed in study.seeds:
                seeded = replace(experiment, seed=seed)
                trial = Trial(
                    row=experiment.name,
                    file=Path(entry.file),
                    sha256=digest_of(Path(entry.file)) or "",
                    arguments=arguments,
                    seed=seed,
                    folder=folder_of(seeded),
                    setting=setting,
                    subject=subject_of(experiment)._asdict(),
                    description=description.strip().partition("\n")[0],
                )
                found.setdefault(trial.folder, Drawn(trial, seeded))
    check(study, first)
    check_alike([one.experiment for one in found.values()])
    return tuple(found.values())


def folder_of(experiment: Experiment) -> str:
    """The folder of a run within its study's, ``runs/NAME-DIGEST``."""
    return f"runs/{experiment.name}-{digest(experiment)}"


def digest(experiment: Experiment) -> str:
    """What tells configurations apart, the seed included: 10 hexadecimal digits."""
    document = json.dumps(to_json(experiment), sort_keys=True)
    return hashlib.sha256(document.encode()).hexdigest()[:10]


def _settings(
    study: Study, entry: Entry, read: Read
) -> Iterator[tuple[int | None, tuple[str, ...], Experiment, str]]:
    """Number, whole command line, experiment and description of each setting of a row."""
    space = space_of(study, entry)
    if not study.trials:
        every: list[tuple[int | None, tuple[str, ...]]] = [(None, ())]
    else:
        every = [*enumerate(settings(space, study.trials, study.search_seed))]
    for setting, words in every:
        given = (*entry.arguments, *words)
        experiment, description = read(replace(entry, arguments=given))
        experiment = planned(experiment, study)
        if study.trials:
            experiment = for_search(experiment, study.rank_by)
        arguments = (*given, *_budget(experiment, study))
        again = (*arguments, "--seed", "0")
        # What the plan says is a command line: it must say the same.
        if not setting and read(replace(entry, arguments=again))[0] != experiment:
            raise ConfigError(
                f"{entry.file} does not give the same experiment twice by {' '.join(again)}"
            )
        yield setting, arguments, experiment, description


def _budget(experiment: Experiment, study: Study) -> list[str]:
    """What the study decides of an experiment, as words of its command line."""
    words = ["--evaluation.every", str(experiment.evaluation.every)]
    if study.trials:
        words += ["--evaluation.split", experiment.evaluation.split]
    if study.metrics:
        words += ["--evaluation.metrics", *experiment.evaluation.metrics]
    return [*words, "--steps", str(experiment.steps)]


def planned(experiment: Experiment, study: Study) -> Experiment:
    """The experiment of a row with the study's budget; its seed is 0.

    Raises:
        ConfigError: the budget is less than a step, or none of the metrics can be had of it.
    """
    steps = study.images // experiment.images_per_step
    if not steps:
        raise ConfigError(
            f"a budget of {study.images} images is less than one step of {experiment.name}"
            f" ({experiment.images_per_step} images)"
        )
    every = max(1, steps // study.curve_points) if study.curve_points else 0
    metrics = _measured(experiment, study.metrics) or experiment.evaluation.metrics
    evaluation = replace(experiment.evaluation, every=every, metrics=metrics)
    return replace(experiment, steps=steps, evaluation=evaluation, seed=0)


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


def lines_of(
    study: Study, all_drawn: Sequence[Drawn], workdir: Path, population: Force = "never"
) -> tuple[Line, ...]:
    """The lines of a study's plan.

    Args:
        study: whose trials they are.
        all_drawn: at least one.
        workdir: folder of the runs and the report.
        population: which trials make one line (`jaxgan.training.grouping.grouped`).
    """
    experiments = [one.experiment for one in all_drawn]
    metrics = dict.fromkeys(name for one in experiments for name in one.evaluation.metrics)
    budget = Budget(
        name=study.name,
        title=study.title,
        rank_by=study.rank_by,
        tuning=study.tuning,
        images=study.images,
        metrics=tuple(metrics),
        precisions=tuple(dict.fromkeys(one.precision for one in experiments)),
        trials=study.trials,
        search_seed=study.search_seed,
    )
    groups = grouped(experiments, population)
    return tuple(
        Line(index, workdir, budget, tuple(all_drawn[place].trial for place in places))
        for index, places in enumerate(groups)
    )
