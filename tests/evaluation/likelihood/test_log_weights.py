"""Importance sampling by a model's own log weights, against the linear-Gaussian evidence."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from linear_gaussian import LATENT, evidence, images_of, log_likelihood, lost, proposal
from scipy import stats

from jaxgan.evaluation.likelihood.weights import weighted_log_likelihood


def weights_of(shift=0.0, widen=1.0):
    """The log weight of codes drawn from a proposal, by densities in full."""
    posterior = proposal(shift, widen)

    @jax.jit
    def log_weights(batch, keys):
        mean, log_variance = posterior(batch)
        scale = jnp.exp(0.5 * log_variance)

        def one(key):
            codes = mean + scale * jax.random.normal(key, mean.shape)
            log_prior = jax.scipy.stats.norm.logpdf(codes).sum(-1)
            log_posterior = jax.scipy.stats.norm.logpdf(codes, mean, scale).sum(-1)
            return log_likelihood(batch, codes) + log_prior - log_posterior

        return jax.vmap(one)(keys)

    return log_weights


def estimate(images, log_weights, *, size=None, **kwargs):
    size = size or len(images)
    batches = [{"image": images[i : i + size]} for i in range(0, len(images), size)]
    return weighted_log_likelihood(log_weights, batches, **kwargs)


def test_the_exact_posterior_gives_the_evidence_whatever_the_draws():
    """A lost log K would show; 7 draws in chunks of 3 leave one over."""
    images = images_of(10)
    for samples in (1, 7):
        found = estimate(images, weights_of(), samples=samples, chunk=3, size=4)
        np.testing.assert_allclose(found.log_likelihood, evidence(images), atol=1e-4)
        np.testing.assert_allclose(found.effective_samples, samples, rtol=1e-3)


def test_one_draw_gives_the_elbo_and_many_the_evidence():
    shift, widen = 0.3, 1.6
    images, log_weights = images_of(1000), weights_of(shift, widen)
    exact = evidence(images)
    one, many = (estimate(images, log_weights, samples=k, chunk=64) for k in (1, 1024))
    short = one.log_likelihood - exact
    assert abs(short.mean() + lost(shift, widen)) < 5 * stats.sem(short)
    assert lost(shift, widen) > 10 * stats.sem(short)
    error = many.log_likelihood - exact
    assert -0.02 < error.mean() < 5 * stats.sem(error)
    # E[w^2] / E[w]^2 of N(shift, (widen s)^2) as the proposal for N(0, s^2) is above that of a
    # centred one, which is known.
    assert many.effective_samples.mean() < 1024 / (widen**2 / np.sqrt(2 * widen**2 - 1)) ** LATENT


def test_neither_chunks_nor_padding_change_the_result_and_seeds_do():
    images, log_weights = images_of(6), weights_of(0.3, 1.6)
    whole = estimate(images, log_weights, samples=20, chunk=20)
    parts = estimate(images, log_weights, samples=20, chunk=7)
    np.testing.assert_allclose(parts.log_likelihood, whole.log_likelihood, rtol=1e-6)
    padded = np.concatenate([images, np.full_like(images[:2], 7e3)])
    batch = {"image": padded, "mask": np.float32(np.arange(8) < 6)}
    alone = weighted_log_likelihood(log_weights, [batch], samples=20, chunk=20)
    assert alone.log_likelihood.shape == (6,)
    # Draws of one key depend on the batch's shape here, as they do not in a model.
    assert np.abs(alone.log_likelihood - whole.log_likelihood).max() < 3
    other = estimate(images, log_weights, samples=20, chunk=20, seed=1)
    assert np.abs(other.log_likelihood - whole.log_likelihood).min() > 1e-5
    # Nor do two batches share their draws.
    twice = estimate(np.concatenate([images, images]), log_weights, samples=20, size=6)
    assert np.abs(np.diff(twice.log_likelihood.reshape(2, 6), axis=0)).min() > 1e-5


def test_what_cannot_be_estimated_is_refused():
    images = images_of(5)
    with pytest.raises(ValueError, match="samples = 0"):
        estimate(images, weights_of(), samples=0)
    with pytest.raises(ValueError, match="no images"):
        weighted_log_likelihood(weights_of(), [])
    damaged = images.copy()
    damaged[3] = np.nan
    with pytest.raises(ValueError, match="image 3 is nan"):
        estimate(damaged, weights_of(), samples=2, size=2)
