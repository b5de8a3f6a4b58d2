import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.networks.layers import spectral
from jaxgan.networks.layers.conv import Conv, ConvTranspose
from jaxgan.networks.layers.dense import Dense
from jaxgan.networks.layers.labels import ClassEmbedding

DRAWS = np.random.default_rng(0)
MATRIX = DRAWS.normal(size=(5, 7))
LAYERS = {
    "dense": (Dense(4, weight_norm="spectral"), (3, 6)),
    "conv": (Conv(4, (3, 3), weight_norm="spectral"), (2, 5, 5, 3)),
    "transposed": (ConvTranspose(4, (4, 4), (2, 2), weight_norm="spectral"), (2, 3, 3, 3)),
}


def started(name):
    """A layer, inputs, and variables with the first singular vectors."""
    layer, shape = LAYERS[name]
    inputs = jnp.asarray(DRAWS.normal(size=shape), jnp.float32)
    variables = layer.init(jax.random.key(0), inputs)
    return layer, inputs, {**variables, "spectral": {"kernel": svd(variables["params"]["kernel"])}}


def svd(weight):
    """The first singular vectors of weights, outputs in rows."""
    left, _, right = np.linalg.svd(np.asarray(weight, np.float64).reshape(-1, weight.shape[-1]).T)
    return {"u": jnp.asarray(left[:, 0], jnp.float32), "v": jnp.asarray(right[0], jnp.float32)}


def largest(weight):
    """By SVD; outputs in rows."""
    return np.linalg.svd(np.asarray(weight, np.float64).reshape(-1, weight.shape[-1]).T)[1][0]


@pytest.mark.parametrize(("iterations", "expected"), [(1, 5.315473), (5, 5.316809), (20, 5.355739)])
def test_the_parity_row(iterations, expected):
    """S(6, 20; 0.37) from u = 1 / sqrt 6, as PyTorch's reference modules have it."""
    matrix = jnp.asarray(np.sin(0.37 * np.arange(120)).reshape(6, 20), jnp.float32)
    vectors = spectral.iterated(matrix, jnp.full(6, 6**-0.5), iterations)
    np.testing.assert_allclose(spectral.sigma(matrix, vectors), expected, atol=2e-6)


@pytest.mark.parametrize("name", LAYERS)
def test_sigma_is_the_largest_singular_value(name):
    layer, inputs, variables = started(name)
    kernel = variables["params"]["kernel"]
    vectors = variables["spectral"]["kernel"]
    matrix = spectral.as_matrix(kernel)
    top = largest(kernel)
    np.testing.assert_allclose(spectral.sigma(matrix, vectors), top, rtol=1e-5)
    # The layer is the plain one with its weights divided by it.
    plain = layer.clone(weight_norm=None)
    divided = {**variables["params"], "kernel": kernel / top}
    expected = plain.apply({"params": divided}, inputs)
    np.testing.assert_allclose(layer.apply(variables, inputs), expected, rtol=1e-4, atol=1e-5)
    assert variables["params"].keys() == {"kernel", "bias"}
    assert spectral.singular_values(variables) == {"kernel": pytest.approx(1.0, abs=1e-5)}
    assert spectral.singular_values({"params": variables["params"]}) == {
        "kernel": pytest.approx(top, rel=1e-6)
    }


def test_singular_values_are_of_matrices():
    """Not of numbers a channel, even where there are some for each class."""
    params = {
        "Conv_0": {"kernel": jnp.asarray(DRAWS.normal(size=(3, 3, 2, 5))), "bias": jnp.ones(5)},
        "ConditionalBatchNorm_0": {"scale": jnp.ones((3, 5)), "bias": jnp.ones((3, 5))},
        "Dense_0": {"kernel": jnp.asarray(DRAWS.normal(size=(9, 4)))},
    }
    assert spectral.singular_values({"params": params}) == {
        f"{name}/kernel": pytest.approx(largest(params[name]["kernel"]), rel=1e-6)
        for name in ("Conv_0", "Dense_0")
    }


def test_a_table_of_classes():
    layer = ClassEmbedding(6, weight_norm="spectral")
    labels = jnp.asarray([2, 0, 1])
    variables = layer.init(jax.random.key(0), labels, classes=3)
    table = variables["params"]["table"]
    variables["spectral"] = {"table": svd(table)}
    np.testing.assert_allclose(
        layer.apply(variables, labels, classes=3), table[labels] / largest(table), rtol=1e-4
    )


def test_the_gradient():
    """``(G - <G, W / sigma> u v') / sigma``, in NumPy, at vectors that are none of W."""
    u, v = DRAWS.normal(size=5), DRAWS.normal(size=7)
    u, v = u / np.linalg.norm(u), v / np.linalg.norm(v)
    wanted = DRAWS.normal(size=(5, 7))
    value = u @ MATRIX @ v
    expected = (wanted - np.sum(wanted * MATRIX / value) * np.outer(u, v)) / value
    vectors = {"u": jnp.asarray(u, jnp.float32), "v": jnp.asarray(v, jnp.float32)}

    def loss(weight, vectors):
        return jnp.sum(jnp.asarray(wanted.T) * weight / spectral.sigma(weight.T, vectors))

    got, of_vectors = jax.grad(loss, argnums=(0, 1))(jnp.asarray(MATRIX.T, jnp.float32), vectors)
    np.testing.assert_allclose(got, expected.T, rtol=2e-4, atol=1e-5)
    assert not any(leaf.any() for leaf in jax.tree.leaves(of_vectors))


