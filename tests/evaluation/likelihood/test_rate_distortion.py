"""Hulls against scipy.spatial, areas by hand."""

import doctest

import numpy as np
import pytest
from scipy import spatial, stats

from jaxgan.evaluation.likelihood import rate_distortion
from jaxgan.evaluation.likelihood.rate_distortion import (
    area_under,
    lower_hull,
    rate_distortion_curve,
)

# (0, 10) to (2, 4) to (6, 2); the model at (3, 6) is beaten by a mixture, the one at (7, 3) by
# another model.
RATES = np.array([2.0, 0.0, 7.0, 3.0, 6.0])
DISTORTIONS = np.array([4.0, 10.0, 3.0, 6.0, 2.0])
BETAS = (1.0, 4.0, 0.25, 2.0, 0.5)


def flat(values, images=3):
    return np.repeat(values[:, None], images, axis=1)


def test_a_curve_by_hand():
    curve = rate_distortion_curve(BETAS, flat(RATES), flat(DISTORTIONS))
    assert curve.hull.tolist() == [[0, 10], [2, 4], [6, 2]]
    assert [point.beta for point in curve.points] == [4.0, 1.0, 2.0, 0.5, 0.25]
    assert [point.on_hull for point in curve.points] == [True, True, False, True, False]
    assert [point.rate.value for point in curve.points] == [0, 2, 3, 6, 7]
    assert [point.distortion.value for point in curve.points] == [10, 4, 6, 2, 3]
    assert (curve.low, curve.high) == (0, 6)
    # Trapezoids: 2 (10 + 4) / 2 + 4 (4 + 2) / 2; images alike leave no doubt.
    np.testing.assert_allclose(curve.area, 26)


def test_areas_over_other_ranges():
    """From 1 (distortion 7) to 4 (distortion 3); beyond the last corner it stays at 2."""
    inside = rate_distortion_curve(BETAS, flat(RATES), flat(DISTORTIONS), low=1.0, high=4.0)
    assert inside.area.value == pytest.approx((7 + 4) / 2 + 2 * (4 + 3) / 2)
    beyond = rate_distortion_curve(BETAS, flat(RATES), flat(DISTORTIONS), high=10.0)
    assert beyond.area.value == pytest.approx(26 + 4 * 2)
    hull = np.array([[0.0, 10.0], [2.0, 4.0]])
    assert area_under(hull, -1.0, 2.0) == pytest.approx(14 + (13 + 10) / 2)


@pytest.mark.parametrize("seed", range(20))
def test_hulls_against_scipy(seed):
    points = np.random.default_rng(seed).exponential(size=(12, 2))
    # Walls far to the right and above leave only the lower left of the convex hull.
    far = np.array([[points[:, 0].min(), 1e3], [1e3, 1e3], [1e3, points[:, 1].min()]])
    expected = set(spatial.ConvexHull(np.concatenate([points, far])).vertices.tolist())
    found = lower_hull(points)
    assert set(found) == expected & set(range(12))
    assert (np.diff(points[found], axis=0) * [1, -1] > 0).all()


def test_ties_and_single_models():
    assert lower_hull(np.array([[1.0, 5.0]])) == [0]
    assert lower_hull(np.array([[1.0, 5.0], [1.0, 4.0]])) == [1]
    assert lower_hull(np.array([[2.0, 4.0], [1.0, 4.0], [1.0, 4.0]])) in ([1], [2])
    assert lower_hull(np.array([[0.0, 2.0], [1.0, 1.0], [2.0, 0.0]])) == [0, 2]
    one = rate_distortion_curve([1.0], flat(np.array([2.0])), flat(np.array([5.0])))
    assert one.area == (0, 0, 0)
    assert one.points[0].on_hull


def test_points_have_students_interval_over_images():
    draws = np.random.default_rng(0)
    rates, distortions = draws.exponential(5, (2, 40)), draws.normal(90, 9, (2, 40))
    curve = rate_distortion_curve([1.0, 2.0], rates, distortions)
    for point in curve.points:
        row = [1.0, 2.0].index(point.beta)
        for estimate, values in ((point.rate, rates[row]), (point.distortion, distortions[row])):
            ends = stats.t.interval(0.95, 39, values.mean(), stats.sem(values))
            np.testing.assert_allclose(estimate, [values.mean(), *ends], rtol=1e-10)


def test_the_interval_of_the_area():
    """Rates 1 and 3 on all images, distortions a shift per image: the area is 2 (mean + 5)."""
    shifts = np.random.default_rng(0).normal(10, 2, 200)
    distortions = np.stack([shifts + 6, shifts + 4])
    rates = np.stack([np.full(200, 1.0), np.full(200, 3.0)])
    curve = rate_distortion_curve([4.0, 1.0], rates, distortions, replicates=1000)
    assert curve.area.value == pytest.approx(2 * (shifts.mean() + 5))
    half = 1.96 * 2 * stats.sem(shifts)
    assert curve.area.high - curve.area.low == pytest.approx(2 * half, rel=0.15)
    assert curve.area.low < curve.area.value < curve.area.high


def test_one_image_has_no_interval():
    curve = rate_distortion_curve(BETAS, flat(RATES, 1), flat(DISTORTIONS, 1))
    assert curve.area.value == 26
    assert np.isnan([curve.area.low, curve.area.high, curve.points[0].rate.low]).all()


def test_what_makes_no_curve_is_refused():
    with pytest.raises(ValueError, match="one row a beta"):
        rate_distortion_curve([1.0], flat(RATES), flat(DISTORTIONS))
    with pytest.raises(ValueError, match="one row a beta"):
        rate_distortion_curve(BETAS, flat(RATES), flat(DISTORTIONS, 4))
    with pytest.raises(ValueError, match="at least one model"):
        rate_distortion_curve([], np.zeros((0, 3)), np.zeros((0, 3)))
    with pytest.raises(ValueError, match="NaN or infinite"):
        rate_distortion_curve([1.0], np.array([[1.0, np.nan]]), np.ones((1, 2)))
    with pytest.raises(ValueError, match="a rate is -1"):
        rate_distortion_curve([1.0], np.array([[1.0, -1.0]]), np.ones((1, 2)))
    with pytest.raises(ValueError, match="must begin at 0"):
        rate_distortion_curve(BETAS, flat(RATES), flat(DISTORTIONS), low=-0.5)
    with pytest.raises(ValueError, match="end after it begins"):
        rate_distortion_curve(BETAS, flat(RATES), flat(DISTORTIONS), high=0.0)


def test_the_examples_in_the_docstrings():
    result = doctest.testmod(rate_distortion)
    assert result.attempted
    assert not result.failed
