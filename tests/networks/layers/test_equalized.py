"""Equalized layers against loops, and that their scale is the layer's and not the weights'."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.networks.layers.equalized import EqualizedConv, EqualizedDense


def sines(*shape, a):
    """Entry i, row by row, is sin(a i): the filling of the reference's parity table."""
    return np.sin(a * np.arange(np.prod(shape))).reshape(shape).astype(np.float32)


def stored(**params):
    return {"params": {name: jnp.asarray(value) for name, value in params.items()}}


def test_dense_by_a_loop():
    x, w, b = sines(2, 5, a=0.7), sines(5, 3, a=0.3), sines(3, a=0.9)
    expected = np.zeros((2, 3))
    for n in range(2):
        for o in range(3):
            # Both weights and biases take the multiplier, and only weights the gain.
            total = sum(float(x[n, i]) * float(w[i, o]) for i in range(5))
            expected[n, o] = 1.5 * 0.01 / 5**0.5 * total + 0.01 * b[o]
    layer = EqualizedDense(3, gain=1.5, multiplier=0.01)
    found = layer.apply(stored(kernel=w, bias=b), jnp.asarray(x))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_convolution_by_a_loop():
    x, w, b = sines(2, 5, 5, 3, a=0.7), sines(3, 3, 3, 4, a=0.3), sines(4, a=0.9)
    edged = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0))).astype(np.float64)
    expected = np.zeros((2, 3, 3, 4))
    for row in range(3):
        for column in range(3):
            window = edged[:, 2 * row : 2 * row + 3, 2 * column : 2 * column + 3]
            expected[:, row, column] = np.einsum("nhwi,hwio->no", window, w)
    expected = expected * 2**0.5 / 27**0.5 + b
    layer = EqualizedConv(4, (3, 3), (2, 2), ((1, 1), (1, 1)), gain=2**0.5)
    found = layer.apply(stored(kernel=w, bias=b), jnp.asarray(x))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("layer", "shape", "std"),
    [
        (EqualizedDense(64), (4, 100), 1.0),
        (EqualizedDense(64, gain=3.0, multiplier=0.01), (4, 100), 100.0),
        (EqualizedConv(64, (3, 3), gain=3.0), (4, 4, 4, 16), 1.0),
    ],
)
def test_stored_weights_have_unit_scale_whatever_the_fan_in(layer, shape, std):
    params = layer.init(jax.random.key(0), jnp.zeros(shape))["params"]
    # 6,400 and 9,216 draws: the standard error of a standard deviation is below 1 %.
    np.testing.assert_allclose(np.std(params["kernel"]), std, rtol=0.04)
    np.testing.assert_allclose(np.mean(params["kernel"]), 0.0, atol=0.05 * std)
    assert not np.any(params["bias"])


def test_biases_start_where_they_are_told_to_or_are_not_there():
    made = [EqualizedDense(2, **extra) for extra in ({"bias_init": 1.0}, {"use_bias": False})]
    one, none = (layer.init(jax.random.key(0), jnp.ones((1, 3)))["params"] for layer in made)
    assert one["bias"].tolist() == [1.0, 1.0]
    assert none.keys() == {"kernel"}
    plain = EqualizedConv(2, (1, 1), use_bias=False)
    assert plain.init(jax.random.key(0), jnp.ones((1, 2, 2, 3)))["params"].keys() == {"kernel"}


def test_bfloat16_is_the_arithmetic_and_float32_what_is_stored():
    layer = EqualizedConv(2, (3, 3), dtype=jnp.bfloat16)
    made, variables = layer.init_with_output(jax.random.key(0), jnp.ones((1, 4, 4, 3)))
    assert made.dtype == jnp.bfloat16
    assert {leaf.dtype.name for leaf in jax.tree.leaves(variables)} == {"float32"}
