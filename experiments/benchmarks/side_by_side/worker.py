"""A process that holds one implementation of one step, and does what it is told over its pipes.

    python -m side_by_side.worker '{"implementation": "linen", "step": "dcgan", ...}'

Each line read is a JSON object ``{"do": NAME, ...}`` and is answered by one; the process ends with
its input. Whatever libraries print goes to standard error.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import gc
import importlib
import json
import os
import platform
import sys
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

from side_by_side.bench import Bench
from side_by_side.steps import Size

_LIBRARIES = ("jax", "jaxlib", "flax", "optax", "torch", "numpy")


def main() -> None:
    """Answers until there is nothing more to read."""
    # Only this file writes to the pipe; prints of libraries go elsewhere.
    pipe = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    settings = json.loads(sys.argv[1])
    commands = _commands(settings)
    for line in sys.stdin:
        request = json.loads(line)
        answer = commands[request.pop("do")](**request)
        print(json.dumps(answer), file=pipe, flush=True)


def _commands(settings: dict[str, Any]) -> dict[str, Callable[..., Any]]:
    build, matrix_rate = _import(settings["implementation"], settings["precision"])
    base = _status("VmRSS")
    held: list[Bench] = []

    def make() -> dict[str, Any]:
        size, path = Size.from_json(settings["size"]), Path(settings["reference"])
        bench = build(settings["step"], size, settings["precision"], path)
        held.append(bench)
        flags = os.environ.get("XLA_FLAGS", "")
        return {**bench.facts(), "versions": _versions(), "xla_flags": flags}

    def run(steps: int) -> dict[str, float | None]:
        bench = held[0]
        # Threads of the process that ran before may still be spinning during the first step.
        bench.run(1)
        busy, own, started = _busy_seconds(), time.process_time(), time.perf_counter()
        bench.run(steps)
        seconds, own, after = (
            time.perf_counter() - started,
            time.process_time() - own,
            _busy_seconds(),
        )
        others = None if busy is None or after is None else max(0.0, after - busy - own)
        return {"seconds": seconds, "others": others}

    def warm(seconds: float) -> dict[str, int]:
        """Runs for a while; returns how many steps take so many seconds."""
        bench = held[0]
        for _ in range(2):
            bench.run(1)
        steps, passed = 1, 0.0
        while passed < seconds:
            passed = run(steps)["seconds"] or 0.0
            if passed < seconds:
                steps = max(steps + 1, min(10 * steps, round(1.1 * steps * seconds / passed)))
        return {"steps": max(1, round(steps * seconds / passed))}

    def peak() -> dict[str, float | None]:
        """Largest memory since it was forgotten above that of the imported framework, in MB."""
        largest = _status("VmHWM")
        if largest is None or base is None:
            return {"peak_mb": None}
        return {"peak_mb": (largest - base) / 1e6}

    return {
        "make": make,
        "run": run,
        "warm": warm,
        "forget": lambda: {"forgotten": _forget_peak()},
        "peak": peak,
        "rate": lambda: {"flops": matrix_rate(settings["precision"])},
    }


def _import(implementation: str, precision: str) -> tuple[Callable[..., Bench], Any]:
    """The builder of an implementation, and its measure of the matrix-product rate."""
    if implementation.startswith("torch_"):
        in_torch = importlib.import_module("side_by_side.in_torch")
        counts = importlib.import_module("side_by_side.torch_counts")
        return functools.partial(in_torch.build, kind=implementation), counts.matrix_rate
    # What jaxgan's command line sets up; plain Flax gets the same. Flags count only until JAX has
    # started.
    importlib.import_module("jaxgan.machine.memory").keep_freed_memory()
    importlib.import_module("jaxgan.machine.xla").set_flags([precision])
    module = importlib.import_module(f"side_by_side.in_{implementation.removesuffix('_fused')}")
    build = module.build
    if implementation == "linen_fused":
        build = functools.partial(build, kind=implementation)
    return build, importlib.import_module("side_by_side.in_jax").matrix_rate


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in _LIBRARIES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def _status(field: str) -> int | None:
    """A size of this process in bytes, as Linux has it; None elsewhere."""
    try:
        text = Path("/proc/self/status").read_text()
    except OSError:
        return None
    lines = [line.split() for line in text.splitlines() if line.startswith(f"{field}:")]
    return int(lines[0][1]) * 1024 if lines else None


def _busy_seconds() -> float | None:
    """Processor time that all processes of the machine have used; None where nobody counts it."""
    try:
        fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
        ticks = [int(field) for field in fields]
        # Neither idle (4th) nor waiting (5th); what comes after the 8th is counted before.
        return (sum(ticks[:8]) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return None


def _forget_peak() -> bool:
    """Starts the measurement of the peak anew, without what building and compiling left behind."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    return True


if __name__ == "__main__":
    main()
