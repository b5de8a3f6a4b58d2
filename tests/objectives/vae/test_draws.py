"""Draws of likelihoods against SciPy's distributions, and against their own probabilities."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special, stats

from jaxgan.objectives.vae.binarized import DynamicBernoulli
from jaxgan.objectives.vae.categorical import Categorical
from jaxgan.objectives.vae.continuous_bernoulli import ContinuousBernoulli
from jaxgan.objectives.vae.gaussian_scales import LearnedGaussian, PixelGaussian
from jaxgan.objectives.vae.laplace import Laplace
from jaxgan.objectives.vae.likelihoods import Bernoulli, Drawing, Gaussian
from jaxgan.objectives.vae.logistic import DiscretizedLogistic
from jaxgan.objectives.vae.logistic_mixture import LogisticMixture
from jaxgan.objectives.vae.ms_ssim import MsSsim

COUNT = 20_000


def drawn(likelihood, outputs, channels=1):
    """Many draws of one pixel, ``(COUNT, channels)``."""
    many = jnp.tile(jnp.asarray(outputs, jnp.float32), (COUNT, 1)).reshape(COUNT, 1, 1, -1)
    found = np.asarray(jax.jit(likelihood.draw)(many, jax.random.key(3)), np.float64)
    assert found.shape == (COUNT, 1, 1, channels)
    return found.reshape(COUNT, channels)


def softplus(x):
    return np.log1p(np.exp(x))


def truncated(logit):
    """A continuous Bernoulli of a positive logit is an exponential, cut off and turned round."""
    return lambda t: np.expm1(logit * t) / np.expm1(logit)


@pytest.mark.parametrize(
    ("likelihood", "outputs", "cdf"),
    [
        (Gaussian(0.3), [0.7], stats.norm(0.7, 0.3).cdf),
        (Laplace(0.2), [-0.1], stats.laplace(-0.1, 0.2).cdf),
        (LearnedGaussian(), [0.4, -1.0],
         stats.norm(0.4, np.exp(np.log(1 / 255) + softplus(-1 + np.log(255)))).cdf),
        (PixelGaussian(0.5), [0.4, -2.0],
         stats.norm(0.4, np.exp(np.log(0.5) + softplus(-2 - np.log(0.5)))).cdf),
        (ContinuousBernoulli(), [3.0], truncated(3.0)),
        (ContinuousBernoulli(), [-20.0], truncated(-20.0)),
        (ContinuousBernoulli(), [90.0], lambda t: np.exp(90.0 * (t - 1.0))),
        (ContinuousBernoulli(), [0.0], lambda t: t),
    ],
)  # fmt: skip
def test_densities(likelihood, outputs, cdf):
    assert isinstance(likelihood, Drawing)
    assert stats.kstest(drawn(likelihood, outputs)[:, 0], cdf).pvalue > 1e-3


@pytest.mark.parametrize("likelihood", [Bernoulli(), DynamicBernoulli()])
def test_pixels_that_are_on_or_off(likelihood):
    found = drawn(likelihood, [1.2])
    assert set(np.unique(found)) == {0.0, 1.0}
    assert found.mean() == pytest.approx(special.expit(1.2), abs=4 * 0.5 / np.sqrt(COUNT))


@pytest.mark.parametrize(
    ("likelihood", "outputs", "levels"),
    [
        (Categorical(5), [0.0, 1.0, -1.0, 0.5, 2.0], 5),
        (DiscretizedLogistic(), [0.9, -3.0], 256),
        (DiscretizedLogistic(), [-0.2, -20.0], 256),
        (LogisticMixture(2), [0.5, -0.5, -0.8, 0.6, -3.0, -2.0], 256),
    ],
)
def test_levels_are_as_frequent_as_their_probabilities_say(likelihood, outputs, levels):
    """By a chi-squared test, of levels that are expected ten times or more."""
    found = drawn(likelihood, outputs)[:, 0] * (levels - 1)
    np.testing.assert_allclose(found, np.rint(found), atol=1e-3)
    counts = np.bincount(np.rint(found).astype(int), minlength=levels)
    targets = jnp.asarray(np.arange(levels) / (levels - 1), jnp.float32).reshape(-1, 1, 1, 1)
    tiled = jnp.tile(jnp.asarray(outputs, jnp.float32), (levels, 1)).reshape(levels, 1, 1, -1)
    expected = COUNT * np.exp(np.float64(likelihood.log_prob(outputs=tiled, targets=targets)))
    often = expected >= 10
    statistic = ((counts - expected)[often] ** 2 / expected[often]).sum()
    assert stats.chi2(max(1, often.sum() - 1)).sf(statistic) > 1e-3
    assert counts[~often].sum() < 10 + 5 * expected[~often].sum()


def test_channels_of_a_mixture_depend_on_those_before_them():
    """One component: green is at 0.9 tanh-coefficient of red, plus its own noise."""
    likelihood = LogisticMixture(1)
    # Weight; means of red, green, blue; their log scales; green on red, blue on red and on green.
    outputs = [0.0, 0.1, -0.2, 0.0, -3.0, -4.0, -4.0, np.arctanh(0.9), 0.0, np.arctanh(-0.8)]
    red, green, blue = (2 * drawn(likelihood, outputs, channels=3) - 1).T
    assert np.polyfit(red, green, 1) == pytest.approx([0.9, -0.2], abs=0.01)
    assert np.polyfit(green, blue, 1) == pytest.approx([-0.8, 0.0], abs=0.01)


def test_what_is_no_probability_is_not_drawn_from():
    assert not isinstance(MsSsim(), Drawing)
