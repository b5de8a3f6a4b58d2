"""The help that fits on a screen: what people change, with the values it has now."""

from __future__ import annotations

import dataclasses
import shutil
import textwrap
import typing
from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple

from jaxgan.cli import datasets, flags, parts, spelling
from jaxgan.config import Experiment, Model, config_fields, is_network

TRAINING = ("steps", "batch_size", "seed", "precision", "init_from")
EVALUATION = (
    "evaluation.metrics",
    "evaluation.samples",
    "evaluation.every",
    "data.validation",
    "early_stopping.metric",
)
RUN = ("workdir", "checkpoint_every", "log_every", "parallel", "quiet")
"""Fields that are shown; those of models are found by looking at the model."""

MOST = 6
"""Names that are told one by one; of more, the first, and that there are more."""

COLUMN = 33
"""Width of flags, where what they are for begins."""


class _Row(NamedTuple):
    flag: str
    text: str


def page(options: Any, program: str, *, fields: int) -> str:
    """The help of ``--help``.

    Args:
        options: `jaxgan.cli.options.Options`, whose values are shown.
        program: how the command is called.
        fields: how many there are in all.
    """
    experiment, run = options.experiment, options.run
    own = [field.name for field in dataclasses.fields(options)]
    sections = {
        "training": [
            *_rows(experiment, TRAINING),
            _dataset(experiment.data),
        ],
        "model": [*_model(experiment.model)],
        "evaluation": [*_rows(experiment, EVALUATION)],
        "run": [
            *_rows(run, RUN),
            *_rows(options, [name for name in own if name not in ("experiment", "run")]),
        ],
    }
    lines = [
        f"usage: {program} [OPTIONS]",
        "",
        f"Train {experiment.name}. Each option is shown with its value now.",
    ]
    for title, rows in sections.items():
        lines += ["", f"{title}:", *_lines(rows)]
    return "\n".join([*lines, "", f"all {fields} fields: --help-all"])


def names_page(experiment: Experiment) -> str:
    """What can be named, for the top of ``--help-all``."""
    data = [
        f"{name} (with {datasets.NAMED_BY[name][0]})" if name in datasets.NAMED_BY else name
        for name in datasets.DATASETS
    ]
    rows = [_Row("--dataset NAME", ", ".join(data))]
    for flag, head in parts.heads(experiment.model).items():
        if head.fields:
            rows.append(_Row(f"--{flag} NAME", ", ".join(_nameable(head))))
    return "\n".join(["parts by name, and their fields as --PART.FIELD:", *_lines(rows), ""])


def _lines(rows: Sequence[_Row]) -> Iterator[str]:
    """Two columns; a flag that is too long for its own pushes the text to the right or down."""
    width = max(60, min(100, shutil.get_terminal_size().columns))
    for flag, text in rows:
        first = f"  {flag}"
        if max(len(first) + 2, COLUMN) + len(text) <= width:
            yield f"{first:{COLUMN - 2}}  {text}".rstrip()
            continue
        while len(wrapped := textwrap.wrap(text, width - COLUMN)) > 2 and ";" in text:
            text = text.rpartition(";")[0]  # The whole is in --help-all.
        yield f"{first:{COLUMN}}{wrapped.pop(0)}" if len(first) + 2 <= COLUMN else first
        yield from (" " * COLUMN + line for line in wrapped)


def _rows(owner: Any, paths: Sequence[str]) -> Iterator[_Row]:
    """One row for each field, by its path."""
    for path in paths:
        *outer, name = path.split(".")
        holder = owner
        for one in outer:
            holder = getattr(holder, one)
        yield _row(holder, name, flags.dashed(path))


def _row(holder: Any, name: str, flag: str) -> _Row:
    value, text = getattr(holder, name), flags.sentences(type(holder)).get(name, "")
    if isinstance(value, bool):
        return _Row(
            f"--{flags.switches(flag, value)[value]}", f"{text} ({'on' if value else 'off'})"
        )
    hint = flags.hints(type(holder)).get(name)
    if typing.get_origin(hint) is Literal:
        text = f"or {', '.join(str(one) for one in typing.get_args(hint) if one != value)}"
    return _Row(f"--{flag} {_shown(value)}", text)


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return " ".join(map(str, value))
    return "''" if value == "" else str(value)


def _dataset(data: Any) -> _Row:
    """The name of a data set, whatever its fields are."""
    found = [name for name, known in datasets.DATASETS.items() if known.source == data.source]
    others = [name for name in datasets.DATASETS if name not in found]
    return _Row(f"--dataset {[*found, type(data.source).__name__][0]}", f"or {', '.join(others)}")


def _others(head: parts.Head, *now: str) -> str:
    """``or r1, r2``: what could be named instead."""
    others = [name for name in _nameable(head) if name not in now]
    told = others if len(others) <= MOST else [*others[: MOST - 1], "... (--help-all)"]
    return f"or {', '.join(told)}"


def _nameable(head: parts.Head) -> list[str]:
    return [*head.kind.names, *(["none"] if head.several else [])]


def _model(model: Model) -> Iterator[_Row]:
    """Parts by name with their fields, then the model's own fields, then its networks."""
    for flag, head in parts.heads(model).items():
        if len(head.fields) > 1:
            yield _Row(f"--{flag} NAME", f"of all players: {', '.join(head.kind.names)}")
        elif head.fields:
            held = getattr(model, head.fields[0])
            held = held if head.several else (held,)
            named = [spelling.name_of(part, head.kind.names) for part in held] or ["none"]
            said = " ".join(f"--{flag} {name}" for name in named)
            yield _Row(said, _others(head, *named))
            if len(held) == 1:
                yield from _fields(held[0], flag)
    for field in config_fields(model):
        value, flag = getattr(model, field.name), f"model.{flags.dashed(field.name)}"
        if is_network(value):
            yield _network(model, field.name, flag)
        elif not dataclasses.is_dataclass(value) and not flags.holds_parts(model, field.name):
            yield _row(model, field.name, flag)


def _fields(part: Any, flag: str) -> Iterator[_Row]:
    """Of an optimizer those that are turned, of another part all that are its own."""
    own = [field.name for field in config_fields(part)]
    shown = ["learning_rate"] if "learning_rate" in own else own
    for name in shown:
        if not dataclasses.is_dataclass(getattr(part, name)):
            yield _row(part, name, f"{flag}.{flags.dashed(name)}")


def _network(model: Model, name: str, flag: str) -> _Row:
    """One row for a network, whose fields are many."""
    network = getattr(model, name)
    has = [f"{one} {_shown(value)}" for one, value in flags.leaves(network)]
    return _Row(f"--{flag}.FIELD", textwrap.shorten(", ".join(has), 90, placeholder=" ..."))
