"""Conditional networks: what the label does, against the same networks without labels."""

import ast
import dataclasses
import doctest
import functools
import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.networks import auxiliary, conditional, projection
from jaxgan.networks.auxiliary import AuxiliaryDcganDiscriminator, AuxiliaryMlpDiscriminator
from jaxgan.networks.conditional import (
    ConditionalDcganGenerator,
    LabelledDecoder,
    LabelledDiscriminator,
    LabelledEncoder,
    LabelledGenerator,
)
from jaxgan.networks.dcgan import DcganDiscriminator, DcganGenerator
from jaxgan.networks.mlp import MlpDecoder, MlpDiscriminator, MlpEncoder, MlpGenerator
from jaxgan.networks.projection import ProjectionDcganDiscriminator, ProjectionMlpDiscriminator
from jaxgan.networks.vae import ConvDecoder, ConvEncoder
from jaxgan.run.config_json import from_json, to_json

KEYS = {"params": jax.random.key(0), "dropout": jax.random.key(1)}
SHAPE = (16, 16, 2)
BATCH, CLASSES = 16, 4
RNG = np.random.default_rng(0)
NOISE = jnp.asarray(RNG.normal(size=(BATCH, 5)), jnp.float32)
IMAGES = jnp.asarray(RNG.uniform(-1, 1, size=(BATCH, *SHAPE)), jnp.float32)
LABELS = jnp.asarray([2, 0, 3, 3, 1, 0, 2, 2, 1, 3, 0, 1, 2, 3, 1, 0])
# Written out by hand.
ROWS = np.array([[0, 0, 1, 0], [1, 0, 0, 0], [0, 0, 0, 1], [0, 1, 0, 0]], np.float32)
ONE_HOT = ROWS[np.array([0, 1, 2, 2, 3, 1, 0, 0, 3, 2, 1, 3, 0, 2, 3, 1])]

MAKERS = {
    "labelled": LabelledGenerator(MlpGenerator((8, 8), batch_norm=True)),
    "embedded": LabelledGenerator(DcganGenerator(width=4), embedding=3),
    "labelled decoder": LabelledDecoder(ConvDecoder(width=4)),
    "dcgan": ConditionalDcganGenerator(width=4),
}
JUDGES = {
    "labelled": LabelledDiscriminator(MlpDiscriminator((8, 8), dropout=0.3), planes=False),
    "planes": LabelledDiscriminator(DcganDiscriminator(width=4)),
    "projection": ProjectionDcganDiscriminator(width=4),
    "projection mlp": ProjectionMlpDiscriminator((8, 8), dropout=0.3),
    "auxiliary": AuxiliaryDcganDiscriminator(width=4),
    "auxiliary mlp": AuxiliaryMlpDiscriminator((8, 8), pieces=2),
}
ENCODERS = {
    "labelled": LabelledEncoder(MlpEncoder((8,)), planes=False),
    "planes": LabelledEncoder(ConvEncoder(width=4, batch_norm=True)),
}
CALLS = (
    [pytest.param(m, NOISE, {"image_shape": SHAPE}, id=f"G {n}") for n, m in MAKERS.items()]
    + [pytest.param(m, IMAGES, {}, id=f"D {n}") for n, m in JUDGES.items()]
    + [pytest.param(m, IMAGES, {"latent_size": 3}, id=f"E {n}") for n, m in ENCODERS.items()]
)
EVERY = pytest.mark.parametrize(("module", "inputs", "arguments"), CALLS)
# One network for each way in which a batch is more than its examples, or a label is read.
SHARING = {"G dcgan", "D labelled", "D projection"}


def given(inputs, labels):
    """The inputs of a network: makers take latents by name, others images and labels."""
    return ({"noise": inputs, "label": labels},) if inputs.ndim == 2 else (inputs, labels)


def initialized(module, inputs, **arguments):
    """Variables away from their start, where some classes are alike and biases are 0."""
    return _initialized(module, inputs.shape, tuple(arguments.items()))


@functools.cache
def _initialized(module, shape, arguments):
    def init():
        inputs = given(jnp.zeros(shape), LABELS)
        return module.init(KEYS, *inputs, classes=CLASSES, train=False, **dict(arguments))

    variables = jax.jit(init)()
    rng = np.random.default_rng(1)
    return jax.tree.map(lambda v: v + jnp.asarray(rng.uniform(0, 0.3, v.shape), v.dtype), variables)


def evaluated(module, variables, inputs, labels, **arguments):
    return module.apply(
        variables, *given(inputs, labels), classes=CLASSES, train=False, **arguments
    )


def assert_close(a, b, **tolerance):
    tolerance = tolerance or {"rtol": 1e-4, "atol": 1e-5}
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, **tolerance), a, b)


# What the label is made into.


