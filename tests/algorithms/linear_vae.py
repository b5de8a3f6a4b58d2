"""A VAE of linear networks and Gaussian pixels, and its gradients by hand."""

import dataclasses
import math

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from linear_gan import as_numbers
from scipy import stats

from jaxgan.algorithms.vae import Vae
from jaxgan.config import Experiment
from jaxgan.data.pipeline import Data
from jaxgan.data.sources.gaussians import Ring
from jaxgan.objectives.vae.bounds import Beta
from jaxgan.objectives.vae.likelihoods import Gaussian
from jaxgan.optim import Ema, Sgd
from jaxgan.program import compile_program

IMAGES = Data(image_size=2, channels=1)
POINTS = Data(source=Ring(), image_size=1, channels=2)
LATENT_SIZE, ROWS, SCALE = 2, 5, 0.7
RATE, DECAY, BETA = 0.02, 0.75, 3.0
# The codes that reached the decoder, one array a call.
CODES: list[np.ndarray] = []


class LinearEncoder(nn.Module):
    """Mean ``x A + a``; one log variance for all examples. Counts its training calls."""

    @nn.compact
    def __call__(self, images, *, latent_size, train, axis_name=None):
        values = images.reshape(images.shape[0], -1)
        weight = self.param("a", nn.initializers.normal(0.5), (values.shape[-1], latent_size))
        bias = self.param("bias", nn.initializers.normal(0.5), (latent_size,))
        log_variance = self.param("s", nn.initializers.normal(0.5), (latent_size,))
        calls = self.variable("batch_stats", "calls", lambda: jnp.zeros(()))
        if train:
            calls.value = calls.value + 1.0
        mean = values @ weight + bias
        return mean, jnp.broadcast_to(log_variance, mean.shape)


class LinearDecoder(nn.Module):
    """``z B + b``."""

    @nn.compact
    def __call__(self, latent, *, image_shape, train, axis_name=None):
        size = math.prod(image_shape)
        weight = self.param("b", nn.initializers.normal(0.5), (latent.shape[-1], size))
        bias = self.param("bias", nn.initializers.normal(0.5), (size,))
        jax.debug.callback(lambda z: CODES.append(np.asarray(z, np.float64)), latent, ordered=True)
        return (latent @ weight + bias).reshape(-1, *image_shape)


def experiment_of(data=IMAGES, **changes):
    model = Vae(
        encoder=LinearEncoder(),
        decoder=LinearDecoder(),
        likelihood=Gaussian(SCALE),
        latent_size=LATENT_SIZE,
        beta=Beta(BETA),
        optimizer=Sgd(RATE),
        ema=Ema(DECAY, warmup=False),
    )
    model = dataclasses.replace(model, **changes)
    return Experiment(name="by-hand", model=model, data=data, steps=10, batch_size=ROWS)


def program_of(data=IMAGES, **changes):
    return compile_program(experiment_of(data, **changes), "none")


def recorded_step(program, state, batch, seed):
    """State and metrics after a step, and the codes that the decoder was given."""
    CODES.clear()
    state, metrics = program.phases[0].streaming_step(state, batch, np.uint32(seed))
    jax.effects_barrier()
    (codes,) = CODES
    return state, metrics, codes


def batch_of(data):
    draws = np.random.default_rng(3)
    if data.dtype == "uint8":
        return {"image": draws.integers(0, 256, (ROWS, *data.image_shape), np.uint8)}
    return {"image": draws.normal(1.0, 1.0, (ROWS, *data.image_shape)).astype(np.float32)}


def stepped(**changes):
    """Parameters before and after one step, metrics, and the codes of that step."""
    program, batch = program_of(**changes), batch_of(IMAGES)
    state = program.init(1, batch)
    before = as_numbers(jax.device_get(state.players["autoencoder"].params))
    state, metrics, codes = recorded_step(program, state, batch, seed=7)
    after = as_numbers(jax.device_get(state.players["autoencoder"].params))
    return before, after, metrics, codes


def inputs_and_targets(batch):
    """What the encoder reads, in [-1, 1], and the targets, in [0, 1]; points as they are."""
    images = batch["image"]
    rows = images.reshape(len(images), -1).astype(np.float64)
    return (rows / 127.5 - 1, rows / 255) if images.dtype == np.uint8 else (rows, rows)


def terms(params, batch, codes):
    """Log-likelihood and KL of each example, from the densities of SciPy and the textbook."""
    inputs, targets = inputs_and_targets(batch)
    encoder, decoder = params["encoder"], params["decoder"]
    mean, variance = inputs @ encoder["a"] + encoder["bias"], np.exp(encoder["s"])
    outputs = codes @ decoder["b"] + decoder["bias"]
    likelihood = stats.norm(outputs, SCALE).logpdf(targets).sum(1)
    kl = 0.5 * (variance + mean**2 - 1 - encoder["s"]).sum(1)
    return likelihood, kl, mean, outputs


def by_hand(params, batch, codes, beta):
    """Parameters after one step of gradient descent on the negative ELBO."""
    inputs, targets = inputs_and_targets(batch)
    encoder, decoder = params["encoder"], params["decoder"]
    _, _, mean, outputs = terms(params, batch, codes)
    noise = (codes - mean) / np.exp(encoder["s"] / 2)
    n = len(inputs)
    by_outputs = (outputs - targets) / SCALE**2 / n
    by_codes = by_outputs @ decoder["b"].T
    by_mean = by_codes + beta * mean / n
    slopes = {
        "encoder": {
            "a": inputs.T @ by_mean,
            "bias": by_mean.sum(0),
            "s": (by_codes * noise * np.exp(encoder["s"] / 2) / 2).sum(0)
            + beta * (np.exp(encoder["s"]) - 1) / 2,
        },
        "decoder": {"b": codes.T @ by_outputs, "bias": by_outputs.sum(0)},
    }
    return jax.tree.map(lambda value, slope: value - RATE * slope, params, slopes), noise
