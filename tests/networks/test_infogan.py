"""InfoGAN's networks: parameter counts to the digit, layers against plain Flax, sizes of images."""

import doctest

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.networks import infogan
from jaxgan.networks.infogan import (
    InfoGanCodesDiscriminator,
    InfoGanDiscriminator,
    InfoGanGenerator,
)

RNG = np.random.default_rng(0)
KEY = jax.random.key(0)


def size(module, inputs, **arguments):
    variables = jax.eval_shape(lambda: module.init(KEY, inputs, train=False, **arguments))
    return sum(leaf.size for leaf in jax.tree.leaves(variables["params"]))


def started(module, inputs, **arguments):
    """Random variables in the shapes of the first ones, whose compilation takes longer."""
    shapes = jax.eval_shape(lambda: module.init(KEY, inputs, train=False, **arguments))
    least = {"params": -0.2, "batch_stats": 0.1}
    return {
        name: jax.tree.map(
            lambda s, name=name: jnp.asarray(RNG.uniform(least[name], 0.4, s.shape), s.dtype), tree
        )
        for name, tree in shapes.items()
    }


MNIST = jnp.zeros((2, 28, 28, 1))


@pytest.mark.parametrize(
    ("biases", "generator", "discriminator", "recognition"),
    [(True, 6_652_481, 6_559_169, 133_262), (False, 6_645_121, 6_558_017, 133_134)],
)
def test_parameter_counts(biases, generator, discriminator, recognition):
    """The authors' networks to the digit; without the biases that their batch norm makes idle, one
    a normalized channel or unit: 1024 + 6272 + 64, 128 + 1024 and 128 fewer."""
    made = size(
        InfoGanGenerator(biases=biases), jnp.zeros((2, 62 + 10 + 2)), image_shape=(28, 28, 1)
    )
    assert made == generator
    assert size(InfoGanDiscriminator(biases=biases), MNIST) == discriminator
    with_q = size(InfoGanCodesDiscriminator(biases=biases), MNIST)
    assert with_q - discriminator == recognition


def test_parameter_counts_of_the_pair_of_lucic():
    """z of 64; the discriminator without batch norm keeps its biases and has no scales."""
    generator = InfoGanGenerator(biases=True, slope=0.2)
    pair = generator, InfoGanDiscriminator(batch_norm=False, slope=0.2)
    assert size(pair[0], jnp.zeros((2, 64)), image_shape=(28, 28, 1)) == 6_652_481 - 10 * 1024
    assert size(pair[1], MNIST) == 6_559_169 - 2 * (128 + 1024)


class PlainGenerator(nn.Module):
    slope: float = 0.0

    @nn.compact
    def __call__(self, z, train):
        def finish(x):
            x = nn.BatchNorm(use_running_average=not train, momentum=0.9)(x)
            return jnp.where(x > 0, x, self.slope * x)

        x = finish(nn.Dense(6, use_bias=False)(z))
        x = finish(nn.Dense(2 * 3 * 8, use_bias=False)(x)).reshape(-1, 2, 3, 8)
        x = finish(nn.ConvTranspose(4, (4, 4), (2, 2), use_bias=False)(x))
        return jnp.tanh(nn.ConvTranspose(2, (4, 4), (2, 2))(x))


class PlainDiscriminator(nn.Module):
    @nn.compact
    def __call__(self, x, train):
        def finish(x):
            x = nn.BatchNorm(use_running_average=not train, momentum=0.9)(x)
            return nn.leaky_relu(x, 0.01)

        x = nn.leaky_relu(nn.Conv(4, (4, 4), (2, 2))(x), 0.01)
        x = finish(nn.Conv(8, (4, 4), (2, 2), use_bias=False)(x)).reshape(x.shape[0], -1)
        x = finish(nn.Dense(6, use_bias=False)(x))
        logits = nn.Dense(1, name="logit")(x)[:, 0]
        q = finish(nn.Dense(5, use_bias=False)(x))
        heads = {"category": 7, "continuous": 3, "continuous_log_variance": 3}
        return logits, {name: nn.Dense(count, name=name)(q) for name, count in heads.items()}


