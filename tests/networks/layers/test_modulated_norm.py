"""Batch norm with scales and biases that are linear in a vector, against NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.networks.layers.conditional_norm import ModulatedBatchNorm

RNG = np.random.default_rng(0)
INPUTS = RNG.normal(1.5, 3.0, (16, 4, 5, 3)) * np.array([1.0, 0.2, 5.0])
CONDITION = RNG.normal(size=(16, 6))
SCALE, BIAS = RNG.normal(size=(2, 6, 3))
OLD_MEAN, OLD_VAR = np.array([0.3, 0.1, -2.0]), np.array([4.0, 1.0, 9.0])
VARIABLES = jax.tree.map(
    lambda v: jnp.asarray(v, jnp.float32),
    {
        "params": {"scale": {"kernel": SCALE}, "bias": {"kernel": BIAS}},
        "batch_stats": {"mean": OLD_MEAN, "var": OLD_VAR},
    },
)


def normalized(inputs, condition, *, train, axis_name=None, layer=None):
    return (layer or ModulatedBatchNorm()).apply(
        VARIABLES, jnp.asarray(inputs), condition=jnp.asarray(condition, jnp.float32),
        train=train, axis_name=axis_name, mutable=["batch_stats"],
    )  # fmt: skip


def one_by_one(inputs, condition, mean, var):
    """Each example with scales and biases of its own vector, and the statistics given."""
    return np.stack(
        [
            (1.0 + c @ SCALE) * (x - mean) / np.sqrt(var + 1e-5) + c @ BIAS
            for x, c in zip(inputs, condition, strict=True)
        ]
    )


@pytest.mark.parametrize("rank", [4, 2])
def test_in_training(rank):
    """Statistics of the whole batch, whatever the vectors are."""
    inputs = INPUTS if rank == 4 else INPUTS[:, 0, 0]
    axes = tuple(range(rank - 1))
    mean, var = inputs.mean(axes), inputs.var(axes)
    got, changed = normalized(inputs.astype(np.float32), CONDITION, train=True)
    np.testing.assert_allclose(got, one_by_one(inputs, CONDITION, mean, var), rtol=1e-4, atol=1e-4)
    stats = changed["batch_stats"]
    np.testing.assert_allclose(stats["mean"], 0.9 * OLD_MEAN + 0.1 * mean, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(stats["var"], 0.9 * OLD_VAR + 0.1 * var, rtol=1e-4)


def test_outside_of_it():
    got, changed = normalized(INPUTS.astype(np.float32), CONDITION, train=False)
    expected = one_by_one(INPUTS, CONDITION, OLD_MEAN, OLD_VAR)
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-4)
    jax.tree.map(np.testing.assert_array_equal, changed["batch_stats"], VARIABLES["batch_stats"])


@pytest.mark.parametrize("how", ["pmap", "shard_map"])
def test_eight_devices_are_one(how):
    """Each has two examples, and normalizes with the statistics of all sixteen."""
    inputs = (
        INPUTS.astype(np.float32) + np.linspace(-9, 9, 16, dtype="float32")[:, None, None, None]
    )

    def on_one(x, c):
        return normalized(x, c, train=True, axis_name="data")

    if how == "pmap":
        shards = (inputs.reshape(8, 2, 4, 5, 3), CONDITION.reshape(8, 2, 6))
        outputs, changed = jax.pmap(on_one, axis_name="data")(*shards)
        stats = jax.tree.map(lambda leaf: leaf[3], changed["batch_stats"])
    else:
        mesh = jax.sharding.Mesh(np.array(jax.devices()), ("data",))
        rows, same = jax.P("data"), jax.P()
        mapped = jax.shard_map(
            on_one, mesh=mesh, in_specs=(rows, rows), out_specs=(rows, same), check_vma=False
        )
        outputs, changed = jax.jit(mapped)(inputs, CONDITION)
        stats = changed["batch_stats"]
    expected, alone = normalized(inputs, CONDITION, train=True)
    np.testing.assert_allclose(np.reshape(outputs, inputs.shape), expected, rtol=1e-5, atol=1e-5)
    for name, value in alone["batch_stats"].items():
        np.testing.assert_allclose(stats[name], value, rtol=1e-5)
    # Each device's own would lack the spread of their means.
    own = np.reshape(inputs, (8, -1, 3)).var(axis=1).mean(axis=0)
    assert (inputs.var((0, 1, 2)) / own > 1.05).all()


def test_variables():
    """A and B without biases, which are spectrally normalized where that is asked for."""
    found = ModulatedBatchNorm(weight_norm="spectral").init(
        jax.random.key(0), jnp.zeros((2, 3, 3, 5)), condition=jnp.zeros((2, 7)), train=True
    )
    shapes = jax.tree.map(jnp.shape, found)
    assert shapes["params"] == {"scale": {"kernel": (7, 5)}, "bias": {"kernel": (7, 5)}}
    assert shapes["batch_stats"] == {"mean": (5,), "var": (5,)}
    assert {*shapes["spectral"]} == {"scale", "bias"}


def test_in_bfloat16():
    """Only the result is rounded: eight bits, so a relative error of 2^-8 at most."""
    inputs = jnp.asarray(INPUTS, jnp.bfloat16)
    exact = np.asarray(inputs, np.float64)
    got, changed = normalized(
        inputs, CONDITION, train=True, layer=ModulatedBatchNorm(dtype=jnp.bfloat16)
    )
    assert got.dtype == jnp.bfloat16
    assert {leaf.dtype for leaf in jax.tree.leaves(changed)} == {jnp.dtype("float32")}
    expected = one_by_one(exact, CONDITION, exact.mean((0, 1, 2)), exact.var((0, 1, 2)))
    np.testing.assert_allclose(np.asarray(got, np.float64), expected, rtol=2**-8, atol=2e-3)
