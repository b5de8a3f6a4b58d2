"""VAEs whose prior is learned: one step by hand, what is sampled, what is measured."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from linear_gan import close
from linear_vae import (
    CODES,
    IMAGES,
    LATENT_SIZE,
    RATE,
    ROWS,
    SCALE,
    batch_of,
    inputs_and_targets,
    program_of,
    stepped,
    terms,
)
from scipy import special, stats

from jaxgan.measurement import available
from jaxgan.objectives.vae.bounds import Beta
from jaxgan.objectives.vae.mixtures import PLACES, MixtureOfGaussians
from jaxgan.objectives.vae.monte_carlo import MonteCarloElbo
from jaxgan.objectives.vae.vamp_prior import VampPrior

BATCH = batch_of(IMAGES)
BETA = 2.0
COUNT = 3


def log_prior(encoder, pseudo, codes):
    """Of codes, by SciPy, for a linear encoder with one deviation for all images."""
    means = pseudo.reshape(COUNT, -1) @ encoder["a"] + encoder["bias"]
    each = [stats.norm(mean, np.exp(encoder["s"] / 2)).logpdf(codes).sum(1) for mean in means]
    return special.logsumexp(np.stack(each), axis=0) - np.log(COUNT)


def test_a_step_with_a_vamp_prior():
    """The KL that codes estimate, and the pseudo-inputs moved by its slope alone."""
    before, after, metrics, codes = stepped(
        bound=MonteCarloElbo(), code_prior=VampPrior(COUNT, mean=0.1, std=0.2), beta=Beta(BETA)
    )
    encoder, pseudo = before["encoder"], np.float64(before["prior"]["pseudo_inputs"])
    likelihood, _, mean, _ = terms(before, BATCH, codes)
    posterior = stats.norm(mean, np.exp(encoder["s"] / 2)).logpdf(codes).sum(1)
    kl = posterior - log_prior(encoder, pseudo, codes)
    close(
        {name: metrics[name] for name in ("loss/autoencoder", "kl", "elbo")},
        {
            "loss/autoencoder": np.mean(BETA * kl - likelihood),
            "kl": np.mean(kl),
            "elbo": np.mean(likelihood - kl),
        },
    )
    slope = np.zeros_like(pseudo)
    for place in np.ndindex(pseudo.shape):
        step = np.zeros_like(pseudo)
        step[place] = 1e-5
        ends = (log_prior(encoder, pseudo + sign * step, codes).mean() for sign in (1, -1))
        slope[place] = -BETA * np.subtract(*ends) / 2e-5
    assert np.abs(slope).min() > 1e-4
    moved = (np.float64(after["prior"]["pseudo_inputs"]) - pseudo) / -RATE
    np.testing.assert_allclose(moved, slope, rtol=2e-3, atol=2e-4)


@pytest.mark.slow
def test_samples_come_from_the_learned_prior():
    program = program_of(bound=MonteCarloElbo(), code_prior=VampPrior(COUNT, mean=0.1, std=0.2))
    state = program.init(0, BATCH)
    latents = program.prior(jax.random.key(1), 6)
    CODES.clear()
    program.generate(state, latents)
    jax.effects_barrier()
    (codes,) = CODES
    params = jax.device_get(state.ema["autoencoder"]["params"])
    pseudo = params["prior"]["pseudo_inputs"].reshape(COUNT, -1)
    own = np.asarray(latents["place"]) * COUNT // PLACES
    assert len(set(own)) > 1
    encoder = params["encoder"]
    mean = pseudo[own] @ encoder["a"] + encoder["bias"]
    close(codes, mean + np.exp(encoder["s"] / 2) * np.asarray(latents["noise"]))
    # The posterior is Gaussian, and yet no KL from the standard normal means anything here.
    there = available.has(program.algorithm)
    assert {"samples", "codes", "likelihood", "code densities"} <= there
    assert there.isdisjoint({"encoder", "generator"})


def test_every_weight_under_the_exact_posterior_is_the_evidence():
    """With a Gaussian prior that is not the standard one."""
    program = program_of(bound=MonteCarloElbo(), code_prior=MixtureOfGaussians(1))
    state = program.init(0, BATCH)
    decoder = np.array([[1.0, 1.0, 0.0, 0.5], [0.5, -0.5, 2.0, 0.0]])
    bias, centre = np.array([0.1, 0.4, 0.2, 0.3]), np.array([0.5, -0.7])
    variance = np.array([0.6, 1.7])
    left = 1 / (1 / variance + (decoder**2).sum(1) / SCALE**2)
    params = {
        "encoder": {
            "a": 0.5 * decoder.T / SCALE**2 * left,
            "bias": ((0.5 - bias) @ decoder.T / SCALE**2 + centre / variance) * left,
            "s": np.log(left),
        },
        "decoder": {"b": decoder, "bias": bias},
        "prior": {
            "mean": centre[None], "log_variance": np.log(variance)[None], "log_weight": np.ones(1)
        },
    }  # fmt: skip
    params = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float32), params)
    state = state.replace(ema={"autoencoder": {**state.ema["autoencoder"], "params": params}})
    covariance = decoder.T @ np.diag(variance) @ decoder + SCALE**2 * np.eye(4)
    evidence = stats.multivariate_normal(centre @ decoder + bias, covariance).logpdf(
        inputs_and_targets(BATCH)[1]
    )
    keys = jax.random.split(jax.random.key(0), 2)
    found = program.log_weights(state, BATCH, keys)
    assert found.shape == (2, ROWS)
    close(found, np.stack([evidence, evidence]))
    assert params["prior"]["mean"].shape == (1, LATENT_SIZE)
