"""Settings as text: which fields configure a value, and what it is on one line."""

from __future__ import annotations

import dataclasses
from typing import Any

# Fields of every flax.linen module that are bookkeeping, not configuration.
_LINEN_FIELDS = frozenset({"parent", "name"})


def config_fields(value: Any) -> list[dataclasses.Field[Any]]:
    """The fields of a dataclass that configure it (a linen module has others besides)."""
    linen = is_network(value)
    return [
        f for f in dataclasses.fields(value) if f.init and not (linen and f.name in _LINEN_FIELDS)
    ]


def is_network(value: Any) -> bool:
    """Whether a value is a flax.linen module."""
    return any(c.__module__.startswith("flax.linen") for c in type(value).__mro__)


def shown_value(value: Any) -> str:
    """A field's value on one line."""
    if isinstance(value, tuple):
        return ", ".join(map(shown_value, value)) or "none"
    return describe(value) if dataclasses.is_dataclass(value) else f"{value!r}"


def describe(value: Any) -> str:
    """A configuration on one line: ``Hinge()``, ``Adam(learning_rate=0.0002, b1=0.5)``."""
    shown = []
    for field in config_fields(value):
        if (current := getattr(value, field.name)) != field.default:
            shown.append(f"{field.name}={current!r}")
    return f"{type(value).__name__}({', '.join(shown)})"
