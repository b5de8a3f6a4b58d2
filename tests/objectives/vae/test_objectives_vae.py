"""Likelihoods against scipy.stats, divergences against quadrature, in double precision."""

import dataclasses
import doctest
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate, stats
from scipy.special import expit, log_expit

from jaxgan.objectives.vae import bounds, divergences, likelihoods
from jaxgan.objectives.vae.bounds import Beta, elbo, reparameterize
from jaxgan.objectives.vae.divergences import kl_diagonal_gaussians, kl_standard_normal
from jaxgan.objectives.vae.likelihoods import Bernoulli, Gaussian, Likelihood

RNG = np.random.default_rng(0)
OUTPUTS = RNG.normal(0.3, 2.0, (3, 4, 5, 2))
GRAY = RNG.beta(0.4, 0.7, OUTPUTS.shape)
BINARY = (RNG.random(OUTPUTS.shape) < 0.3).astype(np.float64)

MEAN_Q = np.array([[0.4, -1.2, 2.0], [0.0, 0.3, -0.1]])
LOGVAR_Q = np.array([[-1.0, 0.5, -2.5], [0.2, 0.0, 1.1]])
MEAN_P = np.array([[-0.3, 0.6, 1.0], [0.5, 0.3, 0.0]])
LOGVAR_P = np.array([[0.7, -0.4, 0.1], [-1.3, 0.9, 0.0]])


def in_double(function, **arguments):
    with jax.enable_x64(True):
        arrays = {name: jnp.asarray(value) for name, value in arguments.items()}
        return np.asarray(function(**arrays))


def test_bernoulli_of_bits():
    got = in_double(Bernoulli().log_prob, outputs=OUTPUTS, targets=BINARY)
    expected = stats.bernoulli.logpmf(BINARY, expit(OUTPUTS)).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(got, expected, rtol=1e-12)


def test_bernoulli_of_gray():
    got = in_double(Bernoulli().log_prob, outputs=OUTPUTS, targets=GRAY)
    terms = GRAY * log_expit(OUTPUTS) + (1 - GRAY) * log_expit(-OUTPUTS)
    assert got.shape == (3,)
    np.testing.assert_allclose(got, terms.sum(axis=(1, 2, 3)), rtol=1e-12)


@pytest.mark.parametrize(
    ("logit", "target", "log_prob", "slope"),
    # Closed forms: with p within exp(-1e4) of 0 or 1, log p is the logit or 0; slope = t - p.
    [
        (1e4, 1.0, 0.0, 0.0),
        (-1e4, 0.0, 0.0, 0.0),
        (1e4, 0.0, -1e4, -1.0),
        (-1e4, 1.0, -1e4, 1.0),
        (1e4, 0.25, -7.5e3, -0.75),
    ],
)
def test_bernoulli_of_large_logits(logit, target, log_prob, slope):
    targets = jnp.full((1, 1, 1, 1), target)
    value, gradient = jax.value_and_grad(
        lambda x: Bernoulli().log_prob(outputs=x, targets=targets)[0]
    )(jnp.full((1, 1, 1, 1), logit))
    assert float(value) == pytest.approx(log_prob, rel=1e-6, abs=1e-30)
    assert float(gradient[0, 0, 0, 0]) == pytest.approx(slope, abs=1e-6)


def test_bernoulli_keeps_small_numbers():
    """log sigmoid(30) = -9e-14 is what is left of 30 - 30 if softplus is not applied to -30."""
    ones = jnp.ones((1, 1, 1, 1))
    value = float(Bernoulli().log_prob(outputs=30.0 * ones, targets=ones)[0])
    assert value == pytest.approx(float(log_expit(30.0)), rel=1e-5)


@pytest.mark.parametrize("scale", [0.1, 1.0, 2.5])
def test_gaussian(scale):
    got = in_double(Gaussian(scale).log_prob, outputs=OUTPUTS, targets=GRAY)
    expected = stats.norm.logpdf(GRAY, OUTPUTS, scale).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(got, expected, rtol=1e-12)


def test_gaussian_of_large_outputs():
    value, gradient = jax.value_and_grad(
        lambda x: Gaussian().log_prob(outputs=x, targets=jnp.zeros_like(x))[0]
    )(jnp.full((1, 1, 1, 1), 1e4))
    assert float(value) == pytest.approx(-5e7, rel=1e-6)
    assert float(gradient[0, 0, 0, 0]) == pytest.approx(-1e4)


@pytest.mark.parametrize("likelihood", [Bernoulli(), Gaussian(0.5)])
def test_from_uint8(likelihood):
    images = jnp.array([0, 51, 102, 255], jnp.uint8).reshape(1, 2, 2, 1)
    pixels = likelihood.from_uint8(images)
    assert pixels.dtype == jnp.float32
    np.testing.assert_allclose(np.ravel(pixels), [0.0, 0.2, 0.4, 1.0], rtol=1e-6)


def test_means():
    np.testing.assert_allclose(in_double(Bernoulli().mean, outputs=OUTPUTS), expit(OUTPUTS))
    np.testing.assert_array_equal(in_double(Gaussian().mean, outputs=OUTPUTS), OUTPUTS)
    assert np.isfinite(Bernoulli().mean(jnp.full((1, 1, 1, 1), -1e4))).all()


@pytest.mark.parametrize("likelihood", [Bernoulli(), Gaussian(), Gaussian(0.2)])
def test_likelihoods_are_values(likelihood):
    assert isinstance(likelihood, Likelihood)
    assert hash(dataclasses.replace(likelihood)) == hash(likelihood)


