import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.networks.layers.virtual_norm import REFERENCE, Reference, VirtualBatchNorm
from jaxgan.networks.mlp import MlpDiscriminator

DRAWS = np.random.default_rng(0)
KEY = jax.random.key(0)
PARAMS = {"scale": jnp.asarray([1.0, 2.0]), "bias": jnp.asarray([0.0, -1.0])}


@pytest.mark.parametrize("pixels", [(), (3, 3)])
def test_statistics(pixels):
    """As the authors' code has them, from means and mean squares, in float64."""
    inputs = DRAWS.normal(3.0, 2.0, (REFERENCE + 5, *pixels, 2))
    got = VirtualBatchNorm().apply({"params": PARAMS}, jnp.asarray(inputs, jnp.float32), train=True)
    axes = tuple(range(len(pixels) + 1))
    mean, square = (np.mean(x[:REFERENCE], axes) for x in (inputs, inputs**2))
    for row, values in enumerate(inputs):
        m, s = mean, square
        if row >= REFERENCE:
            own = tuple(range(len(pixels)))
            m = (values.mean(own) + REFERENCE * mean) / (REFERENCE + 1)
            s = ((values**2).mean(own) + REFERENCE * square) / (REFERENCE + 1)
        expected = (values - m) / np.sqrt(s - m**2 + 1e-5) * [1.0, 2.0] + [0.0, -1.0]
        np.testing.assert_allclose(got[row], expected, rtol=1e-4, atol=1e-4)


@pytest.mark.slow
def test_first_scales():
    scale = VirtualBatchNorm().init(KEY, jnp.ones((REFERENCE + 1, 5000)), train=True)["params"]
    logs = np.log(scale["scale"])
    assert logs.std() == pytest.approx(0.02, rel=0.05)
    assert abs(logs.mean()) < 0.002


def rows(variables, inputs, *, train, axis_name=None):
    return Reference().apply(
        variables, inputs, train=train, axis_name=axis_name, mutable=["reference"]
    )


def test_the_reference_is_the_first_batch_and_stays():
    first, second = (jnp.asarray(DRAWS.normal(size=(24, 3)), jnp.float32) for _ in range(2))
    empty = Reference().init(KEY, first[:1], train=False, axis_name=None)
    assert not empty["reference"]["there"]
    untrained, same = rows(empty, first, train=False)
    assert not untrained[:REFERENCE].any()
    assert not same["reference"]["there"]
    outputs, filled = rows(empty, first, train=True)
    wanted = np.resize(np.asarray(first), (REFERENCE, 3))
    np.testing.assert_array_equal(filled["reference"]["examples"], wanted)
    np.testing.assert_array_equal(outputs, np.concatenate([wanted, first]))
    for train in (True, False):
        outputs, after = rows(filled, second, train=train)
        np.testing.assert_array_equal(outputs, np.concatenate([wanted, second]))
        jax.tree.map(np.testing.assert_array_equal, after, filled)


def test_devices_agree_on_the_reference():
    first = jnp.asarray(DRAWS.normal(size=(80, 3)), jnp.float32)
    empty = Reference().init(KEY, first[:1], train=False, axis_name=None)
    _, filled = jax.pmap(
        lambda x: rows(empty, x, train=True, axis_name="data"), axis_name="data"
    )(first.reshape(8, 10, 3))  # fmt: skip
    for device in range(8):
        kept = filled["reference"]["examples"][device]
        np.testing.assert_array_equal(kept, first[:REFERENCE])


def test_an_example_depends_on_no_other_of_its_batch():
    network = MlpDiscriminator((6,), norm="virtual_batch")
    images = jnp.asarray(DRAWS.normal(size=(8, 2, 2, 1)), jnp.float32)

    @jax.jit
    def run(variables, images):
        return network.apply(variables, images, train=True, mutable=["reference"])

    variables = jax.jit(lambda: network.init(KEY, images[:1], train=False))()
    _, changed = run(variables, images)
    variables = {**variables, **changed}
    whole, _ = run(variables, images)
    others, _ = run(variables, images.at[1:].multiply(3.0))
    np.testing.assert_allclose(whole[0], others[0], rtol=1e-6)
    assert not np.allclose(whole[1], others[1])


def test_units_of_the_reference_are_not_dropped():
    with pytest.raises(ValueError, match="would drop units of the reference"):
        MlpDiscriminator(dropout=0.5, norm="virtual_batch")
