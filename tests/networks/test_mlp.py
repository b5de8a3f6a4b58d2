import doctest

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.networks import mlp
from jaxgan.networks.mlp import MlpDecoder, MlpDiscriminator, MlpEncoder, MlpGenerator

RNG = np.random.default_rng(0)
LATENT = jnp.asarray(RNG.normal(size=(6, 2)), jnp.float32)
IMAGES = jnp.asarray(RNG.uniform(-1, 1, size=(6, 4, 3, 2)), jnp.float32)


def size(variables):
    return sum(leaf.size for leaf in jax.tree.leaves(variables["params"]))


def perturbed(variables):
    """Parameters away from their start, where biases are 0 and would show nothing."""
    rng = np.random.default_rng(1)
    return jax.tree.map(lambda v: v + rng.normal(0, 0.3, v.shape).astype(np.float32), variables)


def dense(values, layer):
    return values @ np.asarray(layer["kernel"], np.float64) + np.asarray(layer["bias"], np.float64)


@pytest.mark.parametrize(
    ("activation", "function", "bounded"),
    [
        ("relu", lambda x: np.maximum(x, 0), True),
        ("leaky_relu", lambda x: np.where(x < 0, 0.3 * x, x), False),
        ("tanh", np.tanh, False),
    ],
)
def test_generator_in_numpy(activation, function, bounded):
    module = MlpGenerator((5, 7), activation=activation, slope=0.3, bounded=bounded)
    variables = perturbed(
        module.init(jax.random.key(0), LATENT, image_shape=(2, 3, 1), train=False)
    )
    got = module.apply(variables, LATENT, image_shape=(2, 3, 1), train=True)
    hidden = variables["params"]["HiddenLayers_0"]
    values = function(dense(np.asarray(LATENT, np.float64), hidden["Dense_0"]))
    values = function(dense(values, hidden["Dense_1"]))
    values = dense(values, variables["params"]["pixels"]).reshape(6, 2, 3, 1)
    np.testing.assert_allclose(got, np.tanh(values) if bounded else values, rtol=1e-4, atol=1e-5)


def test_discriminator_in_numpy():
    module = MlpDiscriminator((5,), slope=0.1)
    variables = perturbed(module.init(jax.random.key(0), IMAGES, train=False))
    got = module.apply(variables, IMAGES, train=True)
    params = variables["params"]
    values = dense(
        np.asarray(IMAGES, np.float64).reshape(6, 24), params["HiddenLayers_0"]["Dense_0"]
    )
    values = np.where(values < 0, 0.1 * values, values)
    np.testing.assert_allclose(
        got, dense(values, params["LogitHead_0"]["Dense_0"])[:, 0], rtol=1e-4, atol=1e-5
    )


def test_maxout_in_numpy():
    """Goodfellow et al. 2013, eq. 1: the largest of the pieces of each unit."""
    module = MlpDiscriminator((5,), pieces=3)
    variables = perturbed(module.init(jax.random.key(0), IMAGES, train=False))
    got = module.apply(variables, IMAGES, train=True)
    params = variables["params"]
    values = dense(
        np.asarray(IMAGES, np.float64).reshape(6, 24), params["HiddenLayers_0"]["Dense_0"]
    )
    # The first pieces of all five units come first, then the second ones.
    units = np.stack([values[:, unit::5].max(axis=1) for unit in range(5)], axis=1)
    np.testing.assert_allclose(
        got, dense(units, params["LogitHead_0"]["Dense_0"])[:, 0], rtol=1e-4, atol=1e-5
    )