def test_one_hot_beside_the_noise():
    """The body sees noise, then the one-hot label, and nothing else."""
    for wrapper in (LabelledGenerator, LabelledDecoder):
        for body in (DcganGenerator(width=4), MlpDecoder((8,))):
            module = wrapper(body)
            variables = initialized(module, NOISE, image_shape=SHAPE)
            got = evaluated(module, variables, NOISE, LABELS, image_shape=SHAPE)
            inner = {name: tree["body"] for name, tree in variables.items()}
            assert {name: {"body": tree} for name, tree in inner.items()} == variables
            beside = jnp.concatenate([NOISE, ONE_HOT], axis=1)
            expected = body.apply(inner, beside, image_shape=SHAPE, train=False)
            assert_close(got, expected)


def test_embedding_beside_the_noise():
    body = MlpGenerator((8,))
    module = LabelledGenerator(body, embedding=3)
    variables = initialized(module, NOISE, image_shape=SHAPE)
    table = np.asarray(variables["params"]["ClassEmbedding_0"]["table"])
    assert table.shape == (CLASSES, 3)
    beside = jnp.concatenate([NOISE, table[np.asarray(LABELS)]], axis=1)
    inner = {"params": variables["params"]["body"]}
    expected = body.apply(inner, beside, image_shape=SHAPE, train=False)
    assert_close(evaluated(module, variables, NOISE, LABELS, image_shape=SHAPE), expected)


@pytest.mark.parametrize("planes", [True, False])
@pytest.mark.parametrize(
    ("wrapper", "body", "arguments"),
    [
        (LabelledDiscriminator, MlpDiscriminator((8,)), {}),
        (LabelledEncoder, MlpEncoder((8,)), {"latent_size": 3}),
    ],
)
def test_one_hot_beside_the_image(wrapper, body, arguments, planes):
    """A channel a class at every pixel, or numbers behind those of the image."""
    module = wrapper(body, planes=planes)
    variables = initialized(module, IMAGES, **arguments)
    got = evaluated(module, variables, IMAGES, LABELS, **arguments)
    if planes:
        beside = np.empty((BATCH, 16, 16, 2 + CLASSES), np.float32)
        beside[..., :2] = IMAGES
        beside[..., 2:] = ONE_HOT[:, None, None]
    else:
        flat = [np.concatenate([np.ravel(x), y]) for x, y in zip(IMAGES, ONE_HOT, strict=True)]
        beside = np.stack(flat).reshape(BATCH, 1, 1, -1)
    inner = {"params": variables["params"]["body"]}
    assert_close(got, body.apply(inner, jnp.asarray(beside), train=False, **arguments))


def test_planes_for_convolutions():
    body = DcganDiscriminator(width=4)
    module = LabelledDiscriminator(body)
    variables = initialized(module, IMAGES)
    planes = np.broadcast_to(ONE_HOT[:, None, None], (BATCH, 16, 16, CLASSES))
    inner = {name: tree["body"] for name, tree in variables.items()}
    expected = body.apply(inner, jnp.concatenate([IMAGES, planes], axis=3), train=False)
    assert_close(evaluated(module, variables, IMAGES, LABELS), expected)
    with pytest.raises(ValueError, match="images of 1x1"):
        initialized(LabelledDiscriminator(body, planes=False), IMAGES)


def test_points():
    points = jnp.asarray(RNG.normal(size=(BATCH, 1, 1, 2)), jnp.float32)
    for planes in (True, False):
        module = LabelledDiscriminator(MlpDiscriminator((4,)), planes=planes)
        assert evaluated(module, initialized(module, points), points, LABELS).shape == (BATCH,)
    maker = LabelledGenerator(MlpGenerator((4,), bounded=False))
    arguments = {"image_shape": (1, 1, 2)}
    variables = initialized(maker, NOISE, **arguments)
    assert evaluated(maker, variables, NOISE, LABELS, **arguments).shape == points.shape


# What parts of the networks are.


def test_conditional_dcgan_starts_as_dcgan():
    """Scales 1 and biases 0: with DCGAN's other weights and scales of 1, it is that generator."""
    module, plain = ConditionalDcganGenerator(width=4), DcganGenerator(width=4)
    latents = {"noise": NOISE, "label": LABELS}
    variables = module.init(KEYS, latents, image_shape=SHAPE, classes=CLASSES, train=False)
    params, stats = (variables[name]["UpPyramid_0"] for name in ("params", "batch_stats"))

    def renamed(tree, changed=lambda v: v):
        return {
            "UpPyramid_0": {
                name.replace("ConditionalBatchNorm", "BatchNorm"): (
                    jax.tree.map(changed, value) if "Norm" in name else value
                )
                for name, value in tree.items()
            }
        }

    one = module.apply(variables, latents, image_shape=SHAPE, classes=CLASSES, train=True,
                       mutable=["batch_stats"])[0]  # fmt: skip
    expected = plain.apply(
        {"params": renamed(params, lambda v: v[0]), "batch_stats": renamed(stats)},
        NOISE, image_shape=SHAPE, train=True, mutable=["batch_stats"],
    )[0]  # fmt: skip
    assert_close(one, expected)
    assert sum("ConditionalBatchNorm" in name for name in params) == 2


