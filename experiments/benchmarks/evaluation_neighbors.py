"""Precision, recall, density and coverage of many samples: seconds and peak memory.

    python experiments/benchmarks/evaluation_neighbors.py --count 10000 --dimensions 64 2048

Each size is measured in a process of its own, for a process's peak memory never falls. The first
call includes compilation; the second one does not. Features are normal, the generated ones a little
wider; ``clustered`` ones lie in 100 tight clusters (a ten-thousandth as wide as the distances
between them), where float32 products decide next to nothing: the worst case, timed once.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np


def features(
    count: int, dimension: int, *, clustered: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Seeded real and generated features, ``(count, dimension)`` of float32."""
    generator = np.random.default_rng(0)
    real = generator.standard_normal((count, dimension), np.float32)
    # By a share that the metrics see alike in any dimension: norms spread less and less.
    width = np.float32(1 + 0.8 / dimension**0.5)
    generated = width * generator.standard_normal((count, dimension), np.float32)
    if clustered:
        centers = 1e4 * generator.standard_normal((100, dimension), np.float32)
        real += centers[np.arange(count) % 100]
        generated += centers[np.arange(count) % 100]
    return real, generated


def measure(count: int, dimension: int, *, clustered: bool = False) -> dict[str, Any]:
    """Runs the metrics in this process: twice, clustered ones once.

    Returns:
        Seconds of the first and of the last call, the process's peak memory in GB (10^9 bytes;
        the features and JAX itself included), what it was before the first call, and the values.
    """
    from jaxgan.evaluation.distances.precision_recall import prdc

    real, generated = features(count, dimension, clustered=clustered)
    before = _peak()
    seconds = []
    result = None
    for _ in range(1 if clustered else 2):
        started = time.perf_counter()
        result = prdc(real, generated)
        seconds.append(time.perf_counter() - started)
    assert result is not None
    return {
        "measure": "prdc",
        "count": count,
        "dimension": dimension,
        "clustered": clustered,
        # To the microsecond: small sizes take less than a hundredth of a second.
        "seconds_first": round(seconds[0], 6),
        "seconds": round(seconds[-1], 6),
        "peak_gb": round(_peak(), 2),
        "peak_gb_before": round(before, 2),
        "values": {name: round(each.value, 4) for name, each in result._asdict().items()},
    }


def neighbors(
    count: int = 10_000, dimensions: Sequence[int] = (64, 2048), *, clustered: bool = True
) -> list[dict[str, Any]]:
    """`measure` at each dimension, in a new process each; ``clustered`` adds that case too."""
    rows = []
    for dimension in dimensions:
        for kind in (False, True) if clustered else (False,):
            command = [sys.executable, str(Path(__file__).resolve()), "--one", str(count)]
            command += [str(dimension), str(int(kind))]
            output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            rows.append(json.loads(output.strip().splitlines()[-1]))
    return rows


def _peak() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Kilobytes on Linux, bytes on macOS.
    return used / (1e9 if platform.system() == "Darwin" else 1e6)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures and prints one line of JSON a size."""
    parser = argparse.ArgumentParser(description="Time precision and recall of many samples.")
    parser.add_argument("--count", type=int, default=10_000, help="samples in each set")
    parser.add_argument("--dimensions", type=int, nargs="+", default=[64, 2048])
    parser.add_argument("--one", type=int, nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.one:
        count, dimension, kind = options.one
        print(json.dumps(measure(count, dimension, clustered=bool(kind))))
        return
    for row in neighbors(options.count, options.dimensions):
        print(json.dumps(row))


if __name__ == "__main__":
    main()
