"""A GAN with labels whose images show their class, for tests of all that looks at labels."""

import dataclasses
import functools
import math

import flax.linen as nn
import jax.numpy as jnp
import numpy as np
import tiny

from jaxgan.data.pipeline import Data
from jaxgan.networks.conditional import LabelledDiscriminator
from jaxgan.networks.mlp import MlpDiscriminator
from jaxgan.objectives.priors import Labelled, Normal
from jaxgan.program import compile_program, example_batch

CLASSES = 10
DATA = Data(classes=CLASSES)


class Signs(nn.Module):
    """Noise, but for the first row of pixels, which is as bright as the label is high."""

    @nn.compact
    def __call__(self, latents, *, image_shape, classes, train, axis_name=None):
        noise = nn.tanh(nn.Dense(math.prod(image_shape))(latents["noise"]))
        sign = 2.0 * latents["label"].astype(jnp.float32) / (classes - 1) - 1.0
        return noise.reshape(-1, *image_shape).at[:, 0].set(sign[:, None, None])


def gan(**changes):
    """It, on digits."""
    model = dataclasses.replace(
        tiny.gan().model,
        generator=Signs(),
        discriminator=LabelledDiscriminator(body=MlpDiscriminator(widths=(8,)), planes=False),
        prior=Labelled(Normal(4)),
        n_critic=1,
    )
    return tiny.gan(**{"name": "labelled", "model": model, "data": DATA, "steps": 2, **changes})


@functools.cache
def made():
    """A program, and the state that training would start from."""
    program = compile_program(gan(), "none")
    return program, program.init(0, example_batch(gan()))


def signs(images):
    """The classes that images show."""
    rows = np.asarray(images)[:, 0].reshape(len(images), -1)
    assert (rows == rows[:, :1]).all()
    return np.rint(rows[:, 0] / 255.0 * (CLASSES - 1)).astype(int)
