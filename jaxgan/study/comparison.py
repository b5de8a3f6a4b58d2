"""From finished runs to a report."""

from __future__ import annotations

import dataclasses
import datetime
import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from jaxgan.config import ConfigError, Experiment
from jaxgan.run import provenance
from jaxgan.study.agreement import check_likelihoods, full_names
from jaxgan.study.budgets import budgets
from jaxgan.study.rows import Finished, Outcome, columns_of, judged, row_of
from jaxgan.study.selection import told
from jaxgan.study.spaces import Distribution
from jaxgan.study.subject import subject_of
from jaxgan.study.tradeoffs import tradeoffs
from jaxgan.visualization.report.data import Floor, Report


@dataclasses.dataclass(frozen=True)
class Entry:
    """One row of a comparison: an experiment's file, and what its command line changes."""

    file: str
    """The experiment's Python file."""
    arguments: tuple[str, ...] = ()
    """Command-line arguments, such as ``("--name", "big", "--model.generator.width", "64")``."""
    space: Mapping[str, Distribution | None] = dataclasses.field(default_factory=dict)
    """Distributions by the names of flags, beside the study's; None takes one of the study's away.
    See `space_of`."""


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
    tuning: str = ""
    """How the rows' settings were chosen, for the report: an unequal search decides orders."""
    space: Mapping[str, Distribution] = dataclasses.field(default_factory=dict)
    """What settings are drawn from (`jaxgan.study.spaces`), by the name of a flag without its
    dashes, such as ``{"optimizer.learning-rate": LogUniform(1e-5, 1e-2)}``."""
    trials: int = 0
    """Settings of each row, as many for all; 0: none are searched."""
    search_seed: int = 0
    """Of the settings' draws."""


_GIVEN = ("name", "seed", "steps", "workdir")
"""What the study itself decides of each run."""


def space_of(study: Study, entry: Entry) -> dict[str, Distribution]:
    """What the settings of one row are drawn from: the study's space, and what its entry changes.

    Raises:
        ConfigError: a flag is the study's own business, or its value is in the entry's arguments
            already; or there are trials and nothing to draw.
    """
    both = {**study.space, **entry.space}
    space = {flag: one for flag, one in both.items() if one is not None}
    flags = [word.partition("=")[0][2:] for word in entry.arguments if word.startswith("--")]
    given = {flag.replace("_", "-") for flag in flags}
    for flag in space:
        if flag in _GIVEN:
            raise ConfigError(
                f"the space has {flag!r}, which the study itself decides: leave it out"
            )
        if flag.startswith("-"):
            raise ConfigError(f"the space has {flag!r}: name flags without dashes in front")
        if flag.replace("_", "-") in given:
            raise ConfigError(
                f"--{flag} is among the arguments of {entry.file} and is searched as well: leave"
                " one of them out"
            )
    if study.trials and not space:
        raise ConfigError(
            f"{study.name} has {study.trials} trials and {entry.file} has no space to draw them"
            " from: name distributions by their flags, or set trials to 0"
        )
    return space


class Trained(NamedTuple):
    """One row of a study, trained."""

    entry: Entry
    experiment: Experiment
    description: str
    outcomes: tuple[Outcome, ...]


def report(
    study: Study,
    rows: list[Trained],
    *,
    command: str,
    seconds: float,
    folder: Path | None = None,
    floor: Floor | None = None,
) -> Report:
    """The report of a study whose runs are finished.

    Args:
        study: with the budget and seeds that were used.
        rows: its entries, trained.
        command: that started it.
        seconds: it took, in all.
        folder: of the page, for links to the runs; None: no links.
        floor: real images that were measured like samples.

    Raises:
        ConfigError: two runs were not measured alike; says in which fields of the protocol.
    """
    finished = [
        Finished(subject_of(row.experiment), row.description, command_of(row, study), row.outcomes)
        for row in rows
    ]
    return assemble(
        finished,
        title=study.title,
        command=command,
        budget=f"{study.images:,} real images a run",
        rank_by=study.rank_by,
        protocol={
            "Budget": budget_told(study.images),
            "Time": f"{seconds:.0f} s for the whole comparison, compilation and evaluation"
            " included",
        },
        tuning=study.tuning,
        folder=folder,
        floor=floor,
    )


def budget_told(images: int) -> str:
    """What all runs of a study share, in words."""
    return (
        f"every run sees {images:,} real images; an objective with several discriminator updates a"
        " step, each on its own batch, makes fewer generator updates"
    )


