"""From names that people write to what they stand for, and back."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any

from jaxgan.config import ConfigError


def value_of(flag: str, name: str, names: Mapping[str, Any]) -> Any:
    """What a name stands for; however it is written: ``least_squares``, ``LeastSquares``.

    >>> from jaxgan.cli.names import PENALTIES
    >>> value_of("penalty", "R1", PENALTIES)
    R1(weight=10.0, every=1)

    Raises:
        ConfigError: there is no such name; says which are close, and all there are.
    """
    known = {_plain(one): value for one, value in names.items()}
    if _plain(name) not in known:
        raise ConfigError(f"there is no {flag} {name!r}{instead(name, names)}")
    value = known[_plain(name)]
    return value() if isinstance(value, type) else value


def name_of(value: Any, names: Mapping[str, Any]) -> str:
    """The name of a value's class, ``r1``; the class's own where it has none."""
    for name, known in names.items():
        if known is type(value) or (not isinstance(known, type) and known == value):
            return name
    return type(value).__name__


def listed(names: Iterable[str]) -> str:
    """``there are a, b and c``."""
    *first, last = names
    return f"there are {', '.join(first)} and {last}" if first else f"there is {last}"


def instead(name: str, names: Iterable[str], prefix: str = "") -> str:
    """``, did you mean r1? There are r1 and r2``; without the question where no name is near."""
    plain = {_plain(one): f"{prefix}{one}" for one in names}
    near = difflib.get_close_matches(_plain(name), plain, n=1, cutoff=0.5)
    every = listed(plain.values())
    return f", did you mean {plain[near[0]]}? T{every[1:]}" if near else f"; {every}"


def _plain(name: str) -> str:
    return re.sub("[-_]", "", name).lower()
