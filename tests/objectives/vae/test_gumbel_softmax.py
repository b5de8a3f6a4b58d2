"""Categories: draws by their frequencies, relaxations as printed, whole codes where measured."""

import doctest
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special, stats

from jaxgan.objectives import one_hots
from jaxgan.objectives.one_hots import OneHots
from jaxgan.objectives.priors import Prior
from jaxgan.objectives.vae import gumbel_softmax
from jaxgan.objectives.vae.code_priors import CodePrior, StandardNormal
from jaxgan.objectives.vae.gumbel_softmax import (
    GumbelSoftmax,
    StraightThroughGumbel,
    UniformCategorical,
)
from jaxgan.objectives.vae.posteriors import Encoded, Posterior

DRAWS = np.random.default_rng(0)
KEY = jax.random.key(4)
LOGITS = DRAWS.normal(0, 1.5, (5, 2, 3)).astype(np.float32)
NOISE = DRAWS.gumbel(size=(5, 2, 3)).astype(np.float32)
STEP = jnp.asarray(300, jnp.int32)


def encoded_of(logits):
    flat = jnp.asarray(logits).reshape(len(logits), -1)
    return Encoded(flat, jnp.full_like(flat, jnp.nan))


def drawn(posterior, step):
    noise = jnp.asarray(NOISE).reshape(5, -1)
    found = posterior.draw({}, encoded_of(LOGITS), noise, step)
    return np.asarray(found.codes).reshape(LOGITS.shape), found.log_prob


def whole_of(scores):
    return np.eye(scores.shape[-1])[scores.argmax(-1)]


def test_relaxed_codes_as_printed():
    """Jang et al. 2017, eq. 2, at the temperature of the step."""
    posterior = GumbelSoftmax(3, temperature=2.0, least=0.1, annealing=1e-3)
    codes, log_prob = drawn(posterior, STEP)
    temperature = 2.0 * math.exp(-0.3)
    np.testing.assert_allclose(codes, special.softmax((LOGITS + NOISE) / temperature, -1), 1e-5)
    assert log_prob is None


def test_the_temperature_falls_and_stays():
    posterior = GumbelSoftmax(annealing=1e-4)
    found = [float(posterior.temperature_at(step)) for step in (0, 1000, 6000, 7000, 10**6)]
    np.testing.assert_allclose(found, [1, math.exp(-0.1), math.exp(-0.6), 0.5, 0.5], rtol=1e-6)


def test_straight_through_is_whole_with_the_slope_of_the_other():
    draws = np.random.default_rng(1)
    relaxed, through = GumbelSoftmax(3), StraightThroughGumbel(3)
    codes, log_prob = drawn(through, STEP)
    np.testing.assert_array_equal(codes, whole_of(LOGITS + NOISE))
    expected = (special.log_softmax(LOGITS, -1) * whole_of(LOGITS + NOISE)).sum((1, 2))
    np.testing.assert_allclose(log_prob, expected, rtol=1e-5)
    weights, noise = jnp.asarray(draws.normal(size=(5, 6))), jnp.asarray(NOISE).reshape(5, -1)

    def total(posterior):
        return jax.grad(
            lambda logits: jnp.sum(
                weights * posterior.draw({}, Encoded(logits, logits), noise, STEP).codes
            )
        )(encoded_of(LOGITS).mean)

    np.testing.assert_array_equal(total(through), total(relaxed))
    assert np.abs(total(relaxed)).min() > 0


@pytest.mark.parametrize("kind", [GumbelSoftmax, StraightThroughGumbel])
def test_codes_are_whole_outside_of_training(kind):
    codes, log_prob = drawn(kind(3), None)
    np.testing.assert_array_equal(codes, whole_of(LOGITS + NOISE))
    expected = (special.log_softmax(LOGITS, -1) * codes).sum((1, 2))
    np.testing.assert_allclose(log_prob, expected, rtol=1e-5)


def test_whole_codes_have_the_probabilities_of_the_logits():
    posterior, count = GumbelSoftmax(3), 4000
    noise = jax.vmap(lambda key: posterior.noise(key, 6))(jax.random.split(KEY, count))
    rows = Encoded(*(jnp.tile(vector[:1], (count, 1)) for vector in encoded_of(LOGITS)))
    codes = np.asarray(posterior.draw({}, rows, noise, None).codes).reshape(count, 2, 3)
    for group in range(2):
        expected = count * special.softmax(LOGITS[0, group])
        assert stats.chisquare(codes[:, group].sum(0), expected).pvalue > 1e-3
    both = codes[:, 0].T @ codes[:, 1]
    assert stats.chi2_contingency(both).pvalue > 1e-3


