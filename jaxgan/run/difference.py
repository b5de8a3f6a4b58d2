"""What has changed between two configurations, in words."""

from __future__ import annotations

import itertools
from typing import Any

from jaxgan.run.config_json import JSON, TYPE_KEY

_ABSENT = object()


def difference(old: JSON, new: JSON) -> list[str]:
    """Lines ``path: old -> new`` for every field in which two results of `to_json` differ.

    Lists are compared element by element where an element is an object, else shown as wholes.

    >>> from jaxgan.config import Evaluation
    >>> from jaxgan.run.config_json import to_json
    >>> difference(to_json(Evaluation(samples=10)), to_json(Evaluation(samples=20)))
    ['samples: 10 -> 20']
    >>> from jaxgan.optim import Sgd
    >>> difference(to_json([Sgd()]), to_json([Sgd(learning_rate=1.0), Sgd()]))[0]
    '0.learning_rate: 0.01 -> 1.0'
    """
    return _differing(old, new, "")


def _differing(old: JSON, new: JSON, path: str) -> list[str]:
    parts: list[tuple[Any, JSON, JSON]] = []
    if isinstance(old, dict) and isinstance(new, dict):
        keys = [*old, *(key for key in new if key not in old)]
        parts = [(key, old.get(key, _ABSENT), new.get(key, _ABSENT)) for key in keys]
    elif isinstance(old, list) and isinstance(new, list) and _hold_objects(old + new):
        places = enumerate(itertools.zip_longest(old, new, fillvalue=_ABSENT))
        parts = [(place, before, after) for place, (before, after) in places]
    elif old != new:
        return [f"{path}: {_shown(old)} -> {_shown(new)}"]
    return [
        line
        for key, before, after in parts
        for line in _differing(before, after, f"{path}.{key}" if path else f"{key}")
    ]


def _hold_objects(elements: list[JSON]) -> bool:
    """Whether any of them is an object, or a list that holds one."""
    return any(
        isinstance(element, dict) or (isinstance(element, list) and _hold_objects(element))
        for element in elements
    )


def _shown(data: JSON) -> str:
    return data if isinstance(data, str) else _written(data)


def _written(data: JSON) -> str:
    """A value on one line; an object as the call that makes it: ``R1(weight=10.0, every=16)``."""
    if data is _ABSENT:
        return "(absent)"
    if isinstance(data, list):
        return f"[{', '.join(map(_written, data))}]"
    if isinstance(data, dict):
        fields = ", ".join(f"{k}={_written(v)}" for k, v in data.items() if k != TYPE_KEY)
        return f"{str(data.get(TYPE_KEY, '')).rpartition(':')[2]}({fields})"
    return repr(data)
