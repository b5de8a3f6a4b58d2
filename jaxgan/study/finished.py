"""Runs that are on disk, grouped into the rows of a report. Nothing of a run is executed."""

from __future__ import annotations

import importlib
import itertools
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from jaxgan.config import ConfigError, Model
from jaxgan.measurement import runs
from jaxgan.run import workdir
from jaxgan.run.config_json import TYPE_KEY, is_own
from jaxgan.run.difference import difference
from jaxgan.run.workdir import RunError
from jaxgan.study.rows import Finished, Outcome
from jaxgan.study.subject import Subject, selection_told, subject_of, weights_told

_SHOWN = 60
"""Characters of what tells two experiments of one name apart, at most."""


class Found(NamedTuple):
    """The documents of one run."""

    folder: Path
    config: Mapping[str, Any]
    result: dict[str, Any] | None

    @property
    def experiment(self) -> dict[str, Any]:
        """Its configuration without the seed: seeds of one experiment share it."""
        return {name: part for name, part in self.config["experiment"].items() if name != "seed"}

    @property
    def key(self) -> str:
        """The same for runs of one row."""
        start = self.config.get("init_from")
        return json.dumps([self.experiment, start], sort_keys=True)


def read(folders: Sequence[Path]) -> list[Found]:
    """The documents of runs.

    Args:
        folders: of runs, or of studies, which stand for all runs in them.

    Raises:
        RunError: there is no run, or its documents are damaged.
        ConfigError: the same run is named twice.
    """
    found: dict[Path, Found] = {}
    for folder in folders:
        inside = [] if (folder / workdir.CONFIG).exists() else _inside(folder)
        for one in inside or [folder]:
            if (place := one.resolve()) in found:
                raise ConfigError(f"{one} is named twice")
            found[place] = read_one(one)
    return [*found.values()]


def _inside(folder: Path) -> list[Path]:
    """The runs of a study, or of a folder of runs."""
    places = sorted([*folder.glob(f"*/{workdir.CONFIG}"), *folder.glob(f"runs/*/{workdir.CONFIG}")])
    return [path.parent for path in places]


def read_one(folder: Path) -> Found:
    """The documents of one run, looked through: whoever reads them need not.

    Raises:
        RunError: there is no run, or one of them is damaged.
    """
    config = workdir.read_config(folder)
    experiment = config["experiment"]
    fits = (
        isinstance(experiment.get("name"), str)
        and all(type(experiment.get(field)) is int for field in ("seed", "steps"))
        and all(isinstance(experiment.get(field), dict) for field in ("model", "data"))
    )
    if not fits:
        raise RunError(f"{folder / workdir.CONFIG} is damaged: it does not describe an experiment")
    result = workdir.read_result(folder)
    if result is not None and not _is_result(result):
        raise RunError(f"{folder / workdir.RESULT} is damaged: it does not hold a run's numbers")
    return Found(folder, config, result)


def _is_result(result: Any) -> bool:
    """Whether a document has all that a report shows, of the right kinds."""

    def numbers(part: Any) -> bool:
        return isinstance(part, dict) and all(type(v) in (int, float) for v in part.values())

    if not (isinstance(result, dict) and all(map(numbers, map(result.get, _NUMBERS)))):
        return False
    ends = result.get("intervals", {})
    return (
        isinstance(ends, dict)
        and all(isinstance(pair, list) and len(pair) == 2 for pair in ends.values())
        and all(type(end) in (int, float) for pair in ends.values() for end in pair)
        and all(isinstance(result.get(part, {}), dict) for part in ("protocols", *_WORDS))
        and all(isinstance(one, dict) for one in result.get("protocols", {}).values())
        and "training" in result["seconds"]
        and numbers(result.get("validation", {}))
    )


_NUMBERS, _WORDS = ("metrics", "parameters", "seconds"), ("hardware", "versions")


def rows_of(found: Sequence[Found]) -> list[Finished]:
    """One row for each experiment, its seeds in order; a run that is not finished has failed.

    Raises:
        ConfigError: an experiment is there twice with one seed, or the runs are of different data.
        RunError: no run is finished.
    """
    if not any(one.result for one in found):
        raise RunError(f"no run is finished: `jaxgan resume {found[0].folder}` goes on with it")
    groups: dict[str, list[Found]] = {}
    for one in found:
        groups.setdefault(one.key, []).append(one)
        lines = difference(found[0].experiment["data"], one.experiment["data"])
        if lines:
            raise ConfigError(
                f"{found[0].folder} and {one.folder} have different data, so their numbers cannot"
                f" be compared: {'; '.join(lines)}"
            )
    names = _names([group[0] for group in groups.values()])
    return [_row(group, name) for group, name in zip(groups.values(), names, strict=True)]