@pytest.mark.parametrize("scale", [0.0, -1.0, math.inf, math.nan])
def test_bad_scale(scale):
    with pytest.raises(ValueError, match="scale"):
        Gaussian(scale)


def kl_by_quadrature(mean_q, logvar_q, mean_p, logvar_p):
    """KL of two normal distributions by integrating q log(q/p), from the definition."""
    q, p = stats.norm(mean_q, np.exp(logvar_q / 2)), stats.norm(mean_p, np.exp(logvar_p / 2))
    low, high = mean_q - 12 * q.std(), mean_q + 12 * q.std()
    return integrate.quad(lambda z: q.pdf(z) * (q.logpdf(z) - p.logpdf(z)), low, high)[0]


def test_kl_diagonal_gaussians():
    got = in_double(
        kl_diagonal_gaussians,
        mean_q=MEAN_Q,
        log_variance_q=LOGVAR_Q,
        mean_p=MEAN_P,
        log_variance_p=LOGVAR_P,
    )
    expected = np.vectorize(kl_by_quadrature)(MEAN_Q, LOGVAR_Q, MEAN_P, LOGVAR_P).sum(axis=1)
    np.testing.assert_allclose(got, expected, rtol=1e-9)


def test_kl_standard_normal():
    got = in_double(kl_standard_normal, mean=MEAN_Q, log_variance=LOGVAR_Q)
    zero = np.zeros_like(MEAN_Q)
    expected = np.vectorize(kl_by_quadrature)(MEAN_Q, LOGVAR_Q, zero, zero).sum(axis=1)
    np.testing.assert_allclose(got, expected, rtol=1e-9)
    # Kingma and Welling 2013, appendix B, as printed.
    printed = -0.5 * np.sum(1 + LOGVAR_Q - MEAN_Q**2 - np.exp(LOGVAR_Q), axis=1)
    np.testing.assert_allclose(got, printed, rtol=1e-12)


def test_kl_is_zero_at_the_prior():
    zero = jnp.zeros((2, 3))
    assert kl_standard_normal(mean=zero, log_variance=zero).tolist() == [0.0, 0.0]
    gradients = jax.grad(lambda m, v: kl_standard_normal(mean=m, log_variance=v).sum(), (0, 1))(
        zero, zero
    )
    assert not np.any(gradients)


def test_kl_keeps_small_numbers():
    """KL = v^2 / 4 + v^3 / 12 + ... for small log variances v; exp(v) - 1 would lose it."""
    v = 1e-3
    value = kl_standard_normal(mean=jnp.zeros((1, 1)), log_variance=jnp.full((1, 1), v))
    assert float(value[0]) == pytest.approx(v**2 / 4 + v**3 / 12, rel=1e-3)


def test_elbo():
    got = elbo(log_likelihood=jnp.array([-10.0, -20.0]), kl=jnp.array([2.0, 3.0]), beta=4.0)
    assert got.tolist() == [-18.0, -32.0]
    got = elbo(log_likelihood=jnp.array([-10.0, -20.0]), kl=jnp.array([2.0, 3.0]))
    assert got.tolist() == [-12.0, -23.0]


@pytest.mark.parametrize("offset", [0.0, 0.7])
def test_elbo_is_tight_at_the_posterior(offset):
    """Linear Gaussian model z ~ N(0, 1), x ~ N(z, s^2), for which log p(x) is known.

    The posterior is N(x / (1 + s^2), s^2 / (1 + s^2)), and the bound is loose by the KL from it.
    """
    s, x = 0.6, 1.3
    nodes, weights = np.polynomial.hermite_e.hermegauss(20)
    weights = weights / weights.sum()
    variance = s**2 / (1 + s**2)
    size = nodes.size
    with jax.enable_x64(True):
        mean = jnp.full((size, 1), x / (1 + s**2) + offset)
        log_variance = jnp.full((size, 1), math.log(variance))
        latent = reparameterize(
            mean=mean, log_variance=log_variance, noise=jnp.asarray(nodes)[:, None]
        )
        log_likelihood = Gaussian(s).log_prob(
            outputs=latent[:, :, None, None], targets=jnp.full((size, 1, 1, 1), x)
        )
        kl = kl_standard_normal(mean=mean, log_variance=log_variance)
        bound = np.sum(weights * np.asarray(elbo(log_likelihood=log_likelihood, kl=kl)))
    evidence = stats.norm.logpdf(x, 0.0, math.sqrt(1 + s**2))
    gap = offset**2 / (2 * variance)
    assert bound == pytest.approx(evidence - gap, rel=1e-10)


def test_reparameterize():
    noise = RNG.normal(size=MEAN_Q.shape)
    got = in_double(reparameterize, mean=MEAN_Q, log_variance=LOGVAR_Q, noise=noise)
    np.testing.assert_allclose(got, MEAN_Q + np.sqrt(np.exp(LOGVAR_Q)) * noise, rtol=1e-12)


def test_beta():
    at = jax.jit(Beta(value=4.0, warmup_steps=8).at)
    assert [float(at(jnp.int32(t))) for t in (0, 1, 4, 8, 1000)] == [0.0, 0.5, 2.0, 4.0, 4.0]
    constant = jax.jit(Beta(value=0.5).at)
    assert [float(constant(jnp.int32(t))) for t in (0, 1, 1000)] == [0.5, 0.5, 0.5]


@pytest.mark.parametrize(
    "bad", [{"value": -1.0}, {"value": math.nan}, {"value": math.inf}, {"warmup_steps": -1}]
)
def test_bad_beta(bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        Beta(**bad)


def test_examples():
    results = [doctest.testmod(module) for module in (bounds, divergences, likelihoods)]
    assert all(result.attempted >= 1 and result.failed == 0 for result in results)
