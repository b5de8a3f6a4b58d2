"""Truncated normal numbers against SciPy's distribution, and against drawing again."""

import doctest

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from jaxgan.objectives import truncation
from jaxgan.objectives.truncation import within


@pytest.mark.parametrize("threshold", [0.04, 0.5, 1.0, 2.0])
def test_quantiles(threshold):
    """Each number keeps its place in the distribution."""
    normal = np.linspace(-4.0, 4.0, 101)
    expected = stats.truncnorm.ppf(stats.norm.cdf(normal), -threshold, threshold)
    got = jax.jit(within, static_argnums=1)(jnp.asarray(normal, jnp.float32), threshold)
    np.testing.assert_allclose(got, expected, rtol=1e-3, atol=1e-6)


def test_it_is_what_drawing_again_gives():
    """20,000 numbers each; at a p of 1e-4 the test fails for one seed of 10,000."""
    rng = np.random.default_rng(0)
    again = rng.normal(size=20_000)
    while (outside := np.abs(again) > 1.5).any():
        again[outside] = rng.normal(size=outside.sum())
    got = np.asarray(within(jax.random.normal(jax.random.key(0), (20_000,)), 1.5))
    assert np.abs(got).max() <= 1.5
    assert stats.ks_2samp(got, again).pvalue > 1e-4
    # A factor, or values that are clipped, would have been seen.
    for wrong in (rng.normal(size=20_000).clip(-1.5, 1.5), again * 0.9):
        assert stats.ks_2samp(wrong, again).pvalue < 1e-4


def test_what_is_far_out_is_finite():
    far = jnp.array([-jnp.inf, -40.0, -6.0, 6.0, 40.0, jnp.inf])
    for threshold in (0.5, 2.0, 8.0):
        got = np.asarray(within(far, threshold))
        assert (np.abs(got) <= threshold).all()
        assert (np.sign(got) == np.sign(far)).all()


def test_the_example():
    assert doctest.testmod(truncation).failed == 0
