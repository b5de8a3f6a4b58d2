"""Parts of a model by their names: ``--loss hinge --penalty r1 --penalty.every 16``.

Names become values of the experiment's fields, and flags of a part's fields become those of the
model's: ``--penalty.every`` is ``--model.penalties.0.every`` from there on.
"""

from __future__ import annotations

import copy
import re
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from jaxgan.cli import datasets, flags, names, spelling
from jaxgan.config import ConfigError, Experiment, Model, config_fields


class Head(NamedTuple):
    """What stands before the first dot of a flag that is about parts.

    Attributes:
        kind: of the parts.
        fields: of the model that it sets; ``--optimizer`` sets those of all players.
        several: whether the field is a tuple of parts.
    """

    kind: names.Kind
    fields: tuple[str, ...]
    several: bool


class Named(NamedTuple):
    """A command line without names.

    Attributes:
        experiment: with the parts named. Not checked as a whole, because flags that are left may
            change what does not go together.
        arguments: what is left, for the fields of the experiment.
        typed: from flags in ``arguments`` to what stood there instead, for messages.
    """

    experiment: Experiment
    arguments: list[str]
    typed: dict[str, str]


class _Flag(NamedTuple):
    """A flag with what follows it.

    Attributes:
        name: without its dashes.
        values: what follows.
        words: all of it as it was typed.
        head: of the name, ``penalty``.
        path: of the name, ``every``.
    """

    name: str
    values: tuple[str, ...]
    words: tuple[str, ...]
    head: str
    path: str


def heads(model: Model) -> dict[str, Head]:
    """What flags about parts may begin with; those without fields are for other models."""
    found: dict[str, Head] = {}
    hints = flags.hints(type(model))
    for kind in names.KINDS:
        fields = [
            field.name
            for field in config_fields(model)
            if hints.get(field.name) in (kind.protocol, tuple[kind.protocol, ...])
        ]
        several = any(typing.get_origin(hints[name]) is tuple for name in fields)
        found[kind.flag] = Head(kind, tuple(fields), several)
        if len(fields) > 1 and not several:
            found |= {flags.dashed(name): Head(kind, (name,), False) for name in fields}
    return found


def apply(experiment: Experiment, arguments: Sequence[str]) -> Named:
    """The experiment with the parts that a command line names, and what else it says.

    Where a flag of all players and one of a single player disagree, the single one holds, whichever
    comes first.

    Raises:
        ConfigError: a name or a field of a part does not exist, or the model has no such part.
    """
    known = heads(experiment.model)
    ours: list[_Flag] = []
    left: list[str] = []
    data = experiment.data
    for flag in _split(arguments):
        if flag.name == "dataset":
            data = spelling.value_of(
                "dataset", _one_name(flag, datasets.DATASETS), datasets.DATASETS
            )
        elif flag.head in known:
            if not known[flag.head].fields:
                model = type(experiment.model).__name__
                raise ConfigError(f"{flag.words[0]}: the model, {model}, has no {flag.head}")
            ours.append(flag)
        else:
            left += flag.words
    # Flags of all players come first, for the later of two flags holds.
    ours.sort(key=lambda flag: -len(known[flag.head].fields))
    model = _with_parts(experiment.model, known, [flag for flag in ours if not flag.path])
    typed, fields = {}, []
    for index, flag in enumerate(ours):
        if not flag.path:
            continue
        head = known[flag.head]
        for field in head.fields:
            part, target = getattr(model, field), f"--model.{flags.dashed(field)}"
            if head.several:
                place = _place(flag, field, part, ours[:index], ours)
                part, target = part[place], f"{target}.{place}"
            _check_field(flag, part)
            typed[f"{target}.{flag.path}"] = f"--{flag.name}"
            fields += [f"{target}.{flag.path}", *flag.values]
    return Named(_unchecked(experiment, model=model, data=data), [*fields, *left], typed)


