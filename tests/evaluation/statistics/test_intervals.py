import math
from functools import partial

import numpy as np
import pytest
from scipy import stats

from jaxgan.evaluation.statistics.intervals import (
    Estimate,
    bootstrap,
    bootstrap_each,
    mean_interval,
    normal_estimate,
    paired_interval,
)


@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.99])
@pytest.mark.parametrize("count", [2, 3, 5, 40])
def test_against_scipy(count, confidence):
    values = np.random.default_rng(count).normal(3.0, 2.0, count).tolist()
    interval = mean_interval(values, confidence)
    low, high = stats.t.interval(
        confidence, df=count - 1, loc=np.mean(values), scale=stats.sem(values)
    )
    np.testing.assert_allclose([interval.low, interval.high], [low, high], rtol=1e-9)
    np.testing.assert_allclose(interval.mean, np.mean(values), rtol=1e-12)
    np.testing.assert_allclose(interval.half_width, (high - low) / 2, rtol=1e-9)
    assert interval.count == count


def test_three_seeds_by_the_table():
    # t(0.975, 2) = 4.303 in any table; s = 1.
    interval = mean_interval([1.0, 2.0, 3.0])
    np.testing.assert_allclose(interval.half_width, 4.303 / math.sqrt(3), rtol=1e-4)


def test_one_seed_has_a_mean_and_no_interval():
    interval = mean_interval([7.0])
    assert interval.mean == 7.0
    assert interval.count == 1
    assert math.isnan(interval.low)
    assert math.isnan(interval.high)
    assert math.isnan(interval.half_width)


def test_covers_at_the_stated_rate():
    generator = np.random.default_rng(0)
    intervals = [mean_interval(row) for row in generator.normal(5.0, 3.0, (2000, 4)).tolist()]
    rate = np.mean([interval.low < 5.0 < interval.high for interval in intervals])
    # Four standard errors of a share of 0.95 out of 2000 are 0.02; a normal quantile gives 0.85.
    assert abs(rate - 0.95) < 0.02


def test_pairs_cancel_what_they_share():
    shared = np.array([0.0, 50.0, -20.0, 7.0])
    a, b = shared + np.array([3.0, 3.1, 2.9, 3.2]), shared + 1.0
    paired = paired_interval(a.tolist(), b.tolist())
    result = stats.ttest_rel(a, b).confidence_interval(0.95)
    np.testing.assert_allclose([paired.low, paired.high], result, rtol=1e-9)
    np.testing.assert_allclose(paired.mean, 2.05, rtol=1e-12)
    assert paired.low > 0
    assert paired_interval(b.tolist(), a.tolist()).high < 0


def test_failures_are_not_averaged_away():
    with pytest.raises(ValueError, match="finite"):
        mean_interval([1.0, math.nan, 2.0])
    with pytest.raises(ValueError, match="no values"):
        mean_interval([])
    with pytest.raises(ValueError, match="between 0 and 1, got 95"):
        mean_interval([1.0, 2.0], 95.0)
    with pytest.raises(ValueError, match="equally many values, got 2 and 3"):
        paired_interval([1.0, 2.0], [1.0, 2.0, 3.0])


def squared_norm_of_mean(rows):
    """Biased like a Frechet distance: E|mean|^2 = |mu|^2 + trace(cov)/n; resampling adds as much
    again."""
    return float(np.square(rows.mean(axis=0)).sum())


@pytest.mark.slow
@pytest.mark.parametrize("replace", [True, False])
def test_a_biased_statistic_is_covered_at_the_stated_rate(replace):
    dimension, count, sets = 20, 50, 150
    draws = np.random.default_rng(0).normal(size=(sets, count, dimension))
    draws[:, :, 0] += 1.0
    plain = [bootstrap(squared_norm_of_mean, x, replicates=100, replace=replace) for x in draws]
    at_this_size = 1.0 + dimension / count
    rate = np.mean([low <= at_this_size <= high for _, low, high in plain])
    # Four standard errors of a share of 0.95 out of 150 are 0.07.
    assert abs(rate - 0.95) < 0.07
    corrected = [
        bootstrap(squared_norm_of_mean, x, replicates=100, replace=replace, corrected=True)
        for x in draws
    ]
    rate = np.mean([low <= 1.0 <= high for _, low, high in corrected])
    assert abs(rate - 0.95) < 0.07
    # Half of the samples have twice the bias, so that they show the bias of all of them, too.
    assert abs(np.mean([estimate.value for estimate in plain]) - 1.4) < 0.1
    assert abs(np.mean([estimate.value for estimate in corrected]) - 1.0) < 0.1


