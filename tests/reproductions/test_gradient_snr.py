"""The table of signal and noise with few replicates, and the mistakes that it has to show."""

import dataclasses
import math
from typing import ClassVar

import numpy as np
import pytest
from scripts import misses, script

from jaxgan.objectives.vae.importance import DReG, Iwae

snr = script("gradient_snr")


@dataclasses.dataclass(frozen=True)
class Unsquared(Iwae):
    """DReG with normalized weights in place of their squares."""

    path: ClassVar[bool] = True


@dataclasses.dataclass(frozen=True)
class Unstopped(DReG):
    """DReG that differentiates the posterior's density by its parameters as well."""

    path: ClassVar[bool] = False


def test_the_bias_of_the_ratio_is_removed():
    """Of 10,000 gradients of N(0.03, 1) in 400 dimensions; the naive ratio has 0.8 / sqrt(T)."""
    draws = np.random.default_rng(0).normal(0.03, 1.0, (1000, 2000))
    assert snr.signal_to_noise(draws) == pytest.approx(0.03, abs=0.003)
    assert math.isnan(snr.signal_to_noise(np.array([[1.0], [-1.0]])))


def test_exponents_of_numbers_that_are_known():
    """Ratios of 0.5 K^(1/2): slope 1/2, whatever the scale, with an error that covers it."""
    random = np.random.default_rng(1)
    found = {count: 7.0 * random.normal(0.5, count**-0.5, (400, 50)) for count in (4, 16, 64)}
    slope, error = snr.exponent(found)
    assert 0 < error < 0.02
    assert slope == pytest.approx(0.5, abs=4 * error)


def exact_lines(make):
    with snr.jax.enable_x64(True):
        rows = snr.exact_posterior({"DReG": make(5)}, 5)
        means = snr.mean_of_two(Iwae(2)), snr.mean_of_two(make(2))
    return [row.within for row in rows], abs(means[0] - means[1])


def test_exact_lines():
    assert exact_lines(DReG) == ([True, True, True], pytest.approx(0, abs=1e-12))


@pytest.mark.slow
def test_mistakes_are_seen():
    """Weights for their squares are biased; a density with its own gradient is never quiet."""
    within, bias = exact_lines(Unsquared)
    assert within == [True, True, True]
    assert bias > 0.01
    within, _ = exact_lines(Unstopped)
    assert within == [False, True, True]


@pytest.mark.slow
def test_all_lines_with_fewer_replicates():
    found = snr.reproduce(replicates=20, points=512)
    assert [row for row in misses(found) if "IWAE" not in row] == []