def test_kl_by_group():
    """Against `scipy.stats.entropy`; 0 for equal logits, log 3 where one is certain."""
    posterior, prior = GumbelSoftmax(3), UniformCategorical(3)
    found = posterior.kl({}, encoded_of(LOGITS), prior)
    expected = stats.entropy(special.softmax(LOGITS, -1), np.full_like(LOGITS, 1 / 3), axis=-1)
    np.testing.assert_allclose(found, expected, rtol=2e-5, atol=1e-7)
    extremes = np.array([[[5.0, 5, 5], [1e4, 0, -1e4]]], np.float32)
    kl, slopes = jax.value_and_grad(
        lambda logits: jnp.sum(posterior.kl({}, Encoded(logits, logits), prior))
    )(encoded_of(extremes).mean)
    assert float(kl) == pytest.approx(math.log(3), rel=1e-6)
    assert np.isfinite(slopes).all()


def test_the_middle_is_the_most_likely_category():
    center = GumbelSoftmax(3).center({}, encoded_of(LOGITS))
    np.testing.assert_array_equal(np.reshape(center, LOGITS.shape), whole_of(LOGITS))


def test_the_prior():
    prior = UniformCategorical(3)
    np.testing.assert_allclose(
        prior.log_prob({}, jnp.zeros((2, 6)), None), [-2 * math.log(3)] * 2, rtol=1e-6
    )
    latents = prior.latents(6)
    assert latents == OneHots(2, 3)
    assert isinstance(latents, Prior)
    draws = jax.vmap(lambda key: latents.draw(key, 0))(jax.random.split(KEY, 3000))
    codes = np.asarray(draws).reshape(-1, 2, 3)
    np.testing.assert_array_equal(np.sort(codes, -1), np.broadcast_to([0.0, 0, 1], codes.shape))
    assert stats.chisquare((codes[:, 0].T @ codes[:, 1]).ravel()).pvalue > 1e-3


def test_paths_go_over_whole_codes():
    """Group by group."""
    prior = OneHots(2, 2)
    a, b = jnp.asarray([[1.0, 0, 1, 0]] * 3), jnp.asarray([[0.0, 1, 0, 1]] * 3)
    path = prior.between(a, b, jnp.asarray([0.0, 0.5, 1.0]))
    assert path.tolist() == [[1, 0, 1, 0], [0, 1, 1, 0], [0, 1, 0, 1]]
    assert prior.project(jnp.asarray([[0.2, 0.7, -3.0, -4.0]])).tolist() == [[0, 1, 1, 0]]
    assert not prior.truncates
    with pytest.raises(ValueError, match="no tails"):
        prior.truncate(a, 0.5)


@pytest.mark.parametrize(
    ("part", "changes", "line"),
    [
        (GumbelSoftmax, {"categories": 1}, "categories = 1: there must be at least 2"),
        (GumbelSoftmax, {"temperature": 0.0}, "temperature = 0"),
        (GumbelSoftmax, {"least": math.inf}, "least = inf"),
        (GumbelSoftmax, {"annealing": -1.0}, "annealing = -1"),
        (UniformCategorical, {"categories": 0}, "categories = 0"),
        (OneHots, {"categories": 1}, "categories = 1"),
        (OneHots, {"groups": 0}, "groups = 0"),
    ],
)
def test_bad_settings_of_categories(part, changes, line):
    with pytest.raises(ValueError, match=line):
        part(**changes)


def test_are_parts():
    assert isinstance(GumbelSoftmax(), Posterior)
    assert isinstance(UniformCategorical(), CodePrior)
    assert GumbelSoftmax(3).has_kl(UniformCategorical(3))
    assert not GumbelSoftmax(3).has_kl(StandardNormal())
    assert (GumbelSoftmax.dense, StraightThroughGumbel.dense) == (False, True)


@pytest.mark.parametrize("module", [gumbel_softmax, one_hots])
def test_examples_of_categories(module):
    result = doctest.testmod(module)
    assert result.attempted
    assert not result.failed
