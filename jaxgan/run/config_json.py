"""Configurations as JSON, and back."""

from __future__ import annotations

import dataclasses
import importlib
import re
from collections.abc import Mapping
from typing import Any

from jaxgan.config import ConfigError, config_fields
from jaxgan.run.field_types import misfit

JSON = Any
TYPE_KEY = "type"
FILE_MODULE = "jaxgan_experiment_"
"""Start of the names that the modules of loaded experiment files have."""
FILE = "file"
"""What stands for the experiment's file in the name of a class."""
DEPTH = 50
"""How deep a configuration may be nested."""

# Not `__main__`, which would run the command line, nor anything private.
_OWN = re.compile(r"jaxgan(\.[a-z][a-z0-9_]*)+:[A-Z][A-Za-z0-9]*", re.ASCII)


def to_json(value: Any) -> JSON:
    """Plain JSON data of a configuration.

    A dataclass becomes an object whose ``"type"`` is ``module:Class``. A class defined in an
    experiment file is written ``file:Class``, whether the file ran as a script or was loaded.

    Raises:
        ConfigError: for a value that has no JSON form, such as a function.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: to_json(getattr(value, f.name)) for f in config_fields(value)}
        return {TYPE_KEY: type_name(type(value)), **fields}
    if isinstance(value, tuple | list):
        return [to_json(v) for v in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise ConfigError(f"{value!r} of type {type(value).__name__} cannot be part of a configuration")


def from_json(data: JSON, *, classes: Mapping[str, type] | None = None) -> Any:
    """The inverse of `to_json`. Runs no code but that of jaxgan's own classes and those given.

    Args:
        data: what `to_json` returned, or whatever a file holds that somebody has changed.
        classes: classes from elsewhere by the names that `to_json` gives them; those of jaxgan are
            found by themselves.

    Raises:
        ConfigError: for a class or a field that does not exist (any more), one that is missing or
            has a value of another type, and for data nested more than `DEPTH` deep.
    """
    if _deeper(data, DEPTH):
        raise ConfigError(f"the configuration is nested more than {DEPTH} deep")
    return _value(data, classes or {})


def _value(data: JSON, classes: Mapping[str, type]) -> Any:
    if isinstance(data, list):
        return tuple(_value(v, classes) for v in data)
    if not isinstance(data, dict):
        return data
    name = str(data.get(TYPE_KEY))
    cls = _find_class(name, classes)
    known = {f.name for f in dataclasses.fields(cls) if f.init}
    given = {k: v for k, v in data.items() if k != TYPE_KEY}
    if unknown := sorted(given.keys() - known):
        shown = ", ".join(map(shortened, unknown))
        raise ConfigError(f"{name} has no field {shown} in this version")
    values = {k: _value(v, classes) for k, v in given.items()}
    if line := misfit(cls, values):
        raise ConfigError(f"the configuration of {name} cannot be used: {line}")
    try:
        return cls(**values)
    except TypeError as error:
        raise ConfigError(f"the configuration of {name} is incomplete: {error}") from error


def with_defaults(data: JSON, value: Any) -> JSON:
    """Written settings, with the defaults of fields that had not been invented by then.

    Args:
        data: what `to_json` returned, perhaps in an older version.
        value: a configuration of the same form, whose classes say what the defaults are.

    >>> from jaxgan.config import EarlyStopping
    >>> with_defaults({"type": "jaxgan.config:EarlyStopping", "metric": "fid"}, EarlyStopping())
    {'type': 'jaxgan.config:EarlyStopping', 'metric': 'fid', 'patience': 5, 'mode': 'min'}
    """
    if isinstance(data, list) and isinstance(value, tuple) and len(data) == len(value):
        return [with_defaults(old, new) for old, new in zip(data, value, strict=True)]
    if not isinstance(data, dict) or not dataclasses.is_dataclass(value):
        return data
    if data.get(TYPE_KEY) != type_name(type(value)):
        return data
    found = dict(data)
    for field in config_fields(value):
        if field.name in data:
            found[field.name] = with_defaults(data[field.name], getattr(value, field.name))
        elif field.default is not dataclasses.MISSING:
            found[field.name] = to_json(field.default)
    return found


def type_names(data: JSON) -> list[str]:
    """The names of all classes that a configuration names, each once; imports nothing."""
    found: dict[str, None] = {}
    left = [data]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            if TYPE_KEY in one:
                found[str(one[TYPE_KEY])] = None
            left += [value for key, value in one.items() if key != TYPE_KEY]
        elif isinstance(one, list):
            left += one
    return [*found]


def is_own(name: str) -> bool:
    """Whether a class's name is of a module of jaxgan's that may be imported by its name alone."""
    return bool(_OWN.fullmatch(name))


def _deeper(data: JSON, depth: int) -> bool:
    """Whether anything lies deeper; without recursion, for which data may be too deep."""
    level = [data]
    for _ in range(depth):
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return False
    return True


def type_name(cls: type) -> str:
    """``module:Class``, or ``file:Class`` for a class of an experiment file."""
    of_a_file = cls.__module__ == "__main__" or cls.__module__.startswith(FILE_MODULE)
    return f"{FILE if of_a_file else cls.__module__}:{cls.__qualname__}"


def _find_class(name: str, classes: Mapping[str, type]) -> Any:
    found: Any = classes.get(name)
    if found is None:
        module, _, attribute = name.partition(":")
        # Nothing is imported before its name has passed.
        if not is_own(name):
            raise ConfigError(f"the configuration names {shortened(name)}, which cannot be found")
        try:
            found = vars(importlib.import_module(module))[attribute]
        except (ImportError, KeyError, ValueError) as error:
            raise ConfigError(f"the configuration names {name}, which cannot be found") from error
        # Modules hold what they import as well.
        if isinstance(found, type) and found.__module__ != module:
            raise ConfigError(f"the configuration names {name}, which is {type_name(found)}")
    if not (isinstance(found, type) and dataclasses.is_dataclass(found)):
        raise ConfigError(f"the configuration names {name}, which is no dataclass")
    return found


def shortened(name: str, most: int = 80) -> str:
    """A name from a file, which may be anything, as it can be shown on a line."""
    shown = repr(name)[1:-1]
    return shown if len(shown) <= most else f"{shown[: most - 3]}..."
