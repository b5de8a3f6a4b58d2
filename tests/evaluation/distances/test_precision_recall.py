import importlib.util
import json
import math
from pathlib import Path

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from jaxgan.evaluation.distances import pairwise
from jaxgan.evaluation.distances.precision_recall import expected_coverage, indicators, prdc, radii

REFERENCE = Path(__file__).parents[1] / "reference"


def recorded():
    """Features by name, and what the packages said of them; see reference/make_prdc.py."""
    spec = importlib.util.spec_from_file_location("make_prdc", REFERENCE / "make_prdc.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    values = json.loads((REFERENCE / "prdc.json").read_text())["values"]
    return {name: (real, generated, values[name]) for name, real, generated in module.cases()}


CASES = recorded()


def normal(count, dimension, seed=0):
    return np.random.default_rng(seed).normal(size=(count, dimension)).astype(np.float32)


def values_of(result):
    return {name: estimate.value for name, estimate in result._asdict().items()}


@pytest.mark.parametrize("name", CASES)
def test_against_prdc_and_torch_fidelity(name, monkeypatch):
    # Several blocks, the last of which is not full.
    monkeypatch.setattr(pairwise, "PAIRS", 30_000)
    real, generated, values = CASES[name]
    found = values_of(prdc(real, generated))
    theirs = values["torch-fidelity, k 3"]
    expected = {
        "precision": theirs["precision"],
        "recall": theirs["recall"],
        "density": values["prdc, k 5"]["density"],
        "coverage": values["prdc, k 5"]["coverage"],
    }
    # The shares are multiples of 1/400 or more; torch-fidelity rounds them to float32.
    assert found == pytest.approx(expected, abs=1e-6)
    all_five = values_of(prdc(real, generated, manifold_k=5, density_k=3))
    assert all_five["precision"] == pytest.approx(values["prdc, k 5"]["precision"], abs=1e-9)
    assert all_five["recall"] == pytest.approx(values["prdc, k 5"]["recall"], abs=1e-9)
    assert all_five["density"] == pytest.approx(values["prdc, k 3"]["density"], abs=1e-9)
    assert all_five["coverage"] == pytest.approx(values["prdc, k 3"]["coverage"], abs=1e-9)


def by_double_loop(real, generated, manifold_k, density_k):
    """The definitions, one pair at a time, in float64."""
    x, y = real.astype(np.float64), generated.astype(np.float64)

    def squared(a, b):
        return float(np.square(a - b).sum())

    def reach(points, i, k):
        return sorted(squared(points[i], p) for j, p in enumerate(points) if j != i)[k - 1]

    real_reach = [reach(x, i, manifold_k) for i in range(len(x))]
    real_open = [reach(x, i, density_k) for i in range(len(x))]
    generated_reach = [reach(y, j, manifold_k) for j in range(len(y))]
    return (
        [any(squared(a, b) <= r for a, r in zip(x, real_reach, strict=True)) for b in y],
        [any(squared(a, b) <= r for b, r in zip(y, generated_reach, strict=True)) for a in x],
        [sum(squared(a, b) < r for a, r in zip(x, real_open, strict=True)) / density_k for b in y],
        [any(squared(a, b) < r for b in y) for a, r in zip(x, real_open, strict=True)],
    )


def near_ties():
    """Sets where whole samples and distances repeat: copies, grids, tight clusters."""
    generator = np.random.default_rng(5)
    x = normal(40, 4, 1)
    yield "copies", x, x[generator.permutation(40)][:30]
    yield "copies among others", x, np.concatenate([x[:10], normal(20, 4, 2)])
    grid = generator.integers(0, 3, (45, 3)).astype(np.float32)
    yield "grid", grid[:25], grid[25:]
    yield "grid off the origin", grid[:25] + np.float32(0.1), grid[25:] + np.float32(0.1)
    far = np.float32(300) * normal(3, 4, 3)
    clusters = far[np.arange(50) % 3] + np.float32(1e-3) * normal(50, 4, 4)
    yield "clusters", clusters[:30], clusters[30:]
    yield "one point", x, np.repeat(x[:1], 12, axis=0)
    yield "both of few points", np.repeat(x[:3], 8, axis=0), np.repeat(x[1:4], 7, axis=0)


TIES = {name: (real, generated) for name, real, generated in near_ties()}


@pytest.mark.slow
@pytest.mark.parametrize("name", TIES)
def test_ties_are_decided_as_by_a_double_loop(name, monkeypatch):
    # Blocks of 16 rows.
    monkeypatch.setattr(pairwise, "PAIRS", 200)
    real, generated = TIES[name]
    expected = by_double_loop(real, generated, 3, 5)
    for found, right in zip(indicators(real, generated), expected, strict=True):
        np.testing.assert_array_equal(found, right)


def test_copies_of_the_whole_real_set():
    # Each sample lies in its own ball and in those of the points that it is a neighbor of, without
    # the farthest: k balls on average. And everything covers everything.
    real = normal(200, 6)
    found = values_of(prdc(real, real[::-1].copy()))
    assert found == pytest.approx({"precision": 1, "recall": 1, "density": 1, "coverage": 1})


def test_worked_by_hand():
    real = np.array([[0.0], [1], [3]], np.float32)
    generated = np.array([[1.5], [2.5], [12]], np.float32)
    # Real radii: 1, 1, 2: balls [-1, 1], [0, 2], [1, 5]. Generated radii: 1, 1, 9.5: balls
    # [0.5, 2.5], [1.5, 3.5], [2.5, 21.5].
    found = indicators(real, generated, manifold_k=1, density_k=1)
    np.testing.assert_array_equal(found.precision, [True, True, False])
    np.testing.assert_array_equal(found.recall, [False, True, True])
    np.testing.assert_array_equal(found.density, [2, 1, 0])
    np.testing.assert_array_equal(found.coverage, [False, True, True])


def test_surfaces_count_for_precision_and_recall_only():
    real = np.array([[0.0], [2]], np.float32)
    generated = np.array([[4.0], [6]], np.float32)
    # Real balls [-2, 2] and [0, 4]; generated ones [2, 6] and [4, 8].
    found = indicators(real, generated, manifold_k=1, density_k=1)
    np.testing.assert_array_equal(found.precision, [True, False])
    np.testing.assert_array_equal(found.recall, [False, True])
    np.testing.assert_array_equal(found.density, [0, 0])
    np.testing.assert_array_equal(found.coverage, [False, False])


def test_expectations_for_equal_distributions():
    # E[density] = 1 exactly: a ball holds a share of k / m of the distribution on average.
    real_count, generated_count, repeats = 60, 90, 80
    results = [
        values_of(prdc(normal(real_count, 2, 2 * i), normal(generated_count, 2, 2 * i + 1)))
        for i in range(repeats)
    ]
    for name, expected in (("density", 1.0), ("coverage", expected_coverage(60, 90, 5))):
        values = np.array([result[name] for result in results])
        error = values.std(ddof=1) / math.sqrt(repeats)
        assert error < 0.03
        assert abs(values.mean() - expected) < 4 * error


def test_intervals_surround_and_shrink():
    def widths(count):
        result = prdc(normal(count, 4, 1), 1.3 * normal(count, 4, 2))
        for estimate in result:
            assert estimate.low <= estimate.value <= estimate.high
        return np.array([estimate.high - estimate.low for estimate in result])

    ratio = widths(200) / widths(800)
    assert ((ratio > 1.3) & (ratio < 3.2)).all()


def test_intervals_cover_the_samples_drawing_for_given_balls():
    # Against given real balls, the mean over all draws is known to a tenth of an interval's width;
    # nineteen of twenty intervals cover it.
    real = normal(150, 3, 0)
    known = radii(real)
    results = [prdc(real, 1.4 * normal(100, 3, 10 + i), real_radii=known) for i in range(80)]
    for name in ("precision", "density"):
        estimates = [result._asdict()[name] for result in results]
        truth = np.mean([estimate.value for estimate in estimates])
        covered = sum(estimate.low <= truth <= estimate.high for estimate in estimates)
        # 76 of 80 on average; fewer than 69 has a chance below 0.2 %.
        assert covered >= 69, name


@pytest.mark.slow
def test_halves_cover_the_drawing_of_both_sets():
    def both(i, replicates):
        real, generated = normal(100, 4, 2 * i), normal(100, 4, 2 * i + 1)
        return prdc(real, generated, replicates=replicates)

    results = [both(i, 20) for i in range(16)]
    for name in ("precision", "recall", "density", "coverage"):
        estimates = [result._asdict()[name] for result in results]
        truth = np.mean([each.value for each in estimates])
        # About 15 of 16; fewer than 13 has a chance of 1 % or less.
        assert sum(each.low <= truth <= each.high for each in estimates) >= 13
        assert all(each.low <= each.value <= each.high for each in estimates)
    given, halved = both(0, 0), both(0, 20)
    assert values_of(given) == values_of(halved)
    for narrow, wide in zip(given, halved, strict=True):
        assert wide.low <= narrow.low < narrow.high <= wide.high
    assert halved.density.high - halved.density.low > given.density.high - given.density.low
    assert halved.recall.high <= 1


def test_precision_falls_with_noise_and_recall_with_dropped_modes():
    generator = np.random.default_rng(0)
    centers = 4 * generator.normal(size=(8, 6))

    def draw(count, modes, spread=0.5):
        return (
            centers[generator.integers(0, modes, count)]
            + spread * generator.normal(size=(count, 6))
        ).astype(np.float32)

    real = draw(500, 8)
    noisy = [values_of(prdc(real, draw(500, 8, spread))) for spread in (0.5, 0.7, 0.9, 1.2)]
    for name in ("precision", "density"):
        assert (np.diff([result[name] for result in noisy]) < 0).all()
    fewer = [values_of(prdc(real, draw(500, modes))) for modes in (8, 6, 4, 2)]
    for name in ("recall", "coverage"):
        series = [result[name] for result in fewer]
        assert (np.diff(series) < 0).all()
        assert series[-1] < 0.4
    assert min(result["precision"] for result in fewer) > 0.85


def test_radii_are_distances_to_neighbors():
    x = normal(60, 5)
    search = NearestNeighbors(n_neighbors=5, algorithm="kd_tree").fit(x.astype(np.float64))
    expected = search.kneighbors()[0]
    np.testing.assert_allclose(np.sqrt(radii(x, 5)), expected, rtol=1e-12)
    real, generated = x[:30], x[30:]
    given = indicators(real, generated, real_radii=radii(real, 7))
    for a, b in zip(given, indicators(real, generated), strict=True):
        np.testing.assert_array_equal(a, b)


def test_what_cannot_be_measured_is_refused():
    x = normal(10, 3)
    with pytest.raises(ValueError, match="the real set has 5"):
        prdc(x[:5], x)
    with pytest.raises(ValueError, match="the generated set has 3"):
        prdc(x, x[:3])
    with pytest.raises(ValueError, match="k >= 1"):
        prdc(x, x, manifold_k=0)
    with pytest.raises(ValueError, match="generated set has features that are NaN"):
        prdc(x, np.full_like(x, np.inf))
    with pytest.raises(ValueError, match="3-dimensional features, the generated set 2"):
        prdc(x, x[:, :2])
    with pytest.raises(ValueError, match="radii of 9 samples"):
        prdc(x, x, real_radii=radii(x[:9]))
