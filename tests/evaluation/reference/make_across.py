"""Writes what the package ``rliable`` says of seeded scores.

    python tests/evaluation/reference/make_across.py

The scores are made by `cases`, which the tests use too; the package (rliable 1.2, with pandas below
3) is needed for this file alone.
"""

import json
from importlib.metadata import version
from pathlib import Path

import numpy as np

OUTPUT = Path(__file__).with_name("across.json")
THRESHOLDS = np.array([-0.5, 0.0, 0.25, 0.5, 1.0, 2.0])


def cases():
    """Names, and scores of two methods of shape (runs, tasks)."""
    generator = np.random.default_rng(20261130)
    first, second = generator.normal(0.6, 0.4, (10, 3)), generator.normal(0.5, 0.6, (7, 3))
    yield "different counts", first, second
    yield "with ties", np.round(first, 1), np.round(second, 1)
    yield "three runs, one task", first[:3, :1], second[:3, :1]


def main():
    """Computes and writes the values."""
    from rliable import library, metrics

    values = {}
    for name, first, second in cases():
        scores = {"a": first}
        profile = library.create_performance_profile(scores, list(THRESHOLDS), reps=10)[0]["a"]
        values[name] = {
            "interquartile_mean": metrics.aggregate_iqm(first),
            "optimality_gap": metrics.aggregate_optimality_gap(first, 1.0),
            "probability_of_improvement": metrics.probability_of_improvement(first, second),
            "performance_profile": list(map(float, profile)),
        }
        aggregated = library.get_interval_estimates(
            scores, lambda x: np.array([metrics.aggregate_iqm(x)]), reps=50_000,
            random_state=np.random.RandomState(0),
        )  # fmt: skip
        values[name]["interval"] = [float(end[0]) for end in aggregated[1]["a"]]
    document = {"rliable": version("rliable"), "values": values}
    OUTPUT.write_text(f"{json.dumps(document, indent=1)}\n")


if __name__ == "__main__":
    main()