def test_autoencoder_in_numpy():
    """Kingma and Welling 2013, appendix C: one hidden layer of tanh on either side."""
    encoder, decoder = MlpEncoder((5,)), MlpDecoder((4,))
    variables = perturbed(encoder.init(jax.random.key(0), IMAGES, latent_size=3, train=False))
    mean, log_variance = encoder.apply(variables, IMAGES, latent_size=3, train=True)
    params = variables["params"]
    hidden = np.tanh(
        dense(np.asarray(IMAGES, np.float64).reshape(6, 24), params["HiddenLayers_0"]["Dense_0"])
    )
    for got, name in ((mean, "mean"), (log_variance, "log_variance")):
        expected = dense(hidden, params["GaussianHead_0"][name])
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)

    shape = {"image_shape": (4, 3, 2)}
    variables = perturbed(decoder.init(jax.random.key(0), LATENT, train=False, **shape))
    got = decoder.apply(variables, LATENT, train=True, **shape)
    params = variables["params"]
    hidden = np.tanh(dense(np.asarray(LATENT, np.float64), params["HiddenLayers_0"]["Dense_0"]))
    expected = dense(hidden, params["pixels"]).reshape(6, 4, 3, 2)
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)


def test_parameters_of_pacgan():
    """Lin et al. 2018: G 2-400-400-400-400-2 with batch norm, D 2-200x5-200x5-200x5-1."""
    generator = MlpGenerator((400,) * 4, batch_norm=True, bounded=False, init_std=0.02)
    variables = jax.eval_shape(
        lambda: generator.init(jax.random.key(0), LATENT, image_shape=(1, 1, 2), train=False)
    )
    weights = 2 * 400 + 3 * 400 * 400 + 400 * 2
    assert size(variables) == weights + 4 * 2 * 400 + 2
    discriminator = MlpDiscriminator((200,) * 3, pieces=5, init_std=0.02)
    points = jnp.zeros((6, 1, 1, 2))
    variables = jax.eval_shape(lambda: discriminator.init(jax.random.key(0), points, train=False))
    assert size(variables) == (2 * 1000 + 1000) + 2 * (200 * 1000 + 1000) + (200 + 1)


def test_parameters_of_autoencoder():
    """784-500-(20, 20) and 20-500-784."""
    images, latent = jnp.zeros((1, 28, 28, 1)), jnp.zeros((1, 20))
    encoder = jax.eval_shape(
        lambda: MlpEncoder((500,)).init(jax.random.key(0), images, latent_size=20, train=False)
    )
    assert size(encoder) == 784 * 500 + 500 + 2 * (500 * 20 + 20)
    decoder = jax.eval_shape(
        lambda: MlpDecoder((500,)).init(
            jax.random.key(0), latent, image_shape=(28, 28, 1), train=False
        )
    )
    assert size(decoder) == 20 * 500 + 500 + 500 * 784 + 784


def test_dropout_only_in_training():
    module = MlpDiscriminator((50, 50), dropout=0.5, input_dropout=0.2)
    variables = module.init(jax.random.key(0), IMAGES, train=False)
    calm = module.apply(variables, IMAGES, train=False)
    plain = MlpDiscriminator((50, 50)).apply(variables, IMAGES, train=True)
    np.testing.assert_array_equal(calm, plain)
    one, two = (
        module.apply(variables, IMAGES, train=True, rngs={"dropout": jax.random.key(k)})
        for k in (1, 2)
    )
    assert not np.allclose(one, two)
    assert not np.allclose(one, calm)


@pytest.mark.parametrize("setting", [{"dropout": 0.5}, {"input_dropout": 0.5}])
def test_each_dropout_drops(setting):
    module = MlpDiscriminator((50,), **setting)
    variables = module.init(jax.random.key(0), IMAGES, train=False)
    rngs = {"dropout": jax.random.key(1)}
    changed = module.apply(variables, IMAGES, train=True, rngs=rngs)
    assert not np.allclose(changed, module.apply(variables, IMAGES, train=False))


def test_no_hidden_layer():
    """Without hidden layers the discriminator is a logistic regression."""
    module = MlpDiscriminator(())
    variables = module.init(jax.random.key(0), IMAGES, train=False)
    assert size(variables) == 24 + 1


def test_examples():
    result = doctest.testmod(mlp)
    assert result.attempted >= 5
    assert result.failed == 0
