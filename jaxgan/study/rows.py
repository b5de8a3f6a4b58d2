"""From the documents of finished runs to the rows of a report."""

from __future__ import annotations

import dataclasses
import itertools
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from jaxgan.evaluation.metrics import SAMPLE_METRICS
from jaxgan.evaluation.protocol import short_name
from jaxgan.evaluation.ranges import RANGES, range_of
from jaxgan.evaluation.statistics.ranges import over_seeds
from jaxgan.evaluation.statistics.significance import against_best
from jaxgan.run import workdir
from jaxgan.run.logs import read_jsonl
from jaxgan.study.agreement import NATS
from jaxgan.study.subject import Subject
from jaxgan.visualization.grid import is_png
from jaxgan.visualization.report.columns import COLUMNS, NAMES
from jaxgan.visualization.report.data import Curve, MetricColumn, MetricValue, Row
from jaxgan.visualization.report.ranking import has_value, leader
from jaxgan.visualization.report.search import Failures


class Outcome(NamedTuple):
    """One experiment with one seed: its folder, and its result or the reason why there is none."""

    seed: int
    folder: Path
    result: dict[str, Any] | None
    failed: str | None
    missing: bool = False
    """Whether it has not ended yet: neither a result nor a failure."""


class Setting(NamedTuple):
    """One of the settings that a search tries for a row, with one seed or several."""

    number: int
    """From 0, in the order in which settings were drawn."""
    outcomes: tuple[Outcome, ...]
    """One a seed."""

    @property
    def failed(self) -> bool:
        """Whether a run of it has failed: surviving is part of a setting's merit."""
        return any(one.result is None and not one.missing for one in self.outcomes)

    @property
    def ended(self) -> bool:
        """Whether all that can be told of it is there: every run, or one that has failed."""
        return self.failed or not any(one.missing for one in self.outcomes)

    def mean(self, metric: str, *, validation: bool) -> float | None:
        """Mean of a metric over the seeds; None where a seed has failed, or has no finite value.

        Args:
            metric: short name.
            validation: by the validation split, which selects; otherwise what is reported.
        """
        values = []
        for one in self.outcomes:
            if one.result is None:
                return None
            found = one.result.get("validation", {}) if validation else short_metrics(one.result)
            values.append(found.get(metric, math.nan))
        mean = math.fsum(values) / len(values) if values else math.nan
        return mean if math.isfinite(mean) else None


class Finished(NamedTuple):
    """The runs of one row."""

    subject: Subject
    description: str
    """What the experiment's file says of it."""
    command: str
    """Trains the same runs."""
    outcomes: tuple[Outcome, ...]
    """One a seed."""
    settings: tuple[Setting, ...] = ()
    """All that were tried, of a row whose setting was searched; its outcomes are of the best."""


def short_metrics(result: Mapping[str, Any]) -> dict[str, float]:
    """The metrics of a result document under names without their protocols."""
    return {short_name(name): value for name, value in result["metrics"].items()}


def short_intervals(result: Mapping[str, Any]) -> dict[str, Sequence[float]]:
    """The 95% intervals over samples of a result document, as `short_metrics`; none in old ones."""
    return {short_name(name): ends for name, ends in result.get("intervals", {}).items()}


