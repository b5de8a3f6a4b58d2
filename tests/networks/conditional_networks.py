"""Every conditional network, with inputs and variables to call it with."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.networks.auxiliary import AuxiliaryDcganDiscriminator, AuxiliaryMlpDiscriminator
from jaxgan.networks.conditional import (
    ConditionalDcganGenerator,
    LabelledDecoder,
    LabelledDiscriminator,
    LabelledEncoder,
    LabelledGenerator,
)
from jaxgan.networks.dcgan import DcganDiscriminator, DcganGenerator
from jaxgan.networks.mlp import MlpDiscriminator, MlpEncoder, MlpGenerator
from jaxgan.networks.projection import ProjectionDcganDiscriminator, ProjectionMlpDiscriminator
from jaxgan.networks.vae import ConvDecoder, ConvEncoder

KEYS = {"params": jax.random.key(0), "dropout": jax.random.key(1)}
SHAPE = (16, 16, 2)
BATCH, CLASSES = 16, 4
RNG = np.random.default_rng(0)
NOISE = jnp.asarray(RNG.normal(size=(BATCH, 5)), jnp.float32)
IMAGES = jnp.asarray(RNG.uniform(-1, 1, size=(BATCH, *SHAPE)), jnp.float32)
LABELS = jnp.asarray([2, 0, 3, 3, 1, 0, 2, 2, 1, 3, 0, 1, 2, 3, 1, 0])
# Written out by hand.
ROWS = np.array([[0, 0, 1, 0], [1, 0, 0, 0], [0, 0, 0, 1], [0, 1, 0, 0]], np.float32)
ONE_HOT = ROWS[np.array([0, 1, 2, 2, 3, 1, 0, 0, 3, 2, 1, 3, 0, 2, 3, 1])]

MAKERS = {
    "labelled": LabelledGenerator(MlpGenerator((8, 8), batch_norm=True)),
    "embedded": LabelledGenerator(DcganGenerator(width=4), embedding=3),
    "labelled decoder": LabelledDecoder(ConvDecoder(width=4)),
    "dcgan": ConditionalDcganGenerator(width=4),
}
JUDGES = {
    "labelled": LabelledDiscriminator(MlpDiscriminator((8, 8), dropout=0.3), planes=False),
    "planes": LabelledDiscriminator(DcganDiscriminator(width=4)),
    "projection": ProjectionDcganDiscriminator(width=4),
    "projection mlp": ProjectionMlpDiscriminator((8, 8), dropout=0.3),
    "auxiliary": AuxiliaryDcganDiscriminator(width=4),
    "auxiliary mlp": AuxiliaryMlpDiscriminator((8, 8), pieces=2),
}
ENCODERS = {
    "labelled": LabelledEncoder(MlpEncoder((8,)), planes=False),
    "planes": LabelledEncoder(ConvEncoder(width=4, batch_norm=True)),
}
CALLS = (
    [pytest.param(m, NOISE, {"image_shape": SHAPE}, id=f"G {n}") for n, m in MAKERS.items()]
    + [pytest.param(m, IMAGES, {}, id=f"D {n}") for n, m in JUDGES.items()]
    + [pytest.param(m, IMAGES, {"latent_size": 3}, id=f"E {n}") for n, m in ENCODERS.items()]
)
EVERY = pytest.mark.parametrize(("module", "inputs", "arguments"), CALLS)
# One network for each way in which a batch is more than its examples, or a label is read.
SHARING = {"G dcgan", "D labelled", "D projection"}


def given(inputs, labels):
    """The inputs of a network: makers take latents by name, others images and labels."""
    return ({"noise": inputs, "label": labels},) if inputs.ndim == 2 else (inputs, labels)


def initialized(module, inputs, **arguments):
    """Variables away from their start, where some classes are alike and biases are 0."""
    return _initialized(module, inputs.shape, tuple(arguments.items()))


@functools.cache
def _initialized(module, shape, arguments):
    def init():
        inputs = given(jnp.zeros(shape), LABELS)
        return module.init(KEYS, *inputs, classes=CLASSES, train=False, **dict(arguments))

    variables = jax.jit(init)()
    rng = np.random.default_rng(1)
    return jax.tree.map(lambda v: v + jnp.asarray(rng.uniform(0, 0.3, v.shape), v.dtype), variables)


def evaluated(module, variables, inputs, labels, **arguments):
    return module.apply(
        variables, *given(inputs, labels), classes=CLASSES, train=False, **arguments
    )


def assert_close(a, b, **tolerance):
    tolerance = tolerance or {"rtol": 1e-4, "atol": 1e-5}
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, **tolerance), a, b)
