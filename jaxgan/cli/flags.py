"""The fields of an experiment as flags: what there are, what they hold, what they are for."""

from __future__ import annotations

import ast
import dataclasses
import functools
import inspect
import itertools
import re
import textwrap
import typing
from collections.abc import Iterator
from typing import Any

from jaxgan.config import config_fields


def dashed(name: str) -> str:
    """A field's name in a flag: ``batch-size``."""
    return name.replace("_", "-")


def leaves(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Flag (without its dashes) and value of each field of a dataclass, and of those within it.

    Parts in a tuple go by their place, ``model.penalties.0.weight``.

    >>> from jaxgan.optim import Sgd
    >>> dict(leaves(Sgd(), "optimizer."))["optimizer.schedule.warmup-steps"]
    0
    """
    for field in config_fields(value):
        flag, held = f"{prefix}{dashed(field.name)}", getattr(value, field.name)
        if dataclasses.is_dataclass(held):
            yield from leaves(held, f"{flag}.")
        elif holds_parts(value, field.name):
            for place, part in enumerate(held):
                yield from leaves(part, f"{flag}.{place}.")
        else:
            yield flag, held


def holds_parts(value: Any, name: str) -> bool:
    """Whether a field is a tuple of parts; an empty one says so by its type."""
    held = getattr(value, name)
    if not isinstance(held, tuple) or held:
        return isinstance(held, tuple) and all(map(dataclasses.is_dataclass, held))
    of = typing.get_args(hints(type(value)).get(name))[:1]
    return any(getattr(one, "_is_protocol", False) or dataclasses.is_dataclass(one) for one in of)


def switches(flag: str, value: Any) -> tuple[str, ...]:
    """The flags of one field: two where it is on or off, ``ema.warmup`` and ``ema.no-warmup``."""
    if not isinstance(value, bool):
        return (flag,)
    outer, dot, last = flag.rpartition(".")
    return flag, f"{outer}{dot}no-{last}"


def hints(cls: type) -> dict[str, Any]:
    """The types of a class's fields; none where they cannot be told."""
    try:
        return typing.get_type_hints(cls)
    except (NameError, TypeError):
        return {}


@functools.cache
def sentences(cls: type) -> dict[str, str]:
    """The first sentence of what stands below each field of a dataclass, without its stop.

    >>> from jaxgan.optim import Ema
    >>> sentences(Ema)["decay"]
    'Fraction of the average that one step keeps; 0: no averaging'
    """
    found = {}
    for base in reversed(cls.__mro__):
        try:
            tree = ast.parse(textwrap.dedent(inspect.getsource(base)))
        except (OSError, TypeError, SyntaxError):  # What was made while running has no source.
            continue
        body = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else []
        for field, text in itertools.pairwise(body):
            match field, text:
                case (
                    ast.AnnAssign(target=ast.Name(id=name)),
                    ast.Expr(value=ast.Constant(value=str(said))),
                ):
                    first = re.split(r"(?<!et al)\. ", " ".join(said.split()))[0]
                    found[name] = first.removesuffix(".")
    return found
