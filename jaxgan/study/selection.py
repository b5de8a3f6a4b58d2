"""The best setting of a search, selected on the validation split and by nothing else.

Test numbers of the trials are for reports; whoever selected by them would report the luckiest.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Sequence
from typing import Any

from jaxgan.config import ConfigError, Experiment
from jaxgan.evaluation.model_metrics import MODEL_METRICS
from jaxgan.study.rows import Outcome, Setting
from jaxgan.visualization.report.columns import COLUMNS
from jaxgan.visualization.report.text import joined


def for_search(experiment: Experiment, metric: str) -> Experiment:
    """The experiment of a trial: selected on validation images, reported on test images.

    Args:
        experiment: as its file and the trial's words have it.
        metric: short name of what selects.

    Raises:
        ConfigError: it sets no validation images aside, or the metric is not measured on them.
    """
    if not experiment.data.validation:
        raise ConfigError(
            f"{experiment.name} sets no validation images aside, and a search selects by them: add"
            " --data.validation N to the entry's arguments"
        )
    if any(metric in one.gives for one in MODEL_METRICS.values()):
        raise ConfigError(
            f"{metric} is not measured on the validation split, by which a search selects: rank by"
            " a metric of samples, such as fid, or by elbo"
        )
    evaluation = experiment.evaluation
    # At its end each trial is measured on the validation split, if not before.
    every = evaluation.every or experiment.steps
    return dataclasses.replace(
        experiment, evaluation=dataclasses.replace(evaluation, split="test", every=every)
    )


def lower_is_better(metric: str) -> bool:
    """The direction of a metric, as the columns of reports have it.

    Raises:
        ConfigError: neither direction is better, or nothing is known of the metric.
    """
    found = next((column for column in COLUMNS if column.name == metric), None)
    if found is None or found.lower_is_better is None:
        able = [column.name for column in COLUMNS if column.lower_is_better is not None]
        raise ConfigError(f"nothing can be selected by {metric!r}; there are {joined(able)}")
    return found.lower_is_better


def settings_of(numbers: Sequence[Hashable], outcomes: Sequence[Outcome]) -> tuple[Setting, ...]:
    """The settings of one row, each with the runs of all its seeds, in the order of their numbers.

    Args:
        numbers: of the setting, one a run.
        outcomes: of the runs, in the same order.
    """
    found: dict[Any, list[Outcome]] = {}
    for number, outcome in zip(numbers, outcomes, strict=True):
        found.setdefault(number, []).append(outcome)
    return tuple(Setting(number, tuple(runs)) for number, runs in sorted(found.items()))


def best_setting(settings: Sequence[Setting], metric: str) -> Setting:
    """The setting whose mean over its seeds is the best on the validation split; of equal ones, the
    first.

    A setting with a run that has failed, is not finished, or has no finite value, is not selected.

    Raises:
        ConfigError: nothing can be selected by the metric, no setting can be selected, or a run has
            no numbers of a validation split.
    """
    sign = 1.0 if lower_is_better(metric) else -1.0
    for setting in settings:
        for outcome in setting.outcomes:
            if outcome.result is not None and "validation" not in outcome.result:
                raise ConfigError(
                    f"{outcome.folder} has no numbers of a validation split, by which a setting is"
                    " selected: trials need --data.validation N"
                )
    means = [(one, one.mean(metric, validation=True)) for one in settings]
    able = [(sign * mean, one) for one, mean in means if mean is not None]
    if able:
        return min(able, key=lambda pair: pair[0])[1]
    if all(one.failed or not one.ended for one in settings):
        failed = sum(one.failed for one in settings)
        told = "all" if failed == len(settings) else f"none has ended well so far, {failed} of"
        raise ConfigError(f"{told} {len(settings)} settings failed, so none can be selected")
    known = {name: None for one in settings for o in one.outcomes for name in _validation(o)}
    raise ConfigError(
        f"no setting has a value of {metric} on the validation split; there are {joined([*known])}"
    )


def _validation(outcome: Outcome) -> dict[str, float]:
    return (outcome.result or {}).get("validation", {})


def told(settings: Sequence[Setting], metric: str) -> str:
    """How a row's setting was found, for `Study.tuning` of the final runs.

    >>> told([], "fid")
    'best of 0 settings by fid on the validation split, 0 of which failed'
    """
    failed, tried = sum(one.failed for one in settings), sum(one.ended for one in settings)
    return f"best of {tried} settings by {metric} on the validation split, {failed} of which failed"