def renamed(variables):
    """Variables, and the same with the names of the plain network."""
    params = dict(variables["params"])
    if "LogitHead_0" in params:
        logit = params.pop("LogitHead_0")["Dense_0"]
        params = {**params, **params.pop("CodesHead_0"), "logit": logit}
    return variables, {**variables, "params": params}


@pytest.mark.parametrize(
    ("module", "plain", "inputs", "arguments"),
    [
        (
            InfoGanGenerator(width=4, units=6),
            PlainGenerator(),
            RNG.normal(size=(5, 7)),
            {"image_shape": (8, 12, 2)},
        ),
        (
            InfoGanGenerator(width=4, units=6, slope=0.25),
            PlainGenerator(slope=0.25),
            RNG.normal(size=(5, 7)),
            {"image_shape": (8, 12, 2)},
        ),
        (
            InfoGanCodesDiscriminator(
                width=4, units=6, categories=(3, 4), continuous=3, code_units=5
            ),
            PlainDiscriminator(),
            RNG.uniform(-1, 1, size=(5, 8, 12, 2)),
            {},
        ),
    ],
)
def test_is_the_plain_one(module, plain, inputs, arguments):
    inputs = jnp.asarray(inputs, jnp.float32)
    ours, theirs = renamed(started(module, inputs, **arguments))

    @jax.jit
    def both():
        return [
            (
                module.apply(ours, inputs, train=train, mutable=["batch_stats"], **arguments),
                plain.apply(theirs, inputs, train, mutable=["batch_stats"]),
            )
            for train in (False, True)
        ]

    for got, expected in both():
        jax.tree.map(
            lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5), got, expected
        )
    (got, _), _ = both()[0]
    if isinstance(got, tuple):
        assert {name: head.shape for name, head in got[1].items()} == {
            "category": (5, 7),
            "continuous": (5, 3),
            "continuous_log_variance": (5, 3),
        }


def test_heads_are_those_of_the_codes_that_are_there():
    for codes, names in (
        ({"continuous": 0}, {"category"}),
        ({"categories": ()}, {"continuous", "continuous_log_variance"}),
    ):
        network = InfoGanCodesDiscriminator(width=4, units=6, **codes)
        (_, heads), _ = jax.eval_shape(
            lambda n=network: n.init_with_output(KEY, MNIST, train=False)
        )
        assert heads.keys() == names


def test_first_weights():
    """N(0, 0.02) in all layers, the last one included."""
    network = InfoGanGenerator(width=8, units=64)
    latent = jnp.zeros((1, 8))
    init = jax.jit(lambda: network.init(KEY, latent, image_shape=(8, 8, 1), train=False))
    variables = init()
    for path, leaf in jax.tree_util.tree_leaves_with_path(variables["params"]):
        if path[-1].key == "kernel":
            assert leaf.std() == pytest.approx(0.02, rel=5 / (2 * leaf.size) ** 0.5)


@pytest.mark.parametrize(
    "codes",
    [{"categories": (1,)}, {"continuous": -1}, {"code_units": 0}],
)
def test_impossible_codes(codes):
    with pytest.raises(ValueError, match="at least 2 classes a code"):
        InfoGanCodesDiscriminator(**codes)


def test_no_codes():
    with pytest.raises(ValueError, match="use InfoGanDiscriminator"):
        InfoGanCodesDiscriminator(categories=(), continuous=0)


def test_impossible_shapes():
    for network, inputs, arguments in (
        (InfoGanGenerator(), jnp.zeros((2, 5)), {"image_shape": (10, 8, 1)}),
        (InfoGanDiscriminator(), jnp.zeros((2, 10, 8, 1)), {}),
    ):
        with pytest.raises(ValueError, match="images of 10x8: InfoGAN's networks halve them twice"):
            size(network, inputs, **arguments)


def test_examples():
    result = doctest.testmod(infogan)
    assert result.attempted >= 3
    assert result.failed == 0
