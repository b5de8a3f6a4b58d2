"""From finished runs to a report: means, intervals, curves, pictures, protocol."""

from __future__ import annotations

import dataclasses
import datetime
import itertools
import math
import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from jaxgan.config import Experiment, describe
from jaxgan.evaluation.metrics import SAMPLE_METRICS
from jaxgan.evaluation.protocol import short_name
from jaxgan.evaluation.ranges import range_of
from jaxgan.evaluation.statistics.ranges import over_seeds
from jaxgan.evaluation.statistics.significance import against_best
from jaxgan.run import workdir
from jaxgan.run.logs import read_jsonl
from jaxgan.study.agreement import NATS, check_likelihoods, full_names, likelihood_of
from jaxgan.study.tradeoffs import tradeoffs
from jaxgan.visualization.report.columns import COLUMNS, NAMES
from jaxgan.visualization.report.data import Curve, MetricColumn, MetricValue, Report, Row
from jaxgan.visualization.report.ranking import has_value, leader


@dataclasses.dataclass(frozen=True)
class Entry:
    """One row of a comparison: an experiment's file, and what its command line changes."""

    file: str
    """The experiment's Python file."""
    arguments: tuple[str, ...] = ()
    """Command-line arguments, such as ``("--name", "big", "--model.generator.width", "64")``."""


@dataclasses.dataclass(frozen=True)
class Study:
    """A list of experiments, seeds, and one budget."""

    name: str
    """Short name, used for the folder."""
    title: str
    """Of the report."""
    entries: tuple[Entry, ...]
    """The rows; names must differ."""
    seeds: tuple[int, ...] = (0, 1, 2)
    """Training seeds of each row."""
    images: int = 640_000
    """Real images that each run sees: the budget that all share."""
    curve_points: int = 10
    """Measurements of the sample distances while a run trains."""
    rank_by: str = "fid"
    """Short name of the metric that ranks."""
    metrics: tuple[str, ...] = ()
    """What is measured, by the names in `jaxgan.evaluation.metrics`; empty: what each experiment
    asks for. Metrics of autoencoders are taken of those alone."""


class Outcome(NamedTuple):
    """One experiment with one seed: its folder, and its result or the reason why there is none."""

    seed: int
    folder: Path
    result: dict[str, Any] | None
    failed: str | None


class Trained(NamedTuple):
    """One row of a study, trained."""

    entry: Entry
    experiment: Experiment
    description: str
    outcomes: tuple[Outcome, ...]


def short_metrics(result: Mapping[str, Any]) -> dict[str, float]:
    """The metrics of a result document under names without their protocols."""
    return {short_name(name): value for name, value in result["metrics"].items()}


def short_intervals(result: Mapping[str, Any]) -> dict[str, Sequence[float]]:
    """The 95% intervals over samples of a result document, as `short_metrics`; none in old ones."""
    return {short_name(name): ends for name, ends in result.get("intervals", {}).items()}


def report(study: Study, rows: list[Trained], *, command: str, seconds: float) -> Report:
    """The report of a study whose runs are finished.

    Args:
        study: with the budget and seeds that were used.
        rows: its entries, trained.
        command: that started it.
        seconds: it took, in all.

    Raises:
        ConfigError: two runs were not measured alike; says in which fields of the protocol.
    """
    done = [o for row in rows for o in row.outcomes]
    results = {o.folder.name: o.result for o in done if o.result is not None}
    full = full_names(results)
    experiments = [row.experiment for row in rows]
    check_likelihoods(study.rank_by, experiments)
    columns = _columns(full, study.rank_by, set(map(likelihood_of, experiments)) - {""})
    shown = judged([_row(row, study, columns) for row in rows], columns)
    return Report(
        title=study.title,
        command=command,
        created=datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        budget=f"{study.images:,} real images a run",
        protocol=_protocol(study, rows, full, seconds),
        environment=_environment([*results.values()]),
        rows=shown,
        rank_by=study.rank_by,
        metrics=columns,
        interval="95% Student-t interval over training seeds, of three or more",
        notes=(),
        plots=tradeoffs(shown, experiments),
    )


def _columns(
    full: Mapping[str, str], rank_by: str, likelihoods: set[str]
) -> tuple[MetricColumn, ...]:
    """The table's columns, their explanations with the protocol."""
    columns = []
    # Of metrics from elsewhere no more is known than their names.
    elsewhere = [m.gives for m in SAMPLE_METRICS.values() if set(m.gives).isdisjoint(NAMES)]
    names = dict.fromkeys(itertools.chain(*elsewhere))  # Two metrics may give one name.
    others = [MetricColumn(name, name, None, digits=4) for name in names]
    for column in (*COLUMNS, *others):
        # What ranks is shown even if every run has failed.
        if column.name not in full and column.name != rank_by:
            continue
        measured = f" Measured: {full[column.name]}." if column.name in full else ""
        explanation = (column.explanation + measured).strip()
        lower = column.lower_is_better
        if column.name in NATS and len(likelihoods) > 1:
            lower = None
            explanation += (
                f" Not comparable between likelihoods ({', '.join(sorted(likelihoods))})."
            )
        columns.append(dataclasses.replace(column, lower_is_better=lower, explanation=explanation))
    return tuple(columns)


def judged(rows: Sequence[Row], columns: Sequence[MetricColumn]) -> tuple[Row, ...]:
    """The rows with p-values of their differences from the best of each column.

    Pairs of values of one training seed are compared, and the p-values corrected for the number of
    rows; see `jaxgan.evaluation.statistics.significance.against_best`.
    """
    metrics = {row.name: dict(row.metrics) for row in rows}
    for column in columns:
        name, first = column.name, leader(rows, column)
        if first is None:
            continue
        others = {
            row.name: row.metrics[name].per_seed
            for row in rows
            if row is not first and has_value(row, name)
        }
        for other, p_value in against_best(first.metrics[name].per_seed, others).items():
            value = metrics[other][name]
            metrics[other][name] = dataclasses.replace(value, p_value=p_value)
    return tuple(dataclasses.replace(row, metrics=metrics[row.name]) for row in rows)


