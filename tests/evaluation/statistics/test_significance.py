import math

import numpy as np
import pytest
from scipy import stats

from jaxgan.evaluation.statistics.intervals import paired_interval
from jaxgan.evaluation.statistics.significance import against_best, holm, paired_p_value


def test_the_paired_test_is_students():
    rng = np.random.default_rng(0)
    for count in (2, 3, 5, 12):
        a, b = rng.normal(1.0, 0.5, count), rng.normal(0.0, 0.5, count)
        expected = stats.ttest_rel(a, b).pvalue
        assert paired_p_value(a.tolist(), b.tolist()) == pytest.approx(expected, rel=1e-10)
        assert paired_p_value(b.tolist(), a.tolist()) == pytest.approx(expected, rel=1e-10)


def test_the_test_and_the_interval_are_two_sides_of_one_thing():
    # The interval just touches 0 at the confidence 1 - p.
    a, b = [1.0, 2.5, 3.0, 2.0], [0.5, 1.0, 3.5, 0.0]
    p = paired_p_value(a, b)
    assert paired_interval(a, b, 1 - p).low == pytest.approx(0.0, abs=1e-9)
    assert paired_interval(a, b, 1 - 1.1 * p).low > 0 > paired_interval(a, b, 1 - 0.9 * p).low


def test_what_seeds_share_cancels():
    # Differences 1.0, 1.1, 0.9: t^2 = (1 / (0.1 / sqrt 3))^2 = 300, and with 2 degrees of freedom
    # the two-sided p-value is 1 - sqrt(t^2 / (t^2 + 2)).
    a, b = [11.0, 21.1, 30.9], [10.0, 20.0, 30.0]
    assert paired_p_value(a, b) == pytest.approx(1 - math.sqrt(300 / 302), rel=1e-9)
    assert stats.ttest_ind(a, b).pvalue > 0.8


def test_differences_without_spread():
    assert paired_p_value([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]) == 1.0
    assert paired_p_value([8.0, 8.0, 8.0], [7.0, 7.0, 7.0]) == 0.0


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        ([1.0], [2.0], "two or more pairs, got 1 and 1"),
        ([1.0, 2.0, 3.0], [1.0, 2.0], "got 3 and 2 values"),
        ([1.0, math.nan], [1.0, 2.0], "finite values"),
    ],
)
def test_what_cannot_be_tested_is_refused(a, b, message):
    with pytest.raises(ValueError, match=message):
        paired_p_value(a, b)


def test_holm_by_hand():
    # Sorted 0.005, 0.01, 0.03, 0.04 times 4, 3, 2, 1 is 0.02, 0.03, 0.06, 0.04; the last may not
    # fall below the one before it.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    # Bonferroni would give 0.04, 0.16, 0.12, 0.02: less power.
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([0.2]) == [0.2]
    assert holm([]) == []


def test_holm_rejects_what_its_step_down_procedure_rejects():
    rng = np.random.default_rng(1)
    for _ in range(200):
        p = rng.uniform(0, 0.1, 6)
        rejected = set()
        for place, index in enumerate(np.argsort(p)):
            if p[index] >= 0.05 / (6 - place):
                break
            rejected.add(int(index))
        assert {i for i, q in enumerate(holm(p.tolist())) if q < 0.05} == rejected


def test_methods_against_the_best():
    best = [1.0, 2.0, 3.0, 4.0]
    near, far = [1.1, 1.8, 3.2, 4.1], [2.0, 3.1, 3.9, 5.0]
    found = against_best(best, {"near": near, "far": far, "lonely": [9.0, 9.5, None, None]})
    near_p, far_p = (stats.ttest_rel(values, best).pvalue for values in (near, far))
    # The third shares two seeds only, and does not count: far is multiplied by 2, not by 3.
    assert found == {
        "near": pytest.approx(near_p, rel=1e-9),
        "far": pytest.approx(2 * far_p, rel=1e-9),
    }
    assert far_p < near_p


def test_seeds_are_paired_where_both_have_a_value():
    found = against_best([None, 1.0, 2.0, 3.0, 4.0], {"other": [50.0, 1.5, None, 3.7, 4.9]})
    expected = stats.ttest_rel([1.5, 3.7, 4.9], [1.0, 3.0, 4.0]).pvalue
    assert found == {"other": pytest.approx(expected, rel=1e-9)}
    assert against_best([1.0, 2.0], {"other": [3.0, 4.0]}) == {}
