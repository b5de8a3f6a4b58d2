"""What every conditional network promises."""

import ast
import dataclasses
import doctest
import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conditional_networks import (
    BATCH,
    CALLS,
    CLASSES,
    EVERY,
    KEYS,
    LABELS,
    SHARING,
    assert_close,
    evaluated,
    given,
    initialized,
)

from jaxgan.networks import auxiliary, conditional, projection
from jaxgan.networks.auxiliary import AuxiliaryDcganDiscriminator, AuxiliaryMlpDiscriminator
from jaxgan.networks.claims import claims
from jaxgan.networks.conditional import (
    ConditionalDcganGenerator,
    LabelledDecoder,
    LabelledDiscriminator,
    LabelledGenerator,
)
from jaxgan.networks.dcgan import DcganDiscriminator
from jaxgan.networks.mlp import MlpDiscriminator
from jaxgan.networks.projection import ProjectionDcganDiscriminator
from jaxgan.run.config_json import from_json, to_json


@pytest.mark.slow
# The labels of auxiliary classifiers are for their loss.
@pytest.mark.parametrize(
    ("module", "inputs", "arguments"), [case for case in CALLS if "auxiliary" not in case.id]
)
def test_the_label_matters(module, inputs, arguments):
    """Each pair of classes makes a difference, and none but to the examples of those classes."""
    variables = initialized(module, inputs, **arguments)
    before = evaluated(module, variables, inputs, LABELS, **arguments)
    found = [
        evaluated(module, variables, inputs, jnp.full_like(LABELS, y), **arguments)
        for y in range(CLASSES)
    ]
    for leaves in zip(*map(jax.tree.leaves, found), strict=True):
        for a in range(CLASSES):
            for b in range(a):
                assert float(jnp.abs(leaves[a] - leaves[b]).max()) > 1e-4
    after = evaluated(module, variables, inputs, LABELS.at[3].set(0), **arguments)
    for a, b in zip(jax.tree.leaves(before), jax.tree.leaves(after), strict=True):
        changed = np.abs(np.asarray(a - b)).reshape(BATCH, -1).max(axis=1) > 1e-5
        np.testing.assert_array_equal(changed, np.arange(BATCH) == 3)


@pytest.mark.slow
@EVERY
def test_labels_that_are_no_class(module, inputs, arguments):
    """NaN for those examples, in evaluation for no other; never another class without a word."""
    variables = initialized(module, inputs, **arguments)
    wrong = np.isin(np.arange(BATCH), (3, 8))
    labels = LABELS.at[3].set(-1).at[8].set(CLASSES)
    found = evaluated(module, variables, inputs, labels, **arguments)
    ignored = isinstance(module, AuxiliaryDcganDiscriminator | AuxiliaryMlpDiscriminator)
    for leaf in jax.tree.leaves(found):
        bad = np.isnan(leaf).reshape(BATCH, -1)
        np.testing.assert_array_equal(bad.all(axis=1), wrong & (not ignored))
        np.testing.assert_array_equal(bad.any(axis=1), bad.all(axis=1))


@EVERY
def test_unknown_number_of_classes(module, inputs, arguments):
    with pytest.raises(ValueError, match="classes = 0: "):
        jax.eval_shape(
            lambda: module.init(KEYS, *given(inputs, LABELS), classes=0, train=False, **arguments)
        )


@EVERY
def test_evaluation_treats_examples_apart(module, inputs, arguments):
    """With train=False nothing depends on the batch, and no random key is needed."""
    variables = initialized(module, inputs, **arguments)
    whole = evaluated(module, variables, inputs, LABELS, **arguments)
    part = evaluated(module, variables, inputs[3:5], LABELS[3:5], **arguments)
    assert_close(jax.tree.map(lambda w: w[3:5], whole), part)
    assert all(float(jnp.abs(w[2] - w[3]).max()) > 1e-7 for w in jax.tree.leaves(whole))


@EVERY
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_types(module, inputs, arguments, dtype):
    """Results and variables are float32 in either format, and training keeps the structure."""

    def replaced(value):
        """As the house gives a precision to networks, those inside others included."""
        if hasattr(value, "dtype"):
            return dataclasses.replace(value, dtype=dtype)
        return dataclasses.replace(value, body=dataclasses.replace(value.body, dtype=dtype))

    module = replaced(module)

    def call():
        variables = module.init(
            KEYS, *given(inputs, LABELS), classes=CLASSES, train=False, **arguments
        )
        outputs, state = module.apply(
            variables, *given(inputs, LABELS), classes=CLASSES, train=True, rngs=KEYS,
            mutable=["batch_stats"], **arguments,
        )  # fmt: skip
        return outputs, variables, state

    outputs, variables, state = jax.eval_shape(call)
    assert {leaf.dtype.name for leaf in jax.tree.leaves((outputs, variables))} == {"float32"}
    assert variables.keys() <= {"params", "batch_stats"}
    before = {k: v for k, v in variables.items() if k != "params"}
    assert jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype.name), before) == jax.tree.map(
        lambda leaf: (leaf.shape, leaf.dtype.name), state
    )


