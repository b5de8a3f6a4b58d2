"""What every network promises, whatever it computes."""

import ast
import dataclasses
import functools
import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.networks import dcgan, mlp, vae
from jaxgan.networks.dcgan import DcganDiscriminator, DcganGenerator
from jaxgan.networks.mlp import MlpDecoder, MlpDiscriminator, MlpEncoder, MlpGenerator
from jaxgan.networks.vae import ConvDecoder, ConvEncoder

KEYS = {"params": jax.random.key(0), "dropout": jax.random.key(1)}
SHAPE = (16, 16, 2)
BATCH, LATENT_SIZE = 16, 5
RNG = np.random.default_rng(0)
LATENT = jnp.asarray(RNG.normal(size=(BATCH, LATENT_SIZE)), jnp.float32)
IMAGES = jnp.asarray(RNG.uniform(-1, 1, size=(BATCH, *SHAPE)), jnp.float32)

# Small networks with everything switched on that depends on the batch.
MAKERS = {
    "mlp": MlpGenerator((8, 8), batch_norm=True),
    "mlp decoder": MlpDecoder((8,)),
    "dcgan": DcganGenerator(width=4),
    "conv decoder": ConvDecoder(width=4, batch_norm=True),
}
JUDGES = {
    "mlp": MlpDiscriminator((8, 8), dropout=0.3, input_dropout=0.2),
    "maxout": MlpDiscriminator((8, 8), dropout=0.5, pieces=3),
    "dcgan": DcganDiscriminator(width=4),
    "dcgan plain": DcganDiscriminator(width=4, batch_norm=False),
}
ENCODERS = {
    "mlp encoder": MlpEncoder((8,)),
    "conv encoder": ConvEncoder(width=4, batch_norm=True),
}
CALLS = (
    [pytest.param(m, LATENT, {"image_shape": SHAPE}, id=f"G {n}") for n, m in MAKERS.items()]
    + [pytest.param(m, IMAGES, {}, id=f"D {n}") for n, m in JUDGES.items()]
    + [pytest.param(m, IMAGES, {"latent_size": 3}, id=f"E {n}") for n, m in ENCODERS.items()]
)
EVERY = pytest.mark.parametrize(("module", "inputs", "arguments"), CALLS)
# One network for each way in which a batch is more than its examples; one with batch norm is quick.
SHARING = [
    pytest.param(*case.values, id=case.id, marks=() if case.id == "G dcgan" else pytest.mark.slow)
    for case in CALLS
    if case.id in ("G dcgan", "D mlp", "D dcgan")
]


@functools.cache
def started(module):
    """First variables of one of the networks, at its inputs; compiled once for all tests."""
    inputs, arguments = next(c.values[1:] for c in CALLS if c.values[0] is module)
    return jax.jit(lambda: module.init(KEYS, inputs, train=False, **arguments))()


def applied(module, variables, inputs, **arguments):
    """Outputs, compiled as one program: operation by operation takes several times longer."""
    return jax.jit(lambda v, x: module.apply(v, x, **arguments))(variables, inputs)


@functools.cache
def evaluated(module):
    """Its outputs at its inputs with train=False."""
    inputs, arguments = next(c.values[1:] for c in CALLS if c.values[0] is module)
    return applied(module, started(module), inputs, train=False, **arguments)


def shapes(tree):
    return jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype.name), tree)


@pytest.mark.parametrize(
    ("size", "channels", "dtype"),
    [
        (8, 1, "float32"),
        (16, 3, "bfloat16"),
        (28, 1, "float32"),
        (32, 3, "float32"),
        (64, 3, "bfloat16"),
        (128, 3, "float32"),
    ],
)
def test_shapes_and_types(size, channels, dtype):
    """Results and variables are float32, in either number format of the arithmetic."""
    shape = (size, size, channels)
    images = jnp.zeros((2, *shape))

    def run(module, inputs, **arguments):
        module = dataclasses.replace(module, dtype=dtype)

        def call():
            variables = module.init(KEYS, inputs, train=False, **arguments)
            outputs, state = module.apply(
                variables, inputs, train=True, rngs=KEYS, mutable=["batch_stats"], **arguments
            )
            return outputs, variables, state

        outputs, variables, state = jax.eval_shape(call)
        assert {leaf.dtype.name for leaf in jax.tree.leaves((variables, state))} == {"float32"}
        assert variables.keys() <= {"params", "batch_stats"}
        # What training changes keeps its structure.
        assert shapes(state) == shapes({k: v for k, v in variables.items() if k != "params"})
        return shapes(outputs)

    for module in MAKERS.values():
        assert run(module, LATENT[:2], image_shape=shape) == ((2, *shape), "float32")
    for module in JUDGES.values():
        assert run(module, images) == ((2,), "float32")
    for module in ENCODERS.values():
        assert run(module, images, latent_size=7) == (((2, 7), "float32"),) * 2


def test_points():
    points = jnp.zeros((3, 1, 1, 2))
    generator = MlpGenerator((4,), bounded=False)
    made, _ = jax.eval_shape(
        lambda: generator.init_with_output(KEYS, LATENT[:3], image_shape=(1, 1, 2), train=False)
    )
    assert made.shape == points.shape
    logits, _ = jax.eval_shape(
        lambda: MlpDiscriminator((4,)).init_with_output(KEYS, points, train=False)
    )
    assert logits.shape == (3,)


