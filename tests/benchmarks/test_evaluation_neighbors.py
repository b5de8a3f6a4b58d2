"""The benchmark of precision and recall: its features, its rows, and its command."""

import json

import evaluation_neighbors as benchmark
import numpy as np
import pytest


def test_features_are_as_described():
    real, generated = benchmark.features(500, 16)
    assert real.dtype == generated.dtype == np.float32
    assert real.std() == pytest.approx(1.0, abs=0.05)
    assert generated.std() == pytest.approx(1.2, abs=0.05)
    real, _ = benchmark.features(500, 16, clustered=True)
    within = np.linalg.norm(real[0] - real[100])
    between = np.linalg.norm(real[0] - real[1])
    assert within < 1e-3 * between


@pytest.mark.slow
def test_the_command_writes_a_row_a_size(capsys):
    benchmark.main(["--count", "60", "--dimensions", "3", "5"])
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(row["dimension"], row["clustered"]) for row in rows] == [
        (3, False),
        (3, True),
        (5, False),
        (5, True),
    ]
    for row in rows:
        assert row["count"] == 60
        assert row["seconds"] > 0
        assert row["peak_gb"] >= row["peak_gb_before"] > 0
        assert set(row["values"]) == {"precision", "recall", "density", "coverage"}