def row_of(row: Finished, columns: Sequence[MetricColumn], page: Path | None) -> Row:
    """A row of the table.

    Args:
        row: its runs.
        columns: the metrics of the table.
        page: the folder that the page will be in, which links to the runs start from; None: no
            links.
    """
    done = [o for o in row.outcomes if o.result is not None]
    failed = [f"seed {o.seed}: {o.failed}" for o in row.outcomes if o.failed]
    results = [o.result for o in done if o.result is not None]
    per_seed = [short_metrics(o.result) if o.result is not None else {} for o in row.outcomes]
    sampled = [short_intervals(o.result) if o.result is not None else {} for o in row.outcomes]
    found = {
        column.name: value_of(
            column.name,
            [metrics.get(column.name) for metrics in per_seed],
            [intervals.get(column.name) for intervals in sampled],
        )
        for column in columns
    }
    shown = _pictures(done[0].folder) if done else {}
    return Row(
        name=row.subject.name,
        objective=row.subject.objective,
        family=row.subject.family,
        description=row.description.strip().partition("\n")[0],
        command=row.command,
        parameters=sum(results[0]["parameters"].values()) if results else 0,
        steps=row.subject.steps,
        seconds=tuple(result["seconds"]["training"] for result in results),
        seeds=tuple(o.seed for o in row.outcomes),
        metrics={name: value for name, value in found.items() if value is not None},
        curves=_curves([o.folder for o in done]),
        pictures=shown,
        failed="; ".join(failed) or None,
        pictured=done[0].seed if shown else None,
        runs=() if page is None else tuple(_beside(o.folder, page) for o in row.outcomes),
        failures=_failures(row),
    )


def _failures(row: Finished) -> Failures:
    """Of what has ended: a run that is still missing has not failed."""
    if row.settings:
        tried = [one for one in row.settings if one.ended]
        return Failures(sum(one.failed for one in tried), len(tried), "trials")
    ended = [one for one in row.outcomes if not one.missing]
    return Failures(sum(one.result is None for one in ended), len(ended))


def _beside(folder: Path, page: Path) -> str:
    """The way from the page's folder to a run's."""
    return Path(os.path.relpath(folder, page)).as_posix()


def columns_of(
    full: Mapping[str, str], rank_by: str, likelihoods: set[str]
) -> tuple[MetricColumn, ...]:
    """The table's columns, their explanations with the protocol."""
    columns = []
    # Of metrics from elsewhere no more is known than their names.
    elsewhere = [m.gives for m in SAMPLE_METRICS.values() if set(m.gives).isdisjoint(NAMES)]
    names = dict.fromkeys(itertools.chain(*elsewhere))  # Two metrics may give one name.
    # Those of files that are not loaded now are told by the runs alone.
    names |= dict.fromkeys(name for name in full if name not in NAMES and name not in RANGES)
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
    seeds = dict.fromkeys(seed for row in rows for seed in row.seeds)

    def by_seed(row: Row, name: str) -> list[float | None]:
        values = dict(zip(row.seeds, row.metrics[name].per_seed, strict=False))
        return [values.get(seed) for seed in seeds]

    for column in columns:
        name, first = column.name, leader(rows, column)
        if first is None:
            continue
        others = {
            row.name: by_seed(row, name)
            for row in rows
            if row is not first and has_value(row, name)
        }
        for other, p_value in against_best(by_seed(first, name), others).items():
            value = metrics[other][name]
            metrics[other][name] = dataclasses.replace(value, p_value=p_value)
    return tuple(dataclasses.replace(row, metrics=metrics[row.name]) for row in rows)


def value_of(
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


def _is_course(name: str) -> bool:
    """Whether how a logged number changes says something of the model."""
    settings = name.endswith("_learning_rate") or name == "steps_per_second"
    return not settings and not name.startswith("final/") and short_name(name) != "kid_se"


def _curves(folders: list[Path]) -> dict[str, tuple[Curve, ...]]:
    """Every logged metric, one curve a seed; the table's metrics first."""
    logs = [read_jsonl(folder / workdir.METRICS) for folder in folders]
    logged = dict.fromkeys(itertools.chain.from_iterable(r for log in logs for r in log))
    found: dict[str, list[str]] = {}
    for name in logged:
        if name in ("step", "images_seen", "time") or not _is_course(name):
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
    found = {
        path.stem: path.read_bytes() for path in sorted((folder / workdir.PICTURES).glob("*.png"))
    }
    # A file that is cut off, or something else, is not shown.
    return {kind: content for kind, content in found.items() if is_png(content)}