def test_a_step_of_the_iteration():
    u = DRAWS.normal(size=5)
    v = MATRIX.T @ u / np.linalg.norm(MATRIX.T @ u)
    got = spectral.iterated(jnp.asarray(MATRIX, jnp.float32), jnp.asarray(u, jnp.float32))
    np.testing.assert_allclose(got["v"], v, rtol=1e-5)
    np.testing.assert_allclose(
        got["u"], MATRIX @ v / np.linalg.norm(MATRIX @ v), rtol=1e-5, atol=1e-6
    )


def test_averaged_vectors_are_as_good():
    """What a moving average keeps has the right direction, and is too short."""
    vectors = svd(MATRIX.T)
    short = {"u": 0.5 * vectors["u"], "v": 0.8 * vectors["v"]}
    top = np.linalg.svd(MATRIX)[1][0]
    np.testing.assert_allclose(
        spectral.sigma(jnp.asarray(MATRIX, jnp.float32), short), top, rtol=1e-5
    )


@pytest.mark.parametrize("train", [True, False])
def test_no_forward_pass_moves_the_vectors(train):
    """PyTorch's and flax's do in training mode, once for each of a step's passes."""
    layer, inputs, variables = started("conv")
    _, changed = layer.apply(variables, inputs, mutable=["spectral"] if train else [])
    if train:
        jax.tree.map(np.testing.assert_array_equal, changed["spectral"], variables["spectral"])
    else:
        assert not changed


class Net(nn.Module):
    """Nested layers, of which one is not normalized."""

    @nn.compact
    def __call__(self, inputs):
        values = Dense(4, weight_norm="spectral", name="first")(inputs)
        for _ in range(2):
            values = nn.relu(Dense(4, weight_norm="spectral")(values))
        return Dense(1)(values)


def test_moved_moves_what_is_normalized_and_nothing_else():
    inputs = jnp.asarray(DRAWS.normal(size=(8, 3)), jnp.float32)
    variables = jax.jit(Net().init)(jax.random.key(0), inputs)
    assert variables["spectral"].keys() == {"first", "Dense_0", "Dense_1"}
    after = jax.jit(spectral.moved)(variables)
    jax.tree.map(np.testing.assert_array_equal, after["params"], variables["params"])
    for name, layer in after["spectral"].items():
        matrix = np.asarray(variables["params"][name]["kernel"], np.float64).T
        v = matrix.T @ np.asarray(variables["spectral"][name]["kernel"]["u"])
        v /= np.linalg.norm(v)
        np.testing.assert_allclose(layer["kernel"]["v"], v, rtol=1e-4, atol=1e-5)
    assert spectral.moved({"params": {}}) == {"params": {}}


def test_the_first_weights_are_those_without_normalization():
    inputs = jnp.ones((1, 3))
    plain = Dense(4).init(jax.random.key(0), inputs)["params"]
    same = Dense(4, weight_norm="spectral").init(jax.random.key(0), inputs)["params"]
    jax.tree.map(np.testing.assert_array_equal, plain, same)


def test_distances_grow_by_no_more_than_one():
    """Lipschitz: without biases and with ReLU, outputs are no further apart than inputs."""
    layer, _ = LAYERS["dense"]
    inputs = jnp.asarray(DRAWS.normal(size=(2, 50, 6)), jnp.float32)
    variables = layer.init(jax.random.key(3), inputs[0])
    variables["params"]["kernel"] *= 40.0
    variables["spectral"] = {"kernel": svd(variables["params"]["kernel"])}
    there, here = (nn.relu(layer.apply(variables, one)) for one in inputs)
    ratio = jnp.linalg.norm(there - here, axis=1) / jnp.linalg.norm(inputs[0] - inputs[1], axis=1)
    assert float(ratio.max()) <= 1.0 + 1e-5


def test_sigma_is_float32_in_bfloat16():
    """And what is divided by it is float32, before it is rounded for the product."""
    _, inputs, variables = started("dense")
    layer = Dense(4, dtype=jnp.bfloat16, weight_norm="spectral")
    kernel = variables["params"]["kernel"]
    expected = inputs.astype(jnp.bfloat16) @ (kernel / largest(kernel)).astype(jnp.bfloat16)
    got = layer.apply(variables, inputs)
    assert got.dtype == jnp.bfloat16
    np.testing.assert_allclose(
        got.astype(jnp.float32), expected.astype(jnp.float32), rtol=1e-2, atol=1e-2
    )


def test_many_networks_at_once():
    """A population's vectors are those of its networks, one by one."""
    params = {"first": {"kernel": jnp.asarray(DRAWS.normal(size=(3, 4, 4)), jnp.float32)}}
    vectors = {"first": {"kernel": {"u": jnp.ones((3, 4)), "v": jnp.ones((3, 4))}}}
    variables = {"params": params, "spectral": vectors}
    many = jax.vmap(spectral.moved)(variables)
    one = spectral.moved(jax.tree.map(lambda leaf: leaf[1], variables))
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b[1], rtol=1e-4, atol=1e-6), one, many
    )  # fmt: skip
