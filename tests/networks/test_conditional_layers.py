"""Layers that read class labels, against NumPy."""

import doctest

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.networks.layers import labels as labels_module
from jaxgan.networks.layers.conditional_norm import ConditionalBatchNorm
from jaxgan.networks.layers.heads import ClassHead, LogitHead, ProjectionHead
from jaxgan.networks.layers.labels import ClassEmbedding, one_hot, rows

RNG = np.random.default_rng(0)
CLASSES = 4
LABELS = np.array([2, 0, 3, 3, 1, 0, 2, 2, 1, 3, 0, 1, 2, 3, 1, 0])
INPUTS = RNG.normal(1.5, 3.0, (16, 4, 5, 3)) * np.array([1.0, 0.2, 5.0])
SCALE = RNG.uniform(0.5, 2.0, (CLASSES, 3))
BIAS = RNG.normal(0.0, 2.0, (CLASSES, 3))
OLD_MEAN, OLD_VAR = np.array([0.3, 0.1, -2.0]), np.array([4.0, 1.0, 9.0])
VARIABLES = jax.tree.map(
    lambda v: jnp.asarray(v, jnp.float32),
    {
        "params": {"scale": SCALE, "bias": BIAS},
        "batch_stats": {"mean": OLD_MEAN, "var": OLD_VAR},
    },
)
FEATURES = RNG.normal(size=(5, 6))
WRONG = [-1, CLASSES, -CLASSES, 100]


def normalized(inputs=INPUTS, labels=LABELS, layer=None, **arguments):
    layer = ConditionalBatchNorm() if layer is None else layer
    return layer.apply(
        VARIABLES, jnp.asarray(inputs, jnp.float32), labels=jnp.asarray(labels), classes=CLASSES,
        mutable=["batch_stats"], **arguments,
    )  # fmt: skip


def class_by_class(inputs, labels, mean, var):
    """Example by example: scale and bias are those of its class, statistics those given."""
    outputs = np.empty_like(inputs)
    for i, label in enumerate(labels):
        outputs[i] = (inputs[i] - mean) / np.sqrt(var + 1e-5) * SCALE[label] + BIAS[label]
    return outputs


def test_a_mean_far_from_zero():
    """In float32, E[x^2] - E[x]^2 would be off by a third of the variance or more."""
    inputs = (INPUTS + 3000.0).astype(np.float32)
    exact, axes = inputs.astype(np.float64), tuple(range(INPUTS.ndim - 1))
    got, _ = normalized(inputs, train=True)
    expected = class_by_class(exact, LABELS, exact.mean(axes), exact.var(axes))
    np.testing.assert_allclose(got, expected, atol=5e-3)


def test_one_hot_is_of_the_right_class():
    got = np.asarray(one_hot(jnp.array([0, 3, 1]), 4))
    np.testing.assert_array_equal(got, [[1, 0, 0, 0], [0, 0, 0, 1], [0, 1, 0, 0]])
    assert got.dtype == np.float32


@pytest.mark.parametrize("wrong", WRONG)
def test_labels_that_are_no_class_give_nan(wrong):
    """Not those of the nearest class, of the last one (as -1 in Python), or of none at all."""
    labels = jnp.array([1, wrong, 3])
    for got in (
        jax.jit(one_hot, static_argnums=1)(labels, CLASSES),
        rows(VARIABLES["params"]["scale"], labels),
    ):
        assert np.isnan(got[1]).all()
        assert np.isfinite(got[np.array([0, 2])]).all()


@pytest.mark.parametrize("classes", [0, -1])
def test_unknown_number_of_classes(classes):
    labels, features = jnp.zeros(2, jnp.int32), jnp.zeros((2, 3))
    key = jax.random.key(0)
    for attempt in (
        lambda: one_hot(labels, classes),
        lambda: ClassEmbedding(2).init(key, labels, classes=classes),
        lambda: ConditionalBatchNorm().init(
            key, features, labels=labels, classes=classes, train=False
        ),
        lambda: ClassHead().init(key, features, classes=classes),
        lambda: ProjectionHead().init(key, features, labels, classes=classes),
    ):
        with pytest.raises(ValueError, match=f"classes = {classes}: "):
            attempt()


def test_rows_are_exact():
    table = jnp.asarray(RNG.normal(size=(CLASSES, 50)), jnp.float32)
    np.testing.assert_array_equal(rows(table, jnp.asarray(LABELS)), np.asarray(table)[LABELS])


