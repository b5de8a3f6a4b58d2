"""Ladder VAEs of linear networks against NumPy, SciPy's densities and the exact evidence."""

import dataclasses
import doctest

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from linear_gan import as_numbers, close
from linear_vae import IMAGES, ROWS, SCALE, batch_of, inputs_and_targets
from scipy import special, stats

from jaxgan.algorithms import base
from jaxgan.algorithms.ladder import ladder
from jaxgan.algorithms.ladder_vae import LadderVae
from jaxgan.algorithms.state import State
from jaxgan.config import ConfigError, Experiment
from jaxgan.networks.mlp import MlpDecoder, MlpEncoder
from jaxgan.objectives.vae import ladder as levels
from jaxgan.objectives.vae.bounds import Beta
from jaxgan.objectives.vae.ladder import precision_weighted
from jaxgan.objectives.vae.likelihoods import Gaussian
from jaxgan.objectives.vae.monte_carlo import StickingTheLanding
from jaxgan.objectives.vae.posteriors import Encoded
from jaxgan.optim import Sgd

LOWER, UPPER, FEATURES, SAMPLES = 2, 3, 4, 2
MODEL = LadderVae(
    MlpEncoder(()),
    MlpDecoder(()),
    MlpEncoder(()),
    MlpEncoder(()),
    likelihood=Gaussian(SCALE),
    latent_size=LOWER,
    upper_size=UPPER,
    features=FEATURES,
    beta=Beta(0.5),
    optimizer=Sgd(0.1),
)
EXPERIMENT = Experiment(name="ladder", model=MODEL, data=IMAGES, steps=4, batch_size=ROWS)
BATCH = batch_of(IMAGES)


@pytest.fixture(scope="module")
def algorithm():
    return base.build(EXPERIMENT)


@pytest.fixture(scope="module")
def state(algorithm) -> State:
    """A state at step 0, with small random numbers for all parameters."""

    def drawn(leaf):
        return jnp.asarray(np.random.default_rng(leaf.size).normal(0, 0.3, leaf.shape), jnp.float32)

    shapes = jax.eval_shape(algorithm.init, jax.random.key(0), BATCH)
    first = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)
    player = first.players["autoencoder"]
    player = player.replace(params=jax.tree.map(drawn, player.params))
    return first.replace(players={"autoencoder": player}, ema={"autoencoder": player.variables})


def linear(params, values):
    """Mean and log variance of a network without hidden layers."""
    head = params["GaussianHead_0"]
    return [values @ head[n]["kernel"] + head[n]["bias"] for n in ("mean", "log_variance")]


def by_hand(params, noise):
    """Codes and densities of one draw an image."""
    inputs, targets = inputs_and_targets(BATCH)
    first, second = linear(params["encoder"], inputs)
    below, features = (first[:, :LOWER], second[:, :LOWER]), np.hstack([first, second])
    features = np.hstack([first[:, LOWER:], second[:, LOWER:]])[:, :FEATURES]
    upper = linear(params["upper_encoder"], features)
    z2 = upper[0] + np.exp(upper[1] / 2) * noise[:, LOWER:]
    prior = linear(params["upper_decoder"], z2)
    # Sønderby et al. 2016, eq. 17 to 19.
    variance = 1 / (np.exp(-below[1]) + np.exp(-prior[1]))
    mean = (below[0] * np.exp(-below[1]) + prior[0] * np.exp(-prior[1])) * variance
    z1 = mean + np.sqrt(variance) * noise[:, :LOWER]
    dense = params["decoder"]["pixels"]
    outputs = z1 @ dense["kernel"] + dense["bias"]
    return {
        "codes": np.hstack([z1, z2]),
        "likelihood": stats.norm(outputs, SCALE).logpdf(targets).sum(1),
        "log_prior": stats.norm.logpdf(z2).sum(1)
        + stats.norm(prior[0], np.exp(prior[1] / 2)).logpdf(z1).sum(1),
        "log_posterior": stats.norm(upper[0], np.exp(upper[1] / 2)).logpdf(z2).sum(1)
        + stats.norm(mean, np.sqrt(variance)).logpdf(z1).sum(1),
        "kl_upper": kl(*upper, 0.0, 0.0).sum(1),
        "kl_lower": kl(mean, np.log(variance), *prior).sum(1),
        "center": upper[0],
    }


