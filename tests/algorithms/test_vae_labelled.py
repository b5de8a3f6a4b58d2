"""Steps of a conditional VAE of linear networks against the same steps worked out by hand."""

import functools
import math

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from linear_gan import as_numbers, close
from linear_vae import LATENT_SIZE, RATE, SCALE, experiment_of
from scipy import stats

from jaxgan import rng
from jaxgan.algorithms.base import build
from jaxgan.data.pipeline import Data
from jaxgan.data.sources.gaussians import Ring
from jaxgan.objectives.vae.bounds import Beta
from jaxgan.objectives.vae.mixtures import PLACES
from jaxgan.objectives.vae.monte_carlo import MonteCarloElbo
from jaxgan.objectives.vae.vamp_prior import VampPrior
from jaxgan.optim import Ema, Schedule, Sgd
from jaxgan.program import compile_program

CLASSES, ROWS, STEPS, BETA, DECAY, SEED = 3, 5, 10, 1.7, 0.999, 7
DATA = Data(source=Ring(), image_size=1, channels=2, classes=CLASSES)
NORMAL = nn.initializers.normal(0.5)


class LabelledEncoder(nn.Module):
    """Mean ``x A + E[y]`` and log variance ``S[y]``."""

    @nn.compact
    def __call__(self, images, labels, *, latent_size, classes, train, axis_name=None):
        values = images.reshape(images.shape[0], -1)
        weight = self.param("a", NORMAL, (values.shape[-1], latent_size))
        by_label = self.param("e", NORMAL, (classes, latent_size))
        log_variance = self.param("s", NORMAL, (classes, latent_size))
        return values @ weight + by_label[labels], log_variance[labels]


class LabelledDecoder(nn.Module):
    """``z B + F[y]``."""

    @nn.compact
    def __call__(self, latents, *, image_shape, classes, train, axis_name=None):
        code, size = latents["noise"], math.prod(image_shape)
        weight = self.param("b", NORMAL, (code.shape[-1], size))
        by_label = self.param("f", NORMAL, (classes, size))
        return (code @ weight + by_label[latents["label"]]).reshape(-1, *image_shape)


@functools.cache
def program():
    experiment = experiment_of(
        DATA,
        encoder=LabelledEncoder(),
        decoder=LabelledDecoder(),
        conditional=True,
        beta=Beta(BETA),
        optimizer=Sgd(RATE, schedule=Schedule("linear")),
        ema=Ema(DECAY, warmup=True),
    )
    assert experiment.steps == STEPS
    return compile_program(experiment, "none")


@functools.cache
def batch():
    draws = np.random.default_rng(3)
    images = draws.normal(1.0, 1.0, (ROWS, 1, 1, 2)).astype(np.float32)
    return {"image": images, "label": np.array([2, 0, 1, 2, 0], np.int32)}


@functools.cache
def trained():
    state, found = program().init(1, batch()), []
    for _ in range(2):
        before = jax.device_get(state)
        state, metrics = program().phases[0].streaming_step(state, batch(), np.uint32(SEED))
        found.append((before, jax.device_get(state), metrics))
    return found


def encoded(params, x, y):
    encoder = params["encoder"]
    return x @ encoder["a"] + encoder["e"][y], encoder["s"][y]


def decoded(params, code, y):
    return code @ params["decoder"]["b"] + params["decoder"]["f"][y]


@pytest.mark.parametrize("step", [0, 1])
def test_steps_by_hand(step):
    """Labels in encoder and decoder, noise, rate of the schedule, average and metrics."""
    before, after, metrics = trained()[step]
    p = as_numbers(before.players["autoencoder"].params)
    x, y = batch()["image"].reshape(ROWS, 2).astype(np.float64), batch()["label"]
    key = rng.role_key(rng.step_key(rng.base_key(SEED), step), "noise")
    keys = [jax.random.fold_in(key, i) for i in range(ROWS)]
    noise = np.array([jax.random.normal(k, (LATENT_SIZE,)) for k in keys], np.float64)
    mean, log_variance = encoded(p, x, y)
    deviation = np.exp(log_variance / 2)
    code = mean + deviation * noise
    outputs = decoded(p, code, y)
    likelihood = stats.norm(outputs, SCALE).logpdf(x).sum(1)
    kl = 0.5 * (deviation**2 + mean**2 - 1 - log_variance).sum(1)
    expected = {
        "loss/autoencoder": np.mean(BETA * kl - likelihood),
        "elbo": np.mean(likelihood - kl),
        "reconstruction": np.mean(likelihood),
        "kl": np.mean(kl),
    }
    one_hot = np.eye(CLASSES)[y]
    by_outputs = (outputs - x) / SCALE**2 / ROWS
    by_code = by_outputs @ p["decoder"]["b"].T
    by_mean = by_code + BETA * mean / ROWS
    by_log_variance = by_code * noise * deviation / 2 + BETA * (deviation**2 - 1) / 2 / ROWS
    slopes = {
        "encoder": {
            "a": x.T @ by_mean, "e": one_hot.T @ by_mean, "s": one_hot.T @ by_log_variance,
        },
        "decoder": {"b": code.T @ by_outputs, "f": one_hot.T @ by_outputs},
    }  # fmt: skip
    squares = (np.sum(slope**2) for part in slopes.values() for slope in part.values())
    expected["autoencoder_grad_norm"] = np.sqrt(sum(squares))
    assert metrics.keys() == expected.keys()
    close(metrics, expected)
    rate = RATE * (1 - step / (STEPS - 1))
    params = jax.tree.map(lambda value, slope: value - rate * slope, p, slopes)
    close(after.players["autoencoder"].params, params)
    # The warm-up of the average: (1 + t) / (10 + t), with t steps done before.
    kept = min(DECAY, (1 + step) / (10 + step))
    old = as_numbers(before.ema["autoencoder"]["params"])
    average = jax.tree.map(lambda a, b: kept * a + (1 - kept) * b, old, params)
    close(after.ema["autoencoder"]["params"], average)


