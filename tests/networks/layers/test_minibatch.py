import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.networks.layers.minibatch import MinibatchDiscrimination, MinibatchStddev

DRAWS = np.random.default_rng(0)
FEATURES = jnp.asarray(DRAWS.normal(size=(8, 6)), jnp.float32)


@pytest.mark.parametrize(
    ("group", "expected"), [(4, [0.706129, 0.705882] * 4), (8, [0.706208] * 8)]
)
def test_the_parity_row(group, expected):
    """S(8, 4, 4, 4; 0.7) in groups of 4, whose examples alternate, and of 8."""
    inputs = np.sin(0.7 * np.arange(8 * 64)).reshape(8, 4, 4, 4).transpose(0, 2, 3, 1)
    got = MinibatchStddev(group).apply({}, jnp.asarray(inputs, jnp.float32))
    assert got.shape == (8, 4, 4, 5)
    np.testing.assert_array_equal(got[..., :4], inputs.astype(np.float32))
    assert np.ptp(np.asarray(got[..., 4]), axis=(1, 2)).max() == 0.0
    np.testing.assert_allclose(got[:, 0, 0, 4], expected, atol=1e-6)


@pytest.mark.parametrize(("batch", "size"), [(6, 3), (7, 1), (2, 2)])
def test_batches_that_are_no_multiple_of_a_group(batch, size):
    inputs = DRAWS.normal(size=(batch, 5))
    groups = inputs.reshape(size, batch // size, 5)
    expected = np.sqrt(groups.var(0) + 1e-8).mean(-1)
    got = MinibatchStddev(4).apply({}, jnp.asarray(inputs, jnp.float32))[:, 5]
    np.testing.assert_allclose(got, np.tile(expected, size), rtol=1e-4, atol=1e-6)


def test_equal_examples_differ_by_nothing_and_have_a_gradient():
    """The square root of zero has none: hence the 1e-8."""
    inputs = jnp.ones((4, 3))
    got, slope = jax.value_and_grad(lambda x: MinibatchStddev(4).apply({}, x)[:, 3].sum())(inputs)
    assert float(got) == pytest.approx(4e-4)
    assert np.isfinite(slope).all()


def test_discrimination():
    """Salimans et al. 2016, section 3.2, pair by pair; an example is not near to itself."""
    layer = MinibatchDiscrimination(kernels=4, size=2)
    variables = layer.init(jax.random.key(0), FEATURES)
    # Large enough that nearness is neither 0 nor 1.
    variables = {
        "params": {
            "kernel": 5.0 * variables["params"]["kernel"],
            "bias": jnp.asarray(DRAWS.normal(size=4), jnp.float32),
        }
    }
    got = layer.apply(variables, FEATURES)
    assert got.shape == (8, 10)
    np.testing.assert_array_equal(got[:, :6], FEATURES)
    kernel = np.asarray(variables["params"]["kernel"], np.float64)
    rows = (np.asarray(FEATURES, np.float64) @ kernel).reshape(8, 4, 2)
    expected = np.zeros((8, 4)) + np.asarray(variables["params"]["bias"])
    for i in range(8):
        for j in range(8):
            if i != j:
                expected[i] += np.exp(-np.abs(rows[i] - rows[j]).sum(-1))
    np.testing.assert_allclose(got[:, 6:], expected, rtol=1e-4, atol=1e-5)


def test_first_weights_of_discrimination():
    """Their code for CIFAR-10: 100 kernels of size 5, N(0, 0.05), biases of -1."""
    params = MinibatchDiscrimination().init(jax.random.key(0), jnp.zeros((1, 40)))["params"]
    assert params["kernel"].shape == (40, 500)
    assert params["kernel"].std() == pytest.approx(0.05, rel=0.03)
    assert params["bias"].tolist() == [-1.0] * 100


@pytest.mark.slow
@pytest.mark.parametrize("layer", [MinibatchStddev(4), MinibatchDiscrimination(3, 2)], ids=str)
def test_many_devices_are_one(layer):
    """Values and gradients; 16 examples on 8 devices, where groups span devices."""
    features = jnp.asarray(DRAWS.normal(size=(16, 6)), jnp.float32)
    variables = layer.init(jax.random.key(0), features)

    def loss(x, axis_name=None):
        values = layer.apply(variables, x, axis_name=axis_name)[:, 6:]
        return jnp.sum(jnp.sin(3.0 * values) * x[:, :1])

    one = jax.value_and_grad(loss)(features)
    step = functools.partial(jax.value_and_grad(loss), axis_name="data")
    values, slopes = jax.pmap(lambda x: step(x), axis_name="data")(features.reshape(8, 2, 6))
    np.testing.assert_allclose(values.sum(), one[0], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(slopes.reshape(16, 6), one[1], rtol=1e-3, atol=1e-5)
