"""Configurations as JSON, and back."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Mapping
from typing import Any

from jaxgan.config import ConfigError, config_fields

JSON = Any
TYPE_KEY = "type"
FILE_MODULE = "jaxgan_experiment_"
"""Start of the names that the modules of loaded experiment files have."""


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


def from_json(data: JSON, *, file_classes: Mapping[str, Any] | None = None) -> Any:
    """The inverse of `to_json`.

    Args:
        data: what `to_json` returned.
        file_classes: the namespace of the experiment file, for classes defined there.

    Raises:
        ConfigError: for a class or a field that does not exist (any more), or one that is missing.
    """
    if isinstance(data, list):
        return tuple(from_json(v, file_classes=file_classes) for v in data)
    if not isinstance(data, dict):
        return data
    name = str(data.get(TYPE_KEY))
    cls = _find_class(name, file_classes or {})
    known = {f.name for f in dataclasses.fields(cls) if f.init}
    given = {k: v for k, v in data.items() if k != TYPE_KEY}
    if unknown := sorted(given.keys() - known):
        raise ConfigError(f"{name} has no field {', '.join(unknown)} in this version")
    values = {k: from_json(v, file_classes=file_classes) for k, v in given.items()}
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


def type_name(cls: type) -> str:
    """``module:Class``, or ``file:Class`` for a class of an experiment file."""
    of_a_file = cls.__module__ == "__main__" or cls.__module__.startswith(FILE_MODULE)
    return f"{'file' if of_a_file else cls.__module__}:{cls.__qualname__}"


def _find_class(name: str, file_classes: Mapping[str, Any]) -> Any:
    module, _, attribute = name.partition(":")
    try:
        scope = file_classes if module == "file" else vars(importlib.import_module(module))
        found = scope[attribute]
    except (ImportError, KeyError, ValueError) as error:
        raise ConfigError(f"the configuration names {name}, which cannot be found") from error
    if not (isinstance(found, type) and dataclasses.is_dataclass(found)):
        raise ConfigError(f"the configuration names {name}, which is no dataclass")
    return found
