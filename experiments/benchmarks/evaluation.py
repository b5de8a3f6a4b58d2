"""What the arithmetic of the metrics costs, beside the usual way to compute the same numbers.

    python experiments/benchmarks/evaluation.py
    python experiments/benchmarks/evaluation.py --only fid --rounds 1 --json evaluation.json

fid      FID from means and covariances of 2,048 features, against a matrix square root
few      the same from 500 generated samples
moments  means and covariances of 10,000 x 2,048 features, float32 on the device against float64
kid      KID from all pairs of 5,000 x 5,000 samples, float32 on the device against float64
prdc     precision, recall, density and coverage of 10,000 x 10,000 samples, and the peak memory of
         a process that does it (more in evaluation_neighbors.py)

Features are made from normal draws (seed 0), not negative and correlated, like a network's. What is
compared takes turns in one process; times are medians, ``ratio`` is the usual way's time over ours,
and ``difference`` how far the two numbers lie apart, relative to the usual one. ``--size`` divides
all counts, for a quick look. About three minutes on two cores.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence

import evaluation_neighbors
import measures
import numpy as np
from scaling_report import Row

from jaxgan.evaluation.distances import fid, kid, moments

DIMENSION = 2048


def features(count: int, dimension: int, scale: float = 1.0, shift: float = 0.3) -> np.ndarray:
    """Samples of one distribution: the same for equal ``scale`` and ``shift``, as for real ones."""
    mixing = np.random.default_rng(0).normal(size=(dimension, dimension))
    mixing /= np.arange(1, dimension + 1) ** 0.5
    normal = np.random.default_rng([count, int(1000 * scale)]).normal(size=(count, dimension))
    return np.maximum(scale * normal @ mixing + shift, 0).astype(np.float32)


def in_turns(
    runs: Mapping[str, Callable[[], float]], rounds: int
) -> tuple[dict[str, float], dict[str, float]]:
    """Median seconds of runs that take turns, and the number each comes to."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    numbers: dict[str, float] = {}
    for _ in range(rounds):
        for name, run in runs.items():
            started = time.perf_counter()
            numbers[name] = run()
            times[name].append(time.perf_counter() - started)
    return {name: statistics.median(values) for name, values in times.items()}, numbers


def compared(
    measure: str, what: str, runs: Mapping[str, Callable[[], float]], rounds: int
) -> list[Row]:
    """One row for each usual way (all but the first of ``runs``), beside ours (the first)."""
    times, numbers = in_turns(runs, rounds)
    ours, *others = runs
    return [
        {
            "measure": measure,
            "what": what,
            "ours": ours,
            "usual": name,
            "ours_s": times[ours],
            "usual_s": times[name],
            "ratio": times[name] / times[ours],
            "difference": abs(numbers[ours] / numbers[name] - 1),
        }
        for name in others
    ]


def root_of_product(a: tuple[np.ndarray, np.ndarray], b: tuple[np.ndarray, np.ndarray]) -> float:
    """FID as pytorch-fid has it, by a dense root of the product of the covariances."""
    from scipy.linalg import sqrtm

    shift = a[0] - b[0]
    root = np.asarray(sqrtm(a[1] @ b[1]))
    return float(shift @ shift + np.trace(a[1]) + np.trace(b[1]) - 2 * np.real(np.trace(root)))


def eigenvalues_of_product(
    a: tuple[np.ndarray, np.ndarray], b: tuple[np.ndarray, np.ndarray]
) -> float:
    """FID as torch-fidelity has it, by the eigenvalues of that product."""
    shift = a[0] - b[0]
    roots = np.real(np.sqrt(np.linalg.eigvals(a[1] @ b[1]).astype(complex))).sum()
    return float(shift @ shift + np.trace(a[1]) + np.trace(b[1]) - 2 * roots)


