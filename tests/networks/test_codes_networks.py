"""Networks that are given codes, read them, or judge pairs of images and codes."""

import doctest

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.networks import information
from jaxgan.networks.bidirectional import (
    DcganCoder,
    MlpCoder,
    PairDcganDiscriminator,
    PairMlpDiscriminator,
)
from jaxgan.networks.dcgan import DcganDiscriminator
from jaxgan.networks.information import (
    CodesGenerator,
    InformationDcganDiscriminator,
    InformationMlpDiscriminator,
)
from jaxgan.networks.mlp import MlpDiscriminator, MlpGenerator

DRAWS = np.random.default_rng(0)
SHAPE, COUNT = (8, 8, 2), 5
IMAGES = jnp.asarray(DRAWS.uniform(-1, 1, size=(COUNT, *SHAPE)), jnp.float32)
CODES = jnp.asarray(DRAWS.normal(size=(COUNT, 3)), jnp.float32)


def variables_of(module, *inputs, **arguments):
    """Random weights in the shapes of the first ones."""
    shapes = jax.eval_shape(
        lambda: module.init(jax.random.key(0), *inputs, train=False, **arguments)
    )
    return jax.tree.map(lambda s: jnp.asarray(DRAWS.uniform(0.1, 0.6, s.shape), s.dtype), shapes)


def close(a, b):
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, rtol=1e-4, atol=1e-5), a, b)


def test_all_parts_of_a_latent_reach_the_body_once():
    latents = {
        "noise": CODES,
        "category": (jnp.eye(4)[:3][jnp.array([0, 1, 2, 0, 1])], jnp.eye(2)[jnp.arange(5) % 2]),
        "continuous": CODES[:, :2] + 1.0,
    }
    module, body = CodesGenerator(MlpGenerator((8,))), MlpGenerator((8,))
    variables = variables_of(module, latents, image_shape=SHAPE)
    vector = jnp.concatenate([*latents["category"], latents["continuous"], CODES], axis=1)
    inner = {"params": variables["params"]["body"]}
    close(
        module.apply(variables, latents, image_shape=SHAPE, train=False),
        body.apply(inner, vector, image_shape=SHAPE, train=False),
    )


@pytest.mark.parametrize(
    ("module", "plain"),
    [
        (
            InformationDcganDiscriminator(width=4, categories=(3, 4), continuous=1, hidden=6),
            DcganDiscriminator(width=4),
        ),
        (
            InformationMlpDiscriminator((8,), categories=(3, 4), continuous=1, hidden=6),
            MlpDiscriminator((8,)),
        ),
    ],
)
def test_a_reader_is_a_head_more(module, plain):
    """The logits are those of the plain discriminator; the reader has a hidden layer of its own."""
    variables = variables_of(module, IMAGES)
    logits, heads = module.apply(variables, IMAGES, train=False)
    shapes = {name: head.shape for name, head in heads.items()}
    assert shapes["category"] == (COUNT, 7)
    assert shapes["continuous"] == (COUNT, 1)
    trunk = {n: t for n, t in variables["params"].items() if n in plain_names(plain)}
    close(logits, plain.apply({**variables, "params": trunk}, IMAGES, train=False))
    layers = [t for n, t in variables["params"].items() if n.startswith("HiddenLayers")]
    assert layers[-1]["Dense_0"]["kernel"].shape[-1] == 6


def plain_names(plain):
    return variables_of(plain, IMAGES)["params"].keys()


@pytest.mark.parametrize(
    "module",
    [
        InformationMlpDiscriminator((8,), categories=(3,), continuous=0),
        InformationMlpDiscriminator((8,), categories=(), continuous=2),
    ],
)
def test_only_codes_that_are_there_are_read(module):
    heads = jax.eval_shape(lambda: module.init_with_output(jax.random.key(0), IMAGES, train=False))
    assert ("category" in heads[0][1]) == bool(module.categories)
    assert ("continuous" in heads[0][1]) == bool(module.continuous)


@pytest.mark.parametrize(
    "module",
    [PairMlpDiscriminator((8,)), PairDcganDiscriminator(width=4, hidden=6, batch_norm=False)],
)
def test_pairs_are_judged_as_pairs(module):
    """Image and code both matter, each to its own pair, and not one without the other."""
    variables = jax.tree.map(lambda v: v - 0.35, variables_of(module, IMAGES, CODES))

    def judge(images, codes):
        return module.apply(variables, images, codes, train=False)

    before = judge(IMAGES, CODES)
    for changed in (judge(IMAGES.at[2].mul(-1), CODES), judge(IMAGES, CODES.at[2].mul(-1))):
        moved = np.abs(changed - before) > 1e-5
        np.testing.assert_array_equal(moved, np.arange(COUNT) == 2)
    # What the code adds depends on the image: a sum of two judgements would have no mixed term.
    both = judge(IMAGES.at[2].mul(-1), CODES.at[2].mul(-1))
    apart = [judge(IMAGES.at[2].mul(-1), CODES), judge(IMAGES, CODES.at[2].mul(-1))]
    assert abs(float((both + before - apart[0] - apart[1])[2])) > 1e-4


@pytest.mark.parametrize("module", [MlpCoder((8,)), DcganCoder(width=4)])
def test_coders_give_one_code(module):
    variables = variables_of(module, IMAGES, latent_size=3)
    codes = module.apply(variables, IMAGES, latent_size=3, train=False)
    assert (codes.shape, codes.dtype) == ((COUNT, 3), jnp.float32)
    again = module.apply(variables, IMAGES[1:3], latent_size=3, train=False)
    close(again, codes[1:3])


def test_examples():
    result = doctest.testmod(information)
    assert result.attempted >= 4
    assert result.failed == 0
