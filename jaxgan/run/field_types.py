"""Whether the values of a configuration are of the types that its fields say."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import types
from collections.abc import Mapping
from typing import Any, Literal, Union, get_args, get_origin

from jaxgan.config import ConfigError, config_fields

_WORDS = {
    int: "a whole number",
    float: "a number",
    str: "text",
    bool: "true or false",
    type(None): "null",
}


def misfit(cls: type, values: Mapping[str, Any]) -> str | None:
    """The first field whose value is of another type than the class says, in words.

    Looks only at what JSON can hold: true and false, numbers, text, null, tuples of such, and
    dataclasses. What a field says in a way that is not understood here is let through.

    >>> from jaxgan.config import Evaluation
    >>> misfit(Evaluation, {"samples": "many"})
    "samples = 'many': must be a whole number"

    Args:
        cls: a dataclass.
        values: its fields, by name.
    """
    hints = _hints(cls)
    for name, value in values.items():
        hint = hints.get(name, Any)
        if not _fits(value, hint):
            shown = type(value).__name__ if dataclasses.is_dataclass(value) else repr(value)
            return f"{name} = {_short(shown)}: must be {_words(hint)}"
    return None


def check(value: Any, path: str = "") -> None:
    """Looks through a configuration that Python has made, which checks no types by itself.

    Args:
        value: a dataclass.
        path: of the value, for messages.

    Raises:
        ConfigError: the first field that is of another type than its class says.
    """
    fields = {field.name: getattr(value, field.name) for field in config_fields(value)}
    for name, held in fields.items():
        if isinstance(held, list):
            raise ConfigError(
                f"{path}{name} = {_short(repr(held))}: must be a tuple, {_short(repr(tuple(held)))}"
            )
    if line := misfit(type(value), fields):
        raise ConfigError(f"{path}{line}")
    for name, held in fields.items():
        for part in held if isinstance(held, tuple) else (held,):
            if dataclasses.is_dataclass(part) and not isinstance(part, type):
                check(part, f"{path}{name}.")


@functools.lru_cache(maxsize=256)
def _hints(cls: type) -> dict[str, Any]:
    """Types of a class's fields; Any for those of a class that names what cannot be found."""
    found: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        try:
            found |= inspect.get_annotations(base, eval_str=True)
        except Exception:  # whatever a name that is not there, or no type, may raise
            found |= dict.fromkeys(inspect.get_annotations(base), Any)
    return found


def _fits(value: Any, hint: Any) -> bool:
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is None or hint is type(None):
        return value is None
    if origin in (Union, types.UnionType):
        return any(_fits(value, one) for one in arguments)
    if origin is Literal:
        return any(value == one and type(value) is type(one) for one in arguments)
    if origin is tuple:
        if not isinstance(value, tuple):
            return False
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return all(_fits(one, arguments[0]) for one in value)
        return len(value) == len(arguments) and all(map(_fits, value, arguments))
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if hint in (str, bool):
        return isinstance(value, hint)
    if hint is Any or not isinstance(hint, type):
        return True
    if getattr(hint, "_is_protocol", False):
        return dataclasses.is_dataclass(value) and all(hasattr(value, n) for n in _parts(hint))
    return isinstance(value, hint)


def _parts(protocol: type) -> set[str]:
    """What a value must have to follow a protocol."""
    bases = [base for base in protocol.__mro__ if getattr(base, "_is_protocol", False)]
    named = {name for base in bases for name in (*vars(base), *inspect.get_annotations(base))}
    return {name for name in named if not name.startswith("_")}


def _words(hint: Any) -> str:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return " or ".join(_words(one) for one in arguments)
    if origin is Literal:
        return f"one of {', '.join(map(str, arguments))}"
    if origin is tuple:
        inner = [one for one in arguments if one is not Ellipsis]
        return f"a list of {' and '.join(map(_words, inner))}" if inner else "an empty list"
    if hint in _WORDS:
        return _WORDS[hint]
    return f"a {getattr(hint, '__name__', str(hint))}"


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:77]}..."