def assemble(
    rows: Sequence[Finished],
    *,
    title: str,
    command: str,
    budget: str,
    rank_by: str,
    protocol: Mapping[str, str],
    tuning: str = "",
    folder: Path | None = None,
    floor: Floor | None = None,
) -> Report:
    """The report of runs, from their documents alone.

    Args:
        rows: at least one.
        title: of the page.
        command: makes the report again.
        budget: what each run was given.
        rank_by: short name of the metric that ranks.
        protocol: what else there is to say of how was trained and measured, by topic.
        tuning: how the rows' settings were chosen; empty: it is not known.
        folder: of the page, for links to the runs; None: no links.
        floor: real images that were measured like samples; what the rows lack is left out.

    Raises:
        ConfigError: two runs were not measured alike; says in which fields of the protocol.
    """
    trials = [o for row in rows for one in row.settings for o in one.outcomes]
    done = [o for row in rows for o in row.outcomes if o.result is not None]
    results = {o.folder.name: o.result for o in done if o.result is not None}
    tried = {o.folder.name: o.result for o in trials if o.result is not None}
    full = full_names({**results, **tried})
    likelihoods = {row.subject.name: row.subject.likelihood for row in rows}
    check_likelihoods(rank_by, likelihoods)
    columns = columns_of(full, rank_by, set(likelihoods.values()) - {""})
    if floor is not None:
        known = {column.name for column in columns}
        measured = {name: value for name, value in floor.metrics.items() if name in known}
        floor = dataclasses.replace(floor, metrics=measured)
    ranking = next(column for column in columns if column.name == rank_by)
    shown = judged([row_of(row, columns, folder) for row in rows], columns)
    subject, seeds = rows[0].subject, dict.fromkeys(o.seed for row in rows for o in row.outcomes)
    return Report(
        title=title,
        command=command,
        created=datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        budget=budget,
        protocol={
            "Data": subject.data,
            **protocol,
            "Seeds": ", ".join(map(str, seeds)),
            "Ranking": f"{full.get(rank_by, rank_by)}; mean over training seeds",
            "Weights": subject.weights,
            "Selection": subject.selection,
            **_searched(rows, rank_by),
            **({"Tuning": tuning} if tuning else {}),
        },
        environment=_environment([*results.values()]),
        rows=shown,
        rank_by=rank_by,
        metrics=columns,
        interval="95% Student-t interval over three or more training seeds",
        notes=(
            *((f"Tuning: {tuning}",) if tuning else ()),
            *_warnings([*results.values()]),
            *_alarms(rows),
        ),
        plots=tradeoffs(shown, [row.subject for row in rows]),
        floor=floor,
        budgets=budgets(rows, ranking, columns),
    )


def _searched(rows: Sequence[Finished], metric: str) -> dict[str, str]:
    """How the settings of rows were found, where they were searched."""
    lines = [f"{row.subject.name}: {told(row.settings, metric)}" for row in rows if row.settings]
    return {"Search": "; ".join(lines)} if lines else {}


def _warnings(results: list[dict[str, Any]]) -> tuple[str, ...]:
    """What the runs say that a reader of their numbers has to know, each line once."""
    told = [result.get("warnings") for result in results]
    lines = [line for one in told if isinstance(one, list) for line in one]
    return tuple(dict.fromkeys(f"Mind: {line}." for line in lines if isinstance(line, str)))


def _alarms(rows: Sequence[Finished]) -> list[str]:
    """What the logs of runs say of a collapse: see `jaxgan.training.alarms`."""
    lines = []
    for row in rows:
        for outcome in row.outcomes:
            told = (outcome.result or {}).get("alarms")
            for one in told if isinstance(told, list) else []:
                if isinstance(one, dict) and isinstance(one.get("text"), str):
                    since = one.get("since")
                    lines.append(
                        f"Alarm: {row.subject.name}, seed {outcome.seed}, since step {since}:"
                        f" {one['text']}."
                    )
    return lines


def _environment(results: list[dict[str, Any]]) -> dict[str, str]:
    """Versions and hardware; where the runs differ in one, all that there were."""
    if not results:
        return {**provenance.hardware(), **provenance.versions()}
    told: dict[str, dict[str, None]] = {}
    for result in results:
        for name, text in {**result.get("hardware", {}), **result.get("versions", {})}.items():
            told.setdefault(name, {})[str(text)] = None
    return {name: " and ".join(texts) for name, texts in told.items()}


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
