"""The laws of fid and kid with few draws, and the mistakes that the table has to show."""

import functools

import numpy as np
import pytest
from scripts import misses, script

from jaxgan.evaluation.distances.fid import frechet_between

bias = script("fid_kid_bias")


@functools.cache
def reproduced():
    return bias.reproduce(20, size=64, counts=(1000,), kernel_count=200)


def test_all_lines_with_few_draws():
    assert not misses(reproduced())


def test_the_expansions_by_hand():
    # 64/10000 + 64 * 65/40000 = 0.0064 + 0.104.
    assert bias.first_order(64, 10_000) == pytest.approx(0.1104)
    # One dimension, S = chi^2_n / n: 2 - 2 E sqrt(S) = 1/(2n) + 1/(16 n^2) - ...; n = 100.
    exact = 2 - 2 * 0.9975031640  # E of sqrt(chi^2_100 / 100), from gamma functions
    assert bias.second_order(1, 101) - 1 / 101 == pytest.approx(exact, abs=1e-6)


@pytest.mark.parametrize(
    ("wrong", "quantity"),
    [
        # A distance of standard deviations in place of its square.
        (lambda a, b: np.sqrt(frechet_between(a, b)), "exact moments, first order"),
        # No covariances.
        (lambda a, b: frechet_between(a, b) * 64 / (64 + 64 * 65 / 4), "exact moments, first"),
        # A bias that was taken away twice.
        (lambda a, b: frechet_between(a, b) / 2, "against 1,000, first order"),
    ],
)
def test_wrong_distances_are_seen(wrong, quantity):
    found = bias.frechet_rows(6, wrong, (1000,))
    assert any(quantity in row.quantity and not row.within for row in found)


def test_a_diagonal_that_was_left_in_and_a_value_cut_off_at_0_are_seen():
    random = np.random.default_rng(0)
    pairs = [random.standard_normal((2, 200, 64)) for _ in range(40)]
    found = np.array([bias.kernel_distances(x, y) for x, y in pairs])
    for values, agrees in ((found[:, 0], True), (found[:, 1], False), (found.clip(0)[:, 0], False)):
        row = bias.law("kid", 0.0, bias.shelf.mean_and_error(values))
        assert row.within == agrees
