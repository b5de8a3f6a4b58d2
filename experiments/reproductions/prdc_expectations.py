"""Precision, recall, density and coverage of equal laws. Naeem et al., Reliable Fidelity and
Diversity Metrics for Generative Models, 2020.

    python experiments/reproductions/prdc_expectations.py
    python experiments/reproductions/prdc_expectations.py --draws 20 --large 5

By the function that measures runs, with k = 5 for all four unless said otherwise:

- the example of the authors' README, 10,000 and 10,000 points of N(0, I) in 1,000 dimensions: one
  draw of theirs, without an error, which is as large as the spread of ours;
- density is 1 on average, coverage ``1 - prod_{i=1..k} (N - i)/(2N - i)`` (their equation 7), while
  precision and recall of equal laws have no such value: 0.998 in 2, 0.71 in 64 and 0.55 in 1,000
  dimensions at 2,000 points (by another program, of how many draws is not known: their error is
  taken to be the spread of one of ours, and half a digit);
- an outlier at (3, ..., 3) in 64 dimensions (the same program): among the real points, fakes moved
  by +1 into its ball have precision 1 and raise density, while coverage stays; among the fakes,
  moved by -0.5, recall rises and coverage stays;
- a set against itself: all four are 1.

Ours are means over draws with their standard errors:
`experiments/results/reproductions/prdc_expectations.json`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import shelf

from jaxgan.evaluation.distances.precision_recall import Neighborhoods, expected_coverage, prdc

NAMES = Neighborhoods._fields
README = {"precision": 0.4772, "recall": 0.4705, "density": 1.0555, "coverage": 0.9735}
COUNT, K = 2000, 5
EQUAL = {2: (0.998, 5e-4), 64: (0.71, 5e-3), 1000: (0.55, 5e-3)}
"""Precision and recall at `COUNT` points by dimension, and half of the last digit."""
OUTLIERS = {
    # What is moved, and the values without and with an outlier at (3, ..., 3).
    "real": (1.0, {"precision": (0.003, 1.0), "density": (0.001, 0.201), "coverage": (0.003,) * 2}),
    "generated": (-0.5, {"recall": (0.32, 0.94), "coverage": (0.36,) * 2}),
}
DIGIT = {"density": 5e-4, "precision": 5e-4, "recall": 5e-3, "coverage": 5e-3}
Points = np.ndarray
Measure = Callable[[Points, Points, int], Mapping[str, float]]


def measured(real: Points, generated: Points, k: int = K) -> dict[str, float]:
    """All four with one k."""
    found = prdc(real, generated, manifold_k=k, density_k=k)
    return {name: estimate.value for name, estimate in found._asdict().items()}


def normal(random: np.random.Generator, count: int, size: int, shift: float = 0.0) -> Points:
    """Of N(shift, I)."""
    return random.standard_normal((count, size), np.float32) + np.float32(shift)


def means(values: Sequence[Mapping[str, float]]) -> dict[str, tuple[float, float, float]]:
    """Mean, its standard error, and the spread of one draw, by name."""
    found = {}
    for name in NAMES:
        each = [value[name] for value in values]
        mean, error = shelf.mean_and_error(each)
        found[name] = (mean, error, error * math.sqrt(len(each)))
    return found


def authors_example(draws: int, count: int, measure: Measure) -> list[shelf.Row]:
    """10,000 and 10,000 points in 1,000 dimensions."""
    random = np.random.default_rng(1)
    pairs = ((normal(random, count, 1000), normal(random, count, 1000)) for _ in range(draws))
    found = means([measure(real, fake, K) for real, fake in pairs])
    rows = [
        shelf.Row(f"README: {name}", README[name], mean, 5e-5, error, spread, source="code",
                  headline=True)
        for name, (mean, error, spread) in found.items()
    ]  # fmt: skip
    coverage, error, _ = found["coverage"]
    wanted = expected_coverage(count, count, K)
    rows.append(shelf.Row(f"mean coverage of {count:,} points, k 5", wanted, coverage, error=error,
                          errors=3.0))  # fmt: skip
    return rows


def equal_laws(draws: int, measure: Measure) -> list[shelf.Row]:
    """Means at 2,000 points by dimension."""
    rows = []
    for size, (value, digit) in EQUAL.items():
        random = np.random.default_rng(size)
        pairs = ((normal(random, COUNT, size), normal(random, COUNT, size)) for _ in range(draws))
        found = means([measure(real, fake, K) for real, fake in pairs])
        for name in ("precision", "recall"):
            mean, error, spread = found[name]
            rows.append(shelf.Row(f"{name}, {size:,} dimensions", value, mean, digit, error, spread,
                                  source="derived"))  # fmt: skip
        wanted = {"density": 1.0, "coverage": expected_coverage(COUNT, COUNT, K)}
        for name, law in wanted.items():
            mean, error, _ = found[name]
            rows.append(shelf.Row(f"mean {name}, {size:,} dimensions", law, mean, error=error,
                                  errors=3.0))  # fmt: skip
    random = np.random.default_rng(3)
    three = [
        measure(normal(random, COUNT, 64), normal(random, COUNT, 64), 3)["coverage"]
        for _ in range(draws)
    ]
    mean, error = shelf.mean_and_error(three)
    rows.append(shelf.Row("mean coverage of 2,000 points, k 3", 0.8752, mean, 5e-5, error,
                          errors=3.0, source="derived", headline=True))  # fmt: skip
    return rows


def outliers(draws: int, measure: Measure) -> list[shelf.Row]:
    """Without and with one point at (3, ..., 3)."""
    rows = []
    for among, (shift, values) in OUTLIERS.items():
        random, without, with_one = np.random.default_rng(5), [], []
        for _ in range(draws):
            real, fake = normal(random, COUNT, 64), normal(random, COUNT, 64, shift)
            without.append(measure(real, fake, K))
            (real if among == "real" else fake)[0] = 3.0
            with_one.append(measure(real, fake, K))
        before, after = means(without), means(with_one)
        for name, published in values.items():
            told = (("without", before), ("with", after))
            for value, (which, found) in zip(published, told, strict=True):
                mean, error, spread = found[name]
                rows.append(shelf.Row(
                    f"{name} {which} an outlier among the {among}", value, mean, DIGIT[name], error,
                    spread, source="derived", headline=name == "coverage" and which == "with",
                ))  # fmt: skip
    return rows


def reproduce(
    draws: int = 8, large: int = 4, *, count: int = 10_000, measure: Measure = measured
) -> shelf.Reproduction:
    """All lines; the measure may be replaced by a wrong one.

    Args:
        draws: pairs of sets of 2,000 points for each mean.
        large: pairs of sets for the authors' example.
        count: points of the authors' example.
        measure: all four, of real and generated points and k.
    """
    rows = [
        shelf.Row("expected coverage of 10,000, k 5", 0.96877,
                  expected_coverage(10_000, 10_000, 5), 5e-6, source="derived"),
        shelf.Row("expected coverage of 2,000, k 3", 0.8752,
                  expected_coverage(2000, 2000, 3), 5e-5, source="derived"),
    ]  # fmt: skip
    same = normal(np.random.default_rng(0), 500, 16)
    rows += [
        shelf.Row(f"{name} of a set and itself", 1.0, value, 1e-12, source="derived")
        for name, value in measure(same, same.copy(), K).items()
    ]
    rows += authors_example(large, count, measure)
    rows += equal_laws(draws, measure)
    rows += outliers(max(draws // 2, 2), measure)
    return shelf.Reproduction(
        name="prdc_expectations",
        paper="Naeem et al., Reliable Fidelity and Diversity Metrics for Generative Models, 2020",
        what="precision, recall, density, coverage of equal laws and outliers",
        rows=tuple(rows),
        settings={"draws": draws, "large": large, "count": count},
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints and writes the table."""
    shelf.run(
        reproduce, __doc__, arguments, draws=(8, "pairs of sets of 2,000 points for each mean"),
        large=(4, "pairs of sets of 10,000"),
    )  # fmt: skip


if __name__ == "__main__":
    main()
