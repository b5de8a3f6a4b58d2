import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.networks.layers.conv import Conv
from jaxgan.networks.layers.dense import Dense

DRAWS = np.random.default_rng(0)
CASES = [
    pytest.param(Dense(3, weight_norm="weight"), (4, 5), id="dense"),
    pytest.param(Conv(3, (3, 3), weight_norm="weight"), (2, 4, 4, 2), id="conv"),
]


@pytest.mark.parametrize(("layer", "shape"), CASES)
def test_weight_normalization(layer, shape):
    """Salimans and Kingma 2016, equation 2: of the weights, only their direction is left."""
    inputs = jnp.asarray(DRAWS.normal(size=shape), jnp.float32)
    plain = layer.clone(weight_norm=None)
    params = layer.init(jax.random.key(0), inputs)["params"]
    first = plain.init(jax.random.key(0), inputs)
    # At first, nothing is changed.
    np.testing.assert_allclose(
        layer.apply({"params": params}, inputs), plain.apply(first, inputs), rtol=1e-5, atol=1e-6
    )
    lengths = np.array([2.0, 0.5, -3.0])
    kernel = np.asarray(params["kernel"], np.float64)
    direction = kernel / np.sqrt(np.square(kernel).sum(tuple(range(kernel.ndim - 1))))
    expected = plain.apply(
        {"params": {**first["params"], "kernel": jnp.asarray(lengths * direction, jnp.float32)}},
        inputs,
    )
    changed = {**params, "kernel": 7.0 * params["kernel"], "kernel_length": jnp.asarray(lengths)}
    got = layer.apply({"params": changed}, inputs)
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)


def test_its_gradient():
    """Equation 3: that of a length is along the direction, that of the weights across."""
    layer, inputs = Dense(3, weight_norm="weight"), jnp.asarray(DRAWS.normal(size=(4, 5)))
    params = layer.init(jax.random.key(0), inputs)["params"]
    params = {**params, "kernel_length": jnp.asarray([2.0, 0.5, 3.0])}
    wanted = DRAWS.normal(size=(4, 3))

    def loss(params):
        return jnp.sum(wanted * layer.apply({"params": params}, inputs))

    got = jax.grad(loss)(params)
    kernel, of_weights = np.asarray(params["kernel"], np.float64), np.asarray(inputs).T @ wanted
    norms = np.linalg.norm(kernel, axis=0)
    of_length = (of_weights * kernel).sum(0) / norms
    np.testing.assert_allclose(got["kernel_length"], of_length, rtol=1e-4)
    lengths = np.array([2.0, 0.5, 3.0])
    expected = lengths / norms * of_weights - lengths * of_length / norms**2 * kernel
    np.testing.assert_allclose(got["kernel"], expected, rtol=1e-3, atol=1e-5)
