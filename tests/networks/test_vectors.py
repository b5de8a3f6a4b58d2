"""Discriminators that give vectors: where those come from, and what their logits are."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.networks.dcgan import DcganDiscriminator
from jaxgan.networks.mlp import MlpDiscriminator
from jaxgan.networks.vectors import VectorDcganDiscriminator, VectorMlpDiscriminator

RNG = np.random.default_rng(0)
IMAGES = jnp.asarray(RNG.uniform(-1, 1, size=(5, 8, 8, 1)), jnp.float32)


@pytest.mark.parametrize(
    ("module", "plain", "trunk"),
    [
        (
            VectorDcganDiscriminator(width=4, embedding_size=3),
            DcganDiscriminator(width=4),
            "DownPyramid_0",
        ),
        (
            VectorMlpDiscriminator((8,), embedding_size=3),
            MlpDiscriminator((8,)),
            "HiddenLayers_0",
        ),
    ],
)
def test_is_the_plain_discriminator_with_more_outputs(module, plain, trunk):
    """Each entry is what the logit would be with its weights; the logits are their mean."""
    assert module.embeds is True
    variables = module.init(jax.random.key(0), IMAGES, train=False)
    params = variables["params"]
    logits, heads = module.apply(variables, IMAGES, train=False)
    assert heads.keys() == {"embedding"}
    assert heads["embedding"].shape == (5, 3)
    np.testing.assert_allclose(logits, np.asarray(heads["embedding"]).mean(axis=1), rtol=1e-5)
    head = params["VectorHead_0"]["Dense_0"]
    for entry in range(3):
        own = {"kernel": head["kernel"][:, entry : entry + 1], "bias": head["bias"][entry:][:1]}
        inner = {trunk: params[trunk], "LogitHead_0": {"Dense_0": own}}
        expected = plain.apply({**variables, "params": inner}, IMAGES, train=False)
        np.testing.assert_allclose(heads["embedding"][:, entry], expected, rtol=1e-4, atol=1e-6)


def test_bad_settings():
    with pytest.raises(ValueError, match="embedding_size = 0: must be at least 1"):
        VectorMlpDiscriminator(embedding_size=0)
