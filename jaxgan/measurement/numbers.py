"""The numbers of a run as a table, read from plain data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from jaxgan.evaluation.protocol import bracket, short_name


class Number(NamedTuple):
    """One measured number."""

    metric: str
    """Its short name, such as ``fid``."""
    value: float
    """NaN where it is undefined."""
    low: float
    """Low end of the 95% interval; NaN where nobody computed one."""
    high: float
    """High end of it."""
    protocol: str
    """How it was measured: ``digits-cnn,train1500,gen1500,q8,ema``. Numbers of one metric can be
    compared where this and the digest are the same."""
    digest: str
    """Of every field of the protocol."""

    @property
    def name(self) -> str:
        """Metric and protocol: ``fid[digits-cnn,train1500,gen1500,q8,ema]``."""
        return f"{self.metric}[{self.protocol}]"


def numbers_of(document: Mapping[str, Any]) -> tuple[Number, ...]:
    """The table of a document such as ``result.json``, or of `jaxgan.measurement.runs.evaluate`.

    Args:
        document: ``metrics`` by full name, ``intervals`` of those that have one, and ``protocols``
            by what stands in a name's brackets.

    Raises:
        ValueError: it is no such document.
    """
    try:
        return tuple(
            _of(name, value, document["intervals"], document["protocols"])
            for name, value in document["metrics"].items()
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValueError("there are no numbers of a run in it") from error


def _of(name: str, value: Any, intervals: Any, protocols: Any) -> Number:
    low, high = intervals.get(name, (None, None))
    digest = str(protocols.get(bracket(name), {}).get("digest", ""))
    return Number(
        short_name(name), _number(value), _number(low), _number(high), bracket(name), digest
    )


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)
