"""The discriminator of codes, by hand."""

import jax
import jax.numpy as jnp
import numpy as np

from jaxgan.networks.code_discriminator import CodeDiscriminator


def test_dense_layers_with_leaky_relu():
    network = CodeDiscriminator((4, 3))
    codes = np.random.default_rng(0).normal(size=(5, 2)).astype(np.float32)
    found, variables = network.init_with_output(jax.random.key(0), jnp.asarray(codes), train=False)
    hidden, params = codes, variables["params"]
    for layer in sorted(params["HiddenLayers_0"]):
        weights = params["HiddenLayers_0"][layer]
        hidden = hidden @ weights["kernel"] + weights["bias"]
        hidden = np.where(hidden > 0, hidden, 0.2 * hidden)
    head = params["LogitHead_0"]["Dense_0"]
    np.testing.assert_allclose(found, (hidden @ head["kernel"] + head["bias"])[:, 0], rtol=1e-4)
    assert hidden.shape == (5, 3)


def test_it_is_as_large_as_the_papers():
    """Six layers of 1,000 units and a logit, for codes of ten dimensions."""
    shapes = jax.eval_shape(
        lambda: CodeDiscriminator().init(jax.random.key(0), jnp.zeros((1, 10)), train=False)
    )
    sizes = sum(leaf.size for leaf in jax.tree.leaves(shapes))
    assert sizes == 10 * 1000 + 1000 + 5 * (1000 * 1000 + 1000) + 1000 + 1
