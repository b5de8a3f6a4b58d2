import json
from pathlib import Path

import numpy as np
import pytest

from jaxgan.evaluation.distances import kid
from jaxgan.evaluation.distances.kid import (
    block_kernel_distance,
    kernel_distance,
    self_sums,
    subset_kernel_distance,
)


def sets(m=23, n=17, dimension=4, shift=0.3):
    generator = np.random.default_rng(0)
    real = generator.normal(size=(m, dimension))
    return real, 1.2 * generator.normal(size=(n, dimension)) + shift


def direct(x, y):
    """Gretton et al. 2012, equation 3, pair by pair."""

    def kernel(a, b):
        return (np.dot(a, b) / len(a) + 1) ** 3

    m, n = len(x), len(y)
    within_x = sum(kernel(x[i], x[j]) for i in range(m) for j in range(m) if i != j)
    within_y = sum(kernel(y[i], y[j]) for i in range(n) for j in range(n) if i != j)
    across = sum(kernel(a, b) for a in x for b in y)
    return within_x / (m * (m - 1)) + within_y / (n * (n - 1)) - 2 * across / (m * n)


def test_against_a_double_loop():
    x, y = sets()
    np.testing.assert_allclose(kernel_distance(x, y).value, direct(x, y), rtol=1e-11)


def test_by_hand_in_one_dimension():
    # x = {0, 1}, y = {1, 2}: k(0,1) = 1, k(1,2) = 27; k(0,1), k(0,2), k(1,1), k(1,2) = 1, 1, 8, 27.
    x, y = np.array([[0.0], [1.0]]), np.array([[1.0], [2.0]])
    result = kernel_distance(x, y)
    np.testing.assert_allclose(result.value, 1 + 27 - 2 * 37 / 4, rtol=1e-14)
    assert np.isnan(result.standard_error)


def test_blocks_do_not_matter(monkeypatch):
    x, y = sets()
    whole = kernel_distance(x, y)
    monkeypatch.setattr(kid, "_ROWS", 5)
    monkeypatch.setattr(kid, "_COLUMNS", 7)
    np.testing.assert_allclose(kernel_distance(x, y), whole, rtol=1e-10)


def test_sums_computed_before_may_be_passed():
    x, y = sets()
    np.testing.assert_allclose(
        kernel_distance(x, y, real_sums=self_sums(x)), kernel_distance(x, y), rtol=1e-14
    )


def test_standard_error_is_the_jackknife_of_both_sets():
    # Efron and Stein 1981: sum over the sets of (n - 1)/n sum_i (theta_(i) - mean theta)^2.
    x, y = sets(12, 9)
    without_x = np.array([direct(np.delete(x, i, 0), y) for i in range(len(x))])
    without_y = np.array([direct(x, np.delete(y, i, 0)) for i in range(len(y))])
    variance = sum(
        (len(part) - 1) / len(part) * np.sum((part - part.mean()) ** 2)
        for part in (without_x, without_y)
    )
    np.testing.assert_allclose(kernel_distance(x, y).standard_error, np.sqrt(variance), rtol=1e-9)


@pytest.mark.parametrize("shift", [0.0, 0.5])
def test_unbiased_and_its_error_covers_the_spread(shift):
    # 400 pairs of sets; the mean of the estimates against the exact distance. For d = 1,
    # x ~ N(0, 1) and y ~ N(s, 1): E k(x, y) = sum_r C(3, r) E[x^r] E[y^r] with the moments
    # 1, 0, 1, 0 and 1, s, 1 + s^2, 3s + s^3.
    generator = np.random.default_rng(1)
    s = shift
    moments = {"x": np.array([1, 0, 1, 0.0]), "y": np.array([1, s, 1 + s**2, 3 * s + s**3])}
    exact = np.sum([1, 3, 3, 1] * (moments["x"] - moments["y"]) ** 2)
    results = [
        kernel_distance(generator.normal(size=(60, 1)), s + generator.normal(size=(60, 1)))
        for _ in range(400)
    ]
    values = np.array([result.value for result in results])
    spread = values.std(ddof=1)
    assert abs(values.mean() - exact) < 4 * spread / 20
    errors = np.sqrt(np.mean([result.standard_error**2 for result in results]))
    # Never too small on average; for equal distributions it is at most twice the variance or so.
    assert 0.9 * spread < errors < 1.7 * spread


def test_one_subset_of_everything_is_the_whole_estimate():
    x, y = sets(15, 15)
    result = subset_kernel_distance(x, y, size=15, subsets=1)
    np.testing.assert_allclose(result.value, direct(x, y), rtol=1e-11)
    assert np.isnan(result.standard_error)


def test_subsets_average_to_the_whole_estimate():
    x, y = sets(60, 50)
    whole = direct(x, y)
    result = subset_kernel_distance(x, y, size=20, subsets=300, seed=3)
    assert abs(result.value - whole) < 4 * result.standard_error
    assert 0 < result.standard_error < abs(whole)
    assert result == subset_kernel_distance(x, y, size=20, subsets=300, seed=3)
    assert result != subset_kernel_distance(x, y, size=20, subsets=300, seed=4)


