"""Learned priors of codes against SciPy's mixtures: densities, draws, slopes, what is refused."""

import dataclasses
import doctest

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special, stats

from jaxgan.algorithms.base import build
from jaxgan.algorithms.vae import Vae
from jaxgan.config import ConfigError, Experiment
from jaxgan.data.pipeline import Data
from jaxgan.networks.conditional import LabelledDecoder, LabelledEncoder
from jaxgan.networks.mlp import MlpDecoder, MlpEncoder
from jaxgan.objectives.vae import mixtures
from jaxgan.objectives.vae.bounds import Reconstruction
from jaxgan.objectives.vae.mixtures import PLACES, MixtureOfGaussians, Picked, picked
from jaxgan.objectives.vae.posteriors import Encoded, Point
from jaxgan.objectives.vae.vamp_prior import VampPrior

RNG = np.random.default_rng(0)
COMPONENTS, LATENT = 3, 2
MEAN = RNG.normal(0.0, 2.0, (COMPONENTS, LATENT))
LOG_VARIANCE = RNG.normal(0.0, 0.7, (COMPONENTS, LATENT))
LOG_WEIGHT = np.log([0.5, 0.2, 0.3]) + 1.7  # up to a constant
WEIGHT = np.array([0.5, 0.2, 0.3])
CODES = RNG.normal(0.0, 3.0, (7, LATENT))
PARAMS = {
    "mean": jnp.asarray(MEAN, jnp.float32),
    "log_variance": jnp.asarray(LOG_VARIANCE, jnp.float32),
    "log_weight": jnp.asarray(LOG_WEIGHT, jnp.float32),
}
PIXELS = 4
SLOPE, OFFSET = RNG.normal(size=(PIXELS, LATENT)), RNG.normal(size=LATENT)
SPREAD = RNG.normal(size=(PIXELS, LATENT))


def mixture(codes, means, log_variances, weights):
    """Log density of a mixture, by SciPy."""
    each = [
        stats.multivariate_normal(mean, np.diag(np.exp(log_variance))).logpdf(codes)
        for mean, log_variance in zip(means, log_variances, strict=True)
    ]
    return special.logsumexp(np.stack(each), axis=0, b=np.asarray(weights)[:, None])


def encode(images, numbers):
    """An encoder without a network."""
    assert numbers.shape == images.shape[:1]
    rows = images.reshape(images.shape[0], -1)
    return Encoded(rows @ jnp.float32(SLOPE) + jnp.float32(OFFSET), rows @ jnp.float32(SPREAD))


def encoded(images):
    rows = np.asarray(images, np.float64).reshape(len(images), -1)
    return rows @ SLOPE + OFFSET, rows @ SPREAD


PSEUDO = RNG.uniform(-0.9, 0.9, (COMPONENTS, 2, 2, 1))
PSEUDO[0, 0, 0, 0], PSEUDO[2, 1, 1, 0] = 1.6, -1.2
VAMP = {"pseudo_inputs": jnp.asarray(PSEUDO, jnp.float32)}


def test_a_learned_mixture_has_the_density_of_scipys():
    found = MixtureOfGaussians(COMPONENTS).log_prob(PARAMS, jnp.float32(CODES), None)
    expected = mixture(CODES, MEAN, LOG_VARIANCE, WEIGHT)
    np.testing.assert_allclose(found, expected, rtol=2e-5)
    # Far from all of them nothing underflows.
    far = jnp.full((2, LATENT), 100.0)
    expected = mixture(np.full((2, LATENT), 100.0), MEAN, LOG_VARIANCE, WEIGHT)
    assert expected[0] < -1000
    found = MixtureOfGaussians(COMPONENTS).log_prob(PARAMS, far, None)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_a_vamp_prior_is_the_mean_of_posteriors_of_clipped_images():
    found = VampPrior(COMPONENTS).log_prob(VAMP, jnp.float32(CODES), encode)
    means, log_variances = encoded(np.clip(PSEUDO, -1, 1))
    expected = mixture(CODES, means, log_variances, np.full(COMPONENTS, 1 / COMPONENTS))
    np.testing.assert_allclose(found, expected, rtol=2e-5)
    free = VampPrior(COMPONENTS, low=-np.inf, high=np.inf)
    means, log_variances = encoded(PSEUDO)
    expected = mixture(CODES, means, log_variances, np.full(COMPONENTS, 1 / COMPONENTS))
    np.testing.assert_allclose(free.log_prob(VAMP, jnp.float32(CODES), encode), expected, rtol=2e-5)


def test_pseudo_inputs_learn_where_they_are_within_the_range():
    """Slopes by finite differences in double precision."""
    slope = jax.grad(
        lambda params: jnp.sum(VampPrior(COMPONENTS).log_prob(params, jnp.float32(CODES), encode))
    )(VAMP)["pseudo_inputs"]

    def value(pseudo):
        means, log_variances = encoded(np.clip(pseudo, -1, 1))
        return mixture(CODES, means, log_variances, np.full(COMPONENTS, 1 / COMPONENTS)).sum()

    for place in np.ndindex(PSEUDO.shape):
        step = np.zeros_like(PSEUDO)
        step[place] = 1e-5
        expected = (value(PSEUDO + step) - value(PSEUDO - step)) / 2e-5
        assert slope[place] == pytest.approx(expected, rel=1e-3, abs=1e-4), place
    assert slope[0, 0, 0, 0] == slope[2, 1, 1, 0] == 0
    assert np.count_nonzero(slope) == slope.size - 2