def kl(mean_q, log_q, mean_p, log_p):
    """Of two normal distributions, as textbooks have it."""
    return 0.5 * (log_p - log_q + (np.exp(log_q) + (mean_q - mean_p) ** 2) / np.exp(log_p) - 1)


def test_codes_densities_and_both_kls(algorithm, state):
    """Two draws an image; the KL of the lower level is their mean."""
    draws = np.random.default_rng(1)
    parts = ladder(EXPERIMENT, MODEL)
    variables = state.players["autoencoder"].variables
    noise = draws.normal(size=(SAMPLES, ROWS, LOWER + UPPER)).astype(np.float32)

    def found(variables, noise):
        drawn, _ = parts.infer(variables, BATCH, noise, state.step)
        return drawn.codes, parts.terms(variables, BATCH, drawn)[0]

    codes, terms = jax.jit(found)(variables, noise)
    each = [by_hand(as_numbers(variables["params"]), one) for one in noise]
    close(codes, [one["codes"] for one in each])
    close(terms.log_likelihood, [one["likelihood"] for one in each])
    close(terms.log_prior, [one["log_prior"] for one in each])
    close(terms.log_posterior, [one["log_posterior"] for one in each])
    close(terms.kl[:, :LOWER].sum(1), np.mean([one["kl_lower"] for one in each], axis=0))
    close(terms.kl[:, LOWER:].sum(1), each[0]["kl_upper"])


def test_a_step_minimizes_the_negative_bound_of_both_levels(algorithm, state):
    after, metrics = jax.jit(algorithm.phases[0].train_step)(state, BATCH, jax.random.key(3))
    close(
        metrics["loss/autoencoder"], 0.5 * float(metrics["kl"]) - float(metrics["reconstruction"])
    )
    close(metrics["elbo"], float(metrics["reconstruction"]) - float(metrics["kl"]))
    moved = jax.tree.map(
        lambda a, b: bool((a != b).any()),
        after.players["autoencoder"].params,
        state.players["autoencoder"].params,
    )
    assert moved.keys() == {"encoder", "decoder", "upper_encoder", "upper_decoder"}
    assert all(jax.tree.leaves(moved))


def test_what_is_measured_of_each_level(algorithm, state):
    sums = jax.jit(algorithm.evaluate)(state, BATCH, jax.random.key(3))
    (kl, rows), (low, _), (high, _) = (sums[n] for n in ("kl", "kl_lower", "kl_upper"))
    assert float(rows) == ROWS
    assert float(kl) == pytest.approx(float(low + high), rel=1e-5)
    assert min(float(low), float(high)) > 0


def test_samples_go_through_both_levels(algorithm, state):
    """And codes of images are means of both."""
    latents = algorithm.generation.prior(jax.random.key(5), 6)
    assert latents.shape == (6, LOWER + UPPER)
    params = as_numbers(state.players["autoencoder"].params)
    noise = np.asarray(latents, np.float64)
    mean, log_variance = linear(params["upper_decoder"], noise[:, LOWER:])
    dense = params["decoder"]["pixels"]
    z1 = mean + np.exp(log_variance / 2) * noise[:, :LOWER]
    expected = np.clip(z1 @ dense["kernel"] + dense["bias"], 0, 1)
    made = jax.jit(algorithm.generation.pixels)(state, latents)
    close(made.reshape(6, -1), expected)
    codes = jax.jit(algorithm.encoding.codes)(state, BATCH)
    close(codes, by_hand(params, np.zeros((ROWS, LOWER + UPPER)))["codes"])
    assert algorithm.encoding.posterior is None