def test_conditional_dcgan_is_dcgan_with_the_scales_of_the_class():
    """One class at a time, in evaluation: DCGAN with that class's scales and biases."""
    module, plain = ConditionalDcganGenerator(width=4), DcganGenerator(width=4)
    variables = initialized(module, NOISE, image_shape=SHAPE)
    got = evaluated(module, variables, NOISE, LABELS, image_shape=SHAPE)
    for label in range(CLASSES):
        inner = {
            collection: {
                "UpPyramid_0": {
                    name.replace("ConditionalBatchNorm", "BatchNorm"): {
                        key: leaf[label] if name.startswith("Cond") and leaf.ndim == 2 else leaf
                        for key, leaf in layer.items()
                    }
                    for name, layer in tree["UpPyramid_0"].items()
                }
            }
            for collection, tree in variables.items()
        }
        expected = plain.apply(inner, NOISE, image_shape=SHAPE, train=False)
        mine = np.asarray(LABELS) == label
        assert_close(np.asarray(got)[mine], np.asarray(expected)[mine])


@pytest.mark.parametrize(
    ("module", "plain", "trunk"),
    [
        (ProjectionDcganDiscriminator(width=4), DcganDiscriminator(width=4), "DownPyramid_0"),
        (ProjectionMlpDiscriminator((8,)), MlpDiscriminator((8,)), "HiddenLayers_0"),
    ],
)
def test_projection_is_a_term_more(module, plain, trunk):
    """Without vectors it is the unconditional discriminator; the term is linear in them."""
    variables = initialized(module, IMAGES)
    params = variables["params"]
    head = params["ProjectionHead_0"]
    inner = {**variables, "params": {trunk: params[trunk], "LogitHead_0": head["LogitHead_0"]}}
    psi = plain.apply(inner, IMAGES, train=False)

    def with_vectors(table):
        changed = {**head, "ClassEmbedding_0": {"table": jnp.asarray(table, jnp.float32)}}
        tree = {**variables, "params": {**params, "ProjectionHead_0": changed}}
        return evaluated(module, tree, IMAGES, LABELS)

    table = np.asarray(head["ClassEmbedding_0"]["table"])
    assert_close(with_vectors(np.zeros_like(table)), psi)
    assert_close(with_vectors(-2.0 * table) - psi, -2.0 * (with_vectors(table) - psi))
    # All classes with the weights of psi itself: the term is psi without its bias.
    same = np.tile(np.asarray(head["LogitHead_0"]["Dense_0"]["kernel"])[:, 0], (CLASSES, 1))
    bias = np.asarray(head["LogitHead_0"]["Dense_0"]["bias"])[0]
    assert_close(with_vectors(same), 2.0 * psi - bias)
    # Vectors of class 2 only: other images keep psi.
    only = np.where(np.arange(CLASSES)[:, None] == 2, same, 0.0)
    mine = np.asarray(LABELS) == 2
    assert_close(with_vectors(only), np.where(mine, 2.0 * psi - bias, psi))


@pytest.mark.parametrize(
    ("module", "plain", "trunk"),
    [
        (AuxiliaryDcganDiscriminator(width=4), DcganDiscriminator(width=4), "DownPyramid_0"),
        (AuxiliaryMlpDiscriminator((8,)), MlpDiscriminator((8,)), "HiddenLayers_0"),
    ],
)
def test_auxiliary_is_a_head_more(module, plain, trunk):
    """The logits are those of the unconditional discriminator; labels change nothing."""
    variables = initialized(module, IMAGES)
    params = variables["params"]
    logits, heads = evaluated(module, variables, IMAGES, LABELS)
    inner = {
        **variables,
        "params": {trunk: params[trunk], "LogitHead_0": params["LogitHead_0"]},
    }
    assert_close(logits, plain.apply(inner, IMAGES, train=False))
    assert heads.keys() == {"class"}
    # Classes are read from the features that psi is read from: with its weights, a class is psi.
    head = params["ClassHead_0"]["Dense_0"]
    psi = params["LogitHead_0"]["Dense_0"]
    replaced = {
        "kernel": head["kernel"].at[:, 1].set(psi["kernel"][:, 0]),
        "bias": head["bias"].at[1].set(psi["bias"][0]),
    }
    tree = {**variables, "params": {**params, "ClassHead_0": {"Dense_0": replaced}}}
    _, changed = evaluated(module, tree, IMAGES, LABELS)
    assert_close(changed["class"][:, 1], logits)
    assert_close(changed["class"][:, 2:], heads["class"][:, 2:])
    assert_close(evaluated(module, variables, IMAGES, (LABELS + 1) % CLASSES), (logits, heads))


# What every conditional network promises.


@EVERY
def test_the_label_matters(module, inputs, arguments):
    """Each pair of classes makes a difference, and none but to the examples of those classes."""
    if isinstance(module, AuxiliaryDcganDiscriminator | AuxiliaryMlpDiscriminator):
        pytest.skip("labels are for its loss")
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
    """What refuses it under a gradient penalty asks the outer network."""
    for batch_norm in (True, False):
        body = DcganDiscriminator(width=4, batch_norm=batch_norm)
        assert LabelledDiscriminator(body).batch_norm is batch_norm
    assert LabelledDiscriminator().batch_norm is False


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
