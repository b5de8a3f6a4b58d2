"""Expected best of k of n trials: against all subsets, exact fractions, and closed forms."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest

from jaxgan.evaluation.statistics.budget import budget_curve, expected_best, filled, weights

VALUES = np.array([3.5, -1.0, 2.25, 9.0, 0.5, 2.5])


def test_against_all_subsets():
    expected = [
        np.mean([min(some) for some in itertools.combinations(VALUES, k)]) for k in range(1, 7)
    ]
    np.testing.assert_allclose(expected_best(VALUES), expected, rtol=1e-14)
    # By the largest: negatives, as the docstring says.
    expected = [
        np.mean([max(some) for some in itertools.combinations(VALUES, k)]) for k in range(1, 7)
    ]
    np.testing.assert_allclose(expected_best(VALUES, -VALUES), expected, rtol=1e-14)


def test_chosen_by_one_number_and_reported_by_another():
    keys = np.array([0.3, 0.1, 0.9, 0.2, 0.7, 0.5])
    expected = [
        np.mean([VALUES[min(some, key=lambda i: keys[i])] for some in
                 itertools.combinations(range(6), k)])
        for k in range(1, 7)
    ]  # fmt: skip
    np.testing.assert_allclose(expected_best(VALUES, keys), expected, rtol=1e-14)
    assert expected_best(VALUES, keys)[-1] == VALUES[1]
    both = expected_best(np.stack([VALUES, keys]), np.stack([keys, keys]))
    single = [expected_best(VALUES, keys), expected_best(keys, keys)]
    np.testing.assert_allclose(both, single, rtol=1e-14)


@pytest.mark.parametrize("count", [1, 2, 7, 1100])
def test_weights_are_the_binomials(count):
    """At 1,100 the binomials themselves do not fit into doubles."""
    table = weights(count)
    np.testing.assert_allclose(table.sum(axis=1), 1.0, rtol=1e-12)
    for k in {1, 2, count // 3, count // 2, count} & {*range(1, count + 1)}:
        for i in {1, 2, 3, count // 2, count} & {*range(1, count + 1)}:
            exact = Fraction(math.comb(count - i, k - 1), math.comb(count, k))
            assert table[k - 1, i - 1] == pytest.approx(float(exact), rel=1e-10, abs=1e-300)


def test_of_many_uniform_values():
    """The k-th curve value of 0 ... n - 1 is the mean least of k draws: (n - k) / (k + 1)."""
    count = 1000
    k = np.arange(1, count + 1)
    expected = (count - k) / (k + 1)
    found = expected_best(np.random.default_rng(0).permutation(count).astype(float))
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


def test_failed_trials_count_as_the_worst():
    np.testing.assert_array_equal(filled([1.0, None, math.nan, 2.0], 7.0), [1.0, 7.0, 7.0, 2.0])
    # Of two trials one failed: k = 1 is the mean of both, k = 2 the other.
    np.testing.assert_array_equal(expected_best(filled([1.0, None], 7.0)), [4.0, 1.0])
    infinite = expected_best(np.array([1.0, math.inf, 3.0, math.inf]))
    np.testing.assert_array_equal(infinite, [math.inf, math.inf, 1.5, 1.0])


def test_the_band_is_that_of_the_bootstrap():
    """Of two values 0 and 1 the draws are 00, 01, 10, 11: means 0, 1/2, 1/2, 1."""
    curve = budget_curve(np.array([0.0, 1.0]), draws=4_000, confidence=0.4)
    np.testing.assert_array_equal(curve.mean, [0.5, 0.0])
    np.testing.assert_array_equal([curve.low[0], curve.high[0]], [0.5, 0.5])
    wide = budget_curve(np.array([0.0, 1.0]), draws=4_000, confidence=0.6)
    np.testing.assert_array_equal([wide.low[0], wide.high[0]], [0.0, 1.0])
    values = np.random.default_rng(0).exponential(size=24)
    curve = budget_curve(values, draws=200)
    assert all(np.diff(curve.mean) < 0)
    assert (curve.low <= curve.mean).all()
    assert (curve.mean <= curve.high).all()
    again = budget_curve(values, draws=200, seed=0)
    np.testing.assert_array_equal(curve.low, again.low)
    assert (curve.low != budget_curve(values, draws=200, seed=1).low).any()


def test_coverage_of_the_band():
    """The least of k exponential values is 1 / k in expectation."""
    generator, count, rounds = np.random.default_rng(1), 24, 200
    hits = np.zeros(count)
    truth = 1 / np.arange(1, count + 1)
    for seed in range(rounds):
        curve = budget_curve(generator.exponential(size=count), draws=200, seed=seed)
        hits += (curve.low <= truth) & (truth <= curve.high)
    share = hits / rounds
    # Two standard errors of 95% are 3 points.
    assert (share[:6] > 0.86).all()
    # What the docstring warns of: near n there are only the few best trials to draw.
    assert share[-1] < 0.75


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: expected_best(np.array([])), "best of no trials"),
        (lambda: expected_best(np.array([1.0, math.nan])), "given one: see `filled`"),
        (lambda: expected_best(VALUES, VALUES * math.nan), "given one: see `filled`"),
        (lambda: budget_curve(VALUES, confidence=1.0), "between 0 and 1"),
        (lambda: budget_curve(VALUES, draws=1), "at least 2 draws"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ValueError, match=message):
        call()
