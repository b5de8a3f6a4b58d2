import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.networks.layers.norm import BatchNorm, InstanceNorm, LayerNorm

RNG = np.random.default_rng(0)
INPUTS = RNG.normal(1.5, 3.0, (16, 4, 5, 3)) * np.array([1.0, 0.2, 5.0])


def variables_with(scale, bias, mean, var):
    return {
        "params": {"scale": jnp.asarray(scale), "bias": jnp.asarray(bias)},
        "batch_stats": {"mean": jnp.asarray(mean), "var": jnp.asarray(var)},
    }


VARIABLES = variables_with([1.0, 2.0, 0.5], [0.0, -1.0, 3.0], [0.3, 0.1, -2.0], [4.0, 1.0, 9.0])


@pytest.mark.parametrize("shape", [(16, 4, 5, 3), (320, 3)])
def test_training(shape):
    """Ioffe and Szegedy 2015, algorithm 1; running averages with momentum 0.9."""
    inputs = INPUTS.reshape(shape)
    axes = tuple(range(len(shape) - 1))
    mean, var = inputs.mean(axes), inputs.var(axes)
    outputs, changed = BatchNorm().apply(
        VARIABLES, jnp.asarray(inputs, jnp.float32), train=True, mutable=["batch_stats"]
    )
    expected = (inputs - mean) / np.sqrt(var + 1e-5) * [1.0, 2.0, 0.5] + [0.0, -1.0, 3.0]
    np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-4)
    stats = changed["batch_stats"]
    np.testing.assert_allclose(
        stats["mean"], 0.9 * np.array([0.3, 0.1, -2.0]) + 0.1 * mean, rtol=1e-5
    )
    np.testing.assert_allclose(stats["var"], 0.9 * np.array([4.0, 1.0, 9.0]) + 0.1 * var, rtol=1e-4)


@pytest.mark.parametrize("devices", [1, 8])
def test_a_mean_far_from_zero(devices):
    """As E[x^2] - E[x]^2 in float32, variances of one at a mean of 3,000 would be off by a third;
    each device's own would lack the spread of their means."""
    inputs = RNG.normal([3000.0, -3000.0], 1.0, (64, 3, 3, 2)).astype(np.float32)
    inputs += np.linspace(-1.0, 1.0, 64, dtype=np.float32)[:, None, None, None]
    exact = inputs.astype(np.float64)
    mean, var = exact.mean((0, 1, 2)), exact.var((0, 1, 2))
    variables = variables_with([1.0, 1.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0])

    def apply(x, axis_name=None):
        return BatchNorm().apply(
            variables, x, train=True, axis_name=axis_name, mutable=["batch_stats"]
        )

    if devices == 1:
        outputs, changed = apply(jnp.asarray(inputs))
    else:
        shards = inputs.reshape(devices, -1, *inputs.shape[1:])
        outputs, changed = jax.pmap(lambda x: apply(x, "data"), axis_name="data")(shards)
    expected = (exact - mean) / np.sqrt(var + 1e-5)
    np.testing.assert_allclose(np.reshape(outputs, inputs.shape), expected, atol=2e-3)
    found = np.asarray(changed["batch_stats"]["var"]) / 0.1
    np.testing.assert_allclose(found, np.broadcast_to(var, found.shape), rtol=1e-3)


def test_evaluation():
    outputs = BatchNorm().apply(VARIABLES, jnp.asarray(INPUTS, jnp.float32), train=False)
    normalized = (INPUTS - [0.3, 0.1, -2.0]) / np.sqrt(np.array([4.0, 1.0, 9.0]) + 1e-5)
    expected = normalized * [1.0, 2.0, 0.5] + [0.0, -1.0, 3.0]
    np.testing.assert_allclose(outputs, expected, rtol=1e-5, atol=1e-5)


def test_start():
    """DCGAN's scales: N(1, 0.02)."""
    variables = BatchNorm().init(jax.random.key(0), jnp.zeros((2, 20_000)), train=True)
    scale = np.asarray(variables["params"]["scale"])
    # Four standard errors: 0.02 / sqrt(20000) of the mean, 0.02 / sqrt(40000) of the deviation.
    assert scale.mean() == pytest.approx(1.0, abs=4 * 0.02 / 20_000**0.5)
    assert scale.std() == pytest.approx(0.02, abs=4 * 0.02 / 40_000**0.5)
    assert not np.any(variables["params"]["bias"])
    assert not np.any(variables["batch_stats"]["mean"])
    assert np.all(np.asarray(variables["batch_stats"]["var"]) == 1.0)


def test_statistics_over_devices():
    """Eight devices of two examples each see the statistics of all sixteen."""
    inputs = jnp.asarray(INPUTS, jnp.float32)

    def apply(x, axis_name):
        return BatchNorm().apply(
            VARIABLES, x, train=True, axis_name=axis_name, mutable=["batch_stats"]
        )

    expected, expected_stats = apply(inputs, None)
    shards = inputs.reshape(8, 2, *inputs.shape[1:])
    got, got_stats = jax.pmap(lambda x: apply(x, "data"), axis_name="data")(shards)
    np.testing.assert_allclose(got.reshape(inputs.shape), expected, rtol=1e-4, atol=1e-4)
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, np.broadcast_to(b, a.shape), rtol=1e-5),
        got_stats,
        expected_stats,
    )
    # Without the name each device normalizes on its own, which is another thing.
    apart, _ = jax.pmap(lambda x: apply(x, None), axis_name="data")(shards)
    assert np.abs(np.asarray(apart.reshape(inputs.shape) - expected)).max() > 0.1


def test_statistics_are_float32():
    inputs = jnp.asarray(INPUTS, jnp.bfloat16)
    outputs, changed = BatchNorm(dtype=jnp.bfloat16).apply(
        VARIABLES, inputs, train=True, mutable=["batch_stats"]
    )
    assert outputs.dtype == jnp.bfloat16
    assert {v.dtype for v in jax.tree.leaves(changed)} == {jnp.dtype("float32")}


@pytest.mark.parametrize(("layer", "axes"), [(LayerNorm(), (1, 2, 3)), (InstanceNorm(), (1, 2))])
def test_of_single_examples(layer, axes):
    """Over all that an example has, or over the pixels of each of its channels."""
    params = {"scale": jnp.asarray([1.0, 2.0, 0.5]), "bias": jnp.asarray([0.0, -1.0, 3.0])}
    mean = INPUTS.mean(axes, keepdims=True)
    expected = (INPUTS - mean) / np.sqrt(INPUTS.var(axes, keepdims=True) + 1e-5)
    expected = expected * [1.0, 2.0, 0.5] + [0.0, -1.0, 3.0]
    images = jnp.asarray(INPUTS, jnp.float32)
    got = layer.apply({"params": params}, images, train=True)
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-4)
    # No example looks at another, and nothing is different outside of training.
    alone = layer.apply({"params": params}, images[3:4], train=False)
    np.testing.assert_allclose(alone, got[3:4], rtol=1e-5, atol=1e-5)
    shapes = jax.eval_shape(lambda: layer.init(jax.random.key(0), images, train=True))
    assert shapes.keys() == {"params"}
    assert {name: leaf.shape for name, leaf in shapes["params"].items()} == {
        "scale": (3,),
        "bias": (3,),
    }


def test_a_vector_is_no_instance_of_many_values():
    vectors = jnp.ones((2, 5))
    assert LayerNorm().init_with_output(jax.random.key(0), vectors, train=True)[0].shape == (2, 5)
    with pytest.raises(ValueError, match="use layer"):
        InstanceNorm().init(jax.random.key(0), vectors, train=True)
