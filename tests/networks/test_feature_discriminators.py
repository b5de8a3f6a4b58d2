"""Discriminators with features: the parameters and logits of those without, and which features."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.networks.dcgan import DcganDiscriminator
from jaxgan.networks.features import FeatureDcganDiscriminator, FeatureMlpDiscriminator
from jaxgan.networks.mlp import MlpDiscriminator


@pytest.mark.parametrize(
    ("network", "plain"),
    [
        (FeatureMlpDiscriminator((8, 5)), MlpDiscriminator((8, 5))),
        (FeatureMlpDiscriminator((8, 5), dtype="bfloat16"), None),
        (FeatureDcganDiscriminator(4), DcganDiscriminator(4)),
    ],
)
def test_logits_are_the_last_layer_of_the_features(network, plain):
    images = jnp.asarray(np.random.default_rng(0).uniform(-1, 1, (3, 8, 8, 1)), jnp.float32)
    variables = network.init(jax.random.key(0), images, train=False)
    logits, heads, (features,) = network.apply(variables, images, train=False)
    assert heads == {}
    assert features.dtype == jnp.float32
    last = variables["params"]["LogitHead_0"]["Dense_0"]
    by_hand = np.asarray(features, np.float64) @ np.asarray(last["kernel"]) + last["bias"]
    np.testing.assert_allclose(logits, by_hand[:, 0], rtol=1e-4, atol=1e-5)
    if plain is not None:
        alike = plain.init(jax.random.key(0), images, train=False)
        jax.tree.map(np.testing.assert_array_equal, variables, alike)
        np.testing.assert_array_equal(logits, plain.apply(variables, images, train=False))