def _row(group: Sequence[Found], name: str) -> Finished:
    ordered = sorted(group, key=_seed)
    for one, other in itertools.pairwise(ordered):
        if _seed(one) == _seed(other):
            raise ConfigError(
                f"{one.folder} and {other.folder} are the same experiment with seed {_seed(one)}:"
                " name one of them"
            )
    outcomes = tuple(
        Outcome(
            _seed(one),
            one.folder,
            one.result and {part: {} for part in _WORDS} | one.result,
            None if one.result else f"not finished: `jaxgan resume {one.folder}`",
            missing=one.result is None,
        )
        for one in ordered
    )
    commands = dict.fromkeys(str(one.config.get("command", "")) for one in ordered)
    subject = _subject(ordered[0])._replace(name=name)
    return Finished(subject, "", "\n".join(filter(None, commands)), outcomes)


def _seed(one: Found) -> int:
    return one.config["experiment"]["seed"]


def _names(firsts: Sequence[Found]) -> list[str]:
    """Names of the rows: where two share one, the settings that differ are added."""
    names = [one.experiment["name"] for one in firsts]
    told = []
    for one, name in zip(firsts, names, strict=True):
        alike = [other for other, its in zip(firsts, names, strict=True) if its == name]
        leaves = [
            dict(_leaves([other.experiment, other.config.get("init_from")])) for other in alike
        ]
        fields = dict.fromkeys(field for leaf in leaves for field in leaf)
        differ = [f for f in fields if len({json.dumps(leaf.get(f)) for leaf in leaves}) > 1]
        mine = dict(_leaves([one.experiment, one.config.get("init_from")]))
        words = ", ".join(f"{field} = {mine.get(field)}" for field in differ)
        told.append(f"{name} ({words[:_SHOWN]})" if words else name)
    return [
        f"{name}, {told[:place].count(name) + 1}" if told.count(name) > 1 else name
        for place, name in enumerate(told)
    ]


def _leaves(document: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value within a JSON document, by its path."""
    parts: Any = document.items() if isinstance(document, dict) else None
    if isinstance(document, list):
        parts = enumerate(document)
    if parts is None:
        yield path.partition(".")[2], document
        return
    for key, part in parts:
        yield from _leaves(part, f"{path}.{key}" if path else str(key))


def _subject(one: Found) -> Subject:
    """A run's experiment in words; what needs code that is not jaxgan's, from its documents."""
    try:
        return subject_of(runs.experiment_of(one.folder))
    except (ConfigError, RunError):
        return told(one)


def told(one: Found) -> Subject:
    """What a run's documents say of its experiment by themselves."""
    experiment = one.experiment
    model, data = experiment["model"], experiment["data"]
    evaluation, stopping = experiment.get("evaluation"), experiment.get("early_stopping")
    precision = experiment.get("precision", "float32")
    protocols = (one.result or {}).get("protocols", {}).values()
    return Subject(
        name=experiment["name"],
        objective=_words(model) + ("" if precision == "float32" else f", {precision}"),
        family=_family(str(model.get(TYPE_KEY))),
        steps=experiment["steps"],
        likelihood=next((str(p["likelihood"]) for p in protocols if p.get("likelihood")), ""),
        data=_words(data),
        weights=weights_told(
            str(evaluation.get("weights")) if isinstance(evaluation, dict) else ""
        ),
        selection=selection_told(
            str(stopping.get("metric") or "") if isinstance(stopping, dict) else ""
        ),
    )


def _family(name: str) -> str:
    """The family of a class of jaxgan's; of another's, nobody can tell without running it."""
    if not is_own(name):
        return "own model"
    module, _, attribute = name.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute, Model)
    except ImportError:  # of another version
        found = Model
    return str(getattr(found, "family", Model.family))


def _words(document: Mapping[str, Any]) -> str:
    """A class and its plain settings, such as ``Own: loss Hinge, rate 0.5``."""
    parts = []
    for field, value in document.items():
        if field == TYPE_KEY:
            continue
        if isinstance(value, dict) and field in ("loss", "likelihood", "source"):
            parts.append(f"{field} {_class(value)}")
        elif isinstance(value, str | int | float) and value != "" and not isinstance(value, bool):
            parts.append(f"{field} {value}")
    return ": ".join(part for part in (_class(document), ", ".join(parts)) if part)


def _class(document: Mapping[str, Any]) -> str:
    return str(document.get(TYPE_KEY, "")).rpartition(":")[2]


def budget(rows: Sequence[Finished]) -> str:
    """What each run was given; says so where they were given different amounts."""
    seen = sorted(
        {
            int(o.result["images_seen"])
            for row in rows
            for o in row.outcomes
            if o.result
            and isinstance(o.result.get("images_seen"), int | float)
            and math.isfinite(o.result["images_seen"])
        }
    )
    if not seen:
        return "budget unknown"
    if len(seen) == 1:
        return f"{seen[0]:,} real images a run"
    return f"unequal budgets: {seen[0]:,} to {seen[-1]:,} real images a run"