def test_gradient_of_rows_is_the_sum_over_the_class():
    weights = RNG.normal(size=(16, 3))

    def total(table):
        return jnp.sum(rows(table, jnp.asarray(LABELS)) * jnp.asarray(weights, jnp.float32))

    expected = np.stack([weights[label == LABELS].sum(0) for label in range(CLASSES)])
    got = jax.grad(total)(jnp.asarray(SCALE, jnp.float32))
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5)


def test_embedding():
    labels = jnp.asarray(LABELS)
    got, variables = ClassEmbedding(500).init_with_output(jax.random.key(0), labels, classes=20)
    table = np.asarray(variables["params"]["table"])
    assert table.shape == (20, 500)
    np.testing.assert_array_equal(got, table[LABELS])
    # N(0, 1): four standard errors over 10,000 weights.
    assert table.mean() == pytest.approx(0.0, abs=4 * 0.01)
    assert table.std() == pytest.approx(1.0, rel=4 / 20_000**0.5)


@pytest.mark.parametrize("shape", [(16, 4, 5, 3), (16, 3)])
def test_norm_in_training(shape):
    """Statistics are of the whole batch, not of each class; scale and bias are of the class."""
    inputs = INPUTS.reshape(16, -1, 3)[:, : int(np.prod(shape[1:-1]))].reshape(shape)
    axes = tuple(range(len(shape) - 1))
    mean, var = inputs.mean(axes), inputs.var(axes)
    outputs, changed = normalized(inputs, train=True)
    expected = class_by_class(inputs, LABELS, mean, var)
    np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-4)
    stats = changed["batch_stats"]
    np.testing.assert_allclose(stats["mean"], 0.9 * OLD_MEAN + 0.1 * mean, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(stats["var"], 0.9 * OLD_VAR + 0.1 * var, rtol=1e-4)


def test_norm_in_evaluation():
    outputs, changed = normalized(train=False)
    expected = class_by_class(INPUTS, LABELS, OLD_MEAN, OLD_VAR)
    np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-4)
    jax.tree.map(np.testing.assert_array_equal, changed["batch_stats"], VARIABLES["batch_stats"])
    alone, _ = normalized(INPUTS[5:6], LABELS[5:6], train=False)
    np.testing.assert_allclose(alone, expected[5:6], rtol=1e-4, atol=1e-4)


def test_norm_of_one_class_is_batch_norm():
    """With a single class there is nothing conditional about it."""
    outputs, _ = normalized(labels=np.full(16, 2), train=True)
    axes = (0, 1, 2)
    normal = (INPUTS - INPUTS.mean(axes)) / np.sqrt(INPUTS.var(axes) + 1e-5)
    np.testing.assert_allclose(outputs, normal * SCALE[2] + BIAS[2], rtol=1e-4, atol=1e-4)


def test_norm_starts_as_if_there_were_no_classes():
    """Scales of 1 and biases of 0, one of each a class and channel."""
    variables = ConditionalBatchNorm().init(
        jax.random.key(0), jnp.zeros((2, 7)), labels=jnp.zeros(2, jnp.int32), classes=5, train=True
    )
    params, stats = variables["params"], variables["batch_stats"]
    assert params.keys() == {"scale", "bias"}
    np.testing.assert_array_equal(params["scale"], np.ones((5, 7)))
    np.testing.assert_array_equal(params["bias"], np.zeros((5, 7)))
    np.testing.assert_array_equal(stats["mean"], np.zeros(7))
    np.testing.assert_array_equal(stats["var"], np.ones(7))


@pytest.mark.parametrize("mapped", [jax.vmap, jax.pmap])
def test_norm_over_a_mapped_axis(mapped):
    """Eight shards of two examples each see the statistics of all sixteen."""
    expected, expected_stats = normalized(train=True)
    shards, labels = INPUTS.reshape(8, 2, 4, 5, 3), LABELS.reshape(8, 2)

    def run(axis_name):
        def one(x, y):
            return normalized(x, y, train=True, axis_name=axis_name)

        return mapped(one, axis_name="data")(jnp.asarray(shards, jnp.float32), jnp.asarray(labels))

    got, got_stats = run("data")
    np.testing.assert_allclose(got.reshape(INPUTS.shape), expected, rtol=1e-4, atol=1e-4)
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, np.broadcast_to(b, a.shape), rtol=1e-5),
        got_stats,
        expected_stats,
    )
    # Without the name each shard normalizes on its own, which is another thing.
    apart, _ = run(None)
    assert np.abs(np.asarray(apart.reshape(INPUTS.shape) - expected)).max() > 0.1


