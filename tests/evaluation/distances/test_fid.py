import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import linalg

from jaxgan.evaluation.distances import fid
from jaxgan.evaluation.distances.fid import frechet_between, frechet_distance
from jaxgan.evaluation.distances.moments import from_features


def gaussian(dimension, seed, rank=None):
    """A mean and a covariance of the given rank."""
    generator = np.random.default_rng(seed)
    factor = generator.normal(size=(dimension, dimension if rank is None else rank))
    return generator.normal(size=dimension), factor @ factor.T / dimension


def textbook(mean_a, cov_a, mean_b, cov_b):
    """Heusel et al. 2017, equation 6, with SciPy's root of the product."""
    root = linalg.sqrtm(cov_a @ cov_b)
    return np.sum((mean_a - mean_b) ** 2) + np.trace(cov_a + cov_b - 2 * np.real(root))


def test_one_dimension_by_hand():
    # (5 - 1)^2 + (3 - 2)^2 for N(1, 2^2) and N(5, 3^2).
    value = frechet_distance(np.array([1.0]), np.array([[4.0]]), np.array([5.0]), np.array([[9.0]]))
    np.testing.assert_allclose(value, 17.0, rtol=1e-14)


def test_commuting_covariances_by_hand():
    # In shared eigenvectors: |m|^2 = 1 + 4, plus (2 - 1)^2 + (3 - 5)^2.
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    cov_a = turn @ np.diag([4.0, 9.0]) @ turn.T
    cov_b = turn @ np.diag([1.0, 25.0]) @ turn.T
    value = frechet_distance(np.array([1.0, 0.0]), cov_a, np.array([0.0, 2.0]), cov_b)
    np.testing.assert_allclose(value, 10.0, rtol=1e-13)


@pytest.mark.parametrize("dimension", [2, 7, 64])
def test_covariances_that_do_not_commute_against_scipy(dimension):
    mean_a, cov_a = gaussian(dimension, 1)
    mean_b, cov_b = gaussian(dimension, 2)
    cov_a, cov_b = cov_a + 0.1 * np.eye(dimension), cov_b + 0.1 * np.eye(dimension)
    assert np.abs(cov_a @ cov_b - cov_b @ cov_a).max() > 0.05
    expected = textbook(mean_a, cov_a, mean_b, cov_b)
    np.testing.assert_allclose(frechet_distance(mean_a, cov_a, mean_b, cov_b), expected, rtol=1e-10)


def test_singular_covariances_in_closed_form():
    # N(0, uu') and N(0, vv') lie on two lines: tr = |u|^2 + |v|^2 - 2 |u.v|.
    u, v = np.array([3.0, 0.0, 0.0]), np.array([1.0, 2.0, 2.0])
    zero = np.zeros(3)
    value = frechet_distance(zero, np.outer(u, u), zero, np.outer(v, v))
    np.testing.assert_allclose(value, 9 + 9 - 2 * 3, rtol=1e-12)
    # On orthogonal lines the two have nothing in common.
    w = np.array([0.0, 5.0, 0.0])
    np.testing.assert_allclose(
        frechet_distance(zero, np.outer(u, u), zero, np.outer(w, w)), 9 + 25, rtol=1e-12
    )
    # A point mass against a Gaussian: the distance is the trace.
    _, cov = gaussian(3, 4)
    np.testing.assert_allclose(
        frechet_distance(zero, cov, zero, np.zeros((3, 3))), np.trace(cov), rtol=1e-12
    )


def test_a_common_null_space_changes_nothing():
    # 10 samples in 64 dimensions, as few generated images would give; embedding both Gaussians of
    # the space in a larger one by an isometry keeps their distance.
    mean_a, cov_a = gaussian(6, 1)
    mean_b, cov_b = gaussian(6, 2)
    basis = np.linalg.qr(np.random.default_rng(0).normal(size=(64, 6)))[0]
    np.testing.assert_allclose(
        frechet_distance(
            basis @ mean_a, basis @ cov_a @ basis.T, basis @ mean_b, basis @ cov_b @ basis.T
        ),
        textbook(mean_a, cov_a, mean_b, cov_b),
        rtol=1e-10,
    )


@pytest.mark.parametrize("rank", [64, 9, 1])
def test_equal_gaussians_are_at_distance_zero(rank):
    mean, cov = gaussian(64, 3, rank)
    # A root of the product would leave about 1e-7 here for the singular ones.
    assert 0 <= frechet_distance(mean, cov, mean, cov) < 1e-11


@settings(max_examples=25, deadline=None)
@given(
    dimension=st.integers(1, 8),
    rank=st.integers(1, 8),
    seed=st.integers(0, 1000),
    scale=st.floats(1e-3, 1e3),
)
def test_symmetric_and_of_the_units_of_a_square(dimension, rank, seed, scale):
    a, b = gaussian(dimension, seed, rank), gaussian(dimension, seed + 1)
    value = frechet_distance(*a, *b)
    np.testing.assert_allclose(frechet_distance(*b, *a), value, rtol=1e-9, atol=1e-12)
    scaled = frechet_distance(scale * a[0], scale**2 * a[1], scale * b[0], scale**2 * b[1])
    np.testing.assert_allclose(scaled, scale**2 * value, rtol=1e-8, atol=1e-12 * scale**2)


def test_of_moments_uses_the_unbiased_covariance():
    # Variances 2 and 8 (divided by n - 1) about means 1 and 2: 1 + (sqrt 8 - sqrt 2)^2 = 3.
    a = from_features(np.array([[0.0], [2.0]]))
    b = from_features(np.array([[0.0], [4.0]]))
    np.testing.assert_allclose(frechet_between(a, b), 3.0, rtol=1e-13)


