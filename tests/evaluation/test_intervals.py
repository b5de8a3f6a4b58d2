import math

import numpy as np
import pytest
from scipy import stats

from jaxgan.evaluation.intervals import mean_interval, paired_interval


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