@pytest.mark.slow
@EVERY
def test_gradients_reach_every_parameter(module, inputs, arguments):
    """Finite, and none forgotten: every parameter makes some difference to the results."""
    variables = initialized(module, inputs, **arguments)

    @jax.jit
    def gradients(params):
        def loss(params):
            outputs, _ = module.apply(
                {**variables, "params": params}, *given(inputs, LABELS), classes=CLASSES,
                train=True, mutable=["batch_stats"], rngs={"dropout": KEYS["dropout"]}, **arguments,
            )  # fmt: skip
            return sum(jnp.sum(jnp.sin(3.0 * o + 0.5)) for o in jax.tree.leaves(outputs))

        return jax.grad(loss)(params)

    for path, leaf in jax.tree_util.tree_leaves_with_path(gradients(variables["params"])):
        assert bool(jnp.isfinite(leaf).all()), path
        assert bool(jnp.any(leaf != 0)), path


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "inputs", "arguments"), [case for case in CALLS if case.id in SHARING]
)
def test_as_many_devices_as_one(module, inputs, arguments):
    """Outputs, batch statistics and gradients of eight devices are those of one device."""
    variables = initialized(module, inputs, **arguments)
    state = {k: v for k, v in variables.items() if k != "params"}

    def step(params, x, y, axis_name):
        def loss(p):
            outputs, changed = module.apply(
                {"params": p, **state}, *given(x, y), classes=CLASSES, train=True,
                axis_name=axis_name, mutable=["batch_stats"], rngs={"dropout": KEYS["dropout"]},
                **arguments,
            )  # fmt: skip
            total = sum(jnp.sum(jnp.sin(3.0 * o + 0.5)) for o in jax.tree.leaves(outputs))
            return total / x.shape[0], (outputs, changed)

        gradients, (outputs, changed) = jax.grad(loss, has_aux=True)(params)
        if axis_name is not None:
            gradients = jax.lax.pmean(gradients, axis_name)
        return outputs, changed, gradients

    one = jax.jit(lambda p, x, y: step(p, x, y, None))(variables["params"], inputs, LABELS)
    many = jax.pmap(
        lambda p, x, y: step(p, x, y, "data"),
        axis_name="data",
        in_axes=(None, 0, 0),
        out_axes=(0, None, None),
    )(variables["params"], inputs.reshape(8, 2, *inputs.shape[1:]), LABELS.reshape(8, 2))
    many_outputs = jax.tree.map(lambda o: o.reshape(BATCH, *o.shape[2:]), many[0])

    def close(a, b):
        scale = max(1e-3, float(jnp.abs(b).max()))
        np.testing.assert_allclose(np.asarray(a) / scale, np.asarray(b) / scale, atol=2e-4)

    jax.tree.map(close, (many_outputs, *many[1:]), one)


@EVERY
def test_settings_are_values(module, inputs, arguments):
    """They hash, compare, go to JSON and back, and have defaults, networks inside included."""
    del inputs, arguments
    assert dataclasses.replace(module) == module
    assert hash(dataclasses.replace(module)) == hash(module)
    assert from_json(to_json(module)) == module
    default = type(module)()
    assert type(from_json(to_json(default))) is type(module)


def test_networks_inside_are_not_shared():
    """One default network inside two wrappers is still two networks with weights of their own."""
    images, labels = jnp.zeros((2, 8, 8, 1)), jnp.zeros(2, jnp.int32)
    one, two = (LabelledDiscriminator().init(KEYS, images, labels, classes=n, train=False)
                for n in (2, 3))  # fmt: skip
    assert jax.tree.leaves(one)[1].shape != jax.tree.leaves(two)[1].shape
    assert LabelledDiscriminator().body == MlpDiscriminator()


def test_batch_norm_of_the_body_is_seen():
    """What refuses it under a gradient penalty asks what the outer network claims."""
    for batch_norm in (True, False):
        body = DcganDiscriminator(width=4, batch_norm=batch_norm)
        assert claims(LabelledDiscriminator(body)).batch_norm is batch_norm
    assert claims(LabelledDiscriminator()).batch_norm is False


@pytest.mark.parametrize("network", [LabelledGenerator, LabelledDecoder])
def test_bad_embedding(network):
    with pytest.raises(ValueError, match=rf"^{network.__name__}\.embedding = -1"):
        network(embedding=-1)


@pytest.mark.parametrize(
    "network",
    [ConditionalDcganGenerator, ProjectionDcganDiscriminator, AuxiliaryDcganDiscriminator],
)
def test_bad_width(network):
    with pytest.raises(ValueError, match=rf"^{network.__name__}\.width = 0"):
        network(width=0)


@pytest.mark.parametrize("source", [conditional, projection, auxiliary])
def test_fields_are_documented(source):
    """A string stands under each field; the command line shows it."""
    classes = [n for n in ast.parse(inspect.getsource(source)).body if isinstance(n, ast.ClassDef)]
    assert classes
    for node in classes:
        for statement, following in zip(node.body, node.body[1:], strict=False):
            if isinstance(statement, ast.AnnAssign):
                assert isinstance(following, ast.Expr), ast.unparse(statement)
                assert isinstance(following.value, ast.Constant), ast.unparse(statement)


def test_examples():
    result = doctest.testmod(conditional)
    assert result.attempted >= 5
    assert result.failed == 0