def averaged():
    return as_numbers(trained()[-1][1].ema["autoencoder"]["params"])


def test_codes_densities_and_reconstructions_are_under_the_labels_of_the_images():
    state, params = trained()[-1][1], averaged()
    x, y = batch()["image"].reshape(ROWS, 2).astype(np.float64), batch()["label"]
    mean, log_variance = encoded(params, x, y)
    close(program().posterior(state, batch()), (mean, log_variance))
    close(program().codes(state, batch()), mean)
    close(program().reconstruct(state, batch()).reshape(ROWS, 2), decoded(params, mean, y))
    codes = np.random.default_rng(1).normal(size=(ROWS, LATENT_SIZE)).astype(np.float32)
    expected = stats.norm(decoded(params, codes.astype(np.float64), y), SCALE).logpdf(x).sum(1)
    close(program().log_likelihood(state, batch(), codes), expected)


def test_evaluate_is_under_the_labels_of_the_images():
    """The KL, which no draw is in."""
    state, params = trained()[-1][1], averaged()
    x = batch()["image"].reshape(ROWS, 2).astype(np.float64)
    mean, log_variance = encoded(params, x, batch()["label"])
    kl = 0.5 * (np.exp(log_variance) + mean**2 - 1 - log_variance).sum(1)
    mask = np.array([1, 1, 0, 1, 0], np.float32)
    sums = program().evaluate(state, {**batch(), "mask": mask}, jax.random.key(0))
    close(sums["kl"], (kl @ mask, 3.0))
    close(sums["kl_squared"], (kl**2 @ mask, 3.0))


def test_images_are_of_the_labels_in_the_latents():
    state, params = trained()[-1][1], averaged()
    generation = program().algorithm.generation
    latents = program().prior(jax.random.key(3), 4)
    wanted = np.array([2, 0, 1, 2], np.int32)
    changed = generation.with_labels(latents, wanted)
    np.testing.assert_array_equal(generation.labels(changed), wanted)
    np.testing.assert_array_equal(changed["noise"], latents["noise"])
    for given, labels in ((latents, np.asarray(latents["label"])), (changed, wanted)):
        expected = decoded(params, np.asarray(given["noise"], np.float64), labels)
        close(program().generate(state, given).reshape(4, 2), expected)


@pytest.mark.slow
def test_pseudo_inputs_have_the_classes_in_turn():
    """Four of three classes: what is drawn from the last one is of class 0, whatever is decoded."""
    algorithm = build(
        experiment_of(
            DATA,
            encoder=LabelledEncoder(),
            decoder=LabelledDecoder(),
            conditional=True,
            bound=MonteCarloElbo(),
            code_prior=VampPrior(components=4, mean=0.2, std=0.3),
        )
    )
    batch = {"image": np.zeros((ROWS, 1, 1, 2), np.float32), "label": np.zeros(ROWS, np.int32)}
    state = algorithm.init(rng.base_key(2), batch)
    params = as_numbers(state.players["autoencoder"].params)
    draws = np.random.default_rng(0).normal(size=(4, LATENT_SIZE)).astype(np.float32)
    labels = np.array([2, 0, 0, 1], np.int32)
    places = (np.arange(4, dtype=np.int32) * 2 + 1) * (PLACES // 8)
    latents = {"noise": {"noise": draws, "place": places}, "label": labels}
    latents = jax.tree.map(jnp.asarray, latents)
    made = algorithm.generation.pixels(state, latents)
    encoder, decoder = params["encoder"], params["decoder"]
    images = np.clip(params["prior"]["pseudo_inputs"].reshape(4, -1), -1, 1)
    classes = [0, 1, 2, 0]
    mean, log_variance = images @ encoder["a"] + encoder["e"][classes], encoder["s"][classes]
    codes = mean + np.exp(log_variance / 2) * draws
    close(np.asarray(made).reshape(4, -1), codes @ decoder["b"] + decoder["f"][labels])
    # Its density is theirs, of codes of whatever class.
    key = rng.base_key(3)
    found = algorithm.density.log_weight(state, batch, key)
    assert np.isfinite(found).all()
