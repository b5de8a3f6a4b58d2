import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.networks.layers.dropout import Dropout

KEY = jax.random.key(3)
ONES = jnp.ones((16, 50, 4))


def apply(inputs, rate=0.25, key=KEY, train=True, axis_name=None):
    return Dropout(rate).apply({}, inputs, train=train, axis_name=axis_name, rngs={"dropout": key})


def test_off():
    np.testing.assert_array_equal(Dropout(0.5).apply({}, ONES, train=False), ONES)
    np.testing.assert_array_equal(Dropout(0.0).apply({}, ONES, train=True), ONES)


def test_values():
    inputs = jnp.asarray(np.random.default_rng(0).normal(size=ONES.shape), jnp.float32)
    outputs = np.asarray(apply(inputs))
    kept = outputs != 0
    np.testing.assert_allclose(outputs[kept], np.asarray(inputs)[kept] / 0.75, rtol=1e-6)


@pytest.mark.parametrize("rate", [0.1, 0.25, 0.8])
def test_rate(rate):
    dropped = float(jnp.mean(apply(ONES, rate) == 0))
    assert dropped == pytest.approx(rate, abs=4 * (rate * (1 - rate) / ONES.size) ** 0.5)


def test_independence():
    """Examples, positions and keys: none repeats another's mask."""
    mask = np.asarray(apply(ONES)).reshape(16, -1) != 0
    assert len({row.tobytes() for row in mask}) == 16
    other = np.asarray(apply(ONES, key=jax.random.key(4))).reshape(16, -1) != 0
    # Two independent masks agree with probability 0.75^2 + 0.25^2.
    assert np.mean(mask == other) == pytest.approx(0.625, abs=4 * (0.25 / mask.size) ** 0.5)


def test_same_masks_on_any_number_of_devices():
    one = apply(ONES)
    for devices in (2, 8):
        shards = ONES.reshape(devices, 16 // devices, *ONES.shape[1:])
        many = jax.pmap(lambda x: apply(x, axis_name="data"), axis_name="data")(shards)
        np.testing.assert_array_equal(many.reshape(ONES.shape), one)


def test_bfloat16():
    assert apply(ONES.astype(jnp.bfloat16)).dtype == jnp.bfloat16


def test_gradient():
    """What was dropped gets no gradient, the rest 1 / (1 - rate)."""
    gradient = jax.grad(lambda x: apply(x).sum())(ONES)
    np.testing.assert_allclose(gradient, apply(ONES), rtol=1e-6)


@pytest.mark.parametrize("rate", [-0.1, 1.0, 1.5])
def test_bad_rates(rate):
    with pytest.raises(ValueError, match=r"Dropout\.dropout = "):
        Dropout(rate)
