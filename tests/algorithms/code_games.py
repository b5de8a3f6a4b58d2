"""Linear autoencoders of points whose codes a linear discriminator judges, and a step of theirs."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import tiny

from jaxgan.algorithms.base import build
from jaxgan.data.pipeline import Data
from jaxgan.data.sources.gaussians import Ring
from jaxgan.objectives.vae.likelihoods import Gaussian
from jaxgan.optim import Ema, Sgd
from jaxgan.program import example_batch

ROWS, SIZE, RATE, SCALE = 5, 3, 0.1, 0.7
NORMAL = nn.initializers.normal(0.7)
JUDGED: list[np.ndarray] = []
"""Codes that the discriminator was given, one array a call, in the order of the program."""


class Coder(nn.Module):
    """Mean ``x V``; the variance is next to nothing, so that a code is its mean."""

    @nn.compact
    def __call__(self, images, *, latent_size, train, axis_name=None):
        mean = images.reshape(images.shape[0], -1) @ self.param("v", NORMAL, (2, latent_size))
        return mean, jnp.full_like(mean, -60.0)


class Maker(nn.Module):
    """``z W``."""

    @nn.compact
    def __call__(self, latent, *, image_shape, train, axis_name=None):
        return (latent @ self.param("w", NORMAL, (latent.shape[-1], 2))).reshape(-1, *image_shape)


class Judge(nn.Module):
    """``z a + c``."""

    @nn.compact
    def __call__(self, codes, *, train, axis_name=None):
        if train:
            jax.debug.callback(lambda z: JUDGED.append(np.asarray(z)), codes, ordered=True)
        a, c = self.param("a", NORMAL, (codes.shape[-1],)), self.param("c", NORMAL, ())
        return codes @ a + c


def experiment_of(settings, **changes):
    model = settings(
        Coder(), Maker(), Gaussian(SCALE), SIZE, discriminator=Judge(), optimizer=Sgd(RATE),
        discriminator_optimizer=Sgd(RATE), ema=Ema(0.5, warmup=False), **changes,
    )  # fmt: skip
    data = Data(source=Ring(), image_size=1, channels=2)
    return tiny.vae(model=model, data=data, batch_size=ROWS)


def stepped(settings, **changes):
    """Algorithm, state before and after a step, metrics, images, and the codes that were judged."""
    experiment = experiment_of(settings, **changes)
    algorithm = build(experiment)
    state = algorithm.init(jax.random.key(0), example_batch(experiment))
    shape = (experiment.images_per_step, 1, 1, 2)
    images = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    JUDGED.clear()
    step = jax.jit(algorithm.phases[0].train_step)
    found = step(state, {"image": images}, jax.random.key(2))
    jax.effects_barrier()
    return algorithm, jax.device_get((state, *found)), images.reshape(-1, 2), list(JUDGED)


def numbers(state):
    """The matrices V and W and the discriminator's a and c, in double precision."""
    params = state.parameters
    coding, judging = params["autoencoder"], params["discriminator"]
    found = coding["encoder"]["v"], coding["decoder"]["w"], judging["a"], judging["c"]
    return [np.asarray(value, np.float64) for value in found]


def reconstruction_slopes(x, v, w):
    """Of the mean negative log-likelihood: by codes, and by W."""
    z = x @ v
    by_outputs = (z @ w - x) / SCALE**2 / len(x)
    return by_outputs @ w.T, z.T @ by_outputs


def close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
