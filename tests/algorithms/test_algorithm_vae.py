"""VAE steps against closed forms: linear networks, Gaussian pixels, in double precision."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from linear_gan import as_numbers, close, sample
from linear_vae import (
    BETA,
    CODES,
    DECAY,
    IMAGES,
    LATENT_SIZE,
    POINTS,
    RATE,
    ROWS,
    SCALE,
    batch_of,
    by_hand,
    experiment_of,
    inputs_and_targets,
    program_of,
    recorded_step,
    terms,
)
from scipy import stats

from jaxgan.algorithms.base import build
from jaxgan.config import ConfigError
from jaxgan.objectives.vae.bounds import Beta
from jaxgan.objectives.vae.likelihoods import Bernoulli, Gaussian


@pytest.mark.parametrize(
    "data", [IMAGES, pytest.param(POINTS, marks=pytest.mark.slow)], ids=["images", "points"]
)
@pytest.mark.parametrize(
    ("beta", "weights"), [(Beta(BETA), [3, 3, 3]), (Beta(BETA, warmup_steps=2), [0, 1.5, 3])]
)
def test_three_steps_by_hand(data, beta, weights):
    """Gradients of both terms, the weight of the KL with its warm-up, EMA and metrics."""
    program, batch = program_of(data, beta=beta), batch_of(data)
    state, noises = program.init(1, batch), []
    for step, weight in enumerate(weights):
        before = as_numbers(
            jax.device_get(
                (state.players["autoencoder"].params, state.ema["autoencoder"]["params"])
            )
        )
        state, metrics, codes = recorded_step(program, state, batch, seed=7)
        likelihood, kl, *_ = terms(before[0], batch, codes)
        expected = {
            "loss/autoencoder": np.mean(weight * kl - likelihood),
            "elbo": np.mean(likelihood - kl),
            "reconstruction": np.mean(likelihood),
            "kl": np.mean(kl),
        }
        params, noise = by_hand(before[0], batch, codes, weight)
        slopes = jax.tree.map(lambda old, new: (old - new) / RATE, before[0], params)
        expected["autoencoder_grad_norm"] = np.sqrt(
            sum(np.sum(slope**2) for slope in jax.tree.leaves(slopes))
        )
        assert metrics.keys() == expected.keys()
        close(metrics, expected)
        noises.append(noise)
        close(state.players["autoencoder"].params, params)
        average = jax.tree.map(lambda a, b: DECAY * a + (1 - DECAY) * b, before[1], params)
        close(state.ema["autoencoder"]["params"], average)
        assert (
            float(state.players["autoencoder"].model_state["batch_stats"]["encoder"]["calls"])
            == step + 1
        )
        assert int(state.step) == step + 1
    # Every example, entry and step has a draw of its own.
    assert len(np.unique(np.round(noises, 6))) == len(weights) * ROWS * LATENT_SIZE


def test_noise_follows_from_seed_and_step():
    """Same seed and step, same draws; another seed, other draws."""
    program, batch = program_of(), batch_of(IMAGES)

    def codes(seed):
        return recorded_step(program, program.init(0, batch), batch, seed)[2]

    np.testing.assert_array_equal(codes(5), codes(5))
    assert np.abs(codes(5) - codes(6)).min() > 1e-6


def test_an_initial_state_holds_no_buffer_twice():
    """Made without compilation, it can still be handed over to a step that reuses its memory."""
    program, batch = program_of(), batch_of(IMAGES)
    state = program.algorithm.init(jax.random.key(0), batch)
    program.phases[0].streaming_step(state, batch, np.uint32(0))
    assert all(leaf.is_deleted() for leaf in jax.tree.leaves(state))


def trained_state(data=IMAGES, steps=3, **changes):
    program, batch = program_of(data, **changes), batch_of(data)
    state = program.init(0, batch)
    for _ in range(steps):
        state, _ = program.phases[0].streaming_step(state, batch, np.uint32(0))
    return program, state, batch


def test_noise_is_standard_normal():
    """Moments within five standard errors, entries unrelated."""
    generation = build(experiment_of(latent_size=6)).generation
    noise = np.asarray(generation.prior(jax.random.key(0), 4000))
    assert noise.shape == (4000, 6)
    assert abs(noise.mean()) < 5 / noise.size**0.5
    np.testing.assert_allclose(np.cov(noise.T), np.eye(6), atol=0.1)
    assert stats.kstest(noise.ravel(), "norm").pvalue > 1e-4


@pytest.mark.parametrize("data", [IMAGES, POINTS], ids=["images", "points"])
def test_evaluate_counts_what_the_mask_lets_through(data):
    """Averaged weights, beta of 1 whatever the training's, sums and counts without the padding."""
    program, state, batch = trained_state(data)
    mask = np.array([1.0, 0.0, 1.0, 1.0, 0.0], np.float32)
    CODES.clear()
    key = jax.random.key(4)
    every = np.ones(ROWS, np.float32)
    masked, whole = (program.evaluate(state, {**batch, "mask": m}, key) for m in (mask, every))
    jax.effects_barrier()
    np.testing.assert_array_equal(CODES[0], CODES[1])
    likelihood, kl, *_ = terms(as_numbers(state.ema["autoencoder"]["params"]), batch, CODES[0])
    latest, *_ = terms(as_numbers(state.players["autoencoder"].params), batch, CODES[0])
    assert np.abs(latest - likelihood).max() > 1e-3
    for sums, weights in ((masked, mask), (whole, every)):
        expected = {"elbo": likelihood - kl, "reconstruction": likelihood, "kl": kl}
        expected |= {f"{name}_squared": v**2 for name, v in expected.items()}
        close(sums, {name: (v @ weights, weights.sum()) for name, v in expected.items()})


