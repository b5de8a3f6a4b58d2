"""MS-SSIM as a reconstruction: against SciPy, the metric of samples, and differences of values."""

import doctest

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import ndimage
from scipy.special import expit, logit

from jaxgan.evaluation.distances.ms_ssim import ms_ssim
from jaxgan.evaluation.likelihood.summaries import bits_per_dim
from jaxgan.evaluation.statistics.intervals import Estimate
from jaxgan.objectives.vae import ms_ssim as objective
from jaxgan.objectives.vae.likelihoods import Likelihood
from jaxgan.objectives.vae.ms_ssim import FLOOR, MsSsim

DRAWS = np.random.default_rng(0)


def pairs(size, channels=1, count=3, noise=0.3):
    """Smooth images, and the same with more and more noise."""
    a = ndimage.gaussian_filter(DRAWS.random((count, size, size, channels)), (0, 2, 2, 0))
    a = (a - a.min()) / (a.max() - a.min())
    scale = noise * (1 + np.arange(count)).reshape(-1, 1, 1, 1) / count
    b = np.clip(a + scale * DRAWS.normal(size=a.shape), 0.02, 0.98)
    return a.astype(np.float32), b.astype(np.float32)


def by_scipy(a, b, window=11, sides=1.5 / 11):
    """Wang et al. 2003, eq. 7, from the definition, with SciPy's filters in double precision."""
    betas = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333]
    scales = 1
    while scales < 5 and min(a.shape) // 2**scales >= window:
        scales += 1
    window = min(window, *a.shape)
    places = np.arange(window) - (window - 1) / 2
    kernel = np.exp(-(places**2) / (2 * (sides * window) ** 2))
    kernel /= kernel.sum()

    def mean(z):
        for axis in (0, 1):
            z = np.apply_along_axis(np.convolve, axis, z, kernel, "valid")
        return z

    a, b = a.astype(np.float64), b.astype(np.float64)
    value = 1.0
    for scale in range(scales):
        ma, mb = mean(a), mean(b)
        va, vb, cov = mean(a * a) - ma**2, mean(b * b) - mb**2, mean(a * b) - ma * mb
        cs = (2 * cov + 0.03**2) / (va + vb + 0.03**2)
        luminance = (2 * ma * mb + 0.01**2) / (ma**2 + mb**2 + 0.01**2)
        term = (cs * luminance if scale == scales - 1 else cs).mean()
        assert term > FLOOR
        value *= term ** (betas[scale] / sum(betas[:scales]))
        # Two by two means, by SciPy's own filter.
        a, b = (
            ndimage.uniform_filter(z, 2, origin=-1)[: len(z) // 2 * 2 : 2, : len(z) // 2 * 2 : 2]
            for z in (a, b)
        )
    return value


@pytest.mark.parametrize(("size", "window", "scales"), [(45, 11, 3), (8, 11, 1), (13, 3, 3)])
def test_similarity_against_scipy(size, window, scales):
    """Three scales of odd sizes, one in a window of the image's size, and small windows."""
    one = MsSsim(window=window)
    assert len(one.scales(size, size).exponents) == scales
    assert sum(one.scales(size, size).exponents) == pytest.approx(1.0)
    a, b = pairs(size)
    expected = [by_scipy(x[..., 0], y[..., 0], window) for x, y in zip(a, b, strict=True)]
    found = jax.jit(one.similarity)(a, b)
    np.testing.assert_allclose(found, expected, rtol=2e-5)
    assert max(expected) - min(expected) > 0.02


def test_it_is_the_metric_of_samples():
    """The same value, with channels averaged, wherever no term is near 0."""
    a, b = pairs(24, channels=3)
    found = jax.jit(MsSsim().similarity)(a, b)
    np.testing.assert_allclose(found, ms_ssim(a, b, value_range=1.0), rtol=1e-5)


def test_log_prob_is_the_weighted_distance_of_what_was_decoded():
    a, b = pairs(8, noise=0.1)
    one = MsSsim(weight=30.0)
    assert isinstance(one, Likelihood)
    assert (one.decoded(3), one.learned(3)) == (3, ())
    outputs = jnp.asarray(logit(b.astype(np.float64)), jnp.float32)
    expected = [-30 * (1 - by_scipy(x[..., 0], y[..., 0])) for x, y in zip(a, b, strict=True)]
    log_prob = jax.jit(one.log_prob)
    found = log_prob(outputs=outputs, targets=a)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(one.mean(outputs), expit(outputs), rtol=1e-6)
    same = log_prob(outputs=outputs, targets=one.mean(outputs))
    np.testing.assert_allclose(same, 0.0, atol=1e-4)


def test_the_slope_is_that_of_the_values():
    """Along a direction, by central differences; where a term is below the floor too."""
    one = MsSsim(window=5)
    a, b = pairs(10, count=2)
    # The second image is compared with one that has little to do with it.
    outputs = np.stack([logit(b[0]), 0.3 * DRAWS.normal(size=b[1].shape)]).astype(np.float64)
    with jax.enable_x64(True):
        targets, direction = jnp.asarray(a, jnp.float64), DRAWS.normal(size=outputs.shape)

        def value(step):
            moved = jnp.asarray(outputs + step * direction)
            return one.log_prob(outputs=moved, targets=targets)

        value = jax.jit(value)
        assert float(value(0.0)[1]) < -one.weight * (1 - FLOOR) < float(value(0.0)[0])
        slopes = jax.jvp(value, (0.0,), (1.0,))[1]
        expected = (value(1e-5) - value(-1e-5)) / 2e-5
    np.testing.assert_allclose(slopes, expected, rtol=1e-5)
    assert np.abs(slopes).min() > 0.01


def test_finite_at_what_is_all_wrong_or_exactly_right():
    black, white = jnp.zeros((1, 8, 8, 1)), jnp.ones((1, 8, 8, 1))
    checks = (jnp.indices((8, 8)).sum(0) % 2).reshape(1, 8, 8, 1).astype(jnp.float32)
    told = jax.jit(
        jax.value_and_grad(lambda o, t: jnp.sum(MsSsim().log_prob(outputs=o, targets=t)))
    )
    for targets in (black, white, checks):
        for outputs in (1e4 * (2 * checks - 1), 1e4 * (1 - 2 * checks), 1e4 * white, 0.0 * white):
            value, slope = told(outputs, targets)
            assert np.isfinite(value)
            assert np.isfinite(slope).all()
            assert value <= 1e-3


def test_it_is_no_likelihood():
    images = np.zeros((1, 8, 8, 1), np.uint8)
    measure = MsSsim().measure(images)
    assert measure == "similarity"
    with pytest.raises(ValueError, match="no probability"):
        bits_per_dim(Estimate(-1.0, -2.0, 0.0), dimensions=64, measure=measure)


@pytest.mark.parametrize("bad", [{"weight": 0.0}, {"weight": float("inf")}, {"window": 1}])
def test_bad_settings(bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        MsSsim(**bad)


def test_examples():
    found = doctest.testmod(objective)
    assert (found.attempted, found.failed) == (2, 0)