def test_fewer_samples_than_dimensions():
    generator = np.random.default_rng(0)
    real, generated = generator.normal(size=(200, 64)), generator.normal(size=(5, 64))
    value = frechet_between(from_features(real), from_features(generated))
    assert np.isfinite(value)
    assert value > frechet_between(from_features(real), from_features(real[:150]))


def test_what_pytorch_fid_and_torch_fidelity_say():
    path = Path(__file__).parents[1] / "reference" / "sample_metrics.json"
    cases = json.loads(path.read_text())
    for case in cases["fid"]:
        # Made as in reference/make_sample_metrics.py.
        generator = np.random.default_rng(case["seed"])
        count, dimension = case["count"], case["dimension"]
        mixing = generator.normal(size=(dimension, dimension)) / np.arange(1, dimension + 1) ** 0.5
        real = np.maximum(generator.normal(size=(count, dimension)) @ mixing + 0.3, 0)
        generated = np.maximum(1.1 * generator.normal(size=(count, dimension)) @ mixing + 0.4, 0)
        for value in (
            frechet_between(real, generated),
            frechet_between(from_features(real), from_features(generated)),
        ):
            # The last is singular, where theirs take roots of eigenvalues that are roundings.
            rtol = 1e-10 if count > dimension else 1e-7
            np.testing.assert_allclose(value, case["pytorch_fid"], rtol=rtol)
            np.testing.assert_allclose(value, case["torch_fidelity"], rtol=rtol)


@pytest.mark.parametrize(("m", "n"), [(5, 9), (5, 200), (200, 5), (64, 65), (200, 300)])
def test_features_and_moments_agree_for_any_counts(m, n):
    generator = np.random.default_rng(0)
    x, y = generator.normal(size=(m, 64)), 1.5 * generator.normal(size=(n, 64)) + 0.2
    value = frechet_between(x, y)
    np.testing.assert_allclose(
        frechet_between(from_features(x), from_features(y)), value, rtol=1e-7
    )
    np.testing.assert_allclose(frechet_between(from_features(x), y), value, rtol=1e-7)
    np.testing.assert_allclose(frechet_between(y, x), value, rtol=1e-9)


def test_two_samples_each_by_hand():
    # Rank one on two lines through the means (1, 0, 0) and (0, 1, 0): variances 2 along x, 8 along
    # y, with nothing in common: 1 + 1 + 2 + 8.
    x = np.array([[0.0, 0.0, 0.0], [2.0, 0.0, 0.0]])
    y = np.array([[0.0, -1.0, 0.0], [0.0, 3.0, 0.0]])
    np.testing.assert_allclose(frechet_between(x, y), 12.0, rtol=1e-14)


@pytest.mark.parametrize("count", [2, 30, 64, 65, 500])
def test_a_set_is_at_distance_zero_from_itself(count):
    x = np.random.default_rng(0).normal(size=(count, 64)) @ np.diag(10.0 ** -np.arange(64)) + 3
    for value in (
        frechet_between(x, x),
        frechet_between(x, x[::-1]),
        frechet_between(from_features(x), from_features(x)),
    ):
        assert 0 <= value < 1e-12
    constant = np.full((count, 64), 0.1)
    assert 0 <= frechet_between(constant, constant) < 1e-25


def test_few_samples_of_many_features_take_no_matrix_of_all_features():
    # 2 000 000 dimensions would be a covariance of 29 TB. By hand: one axis each.
    x, y = np.zeros((2, 2, 2_000_000), np.float32)
    x[1, 7] = 2.0
    y[1, 1_234_567] = 4.0
    # Means (1, 0) and (0, 2), variances 2 and 8.
    np.testing.assert_allclose(frechet_between(x, y), 1 + 4 + 2 + 8, rtol=1e-12)


@pytest.mark.parametrize("rank", [1, 5, 12])
def test_factors_have_the_rank_and_give_the_covariance(rank):
    mean, cov = gaussian(12, 0, rank)
    found = fid.gaussian(mean, cov)
    assert found.factor.shape == (rank, 12)
    np.testing.assert_allclose(found.factor.T @ found.factor, cov, atol=1e-13)
    assert fid.distance(found, found) < 1e-12


def test_what_is_no_covariance_is_refused():
    zero = np.zeros(2)
    with pytest.raises(ValueError, match="positive semi-definite"):
        fid.gaussian(zero, np.diag([1.0, -0.5]))
    with pytest.raises(ValueError, match="finite"):
        fid.gaussian(zero, np.diag([1.0, np.nan]))


def test_errors_name_the_metric_and_the_set():
    good = from_features(np.random.default_rng(0).normal(size=(8, 2)))
    one = from_features(np.ones((1, 2)))
    with pytest.raises(ValueError, match=r"fid\[x\]: the generated set has 1 samples"):
        frechet_between(good, one, metric="fid[x]")
    with pytest.raises(ValueError, match="fid: the real set has 1 samples"):
        frechet_between(one, good)
    for bad in (np.nan, np.inf):
        broken = np.ones((8, 2))
        broken[3, 1] = bad
        with np.errstate(invalid="ignore"):
            moments = from_features(broken)
        with pytest.raises(ValueError, match="fid: the generated set has features that are NaN"):
            frechet_between(good, moments)
        with pytest.raises(ValueError, match="fid: the real set has features that are NaN"):
            frechet_between(moments, good)
    with pytest.raises(ValueError, match=r"real set has 2-dim.* generated set 3-dim"):
        frechet_between(good, from_features(np.ones((8, 3))))