def test_log_weights_average_to_the_evidence(algorithm, state):
    """Both levels are linear, but for their variances, which are made constant here."""

    def constant(path, leaf):
        names = [getattr(part, "key", "") for part in path]
        if "log_variance" not in names:
            return leaf
        # Encoders are unsure, so that no weight is much larger than the others.
        unsure = names[0] in ("encoder", "upper_encoder") and names[-1] == "bias"
        return 0.0 * leaf + 1.0 * unsure if unsure or names[-1] == "kernel" else leaf

    params = jax.tree_util.tree_map_with_path(constant, state.players["autoencoder"].params)
    fixed = state.replace(ema={"autoencoder": {"params": params}})
    keys = jax.random.split(jax.random.key(0), 4000)
    weights = jax.jit(jax.vmap(algorithm.density.log_weight, in_axes=(None, None, 0)))
    found = np.asarray(weights(fixed, BATCH, keys), np.float64)
    numbers = as_numbers(params)
    head, dense = numbers["upper_decoder"]["GaussianHead_0"], numbers["decoder"]["pixels"]
    between = head["mean"]["kernel"]
    lower = between.T @ between + np.diag(np.exp(head["log_variance"]["bias"]))
    covariance = dense["kernel"].T @ lower @ dense["kernel"] + SCALE**2 * np.eye(4)
    mean = head["mean"]["bias"] @ dense["kernel"] + dense["bias"]
    evidence = stats.multivariate_normal(mean, covariance).logpdf(inputs_and_targets(BATCH)[1])
    estimate = special.logsumexp(found, axis=0) - np.log(len(found))
    shares = np.exp(found - found.max(0))
    error = shares.std(0) / shares.mean(0) / np.sqrt(len(found))
    assert error.max() < 0.1
    assert (np.abs(estimate - evidence) < 4 * error).all()
    # The bound of one draw is well below.
    assert (evidence - found.mean(0)).min() > 0.2


def test_precision_weighting():
    draws = np.random.default_rng(1)
    below, above = (Encoded(*draws.normal(0, 2, (2, 3, 4)).astype(np.float32)) for _ in range(2))
    found = jax.jit(precision_weighted)(below, above)
    weights = [np.exp(-one.log_variance.astype(np.float64)) for one in (below, above)]
    close(found.log_variance, -np.log(weights[0] + weights[1]))
    close(
        found.mean,
        (weights[0] * below.mean + weights[1] * above.mean) / (weights[0] + weights[1]),
    )
    far = jax.jit(precision_weighted)(
        Encoded(jnp.ones((1, 1)), jnp.full((1, 1), -300.0)),
        Encoded(-jnp.ones((1, 1)), jnp.full((1, 1), 300.0)),
    )
    assert [float(far.mean[0, 0]), float(far.log_variance[0, 0])] == [1.0, -300.0]
    assert doctest.testmod(levels).attempted
    assert not doctest.testmod(levels).failed


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"upper_size": 0}, "upper_size = 0: must be at least 1"),
        ({"features": 0}, "features = 0"),
        ({"latent_size": 0}, "latent_size = 0"),
        ({"bound": StickingTheLanding()}, "StickingTheLanding, needs the density of any code"),
    ],
)
def test_bad_ladders(changes, line):
    with pytest.raises(ConfigError, match=line):
        dataclasses.replace(MODEL, **changes)


def test_what_a_ladder_says_of_itself():
    assert MODEL.objective() == "ladder ELBO, Gaussian(scale=0.7), beta = 0.5"
    assert MODEL.mark() == "β = 0.5"


def test_networks_that_do_not_fit_are_named():
    odd = dataclasses.replace(MODEL, upper_decoder=MlpDecoder(()))
    algorithm = base.build(dataclasses.replace(EXPERIMENT, model=odd))
    with pytest.raises(ConfigError, match="the upper_decoder, MlpDecoder"):
        algorithm.init(jax.random.key(0), BATCH)