def test_elbo_of_the_exact_posterior_is_the_evidence():
    """Linear decoder, Gaussian pixels: x ~ N(b, B'B + s^2 I) (Tipping and Bishop 1999, eq. 3).

    The posterior has the precision I + BB' / s^2, diagonal for orthogonal rows of B. With any other
    encoder the bound is lower.
    """
    program, state, _ = trained_state(steps=0)
    image = np.array([200, 30, 90, 255], np.uint8)
    rows, target = 20_000, image / 255
    decoder = np.array([[1.0, 1.0, 0.0, 0.5], [0.5, -0.5, 2.0, 0.0]])
    bias = np.array([0.1, 0.4, 0.2, 0.3])
    variance = 1 / (1 + (decoder**2).sum(1) / SCALE**2)
    # The encoder reads x in [-1, 1], and the target is (x + 1) / 2.
    encoder = 0.5 * decoder.T / SCALE**2 * variance
    offset = (0.5 - bias) @ decoder.T / SCALE**2 * variance

    def elbo(shift):
        params = {
            "encoder": {"a": encoder, "bias": offset + shift, "s": np.log(variance)},
            "decoder": {"b": decoder, "bias": bias},
        }
        params = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float32), params)
        batch = {"image": np.tile(image.reshape(1, 2, 2, 1), (rows, 1, 1, 1))}
        known = state.replace(ema={"autoencoder": {**state.ema["autoencoder"], "params": params}})
        sums = program.evaluate(known, batch, jax.random.key(3))
        assert float(sums["elbo"][1]) == rows
        return float(sums["elbo"][0]) / rows

    evidence = stats.multivariate_normal(bias, decoder.T @ decoder + SCALE**2 * np.eye(4)).logpdf(
        target
    )
    # One draw of the reconstruction term has a standard deviation below 1.5 nats.
    tolerance = 5 * 1.5 / rows**0.5
    assert elbo(0.0) == pytest.approx(evidence, abs=tolerance)
    # KL(q || posterior) of a shifted mean, exactly what the bound loses.
    loss = 0.5 * (0.5**2 / variance).sum()
    assert loss > 2 * tolerance
    assert elbo(0.5) == pytest.approx(evidence - loss, abs=2 * tolerance)


@pytest.mark.parametrize("data", [IMAGES, POINTS], ids=["images", "points"])
def test_posterior_and_log_likelihood_by_hand(data):
    """Of the averaged weights; a latent of its own for each image, constants included."""
    program, state, batch = trained_state(data)
    params = as_numbers(state.ema["autoencoder"]["params"])
    codes = np.random.default_rng(1).normal(size=(ROWS, LATENT_SIZE)).astype(np.float32)
    likelihood, _, mean, _ = terms(params, batch, codes.astype(np.float64))
    latest, _, latest_mean, _ = terms(as_numbers(state.players["autoencoder"].params), batch, codes)
    found, log_variance = program.posterior(state, batch)
    close(found, mean)
    close(log_variance, np.tile(params["encoder"]["s"], (ROWS, 1)))
    close(program.log_likelihood(state, batch, codes), likelihood)
    assert np.abs(latest - likelihood).max() > 1e-3
    assert np.abs(latest_mean - mean).max() > 1e-3


@pytest.mark.parametrize("likelihood", [Gaussian(SCALE), Bernoulli()])
def test_samples_are_means_under_the_average(likelihood):
    """uint8 for images: the nearest bytes of means in [0, 1], clipped."""
    program, state, batch = trained_state(likelihood=likelihood)
    key, params = jax.random.key(7), as_numbers(state.ema["autoencoder"]["params"])
    latent = as_numbers(program.algorithm.generation.prior(key, 6))
    mean = inputs_and_targets(batch)[0] @ params["encoder"]["a"] + params["encoder"]["bias"]
    made, again = (sample(program, state, key, 6) for _ in range(2))
    np.testing.assert_array_equal(made, again)
    assert not np.array_equal(made, sample(program, state, jax.random.key(8), 6))
    for images, codes in ((made, latent), (program.reconstruct(state, batch), mean)):
        assert (images.shape, images.dtype) == ((len(codes), 2, 2, 1), jnp.uint8)
        outputs = codes @ params["decoder"]["b"] + params["decoder"]["bias"]
        if isinstance(likelihood, Bernoulli):
            outputs = 1 / (1 + np.exp(-outputs))
        exact = np.clip(outputs, 0, 1).reshape(images.shape) * 255
        assert np.abs(np.asarray(images, np.float64) - exact).max() <= 0.5 + 1e-3
        assert np.asarray(images).std() > 1


def test_points_are_sampled_unclipped():
    program, state, batch = trained_state(POINTS)
    key, params = jax.random.key(7), as_numbers(state.ema["autoencoder"]["params"]["decoder"])
    made = sample(program, state, key, 50)
    assert (made.shape, made.dtype) == ((50, 1, 1, 2), jnp.float32)
    close(
        made.reshape(50, 2),
        as_numbers(program.algorithm.generation.prior(key, 50)) @ params["b"] + params["bias"],
    )
    assert float(np.min(made)) < 0 < 1 < float(np.max(made))
    assert program.reconstruct(state, batch).dtype == jnp.float32


def test_settings_that_cannot_work():
    with pytest.raises(ConfigError, match="latent_size = 0: must be at least 1"):
        experiment_of(latent_size=0)
