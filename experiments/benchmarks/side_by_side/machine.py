"""What the numbers were taken on."""

from __future__ import annotations

import datetime
import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from side_by_side.measure import Group


def processor() -> str:
    """Model of the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def environment(groups: Sequence[Group]) -> dict[str, Any]:
    """Machine, date, and the versions and flags that every implementation ran with."""
    versions, flags = {}, {}
    for group in groups:
        for name, answer in group.answers.items():
            versions[name] = answer["versions"]
            if answer["xla_flags"] and group.rows:
                flags[f"{name} in {group.rows[0].precision}"] = answer["xla_flags"]
    return {
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "processor": processor(),
        "cores": cores(),
        "load_at_end": [round(load, 2) for load in os.getloadavg()],
        "versions": versions,
        "xla_flags": flags,
    }


def headline(environment: dict[str, Any]) -> str:
    """Two lines for the head of a table."""
    shown: dict[str, list[str]] = {}
    for name, versions in environment["versions"].items():
        kind = "PyTorch" if name.startswith("torch_") else "JAX"
        names = ("python", "torch") if kind == "PyTorch" else ("python", "jax", "jaxlib", "flax")
        shown[kind] = [f"{n} {versions[n]}" for n in names if n in versions]
    parts = "; ".join(f"{kind}: {', '.join(found)}" for kind, found in shown.items())
    return (
        f"{environment['processor']}, {environment['cores']} cores, {environment['date']}\n{parts}"
    )