def test_errors_name_the_metric_and_the_set():
    x, y = sets()
    with pytest.raises(ValueError, match="kid: the generated set has 1 samples"):
        kernel_distance(x, y[:1])
    broken = x.copy()
    broken[0, 0] = np.nan
    with pytest.raises(ValueError, match=r"kid\[p\]: the real set has features that are NaN"):
        kernel_distance(broken, y, metric="kid[p]")
    with pytest.raises(ValueError, match=r"real set has 4-dim.* generated set 3-dim"):
        kernel_distance(x, y[:, :3])
    with pytest.raises(ValueError, match="generated set has 17 samples, a subset takes 20"):
        subset_kernel_distance(x, y, size=20)
    with pytest.raises(ValueError, match="size >= 2 and subsets >= 1, got 10 and 0"):
        subset_kernel_distance(x, y, size=10, subsets=0)


def network_like(seed, count, dimension):
    """The features that the recorded values were made of (reference/make_sample_metrics.py)."""
    generator = np.random.default_rng(seed)
    mixing = generator.normal(size=(dimension, dimension)) / np.arange(1, dimension + 1) ** 0.5
    real = np.maximum(generator.normal(size=(count, dimension)) @ mixing + 0.3, 0)
    return real, np.maximum(1.1 * generator.normal(size=(count, dimension)) @ mixing + 0.4, 0)


def test_what_torch_fidelity_says():
    path = Path(__file__).parents[1] / "reference" / "sample_metrics.json"
    cases = json.loads(path.read_text())
    for case in cases["kid"]:
        sets = network_like(case["seed"], case["count"], case["dimension"])
        result = subset_kernel_distance(*sets, size=case["size"], subsets=case["subsets"])
        np.testing.assert_allclose(result.value, case["mean"], rtol=1e-9)
        # Published spreads are divided by the number of subsets, not by one less.
        spread = result.standard_error * np.sqrt(case["subsets"] - 1)
        np.testing.assert_allclose(spread, case["std"], rtol=1e-8)


@pytest.mark.parametrize("mean", [0.0, 5.0, 20.0])
def test_float32_far_from_the_origin(mean):
    """The kernel depends on the origin, so centering is no matter of taking the mean away: with
    plain products the value is 2.5e-4 off at a mean of 20, where the kernel is near 400^3."""
    generator = np.random.default_rng(0)
    x, y = generator.normal(size=(300, 64)), 1.05 * generator.normal(size=(200, 64)) + 0.02
    x, y = x + mean, y + np.linspace(mean, mean + 0.1, 64)
    scaled = x.shape[1]

    def total(a, b):
        return (a @ b.T / scaled + 1) ** 3

    within = [(k.sum() - np.trace(k)) / (len(k) * (len(k) - 1)) for k in (total(x, x), total(y, y))]
    exact = sum(within) - 2 * total(x, y).mean()
    found = kernel_distance(x, y, precision="float32")
    assert found.value == pytest.approx(exact, rel=5e-6)
    error = kernel_distance(x, y).standard_error
    assert found.standard_error == pytest.approx(error, rel=1e-5)


def test_float32_on_the_device_is_enough(monkeypatch):
    x, y = network_like(5, 700, 64)
    # Near each other, so that the terms cancel: the distance is a hundredth of the kernel's mean.
    y = x + 0.1 * (y - x)[::-1]
    exact = kernel_distance(x, y)
    assert exact.value < 0.02 * self_sums(x).mean() / len(x)
    whole = kernel_distance(x, y, precision="float32")
    np.testing.assert_allclose(whole, exact, rtol=1e-5)
    # Blocks that do not divide the sets are filled up, which must not count.
    monkeypatch.setattr(kid, "_ROWS", 300)
    monkeypatch.setattr(kid, "_COLUMNS", 450)
    np.testing.assert_allclose(kernel_distance(x, y, precision="float32"), exact, rtol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("shift", [0.0, 0.5])
def test_disjoint_blocks_cover_the_distance(shift):
    generator = np.random.default_rng(2)
    s = shift
    # As above, by moments.
    moments = {"x": np.array([1, 0, 1, 0.0]), "y": np.array([1, s, 1 + s**2, 3 * s + s**3])}
    exact = np.sum([1, 3, 3, 1] * (moments["x"] - moments["y"]) ** 2)
    results = [
        block_kernel_distance(
            generator.normal(size=(160, 1)), s + generator.normal(size=(165, 1)), blocks=16
        )
        for _ in range(200)
    ]
    values = np.array([result.value for result in results])
    assert abs(values.mean() - exact) < 4 * values.std(ddof=1) / np.sqrt(200)
    errors = np.sqrt(np.mean([result.standard_error**2 for result in results]))
    # Relative standard error of a standard deviation of 200 values with heavy tails: about 0.1.
    np.testing.assert_allclose(errors, values.std(ddof=1), rtol=0.3)


def test_the_interval_is_the_normal_one():
    result = kernel_distance(*sets())
    np.testing.assert_allclose(
        result.interval,
        [
            result.value,
            result.value - 1.959964 * result.standard_error,
            result.value + 1.959964 * result.standard_error,
        ],
        rtol=1e-5,
    )


def test_blocks_need_two_samples_each():
    x, y = sets()
    with pytest.raises(ValueError, match="generated set has 17 samples, 9 blocks"):
        block_kernel_distance(x, y, blocks=9)
    with pytest.raises(ValueError, match="blocks >= 2"):
        block_kernel_distance(x, y, blocks=1)
