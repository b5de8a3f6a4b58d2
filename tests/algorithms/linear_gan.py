"""A GAN of two linear networks that write down what they are given, for work by hand."""

import dataclasses
import math
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from jaxgan.algorithms.gan import Gan
from jaxgan.config import Experiment
from jaxgan.data.pipeline import Data
from jaxgan.data.sources.gaussians import Ring
from jaxgan.objectives.priors import Normal
from jaxgan.optim import Ema, Sgd
from jaxgan.program import compile_program

POINTS = Data(source=Ring(), image_size=1, channels=2)
IMAGES = Data(image_size=2, channels=3)
LATENT_SIZE, ROWS = 3, 4
RATE_D, RATE_G, DECAY = 0.8, 0.5, 0.75
# What reaches the networks, in the order of the calls: ("generator", latent) or ("judge", images).
CALLS: list[tuple[str, Any]] = []


def note(role, array):
    jax.debug.callback(lambda value: CALLS.append((role, np.asarray(value, np.float64))), array,
                       ordered=True)  # fmt: skip


class LinearGenerator(nn.Module):
    """``z W + b``. Keeps half of a running mean of what it makes, as batch norm would."""

    @nn.compact
    def __call__(self, latent, *, image_shape, train, axis_name=None):
        size = math.prod(image_shape)
        weight = self.param("w", nn.initializers.normal(1.0), (latent.shape[-1], size))
        bias = self.param("b", nn.initializers.normal(1.0), (size,))
        made = latent @ weight + bias
        seen = self.variable("batch_stats", "seen", lambda: jnp.zeros(size))
        if train:
            note("generator", latent)
            seen.value = 0.5 * seen.value + 0.5 * jnp.mean(made, 0)
        return made.reshape(-1, *image_shape)


class LinearJudge(nn.Module):
    """``x v + c``. Keeps half of a running mean of what it is shown."""

    @nn.compact
    def __call__(self, images, *, train, axis_name=None):
        values = images.reshape(images.shape[0], -1)
        weight = self.param("v", nn.initializers.normal(1.0), values.shape[-1:])
        bias = self.param("c", nn.initializers.normal(1.0), ())
        seen = self.variable("batch_stats", "seen", lambda: jnp.zeros(values.shape[-1]))
        if train:
            note("judge", values)
            seen.value = 0.5 * seen.value + 0.5 * jnp.mean(values, 0)
        return values @ weight + bias


def experiment_of(data=POINTS, **changes):
    model = Gan(
        generator=LinearGenerator(),
        discriminator=LinearJudge(),
        generator_optimizer=Sgd(RATE_G),
        discriminator_optimizer=Sgd(RATE_D),
        prior=Normal(LATENT_SIZE),
        ema=Ema(DECAY, warmup=False),
    )
    model = dataclasses.replace(model, **changes)
    return Experiment(name="by-hand", model=model, data=data, steps=10, batch_size=ROWS)


def program_of(data=POINTS, **changes):
    return compile_program(experiment_of(data, **changes), "none")


def recorded_step(program, state, images, seed):
    """State and metrics after a step; the latents drawn; what the discriminator was shown."""
    CALLS.clear()
    state, metrics = program.phases[0].streaming_step(state, {"image": images}, np.uint32(seed))
    jax.effects_barrier()
    latents = [array for role, array in CALLS if role == "generator"]
    return state, metrics, latents, [array for role, array in CALLS if role == "judge"]


def sample(program, state, key, count):
    """Images of latents from the prior, as they are measured."""
    return program.generate(state, program.prior(key, count))


def points(count):
    return np.random.default_rng(0).normal(1.0, 1.0, (count, 1, 1, 2)).astype(np.float32)


def as_numbers(tree):
    return jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), tree)


def close(got, expected):
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-6),
        as_numbers(got), as_numbers(expected),
    )  # fmt: skip
