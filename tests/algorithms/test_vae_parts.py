"""The parts of a VAE: several codes, what is learned beside the networks, what is refused."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from linear_gan import close
from linear_vae import (
    IMAGES,
    LATENT_SIZE,
    RATE,
    ROWS,
    SCALE,
    batch_of,
    experiment_of,
    inputs_and_targets,
    program_of,
    stepped,
    terms,
)
from scipy import stats

from jaxgan.algorithms.base import build
from jaxgan.config import ConfigError
from jaxgan.measurement import available
from jaxgan.objectives.vae.bounds import Beta, Elbo, Reconstruction
from jaxgan.objectives.vae.code_norm import CodeNorm
from jaxgan.objectives.vae.code_priors import StandardNormal
from jaxgan.objectives.vae.likelihoods import Gaussian
from jaxgan.objectives.vae.posteriors import DiagonalGaussian, Encoded, Point

BATCH = batch_of(IMAGES)


@dataclasses.dataclass(frozen=True)
class Scaled(Gaussian):
    """Pixels of one learned scale, for the test."""

    def learned(self, channels):
        return (0.25,) * channels

    def log_prob(self, *, outputs, targets):
        mean, log_scale = jnp.split(outputs, 2, axis=-1)
        values = jax.scipy.stats.norm.logpdf(targets, mean, jnp.exp(log_scale))
        return jnp.sum(values, axis=(1, 2, 3))

    def mean(self, outputs):
        return outputs[..., :1]


@dataclasses.dataclass(frozen=True)
class Doubled(Elbo):
    """What reaches the encoder through the codes counts by the number of the code, for the test."""

    def encoder(self, terms, weigh):
        factors = jnp.arange(1.0, self.samples + 1)[:, None]
        return jnp.mean(factors * terms.log_likelihood, axis=0) - weigh(terms.kl)


def test_several_codes_share_an_image():
    """The likelihood is their mean, the decoder's gradient too; the KL is counted once."""
    before, after, metrics, codes = stepped(bound=Elbo(samples=3), beta=Beta(1.0))
    assert codes.shape == (3 * ROWS, LATENT_SIZE)
    assert len(np.unique(np.round(codes, 6))) == codes.size
    each = [terms(before, BATCH, part) for part in codes.reshape(3, ROWS, -1)]
    likelihood, kl = np.mean([one[0] for one in each], axis=0), each[0][1]
    close(
        {name: metrics[name] for name in ("loss/autoencoder", "elbo", "reconstruction", "kl")},
        {
            "loss/autoencoder": np.mean(kl - likelihood),
            "elbo": np.mean(likelihood - kl),
            "reconstruction": np.mean(likelihood),
            "kl": np.mean(kl),
        },
    )
    targets = np.tile(inputs_and_targets(BATCH)[1], (3, 1))
    outputs = codes @ before["decoder"]["b"] + before["decoder"]["bias"]
    slope = codes.T @ ((outputs - targets) / SCALE**2) / len(codes)
    close(after["decoder"]["b"], before["decoder"]["b"] - RATE * slope)


def test_the_encoder_may_have_an_objective_of_its_own():
    """Codes 1 and 2 count once and twice; neither the decoder's gradient nor the KL's changes."""
    before, after, _, codes = stepped(bound=Doubled(samples=2), beta=Beta(1.0))
    inputs, targets = inputs_and_targets(BATCH)
    encoder, decoder = before["encoder"], before["decoder"]
    parts = codes.reshape(2, ROWS, -1)
    outputs = parts @ decoder["b"] + decoder["bias"]
    by_codes = (outputs - targets) / SCALE**2 / (2 * ROWS) @ decoder["b"].T
    mean = inputs @ encoder["a"] + encoder["bias"]
    by_mean = by_codes[0] + 2 * by_codes[1] + mean / ROWS
    close(after["encoder"]["bias"], encoder["bias"] - RATE * by_mean.sum(0))
    slope = np.einsum("kni,knj->ij", parts, (outputs - targets) / SCALE**2 / (2 * ROWS))
    close(after["decoder"]["b"], decoder["b"] - RATE * slope)


