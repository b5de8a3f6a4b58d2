"""From finished runs to a report: means, intervals, curves, pictures, protocol."""

from __future__ import annotations

import dataclasses
import datetime
import itertools
import math
import os
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from jaxgan import workdir
from jaxgan.config import Experiment, describe
from jaxgan.evaluation.intervals import mean_interval
from jaxgan.logging import read_jsonl
from jaxgan.results import short_name
from jaxgan.visualization.report.data import Curve, MetricColumn, MetricValue, Report, Row


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


COLUMNS: dict[str, tuple[str, bool, str, int, str]] = {
    "fid": (
        "Fréchet distance", True, "", 2,
        "Distance between Gaussians fitted to the features of real and generated images.",
    ),
    "kid": (
        "Kernel distance", True, "", 4,
        "Unbiased squared maximum mean discrepancy of the features, cubic polynomial kernel.",
    ),
    "elbo": (
        "ELBO", False, "nats/image", 2,
        "Evidence lower bound of held-out images with beta = 1; only autoencoders have one.",
    ),
    "reconstruction": (
        "Reconstruction", False, "nats/image", 2,
        "The ELBO's expected log-likelihood of an image given its code.",
    ),
    "kl": (
        "KL", True, "nats/image", 2,
        "The ELBO's divergence of an image's code from the prior; neither direction is better by"
        " itself.",
    ),
    "discriminator_accuracy": (
        "Discriminator accuracy", True, "", 3,
        "Share of held-out real and of generated images that the discriminator gets right; 0.5 is"
        " guessing. Critics of Wasserstein losses have no threshold, so none.",
    ),
    "modes": ("Modes covered", False, "", 1, "Modes of the mixture that good samples lie at."),
    "high_quality": (
        "High quality", False, "", 3, "Share of samples within 3 standard deviations of a mode.",
    ),
    "reverse_kl": (
        "Reverse KL", True, "nats", 3, "Divergence of the samples' modes from the mixture's.",
    ),
}  # fmt: skip
"""Metrics of the table by short name: label, is lower better, unit, digits, explanation."""


def short_metrics(result: Mapping[str, Any]) -> dict[str, float]:
    """The metrics of a result document under names without their protocols."""
    return {short_name(name): value for name, value in result["metrics"].items()}


def report(study: Study, rows: list[Trained], *, command: str, seconds: float) -> Report:
    """The report of a study whose runs are finished.

    Args:
        study: with the budget and seeds that were used.
        rows: its entries, trained.
        command: that started it.
        seconds: it took, in all.
    """
    results = [o.result for row in rows for o in row.outcomes if o.result is not None]
    full = _full_names(results)
    columns = tuple(
        MetricColumn(short, label, lower, unit, digits, f"{explanation} Measured: {full[short]}.")
        for short, (label, lower, unit, digits, explanation) in COLUMNS.items()
        if short in full
    )
    budget = f"{study.images:,} real images a run"
    return Report(
        title=study.title,
        command=command,
        created=datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        budget=budget,
        protocol=_protocol(study, rows, full, seconds),
        environment=_environment(results),
        rows=tuple(_row(row, study, columns) for row in rows),
        rank_by=study.rank_by,
        metrics=columns,
        interval="95% Student-t interval over training seeds",
        notes=(),
    )


def _full_names(results: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Short metric names to the names with their protocol, which all runs must share."""
    full: dict[str, str] = {}
    for name in itertools.chain.from_iterable(result["metrics"] for result in results):
        known = full.setdefault(short_name(name), name)
        if known != name:
            raise ValueError(f"{known} and {name} were measured differently")
    return full


def _protocol(
    study: Study, rows: list[Trained], full: Mapping[str, str], seconds: float
) -> dict[str, str]:
    first = rows[0].experiment
    info = describe(first.data)
    return {
        "Data": info,
        "Budget": f"every run sees {study.images:,} real images; an objective with several"
        " discriminator updates a step, each on its own batch, makes fewer generator updates",
        "Seeds": ", ".join(map(str, study.seeds)),
        "Ranking": f"{full.get(study.rank_by, study.rank_by)}; mean over training seeds",
        "Weights": "exponential moving average of the generator or autoencoder",
        "Selection": "none: the state after the last step is measured",
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
    return Row(
        name=row.experiment.name,
        objective=_objective(row.experiment),
        family=type(row.experiment.model).__name__.upper(),
        description=row.description.strip().splitlines()[0] if row.description.strip() else "",
        command=command_of(row, study),
        parameters=sum(results[0]["parameters"].values()) if results else 0,
        steps=row.experiment.steps,
        seconds=tuple(result["seconds"]["training"] for result in results),
        seeds=study.seeds,
        metrics={
            column.name: value
            for column in columns
            if (value := _value([metrics.get(column.name) for metrics in per_seed]))
        },
        curves=_curves([o.folder for o in done]),
        pictures=_pictures(done[0].folder) if done else {},
        failed="; ".join(failed) or None,
    )


def _objective(experiment: Experiment) -> str:
    model: Any = experiment.model
    precision = "" if experiment.precision == "float32" else f", {experiment.precision}"
    if hasattr(model, "loss"):
        critic = f", {model.n_critic} critic updates a step" if model.n_critic > 1 else ""
        clip = f", weights clipped to {model.clip_weights}" if model.clip_weights else ""
        weight = model.gradient_penalty.weight
        penalty = f", gradient penalty {weight:g}" if weight else ""
        return f"{describe(model.loss)}{critic}{clip}{penalty}{precision}"
    if hasattr(model, "beta"):
        return f"ELBO, {describe(model.likelihood)}, beta = {model.beta.value:g}{precision}"
    return f"{type(model).__name__}{precision}"


def _value(values: list[float | None]) -> MetricValue | None:
    """Mean and interval over the seeds that have a value.

    A divergence between modes is undefined (NaN) where no sample lies at any.
    """
    defined = tuple(v if v is not None and math.isfinite(v) else None for v in values)
    if not any(v is not None for v in defined):
        return None
    interval = mean_interval([v for v in defined if v is not None])
    known = math.isfinite(interval.low)
    return MetricValue(
        interval.mean,
        interval.low if known else None,
        interval.high if known else None,
        defined,
    )


def _curves(folders: list[Path]) -> dict[str, tuple[Curve, ...]]:
    """Every logged metric, one curve a seed; the table's metrics first."""
    logs = [read_jsonl(folder / workdir.METRICS) for folder in folders]
    logged = dict.fromkeys(itertools.chain.from_iterable(r for log in logs for r in log))
    curves = {}
    for name in logged:
        if name in ("step", "images_seen", "time") or short_name(name) == "kid_se":
            continue
        lines = []
        for log in logs:
            points = [(r["images_seen"], r[name]) for r in log if name in r]
            lines.append(Curve(tuple(x for x, _ in points), tuple(y for _, y in points)))
        # What a train step reports of its own batch is not what the table shows under that name.
        measured = name != short_name(name)
        shown = short_name(name) if measured else f"{name} (training batches)"
        curves[shown] = tuple(lines)
    return dict(sorted(curves.items(), key=lambda item: item[0] not in COLUMNS))


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
        words += ["--steps", str(trained.experiment.steps), "--seed", str(seed)]
        lines.append(shlex.join(words))
    return "\n".join(lines)
