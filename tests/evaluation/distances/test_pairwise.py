import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.neighbors import NearestNeighbors

from jaxgan.evaluation.distances import pairwise
from jaxgan.evaluation.distances.pairwise import blocks, float64_bounds, nearest, prepare


def normal(count, dimension, seed=0):
    return np.random.default_rng(seed).normal(size=(count, dimension)).astype(np.float32)


@pytest.fixture(params=[2**24, 700])
def block_size(request, monkeypatch):
    """One block, and blocks of 16 rows whose last one is not full."""
    monkeypatch.setattr(pairwise, "PAIRS", request.param)


def assert_nearest(queries, base, found, k, itself):
    """Against scikit-learn's brute search in float64, which takes differences."""
    search = NearestNeighbors(n_neighbors=k + itself, algorithm="brute", metric="euclidean")
    search.set_params(metric="minkowski", p=2.0, algorithm="kd_tree")
    distances, indices = search.fit(base.astype(np.float64)).kneighbors(queries.astype(np.float64))
    np.testing.assert_allclose(np.sqrt(found.squared), distances[:, itself:], rtol=1e-12)
    np.testing.assert_array_equal(found.indices, indices[:, itself:])


@pytest.mark.usefixtures("block_size")
@pytest.mark.parametrize("dimension", [1, 3, 200])
def test_nearest_within_and_across(dimension):
    x, y = normal(101, dimension, 1), normal(73, dimension, 2)
    a, b = prepare("test", real=x, generated=y)
    assert_nearest(x, x, nearest(a, a, 4, itself=True), 4, 1)
    assert_nearest(y, x, nearest(b, a, 4), 4, 0)


@pytest.mark.usefixtures("block_size")
@pytest.mark.parametrize("spread", [1e-2, 1e-4, 1e-6])
def test_tight_clusters_far_apart(spread):
    # Distances within a cluster are far below what float32 products resolve.
    centers = 100 * normal(4, 5, 3).astype(np.float64)
    x = centers[np.arange(120) % 4] + spread * normal(120, 5, 4)
    (a,) = prepare("test", real=x)
    assert_nearest(x, x, nearest(a, a, 3, itself=True), 3, 1)


def test_far_from_the_origin_nothing_is_lost():
    x = (np.float32(1000) + normal(80, 4, 5)).astype(np.float32)
    (a,) = prepare("test", real=x)
    assert_nearest(x, x, nearest(a, a, 5, itself=True), 5, 1)


def test_copies_are_neighbors_at_distance_zero_but_a_point_is_not_its_own():
    x = np.array([[0.0, 0], [3, 4], [3, 4], [0, 1]], np.float32)
    (a,) = prepare("test", real=x)
    found = nearest(a, a, 3, itself=True)
    np.testing.assert_array_equal(found.indices, [[3, 1, 2], [2, 3, 0], [1, 3, 0], [0, 1, 2]])
    np.testing.assert_array_equal(
        found.squared, [[1, 25, 25], [0, 18, 25], [0, 18, 25], [1, 18, 18]]
    )


@pytest.mark.usefixtures("block_size")
def test_equal_distances_on_a_grid_come_out_equal():
    # Each inner point of a grid has four neighbors at exactly 1, the next at exactly 2 (squared).
    grid = np.stack(np.meshgrid(np.arange(12), np.arange(12)), -1).reshape(-1, 2).astype(np.float32)
    (a,) = prepare("test", real=grid + np.float32(100))
    found = nearest(a, a, 5, itself=True)
    inner = ((grid > 0) & (grid < 11)).all(axis=1)
    np.testing.assert_array_equal(found.squared[inner], [[1, 1, 1, 1, 2]] * inner.sum())


@pytest.mark.usefixtures("block_size")
@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e12])
def test_bounds_hold_for_every_pair(scale):
    x, y = scale * normal(50, 300, 6).astype(np.float64), scale * normal(40, 300, 7)
    x[3] *= 1e-6
    y[5] = x[3]
    a, b = prepare("test", real=x, generated=y)
    exact = cdist(x, y, "sqeuclidean") * a.scale**2
    for part, (lower, upper) in blocks(a, b):
        count = part.stop - part.start
        lower, upper = np.asarray(lower)[:count], np.asarray(upper)[:count]
        assert (lower <= exact[part]).all()
        assert (exact[part] <= upper).all()
        # In units of squared norms, which are at most 1.
        assert (upper - lower).max() < 1e-3
        finer = float64_bounds(a, part, b)
        assert (finer.lower <= exact[part]).all()
        assert (exact[part] <= finer.upper).all()
        assert (finer.upper - finer.lower).max() < 1e-12


def test_few_distances_are_left_to_float64(monkeypatch):
    # Otherwise the answers would be right, but slow.
    counted = []
    original = pairwise.squared_distances

    def counting(rows, columns, i, j):
        counted.append(len(i))
        return original(rows, columns, i, j)

    monkeypatch.setattr(pairwise, "squared_distances", counting)
    (a,) = prepare("test", real=normal(1500, 64, 8))
    nearest(a, a, 5, itself=True)
    assert sum(counted) < 2.2 * 5 * 1500


def test_what_cannot_be_compared_is_refused():
    x = normal(10, 3)
    with pytest.raises(ValueError, match="test: the generated set is empty"):
        prepare("test", real=x, generated=x[:0])
    with pytest.raises(ValueError, match="test: the real set has features that are NaN"):
        prepare("test", real=np.where(x > 1, np.nan, x), generated=x)
    with pytest.raises(ValueError, match="3-dimensional features, the generated set 2"):
        prepare("test", real=x, generated=x[:, :2])
    (a,) = prepare("test", real=x)
    with pytest.raises(ValueError, match="10 nearest neighbors among 9"):
        nearest(a, a, 10, itself=True)


@pytest.mark.parametrize("pairs", [2**24, 40])
def test_all_that_tie_are_found(monkeypatch, pairs):
    """Whole numbers in the plane tie often, and their squared distances are exact."""
    monkeypatch.setattr(pairwise, "PAIRS", pairs)
    generator = np.random.default_rng(0)
    x, y = (generator.integers(0, 6, (count, 2)).astype(np.float32) for count in (50, 23))
    exact = cdist(x, y, "sqeuclidean")
    nearest_ones = exact == exact.min(axis=1, keepdims=True)
    assert nearest_ones.sum() > 60
    found = np.zeros_like(nearest_ones)
    for part, i, j in pairwise.near_pairs(*prepare("m", queries=x, base=y), 1):
        assert set(i) == set(range(part.start, part.stop))
        found[i, j] = True
    # All that tie, and no more than what rounding leaves open.
    assert (found >= nearest_ones).all()
    assert found.sum() < 1.1 * nearest_ones.sum()
