"""Discriminators with embeddings and proxies, or with two classifiers."""

import doctest

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conditional_networks import CLASSES, IMAGES, LABELS, assert_close, evaluated, initialized

from jaxgan.networks.class_information import (
    EmbeddingDcganDiscriminator,
    EmbeddingMlpDiscriminator,
    TwinDcganDiscriminator,
    TwinMlpDiscriminator,
)
from jaxgan.networks.dcgan import DcganDiscriminator
from jaxgan.networks.layers import class_heads
from jaxgan.networks.layers.class_heads import unit
from jaxgan.networks.mlp import MlpDiscriminator

EMBEDDING = pytest.mark.parametrize(
    "module",
    [
        EmbeddingDcganDiscriminator(width=4, embedding=3),
        EmbeddingMlpDiscriminator((8,), embedding=3),
    ],
)
TWIN = pytest.mark.parametrize(
    "module", [TwinDcganDiscriminator(width=4), TwinMlpDiscriminator((8,))]
)


@pytest.mark.parametrize(
    ("module", "plain"),
    [
        (EmbeddingDcganDiscriminator(width=4), DcganDiscriminator(width=4)),
        (TwinMlpDiscriminator((8,)), MlpDiscriminator((8,))),
    ],
)
def test_logits_are_those_of_the_unconditional_discriminator(module, plain):
    variables = initialized(module, IMAGES)
    kept = {
        name: tree
        for name, tree in variables["params"].items()
        if name.startswith(("DownPyramid", "HiddenLayers", "LogitHead"))
    }
    logits, _ = evaluated(module, variables, IMAGES, LABELS)
    assert_close(logits, plain.apply({**variables, "params": kept}, IMAGES, train=False))


@EMBEDDING
def test_embeddings_and_proxies_are_unit_vectors(module):
    """Whatever the weights are: what is normalized are the results, and not copies of weights."""
    variables = initialized(module, IMAGES)
    logits, heads = evaluated(module, variables, IMAGES, LABELS)
    for head in heads.values():
        np.testing.assert_allclose(jnp.linalg.norm(head, axis=1), 1.0, rtol=1e-5)
    larger = {
        name: jax.tree.map(lambda leaf: 50.0 * leaf, tree) if name == "EmbeddingHead_0" else tree
        for name, tree in variables["params"].items()
    }
    again = evaluated(module, {**variables, "params": larger}, IMAGES, LABELS)
    assert_close(again, (logits, heads))


@EMBEDDING
def test_a_proxy_is_that_of_the_label_and_an_embedding_of_the_image(module):
    variables = initialized(module, IMAGES)
    logits, heads = evaluated(module, variables, IMAGES, LABELS)
    table = np.asarray(variables["params"]["EmbeddingHead_0"]["ClassEmbedding_0"]["table"])
    expected = table / np.linalg.norm(table, axis=1, keepdims=True)
    assert_close(heads["proxy"], expected[np.asarray(LABELS)])
    other = evaluated(module, variables, IMAGES, (LABELS + 1) % CLASSES)
    assert_close(other[0], logits)
    assert_close(other[1]["embedding"], heads["embedding"])
    assert np.abs(other[1]["proxy"] - heads["proxy"]).max() > 0.1
    shifted = evaluated(module, variables, IMAGES[::-1], LABELS)[1]
    assert_close(shifted["embedding"], heads["embedding"][::-1])
    assert_close(shifted["proxy"], heads["proxy"])


@TWIN
def test_twins_have_weights_of_their_own(module):
    """And the same features; labels are not looked at."""
    variables = initialized(module, IMAGES)
    params = variables["params"]
    logits, heads = evaluated(module, variables, IMAGES, LABELS)
    assert heads.keys() == {"class", "twin"}
    assert heads["class"].shape == heads["twin"].shape == (len(IMAGES), CLASSES)
    assert np.abs(heads["class"] - heads["twin"]).max() > 0.01
    swapped = {"class": params["TwinHead_0"]["twin"], "twin": params["TwinHead_0"]["class"]}
    tree = {**variables, "params": {**params, "TwinHead_0": swapped}}
    found = evaluated(module, tree, IMAGES, (LABELS + 1) % CLASSES)
    assert_close(found, (logits, {"class": heads["twin"], "twin": heads["class"]}))


def test_unit_has_finite_slopes_everywhere():
    vectors = jnp.array([[0.0, 0.0], [3e8, -4e8], [1e-9, 0.0], [0.3, 0.4]])
    found = unit(vectors)
    np.testing.assert_allclose(found[1], [0.6, -0.8], rtol=1e-6)
    np.testing.assert_allclose(found[3], [0.6, 0.8], rtol=1e-6)
    slope, second = jax.jvp(
        jax.grad(lambda v: jnp.sum(jnp.sin(unit(v)))), (vectors,), (jnp.ones_like(vectors),)
    )
    assert np.isfinite(slope).all()
    assert np.isfinite(second).all()


def test_examples():
    result = doctest.testmod(class_heads)
    assert result.attempted >= 1
    assert result.failed == 0
