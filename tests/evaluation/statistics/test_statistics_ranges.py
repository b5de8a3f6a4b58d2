import math

import numpy as np
import pytest
from scipy import special, stats

from jaxgan.evaluation.statistics.intervals import Estimate
from jaxgan.evaluation.statistics.ranges import (
    POSITIVE,
    REAL,
    SHARE,
    Range,
    around,
    over_seeds,
    within,
)


def test_scales_by_hand():
    np.testing.assert_allclose(around(2.0, 5.0), [2.0, -3.0, 7.0])
    np.testing.assert_allclose(around(2.0, 5.0, POSITIVE), [2, 2 * np.exp(-2.5), 2 * np.exp(2.5)])
    # Log odds have the slope 1 / (p (1 - p)).
    ends = special.expit(special.logit(0.9) + np.array([-1, 1]) * 0.2 / 0.09)
    np.testing.assert_allclose(around(0.9, 0.2, SHARE), [0.9, *ends], rtol=1e-12)
    # Another start, another width, the other side.
    one = around(3.0, 5.0, Range(1.0))
    np.testing.assert_allclose(one, np.array(around(2.0, 5.0, POSITIVE)) + 1)
    ten = around(9.0, 2.0, Range(0, 10))
    np.testing.assert_allclose(ten, 10 * np.array([0.9, *ends]))
    turned = around(-2.0, 5.0, Range(high=0.0))
    np.testing.assert_allclose(turned, [-2, -2 * np.exp(2.5), -2 * np.exp(-2.5)])


@pytest.mark.parametrize("inside", [POSITIVE, SHARE])
def test_far_from_the_bounds_the_interval_is_the_symmetric_one(inside):
    np.testing.assert_allclose(around(0.5, 1e-4, inside), [0.5, 0.4999, 0.5001], rtol=1e-7)


@pytest.mark.parametrize("half", [1e-9, 0.3, 4.0, 1e9])
@pytest.mark.parametrize("value", [1e-12, 0.3, 1 - 1e-12])
@pytest.mark.parametrize("inside", [POSITIVE, SHARE, Range(-1.0, 2.0)])
def test_no_interval_leaves_its_range(value, half, inside):
    _, low, high = around(value, half, inside)
    assert inside.low <= low <= value <= high <= inside.high


def test_at_a_bound_the_symmetric_interval_is_cut_off():
    assert around(1.0, 0.25, SHARE) == Estimate(1.0, 0.75, 1.0)
    assert around(0.0, 0.25, POSITIVE) == Estimate(0.0, 0.0, 0.25)
    # A value that the range does not know of is shown as it is.
    assert around(1.5, 0.25, SHARE) == Estimate(1.5, 1.25, 1.75)
    assert np.isnan(around(1.0, math.nan, SHARE)[1:]).all()


def test_what_is_cut_off():
    assert within(Estimate(0.5, -0.25, 1.25), SHARE) == Estimate(0.5, 0.0, 1.0)
    assert within(Estimate(0.5, 0.25, 0.75), SHARE) == Estimate(0.5, 0.25, 0.75)
    assert within(Estimate(-0.5, -1.0, 0.0), SHARE) == Estimate(-0.5, -1.0, 0.0)
    assert np.isnan(within(Estimate(0.5, math.nan, math.nan), SHARE)[1:]).all()


def test_over_seeds_without_bounds_is_students_interval():
    values = [1.0, 2.0, 4.0]
    expected = stats.t.interval(0.95, 2, np.mean(values), stats.sem(values))
    np.testing.assert_allclose(over_seeds(values, REAL), [np.mean(values), *expected], rtol=1e-9)


def test_over_seeds_of_a_distance():
    values = np.array([1.0, 2.0, 9.0])
    assert stats.t.interval(0.95, 2, values.mean(), stats.sem(values))[0] < 0
    half = stats.t.ppf(0.975, 2) * stats.sem(values) / values.mean()
    expected = [4.0, *(4 * np.exp([-half, half]))]
    np.testing.assert_allclose(over_seeds(values.tolist(), POSITIVE), expected, rtol=1e-9)


@pytest.mark.parametrize("values", [[3.0], [3.0, 9.0], [1.0, 1.0, 1.0]])
def test_two_seeds_and_seeds_all_alike_have_no_interval(values):
    found = over_seeds(values, SHARE)
    assert found.value == np.mean(values)
    assert np.isnan(found[1:]).all()


def test_what_is_not_finite_is_refused():
    with pytest.raises(ValueError, match="finite"):
        over_seeds([1.0, math.nan, 2.0])


@pytest.mark.slow
@pytest.mark.parametrize("count", [3, 5])
@pytest.mark.parametrize(
    ("drawn", "inside", "least"),
    [
        # What bounds do not reach is covered as often as it says.
        (stats.norm(10, 1), POSITIVE, 0.935),
        (stats.beta(50, 50), SHARE, 0.935),
        # Spread out towards a bound: skewed, so that Student's interval covers 0.92 to 0.94,
        # 0.88 and 0.83 to 0.84, whether it is cut off or not.
        (stats.gamma(4), POSITIVE, 0.925),
        (stats.gamma(1), POSITIVE, 0.915),
        (stats.beta(9.5, 0.5), SHARE, 0.905),
    ],
)
def test_covers_the_mean_of_the_seeds(drawn, inside, least, count):
    trials = drawn.rvs((2000, count), random_state=count)
    found = [over_seeds(row, inside) for row in trials.tolist()]
    rate = np.mean([one.low <= drawn.mean() <= one.high for one in found])
    assert least < rate < 0.975


def test_covers_the_mean_of_measured_shares():
    trials = stats.binom(297, 0.97).rvs((2000, 3), random_state=1) / 297
    found = [over_seeds(row, SHARE) for row in trials.tolist()]
    # Where all seeds are alike, there is none.
    rate = np.mean([one.low <= 0.97 <= one.high for one in found if one.low == one.low])
    assert 0.93 < rate < 0.98