def test_places_are_stretches_of_the_weights():
    places = jnp.int32(np.array([0.0, 0.49, 0.51, 0.69, 0.71, 1.0]) * (PLACES - 1))
    np.testing.assert_array_equal(picked(places, jnp.float32(LOG_WEIGHT)), [0, 0, 1, 1, 2, 2])
    # A component without weight is never picked.
    none = jnp.array([-jnp.inf, 0.0, 0.0])
    np.testing.assert_array_equal(picked(places[:3], none), [1, 1, 2])


@pytest.mark.parametrize("vamp", [False, True])
def test_draws_have_the_moments_of_the_mixture(vamp):
    prior = VampPrior(COMPONENTS) if vamp else MixtureOfGaussians(COMPONENTS)
    params = VAMP if vamp else PARAMS
    weight = np.full(COMPONENTS, 1 / COMPONENTS) if vamp else WEIGHT
    means, log_variances = encoded(np.clip(PSEUDO, -1, 1)) if vamp else (MEAN, LOG_VARIANCE)
    count = 20_000
    keys = jax.random.split(jax.random.key(1), count)
    latents = jax.vmap(lambda key: prior.latents(LATENT).draw(key, 0))(keys)
    codes = np.float64(prior.codes(params, latents, encode))
    mean = weight @ means
    spread = means - mean
    covariance = np.diag(weight @ np.exp(log_variances)) + (weight[:, None] * spread).T @ spread
    deviation = np.sqrt(np.diag(covariance))
    np.testing.assert_allclose(codes.mean(0), mean, atol=5 * deviation.max() / np.sqrt(count))
    np.testing.assert_allclose(np.cov(codes.T), covariance, atol=0.05 * deviation.max() ** 2)
    # One latent is one code, whoever else is in the batch.
    np.testing.assert_allclose(
        prior.codes(params, jax.tree.map(lambda leaf: leaf[5:6], latents), encode)[0], codes[5],
        rtol=1e-5,
    )  # fmt: skip


def test_first_parameters():
    key = jax.random.key(2)
    first = VampPrior(400).init(key, LATENT, (5, 4, 2))["pseudo_inputs"]
    assert first.shape == (400, 5, 4, 2)
    assert first.mean() == pytest.approx(-0.9, abs=1e-3)
    assert first.std() == pytest.approx(0.02, rel=0.03)
    params = MixtureOfGaussians(500, spread=2.0).init(key, LATENT, (5, 4, 2))
    assert {name: leaf.shape for name, leaf in params.items()} == {
        "mean": (500, LATENT), "log_variance": (500, LATENT), "log_weight": (500,)
    }  # fmt: skip
    assert params["mean"].std() == pytest.approx(2.0, rel=0.1)


def test_latents_that_pick_a_component():
    prior = Picked(4)
    a, b = (prior.draw(jax.random.key(seed), 0) for seed in (0, 1))
    assert a["place"] != b["place"]
    half = prior.truncate(a, 0.5)
    np.testing.assert_allclose(half["noise"], 0.5 * a["noise"])
    assert half["place"] == a["place"]
    both = [jax.tree.map(lambda leaf: leaf[None], one) for one in (a, b)]
    end = prior.between(*both, jnp.ones(1))
    np.testing.assert_allclose(end["noise"], both[1]["noise"], rtol=1e-5)
    assert end["place"] == a["place"]
    assert prior.project(a) is a
    with pytest.raises(ValueError, match="size = 0"):
        Picked(0)
    assert not doctest.testmod(mixtures).failed


PLAIN = Vae(
    MlpEncoder((8,)), MlpDecoder((8,)), latent_size=3, bound=Reconstruction(),
    code_prior=VampPrior(5),
)  # fmt: skip
CONDITIONAL = {
    "encoder": LabelledEncoder(MlpEncoder((8,))),
    "decoder": LabelledDecoder(MlpDecoder((8,))),
    "conditional": True,
}


def built(**changes):
    model = dataclasses.replace(PLAIN, **changes)
    return build(Experiment(name="x", model=model, data=Data(classes=10), steps=1, batch_size=4))


def test_what_a_vamp_prior_does_not_go_with():
    assert built()
    for message, changes in {
        "the posterior is Point: take DiagonalGaussian": {"posterior": Point()},
        "300,000 pseudo-inputs of 64 pixels .* 16,777,216 numbers: take at most 262,144": {
            "code_prior": VampPrior(300_000)
        },
    }.items():
        with pytest.raises(ConfigError, match=message):
            built(**changes)
    assert built(**CONDITIONAL)
    assert built(code_prior=MixtureOfGaussians(), **CONDITIONAL)
    for message, make in {
        "components = 0": lambda: VampPrior(0),
        "std = 0.0": lambda: VampPrior(std=0.0),
        "mean = 2.0: must be above low": lambda: VampPrior(mean=2.0),
        "components = -1": lambda: MixtureOfGaussians(-1),
        "spread = 0": lambda: MixtureOfGaussians(spread=0.0),
    }.items():
        with pytest.raises(ValueError, match=message):
            make()