def test_percentiles_would_not_cover_a_biased_statistic():
    # Why they are not what is returned: resampling adds the bias a second time.
    draws = np.random.default_rng(0).normal(size=(40, 50, 100))
    generator = np.random.default_rng(1)
    for x in draws:
        chosen = generator.integers(50, size=(100, 50))
        assert np.quantile([squared_norm_of_mean(x[i]) for i in chosen], 0.025) > 2.0
    # While its expectation is 100/50 = 2, which the returned interval covers.
    covered = [
        low <= 2.0 <= high for _, low, high in map(partial(bootstrap, squared_norm_of_mean), draws)
    ]
    assert np.mean(covered) > 0.85


@pytest.mark.parametrize("replace", [True, False])
def test_width_is_that_of_the_normal_interval_for_a_mean(replace):
    x, y = np.random.default_rng(0).normal(size=(2, 400))
    value, low, high = bootstrap(
        lambda a, b: a.mean() - b.mean(), x, y, replicates=4000, replace=replace
    )
    np.testing.assert_allclose(value, x.mean() - y.mean(), rtol=1e-12)
    half = 1.96 * math.hypot(x.std() / 20, y.std() / 20)
    np.testing.assert_allclose([value - low, high - value], [half, half], rtol=0.08)


def test_a_skewed_statistic_is_turned_round():
    # Replicates reach far up, so the truth may lie far below: the basic interval's reflection.
    x = np.random.default_rng(3).exponential(size=30)
    value, low, high = bootstrap(lambda a: a.mean() ** 4, x, replicates=1000)
    assert value - low > 1.3 * (high - value)


def test_reproducible_from_the_seed():
    x = np.random.default_rng(0).normal(size=(30, 2))
    first = bootstrap(squared_norm_of_mean, x, seed=5)
    assert first == bootstrap(squared_norm_of_mean, x, seed=5)
    assert first != bootstrap(squared_norm_of_mean, x, seed=6)
    both = bootstrap_each(
        lambda a: {"norm": squared_norm_of_mean(a), "least": float(a.min())}, x, seed=5
    )
    assert both["norm"] == first
    assert both["least"] == bootstrap(lambda a: float(a.min()), x, seed=5)


def test_confidence_widens():
    x = np.random.default_rng(0).normal(size=(30, 2))
    narrow, wide = (bootstrap(squared_norm_of_mean, x, confidence=c) for c in (0.5, 0.99))
    assert wide.low < narrow.low < narrow.value < narrow.high < wide.high


def test_no_interval_where_it_is_undefined():
    one = bootstrap(lambda a: float(a.sum()), np.array([3.0]))
    assert one.value == 3.0
    assert math.isnan(one.low)
    assert math.isnan(one.high)
    undefined = bootstrap(lambda a: math.nan, np.arange(5))
    assert all(map(math.isnan, undefined))
    # Replicates that all agree leave an interval without width, not one turned inside out.
    assert bootstrap(lambda a: 0.1, np.arange(5)) == Estimate(0.1, 0.1, 0.1)


def test_normal_estimate_by_the_table():
    np.testing.assert_allclose(normal_estimate(2.0, 0.5), [2.0, 1.02, 2.98], atol=1e-4)
    np.testing.assert_allclose(normal_estimate(2.0, 0.5, 0.9), [2.0, 1.1776, 2.8224], atol=1e-4)


def test_bootstrap_refuses_what_it_cannot_do():
    with pytest.raises(ValueError, match=r"the sets have \[3, 0\] rows"):
        bootstrap(lambda a, b: 0.0, np.ones(3), np.ones(0))
    with pytest.raises(ValueError, match=r"the sets have \[\] rows"):
        bootstrap(lambda: 0.0)
    with pytest.raises(ValueError, match="at least 2 replicates, got 1"):
        bootstrap(lambda a: 0.0, np.ones(3), replicates=1)
    with pytest.raises(ValueError, match="between 0 and 1, got 95"):
        bootstrap(lambda a: 0.0, np.ones(3), confidence=95.0)
    with pytest.raises(ValueError, match="between 0 and 1, got 95"):
        normal_estimate(1.0, 1.0, confidence=95.0)