def test_norm_in_bfloat16():
    """Only the result is rounded: eight bits, so a relative error of 2^-8 at most."""
    inputs = np.asarray(jnp.asarray(INPUTS, jnp.bfloat16), np.float64)
    outputs, changed = ConditionalBatchNorm(dtype=jnp.bfloat16).apply(
        VARIABLES, jnp.asarray(INPUTS, jnp.bfloat16), labels=jnp.asarray(LABELS), classes=CLASSES,
        train=True, mutable=["batch_stats"],
    )  # fmt: skip
    assert outputs.dtype == jnp.bfloat16
    assert {v.dtype for v in jax.tree.leaves(changed)} == {jnp.dtype("float32")}
    expected = class_by_class(inputs, LABELS, inputs.mean((0, 1, 2)), inputs.var((0, 1, 2)))
    np.testing.assert_allclose(np.asarray(outputs, np.float64), expected, rtol=2**-8, atol=1e-3)


def test_projection():
    """Miyato and Koyama 2018, figure 1d: psi(phi) + v_y . phi."""
    features, labels = jnp.asarray(FEATURES, jnp.float32), np.array([2, 0, 2, 1, 3])
    got, variables = ProjectionHead().init_with_output(
        jax.random.key(0), features, jnp.asarray(labels), classes=CLASSES
    )
    params = variables["params"]
    vectors = np.asarray(params["ClassEmbedding_0"]["table"], np.float64)
    psi = np.asarray(params["LogitHead_0"]["Dense_0"]["kernel"], np.float64)
    assert vectors.shape == (CLASSES, 6)
    expected = [FEATURES[i] @ psi[:, 0] + FEATURES[i] @ vectors[y] for i, y in enumerate(labels)]
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)
    # The unconditional part is that of the discriminator without labels.
    plain = LogitHead().apply({"params": params["LogitHead_0"]}, features)
    assert not np.allclose(got, plain, atol=1e-2)


def test_projection_of_labels_that_are_no_class():
    features = jnp.asarray(FEATURES, jnp.float32)
    got, _ = ProjectionHead().init_with_output(
        jax.random.key(0), features, jnp.array([0, CLASSES, 1, -1, 3]), classes=CLASSES
    )
    np.testing.assert_array_equal(np.isnan(got), [False, True, False, True, False])


@pytest.mark.parametrize(("std", "expected"), [(0.02, 0.02), (None, 1000**-0.5)])
def test_first_vectors(std, expected):
    """None: 1 / sqrt(length); four standard errors of a deviation over 20,000 weights."""
    variables = ProjectionHead(std).init(
        jax.random.key(0), jnp.zeros((1, 1000)), jnp.zeros(1, jnp.int32), classes=20
    )
    table = np.asarray(variables["params"]["ClassEmbedding_0"]["table"])
    assert table.std() == pytest.approx(expected, rel=4 / 40_000**0.5)


def test_class_head():
    features = jnp.asarray(FEATURES, jnp.float32)
    got, variables = ClassHead().init_with_output(jax.random.key(0), features, classes=CLASSES)
    dense = variables["params"]["Dense_0"]
    assert got.shape == (5, CLASSES)
    assert not np.any(dense["bias"])
    np.testing.assert_allclose(got, FEATURES @ np.asarray(dense["kernel"]), rtol=1e-4, atol=1e-5)


def test_heads_compute_in_float32():
    features, labels = jnp.asarray(FEATURES, jnp.bfloat16), jnp.zeros(5, jnp.int32)
    exact = features.astype(jnp.float32)
    key = jax.random.key(0)
    for head, arguments in ((ClassHead(), ()), (ProjectionHead(), (labels,))):
        one, two = (
            head.init_with_output(key, f, *arguments, classes=CLASSES)[0] for f in (features, exact)
        )
        assert one.dtype == jnp.float32
        np.testing.assert_allclose(one, two, rtol=1e-6)


def test_examples():
    result = doctest.testmod(labels_module)
    assert result.attempted >= 1
    assert result.failed == 0