def _protocol(
    study: Study, rows: list[Trained], full: Mapping[str, str], seconds: float
) -> dict[str, str]:
    first = rows[0].experiment
    selected = first.early_stopping.metric
    weights = {
        "ema": "exponential moving average of the generator or autoencoder",
        "raw": "as trained, not averaged",
    }
    return {
        "Data": describe(first.data),
        "Budget": f"every run sees {study.images:,} real images; an objective with several"
        " discriminator updates a step, each on its own batch, makes fewer generator updates",
        "Seeds": ", ".join(map(str, study.seeds)),
        "Ranking": f"{full.get(study.rank_by, study.rank_by)}; mean over training seeds",
        "Weights": weights[first.evaluation.weights],
        "Selection": f"by {selected} on the validation split; measured on the test split"
        if selected
        else "none: the state after the last step is measured",
        "Time": f"{seconds:.0f} s for the whole comparison, compilation and evaluation included",
    }


def _environment(results: list[dict[str, Any]]) -> dict[str, str]:
    if not results:
        return {**workdir.hardware(), **workdir.versions()}
    return {**results[-1]["hardware"], **results[-1]["versions"]}


def _row(row: Trained, study: Study, columns: tuple[MetricColumn, ...]) -> Row:
    done = [o for o in row.outcomes if o.result is not None]
    failed = [f"seed {o.seed}: {o.failed}" for o in row.outcomes if o.failed]
    results = [o.result for o in done if o.result is not None]
    per_seed = [short_metrics(o.result) if o.result is not None else {} for o in row.outcomes]
    sampled = [short_intervals(o.result) if o.result is not None else {} for o in row.outcomes]
    return Row(
        name=row.experiment.name,
        objective=_objective(row.experiment),
        family=row.experiment.model.family,
        description=row.description.strip().splitlines()[0] if row.description.strip() else "",
        command=command_of(row, study),
        parameters=sum(results[0]["parameters"].values()) if results else 0,
        steps=row.experiment.steps,
        seconds=tuple(result["seconds"]["training"] for result in results),
        seeds=study.seeds,
        metrics={
            column.name: value
            for column in columns
            if (
                value := _value(
                    column.name,
                    [metrics.get(column.name) for metrics in per_seed],
                    [intervals.get(column.name) for intervals in sampled],
                )
            )
        },
        curves=_curves([o.folder for o in done]),
        pictures=_pictures(done[0].folder) if done else {},
        failed="; ".join(failed) or None,
    )


def _objective(experiment: Experiment) -> str:
    precision = "" if experiment.precision == "float32" else f", {experiment.precision}"
    return f"{experiment.model.objective()}{precision}"


def _value(
    name: str, values: Sequence[float | None], sampled: Sequence[Sequence[float] | None]
) -> MetricValue | None:
    """Mean and interval over the seeds that have a value; of a single one, that over samples.

    A divergence between modes is undefined (NaN) where no sample lies at any.
    """
    defined = tuple(v if v is not None and math.isfinite(v) else None for v in values)
    present = [(v, ends) for v, ends in zip(defined, sampled, strict=True) if v is not None]
    if not present:
        return None
    mean, low, high = over_seeds([v for v, _ in present], range_of(name))
    if math.isfinite(low):
        return MetricValue(mean, low, high, defined)
    ends = present[0][1]
    if len(present) > 1 or ends is None or not ends[0] <= mean <= ends[1]:
        return MetricValue(mean, per_seed=defined)
    return MetricValue(mean, ends[0], ends[1], defined, over="samples")


def _curves(folders: list[Path]) -> dict[str, tuple[Curve, ...]]:
    """Every logged metric, one curve a seed; the table's metrics first."""
    logs = [read_jsonl(folder / workdir.METRICS) for folder in folders]
    logged = dict.fromkeys(itertools.chain.from_iterable(r for log in logs for r in log))
    found: dict[str, list[str]] = {}
    for name in logged:
        if name in ("step", "images_seen", "time") or short_name(name) == "kid_se":
            continue
        # What a train step reports of its own batch is not what the table shows under that name.
        measured = name != short_name(name)
        shown = short_name(name) if measured else f"{name} (training batches)"
        found.setdefault(shown, []).append(name)
    curves = {}
    for shown, names in found.items():
        lines = []
        for log in logs:
            # Under one name or another: a version of this package may have measured otherwise.
            points = {r["images_seen"]: r[n] for r in log for n in names if n in r}
            lines.append(Curve(tuple(points), tuple(points.values())))
        curves[shown] = tuple(lines)
    return dict(sorted(curves.items(), key=lambda item: item[0] not in NAMES))


def _pictures(folder: Path) -> dict[str, bytes]:
    return {
        path.stem: path.read_bytes() for path in sorted((folder / workdir.PICTURES).glob("*.png"))
    }


def command_of(trained: Trained, study: Study) -> str:
    """Commands that train the same runs by themselves, one a seed."""
    file = os.path.relpath(trained.entry.file)
    lines = []
    for seed in study.seeds:
        words = ["python", file, *trained.entry.arguments]
        if study.metrics:
            words += ["--evaluation.metrics", *trained.experiment.evaluation.metrics]
        words += ["--steps", str(trained.experiment.steps), "--seed", str(seed)]
        lines.append(shlex.join(words))
    return "\n".join(lines)