def _fid(rounds: int, size: int, *, generated: int, measure: str) -> list[Row]:
    dimension = DIMENSION // size
    real, samples = features(3 * dimension, dimension), features(generated, dimension, 1.1)
    a, b = ((x.mean(axis=0, dtype=np.float64), np.cov(x, rowvar=False)) for x in (real, samples))
    reference = moments.from_features(real)
    runs: dict[str, Callable[[], float]] = {"singular values": lambda: fid.frechet_distance(*a, *b)}
    if generated < dimension:
        # Covariances are part of what it costs; ours takes them from features.
        runs = {"from features": lambda: fid.frechet_between(reference, samples)}
    runs["scipy.linalg.sqrtm"] = lambda: root_of_product(a, b)
    runs["numpy.linalg.eigvals"] = lambda: eigenvalues_of_product(a, b)
    return compared(measure, f"{dimension} features, {generated} samples", runs, rounds)


def fid_arithmetic(rounds: int, size: int) -> list[Row]:
    """FID of full-rank covariances."""
    return _fid(rounds, size, generated=3 * DIMENSION // size, measure="fid")


def fid_of_few(rounds: int, size: int) -> list[Row]:
    """FID of fewer samples than features."""
    return _fid(rounds, size, generated=500 // size, measure="few")


def moments_on_device(rounds: int, size: int) -> list[Row]:
    """Streaming moments; the difference is that of an FID from them."""
    dimension, count = DIMENSION // size, 10_000 // size
    real, samples = features(3 * dimension, dimension), features(count, dimension, 1.1)
    batches = np.array_split(samples, 10)
    found: dict[str, moments.Moments] = {}

    def run(name: str, gather: Callable[..., moments.Moments]) -> float:
        found[name] = gather(batches)
        return 0.0

    runs = {
        "float32, device": lambda: run("float32, device", moments.from_batches_on_device),
        "float64, host": lambda: run("float64, host", moments.from_batches),
    }
    runs["float32, device"]()
    times, _ = in_turns(runs, rounds)
    against = moments.from_features(real)
    numbers = {name: fid.frechet_between(against, each) for name, each in found.items()}
    return [
        {
            "measure": "moments",
            "what": f"{count} x {dimension} features",
            "ours": "float32, device",
            "usual": "float64, host",
            "ours_s": times["float32, device"],
            "usual_s": times["float64, host"],
            "ratio": times["float64, host"] / times["float32, device"],
            "difference": abs(numbers["float32, device"] / numbers["float64, host"] - 1),
        }
    ]


def kernel_on_device(rounds: int, size: int) -> list[Row]:
    """KID from all pairs."""
    dimension, count = DIMENSION // size, 5000 // size
    x, y = features(count, dimension), features(count, dimension, 1.01)

    def run(precision: kid.Precision) -> float:
        return kid.kernel_distance(x, y, precision=precision).value

    run("float32")
    runs = {"float32, device": lambda: run("float32"), "float64, host": lambda: run("float64")}
    return compared("kid", f"{count} x {count} of {dimension} features", runs, rounds)


def neighbors(rounds: int, size: int) -> list[Row]:
    """Precision, recall, density and coverage, in processes of their own."""
    # Two calls each, the first with compilation; what else it measures takes longer than rounds do.
    del rounds
    rows = evaluation_neighbors.neighbors(10_000 // size, (64, DIMENSION // size), clustered=False)
    kept = ("measure", "count", "dimension", "seconds_first", "seconds", "peak_gb")
    return [{name: row[name] for name in kept} for row in rows]


MEASURES: dict[str, Callable[[int, int], list[Row]]] = {
    "fid": fid_arithmetic,
    "few": fid_of_few,
    "moments": moments_on_device,
    "kid": kernel_on_device,
    "prdc": neighbors,
}
"""From rounds and the divisor of sizes to rows, all of one measure with the same columns."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures, prints tables, and writes them to the files asked for."""
    parser = measures.parser(__doc__, MEASURES)
    parser.add_argument("--rounds", type=int, default=3, help="turns of each; default 3")
    parser.add_argument("--size", type=int, default=1, help="divide counts by this; default 1")
    options = parser.parse_args(arguments)
    names = measures.chosen(options, MEASURES)
    if options.rounds < 1:
        measures.fail(f"--rounds {options.rounds}: must be at least 1")
    if not 1 <= options.size <= 64:
        measures.fail(f"--size {options.size}: must be from 1 to 64")
    measures.report(options, names, lambda name: MEASURES[name](options.rounds, options.size))


if __name__ == "__main__":
    main()