@EVERY
def test_settings_are_plain_values(module, inputs, arguments):
    """They hash, compare, and hold nothing that JSON or a command line could not."""
    copy = dataclasses.replace(module)
    assert copy == module
    assert hash(copy) == hash(module)
    for field in dataclasses.fields(module):
        if field.name in ("parent", "name"):
            continue
        value = getattr(module, field.name)
        for item in value if isinstance(value, tuple) else (value,):
            assert item is None or isinstance(item, bool | int | float | str)
        assert field.default is not dataclasses.MISSING


@pytest.mark.parametrize("source", [mlp, dcgan, vae])
def test_fields_are_documented(source):
    """A string stands under each field; the command line shows it."""
    classes = [n for n in ast.parse(inspect.getsource(source)).body if isinstance(n, ast.ClassDef)]
    assert classes
    for node in classes:
        for statement, following in zip(node.body, node.body[1:], strict=False):
            if isinstance(statement, ast.AnnAssign):
                assert isinstance(following, ast.Expr), ast.unparse(statement)
                assert isinstance(following.value, ast.Constant), ast.unparse(statement)


@pytest.mark.parametrize(("module", "inputs", "arguments"), SHARING)
def test_as_many_devices_as_one(module, inputs, arguments):
    """Outputs, batch statistics and gradients of eight devices are those of one device.

    With batch statistics over all devices, dropout by place in the global batch, and gradients of
    per-device mean losses averaged, the sharded step is the step of the whole batch.
    """
    variables = started(module)
    state = {k: v for k, v in variables.items() if k != "params"}

    def step(params, x, axis_name):
        def loss(p):
            outputs, changed = module.apply(
                {"params": p, **state}, x, train=True, axis_name=axis_name,
                mutable=["batch_stats"], rngs={"dropout": KEYS["dropout"]}, **arguments,
            )  # fmt: skip
            # Not linear in the outputs, and different for every example.
            total = sum(jnp.sum(jnp.sin(3.0 * o + 0.5)) for o in jax.tree.leaves(outputs))
            return total / x.shape[0], (outputs, changed)

        gradients, (outputs, changed) = jax.grad(loss, has_aux=True)(params)
        if axis_name is not None:
            gradients = jax.lax.pmean(gradients, axis_name)
        return outputs, changed, gradients

    one = jax.jit(lambda p, x: step(p, x, None))(variables["params"], inputs)
    many = jax.pmap(
        lambda p, x: step(p, x, "data"),
        axis_name="data",
        in_axes=(None, 0),
        out_axes=(0, None, None),
    )(variables["params"], inputs.reshape(8, BATCH // 8, *inputs.shape[1:]))
    many_outputs = jax.tree.map(lambda o: o.reshape(BATCH, *o.shape[2:]), many[0])

    def close(a, b):
        scale = max(1e-3, float(jnp.abs(b).max()))
        np.testing.assert_allclose(np.asarray(a) / scale, np.asarray(b) / scale, atol=2e-4)

    jax.tree.map(close, (many_outputs, *many[1:]), one)


@EVERY
def test_evaluation_treats_examples_apart(module, inputs, arguments):
    """With train=False nothing depends on the batch, and no random key is needed."""
    whole = evaluated(module)
    part = applied(module, started(module), inputs[3:5], train=False, **arguments)
    jax.tree.map(
        lambda w, p: np.testing.assert_allclose(w[3:5], p, rtol=1e-4, atol=1e-5), whole, part
    )
    # And the examples do differ.
    assert all(float(jnp.abs(w[0] - w[1]).max()) > 1e-7 for w in jax.tree.leaves(whole))


def test_training_without_batch_norm_treats_examples_apart():
    arguments = {"image_shape": (8, 8, 1), "train": True}

    def whole_and_part(module, **mutable):
        variables = jax.jit(lambda: module.init(KEYS, LATENT, **arguments))()
        return (
            applied(module, variables, z, **mutable, **arguments) for z in (LATENT, LATENT[3:5])
        )

    for module in (DcganGenerator(width=4, batch_norm=False), MlpGenerator((8,))):
        whole, part = whole_and_part(module)
        np.testing.assert_allclose(whole[3:5], part, rtol=1e-4, atol=1e-6)
    (whole, _), (part, _) = whole_and_part(DcganGenerator(width=4), mutable=["batch_stats"])
    assert float(jnp.abs(whole[3:5] - part).max()) > 1e-4


@EVERY
def test_gradients_are_finite(module, inputs, arguments):
    """At ordinary inputs, and where every example is the same (no variance to normalize by)."""
    variables = started(module)

    @jax.jit
    def gradients(variables, x):
        def loss(params, x):
            outputs, _ = module.apply(
                {**variables, "params": params}, x, train=True, mutable=["batch_stats"],
                rngs={"dropout": KEYS["dropout"]}, **arguments,
            )  # fmt: skip
            return sum(jnp.sum(o**2) for o in jax.tree.leaves(outputs))

        return jax.grad(loss, argnums=(0, 1))(variables["params"], x)

    for x in (inputs, jnp.ones_like(inputs)):
        result = gradients(variables, x)
        assert all(bool(jnp.isfinite(g).all()) for g in jax.tree.leaves(result))
    assert any(bool(jnp.any(g != 0)) for g in jax.tree.leaves(gradients(variables, inputs)))


@EVERY
def test_bfloat16_is_close(module, inputs, arguments):
    """Eight bits of mantissa over a handful of layers: within a few per cent, yet not equal."""
    low = dataclasses.replace(module, dtype="bfloat16")
    one = evaluated(module)
    two = applied(low, started(module), inputs, train=False, **arguments)
    for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(two), strict=True):
        scale = float(jnp.abs(a).max())
        assert 0.0 < float(jnp.abs(a - b).max()) < 0.05 * scale
