"""Whether the rows of a study can be compared, before anything is trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from jaxgan.config import ConfigError, Evaluation, Experiment
from jaxgan.evaluation.metrics import SAMPLE_METRICS
from jaxgan.evaluation.model_metrics import MODEL_METRICS
from jaxgan.measurement.scoring import final_split
from jaxgan.run import workdir
from jaxgan.run.config_json import to_json
from jaxgan.study.agreement import check_likelihoods, likelihood_of
from jaxgan.study.comparison import Entry, Study
from jaxgan.visualization.report.columns import COLUMNS
from jaxgan.visualization.report.text import joined


def check(study: Study, experiments: Sequence[Experiment]) -> None:
    """Refuses a study whose numbers could not be compared, or not ranked as it asks.

    Args:
        study: with its budget and seeds.
        experiments: one for each of its entries.

    Raises:
        ConfigError: says what does not go together.
    """
    if not experiments or not study.seeds:
        raise ConfigError("a comparison needs at least one experiment and one seed")
    first_of: dict[str, Entry] = {}
    for entry, experiment in zip(study.entries, experiments, strict=True):
        other = first_of.setdefault(experiment.name, entry)
        if other is not entry:
            raise ConfigError(_of_one_name(experiment.name, other, entry))
    if len(set(study.seeds)) < len(study.seeds):
        raise ConfigError(f"seeds {study.seeds}: one of them is there twice")
    check_alike(experiments)
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


def check_alike(experiments: Sequence[Experiment]) -> None:
    """Refuses experiments that are not of the same data and evaluated alike.

    Raises:
        ConfigError: names the first two, and every field in which they differ.
    """
    first, protocol = experiments[0], _protocol(experiments[0])
    for other in experiments[1:]:
        if fields := workdir.difference(protocol, _protocol(other)):
            raise ConfigError(
                f"{first.name} and {other.name} have different data or evaluation settings, so"
                f" their numbers could not be compared: {'; '.join(fields)}"
            )


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