def _split(arguments: Sequence[str]) -> Iterator[_Flag]:
    """Each flag with the words behind it; words before the first have a flag without a name."""
    groups: list[list[str]] = [[]]
    for word in arguments:
        if word.startswith("--"):
            groups.append([])
        groups[-1].append(word)
    for words in filter(None, groups):
        flag, equals, value = words[0].partition("=") if words[0].startswith("--") else ("", "", "")
        name = flags.dashed(flag[2:])
        values = (*([value] if equals else []), *words[1:])
        head, _, path = name.partition(".")
        yield _Flag(name, values, tuple(words), head, path)


def _one_name(flag: _Flag, known: Iterable[str], several: bool = False) -> str:
    """The name that a flag gives."""
    if not flag.values:
        raise ConfigError(f"--{flag.name} needs a name; {spelling.listed(known)}")
    name, *more = flag.values
    if more:
        how = f": for several, --{flag.name} {name} --{flag.name} {more[0]}" if several else ""
        raise ConfigError(f"--{flag.name} {name} {more[0]}: one name a flag{how}")
    return name


def _with_parts(model: Model, known: Mapping[str, Head], given: Sequence[_Flag]) -> Model:
    """The model with the parts that flags name."""
    changes: dict[str, Any] = {}
    for flag in given:
        head = known[flag.head]
        every = {**head.kind.names, "none": None} if head.several else head.kind.names
        name = _one_name(flag, every, head.several)
        if re.fullmatch(r"[-+.\d].*", name):
            there = [field for field, _ in flags.leaves(getattr(model, head.fields[0]))]
            such = f", such as --{flag.head}.{there[0]}" * (bool(there) and not head.several)
            raise ConfigError(
                f"--{flag.head} {name}: wants a name, numbers are for its fields{such};"
                f" {spelling.listed(every)}"
            )
        value = spelling.value_of(flag.head, name, every)
        for field in head.fields:
            if not head.several:
                changes[field] = value
            else:
                changes[field] = (*changes.get(field, ()), value)
                if None in changes[field] and len(changes[field]) > 1:
                    raise ConfigError(f"--{flag.head} none leaves out all others: say it alone")
    parts = {field: () if value == (None,) else value for field, value in changes.items()}
    return _unchecked(model, **parts)


def _place(
    flag: _Flag, field: str, parts: Any, before: Sequence[_Flag], all_of_them: Sequence[_Flag]
) -> int:
    """Which of several parts a flag is about: the one that was named last.

    Args:
        flag: of a part's field.
        field: of the model, which holds the parts.
        parts: of the model.
        before: the flags that stand before it.
        all_of_them: those and the others.
    """

    def count(given: Sequence[_Flag]) -> int:
        return sum(one.name == flag.head for one in given)

    if count(before) and parts:
        return count(before) - 1
    # Where there is one only, nothing else can be meant.
    if len(parts) == 1:
        return 0
    if not parts:
        raise ConfigError(f"--{flag.name}: there is no {flag.head}; name one by --{flag.head} NAME")
    if count(all_of_them):
        raise ConfigError(f"--{flag.name}: of which {flag.head}? Put it behind --{flag.head} NAME")
    places = " or ".join(f"--model.{field}.{place}.{flag.path}" for place in range(len(parts)))
    raise ConfigError(f"--{flag.name}: of which {flag.head}? Write {places}")


def _check_field(flag: _Flag, part: Any) -> None:
    """Refuses fields that a part does not have."""
    there = dict(flags.leaves(part))
    if flag.path in {one for field in there.items() for one in flags.switches(*field)}:
        return
    what = f"--{flag.name}: {type(part).__name__} has no"
    if not there:
        raise ConfigError(f"{what} fields")
    raise ConfigError(f"{what} such field{spelling.instead(flag.path, there, f'--{flag.head}.')}")


def _unchecked(value: Any, **changes: Any) -> Any:
    """`dataclasses.replace` without a look at the whole, which flags that are left complete."""
    changed = copy.copy(value)
    for name, part in changes.items():
        object.__setattr__(changed, name, part)
    return changed