def test_what_a_likelihood_learns_is_one_number_for_all_pixels():
    before, after, metrics, codes = stepped(likelihood=Scaled(), beta=Beta(1.0))
    assert before["likelihood"] == pytest.approx(0.25)
    _, targets = inputs_and_targets(BATCH)
    outputs = codes @ before["decoder"]["b"] + before["decoder"]["bias"]
    distance = ((targets - outputs) / np.exp(0.25)) ** 2
    expected = stats.norm(outputs, np.exp(0.25)).logpdf(targets).sum(1).mean()
    close(metrics["reconstruction"], expected)
    close(after["likelihood"], [0.25 + RATE * (distance - 1).sum(1).mean()])


def test_a_point_decodes_what_the_encoder_gives():
    """No noise, no KL; the norm of the code is added to each image's loss."""
    changes = {"posterior": Point(), "bound": Reconstruction(), "regularizers": (CodeNorm(0.3),)}
    before, _, metrics, codes = stepped(**changes)
    likelihood, _, mean, _ = terms(before, BATCH, codes)
    close(codes, mean)
    norm = 0.15 * (mean**2).sum(1)
    assert metrics.keys().isdisjoint({"kl", "elbo"})
    close(metrics["code_norm"], norm.mean())
    close(metrics["loss/autoencoder"], np.mean(norm - likelihood))
    algorithm = build(experiment_of(**changes))
    assert algorithm.encoding.posterior is None
    assert algorithm.density.log_weight is None
    assert {"likelihood", "code densities"} & available.has(algorithm) == {"likelihood"}
    assert algorithm.encoding.codes is not None


def test_densities_of_codes():
    """Against SciPy."""
    draws = np.random.default_rng(0)
    mean, log_variance, codes = draws.normal(size=(3, 4, 2)).astype(np.float32)
    encoded = Encoded(jnp.asarray(mean), jnp.asarray(log_variance))
    found = DiagonalGaussian().log_prob({}, encoded, jnp.asarray(codes))
    close(found, stats.norm(mean, np.exp(log_variance / 2)).logpdf(codes).sum(1))
    close(StandardNormal().log_prob({}, jnp.asarray(codes), None), stats.norm.logpdf(codes).sum(1))
    drawn = DiagonalGaussian().draw({}, encoded, jnp.asarray(codes), jnp.zeros((), jnp.int32))
    close(drawn.log_prob, DiagonalGaussian().log_prob({}, encoded, drawn.codes))


def test_every_weight_under_the_exact_posterior_is_the_evidence():
    """``p(x|z) p(z) / q(z|x)`` does not depend on z where q is the posterior."""
    program = program_of()
    state = program.init(0, BATCH)
    decoder = np.array([[1.0, 1.0, 0.0, 0.5], [0.5, -0.5, 2.0, 0.0]])
    bias = np.array([0.1, 0.4, 0.2, 0.3])
    variance = 1 / (1 + (decoder**2).sum(1) / SCALE**2)
    params = {
        "encoder": {
            "a": 0.5 * decoder.T / SCALE**2 * variance,
            "bias": (0.5 - bias) @ decoder.T / SCALE**2 * variance,
            "s": np.log(variance),
        },
        "decoder": {"b": decoder, "bias": bias},
    }
    params = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float32), params)
    state = state.replace(ema={"autoencoder": {**state.ema["autoencoder"], "params": params}})
    log_weight = jax.jit(program.algorithm.density.log_weight)
    covariance = decoder.T @ decoder + SCALE**2 * np.eye(4)
    evidence = stats.multivariate_normal(bias, covariance).logpdf(inputs_and_targets(BATCH)[1])
    for seed in (0, 1):
        close(log_weight(state, BATCH, jax.random.key(seed)), evidence)


def test_parts_that_do_not_go_together():
    with pytest.raises(
        ConfigError, match=r"Elbo, needs a KL in closed form, .* Point from Standard"
    ):
        experiment_of(posterior=Point())
    with pytest.raises(ValueError, match="samples = 0: a bound needs at least 1 code"):
        Elbo(samples=0)
    with pytest.raises(ValueError, match="weight = 0"):
        CodeNorm(0.0)


def test_what_it_says_of_itself():
    model = experiment_of().model
    assert model.objective() == "ELBO, Gaussian(scale=0.7), beta = 3"
    assert model.mark() == "β = 3"
    point = experiment_of(posterior=Point(), bound=Reconstruction(), regularizers=(CodeNorm(),))
    assert point.model.objective() == (
        "Reconstruction(), Gaussian(scale=0.7), beta = 3, Point(), CodeNorm()"
    )
