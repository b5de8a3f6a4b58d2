"""Compiles programs and says what came of it, a row for each."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

import jax

from compiled import hlo
from compiled.moved import collectives, host_calls, moved
from compiled.programs import floors, lowered
from compiled.topology import Chips
from jaxgan.config import ConfigError, Experiment

Row: TypeAlias = dict[str, Any]
"""One program on one topology: plain values, by name."""

MB = 1e6
TEMPORARIES = 1024.0
"""Most megabytes (10^6 bytes) of temporaries a chip; a v5e chip has 16,000 of memory."""


def rows(name: str, experiment: Experiment, chips: Chips, kinds: tuple[str, ...]) -> Iterator[Row]:
    """A row for each program, as it is compiled; where that fails, one with ``error``.

    Args:
        name: of the experiment, as it was asked for.
        experiment: its batch is what one chip gets.
        chips: to compile for.
        kinds: of programs, of `compiled.programs.KINDS`.

    Raises:
        ConfigError: the experiment cannot work.
    """
    about = {"experiment": name, "topology": chips.name, "chips": chips.size}
    least = floors(experiment) if "step" in kinds else {}
    for program, lower in lowered(experiment, chips, kinds).items():
        yield {**about, "program": program, **_outcome(lower, least.get(program))}


def _outcome(lower: Callable[[], Any], least: tuple[int, int] | None) -> Row:
    started = time.perf_counter()
    try:
        compiled = lower().compile()
    except (ConfigError, jax.errors.JaxRuntimeError, NotImplementedError) as error:
        return {"error": " ".join(str(error).split())[:300]}
    return {"compile_s": time.perf_counter() - started, **described(compiled, least)}


def described(compiled: Any, least: tuple[int, int] | None = None) -> Row:
    """What is known of a compiled program, on one chip.

    ``main_mb`` are bytes to and from the chip's main memory, ``all_mb`` to and from any memory,
    both counted by `compiled.moved`; ``xla_mb`` are those that XLA counts itself, whatever the
    memory. ``least_`` are the floors, and ``ratio`` is to them. ``padding`` is a share of
    ``all_mb``.

    Args:
        compiled: by JAX.
        least: bytes that it is given and gives, and those that it must move in all; None: unknown.
    """
    module = hlo.read(compiled.as_text())
    cost, memory, found = _cost(compiled), compiled.memory_analysis(), moved(module)
    row: Row = {
        "gflop": cost.get("flops", 0.0) / 1e9,
        "xla_mb": cost.get("bytes accessed", 0.0) / MB,
        "all_mb": found.all / MB,
        "main_mb": found.main / MB,
        "padding": found.padding / found.all if found.all else 0.0,
        "temporaries_mb": memory.temp_size_in_bytes / MB,
        "arguments_mb": memory.argument_size_in_bytes / MB,
        "collectives": summary(collectives(module)),
        "host_calls": ", ".join(host_calls(module)),
    }
    if least is not None:
        row |= {
            "least_main_mb": least[0] / MB,
            "main_ratio": found.main / least[0],
            "least_all_mb": least[1] / MB,
            "all_ratio": found.all / least[1],
        }
    return row


def _cost(compiled: Any) -> dict[str, float]:
    found = compiled.cost_analysis()
    return found[0] if isinstance(found, list) else found or {}


def summary(found: Sequence[Any]) -> str:
    """Collectives by kind: how many, and how large their results are together.

    >>> from compiled.moved import Collective
    >>> summary([Collective("all-reduce", 3_000_000), Collective("all-reduce", 500_000)])
    '2 all-reduce (3.5 MB)'
    """
    counts = Counter(one.kind for one in found)
    sizes: Counter[str] = Counter()
    for one in found:
        sizes[one.kind] += one.bytes
    return ", ".join(
        f"{count} {kind} ({sizes[kind] / MB:.3g} MB)" for kind, count in sorted(counts.items())
    )


def complaints(row: Row, temporaries: float = TEMPORARIES) -> list[str]:
    """What is wrong with a program, a line each.

    Args:
        row: of `rows`.
        temporaries: most megabytes of them.
    """
    where = f"{row['experiment']}, {row['program']}, {row['topology']}"
    if "error" in row:
        return [f"{where}: not compiled: {row['error']}"]
    found = []
    if row["temporaries_mb"] > temporaries:
        found.append(
            f"{where}: {row['temporaries_mb']:.0f} MB of temporaries, where {temporaries:.0f} are"
            " allowed"
        )
    if row["host_calls"]:
        found.append(f"{where}: it waits for the host ({row['host_calls']})")
    return found
