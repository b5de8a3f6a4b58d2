"""What every network promises, whichever it is: found by walking the package."""

import inspect
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from discovery import PARTS, classes, networks, small

import jaxgan.networks
from jaxgan.run.config_json import from_json, to_json

NETWORKS = networks()
EVERY = pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
SHAPE = (8, 8, 1)
BATCH, LATENT_SIZE, CLASSES = 6, 5, 3
# Sizes of the heads beside the logits, in the order of their names.
HEADS = {
    "BeganDiscriminator": [64],
    "DcganAutoencoder": [32],
    "InfoGanAutoencoder": [64],
    "InfoGanCodesDiscriminator": [10, 2, 2],
    "InformationDcganDiscriminator": [10, 2, 2],
    "InformationMlpDiscriminator": [10, 2, 2],
    "MlpAutoencoder": [32],
    "VectorDcganDiscriminator": [16],
    "VectorMlpDiscriminator": [16],
}
KEYS = {"params": jax.random.key(0), "dropout": jax.random.key(1)}
SPARED = {"BigGanGenerator": {"ClassEmbedding_0/table"}}
"""Weights that a network leaves as they are when all others are normalized."""
DRAWS = np.random.default_rng(0)


def call(network, image_shape=SHAPE, batch=BATCH):
    """Inputs, arguments and the shapes of outputs, by what the network's call asks for."""
    asks = inspect.signature(type(network).__call__).parameters
    images = jnp.asarray(DRAWS.uniform(-1, 1, size=(batch, *image_shape)), jnp.float32)
    labels = jnp.arange(batch, dtype=jnp.int32) % CLASSES
    told = {"classes": CLASSES} if "classes" in asks else {}
    if (kind := type(network).__name__).startswith(("Grid", "PixelCnn")):
        factor = 2 if kind == "PixelCnn" else 4
        grid = (batch, image_shape[0] // factor, image_shape[1] // factor, LATENT_SIZE)
        vectors = jnp.asarray(DRAWS.normal(size=grid), jnp.float32)
        if kind == "GridEncoder":
            return (images,), {"latent_size": LATENT_SIZE}, [grid]
        if kind == "GridDecoder":
            return (vectors,), {"image_shape": image_shape}, [(batch, *image_shape)]
        return (vectors,), {}, [grid]
    if "image_shape" in asks:
        noise = jnp.asarray(DRAWS.normal(size=(batch, LATENT_SIZE)), jnp.float32)
        latents = {"noise": noise, "label": labels} if told else noise
        return (latents,), {"image_shape": image_shape, **told}, [(batch, *image_shape)]
    given = (images, labels) if told else (images,)
    if "codes" in asks:
        given = (images, jnp.asarray(DRAWS.normal(size=(batch, LATENT_SIZE)), jnp.float32))
    if "latent_size" in asks:
        parts = 1 if type(network).__name__.endswith("Coder") else 2
        return given, {"latent_size": LATENT_SIZE, **told}, [(batch, LATENT_SIZE)] * parts
    features = [(batch, None)] if getattr(network, "perceives", False) else []
    return given, told, [(batch,), *((batch, size) for size in heads(network)), *features]


def heads(network):
    """Sizes of what a discriminator says beside its logits, in the order of the names."""
    kind = type(network).__name__
    if "Auxiliary" in kind:
        return [CLASSES]
    if "ClassOrFake" in kind:
        return [CLASSES + 1]
    if "Twin" in kind:
        return [CLASSES] * 2
    if "Embedding" in kind:
        return [network.embedding] * 2
    return HEADS.get(kind, [])


def weights(init):
    """Random weights in the shapes of the initial ones, whose own compilation takes long."""
    shapes = jax.eval_shape(init)
    return jax.tree.map(lambda s: jnp.asarray(DRAWS.normal(0, 0.3, s.shape), s.dtype), shapes)


def structure(tree):
    return jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype.name), tree)


def test_the_known_ones_are_found():
    assert NETWORKS.keys() >= {
        *("MlpGenerator", "MlpDiscriminator", "MlpEncoder", "MlpDecoder"),
        *("DcganGenerator", "DcganDiscriminator", "ConvEncoder", "ConvDecoder"),
    }
    # A name that stays on the list of parts after its class is gone would hide a new one.
    assert {cls.__name__ for cls in classes(jaxgan.networks)} >= PARTS


@EVERY
def test_takes_the_arguments_that_algorithms_pass(network):
    """One array by place, and labels or codes beside images; the rest by keyword, ``axis_name``
    with None for a default."""
    _, first, *others = inspect.signature(type(network).__call__).parameters.values()
    if others[0].name in ("labels", "codes"):
        assert others.pop(0).kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
        assert first.name == "images"
    assert first.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    assert first.default is inspect.Parameter.empty
    assert all(other.kind is inspect.Parameter.KEYWORD_ONLY for other in others)
    by_name = {other.name: other.default for other in others}
    assert by_name.pop("axis_name") is None
    assert by_name.pop("train") is inspect.Parameter.empty
    by_name.pop("classes", None)
    assert by_name.keys() <= {"image_shape", "latent_size"}
    assert len(by_name) <= 1


@EVERY
def test_is_a_plain_value(network):
    assert from_json(json.loads(json.dumps(to_json(network)))) == network
    assert hash(small(network)) == hash(small(network))


def places(tree):
    return {
        jax.tree_util.keystr(path, simple=True, separator="/")
        for path, _ in jax.tree_util.tree_leaves_with_path(tree)
    }


@pytest.mark.parametrize(
    "network",
    [
        pytest.param(network, id=name)
        for name, network in NETWORKS.items()
        # Encoders say that their last layer is left out.
        if hasattr(network, "weight_norm") and not name.endswith("Encoder")
    ],
)
def test_the_weights_of_all_layers_are_normalized(network):
    """Heads among them: of a kernel or a table that was forgotten there are no singular vectors."""
    network = small(network).clone(weight_norm="spectral")
    inputs, arguments, _ = call(network)
    shapes = jax.eval_shape(lambda: network.init(KEYS, *inputs, train=False, **arguments))
    kernels = {name for name in places(shapes["params"]) if name.endswith(("kernel", "table"))}
    assert kernels
    kernels -= SPARED.get(type(network).__name__, set())
    assert {f"{name}/u" for name in kernels} <= places(shapes["spectral"])


@EVERY
@pytest.mark.parametrize("image_shape", [(8, 8, 1), (28, 28, 1), (32, 32, 3)])
def test_shapes_as_the_defaults_make_it(network, image_shape):
    inputs, arguments, expected = call(network, image_shape)

    def run():
        variables = network.init(KEYS, *inputs, train=False, **arguments)
        mutable = [name for name in variables if name != "params"]
        outputs, changed = network.apply(
            variables, *inputs, train=True, rngs=KEYS, mutable=mutable, **arguments
        )
        return variables, outputs, changed

    variables, outputs, changed = jax.eval_shape(run)
    for leaf, shape in zip(jax.tree.leaves(outputs), expected, strict=True):
        assert leaf.dtype == jnp.float32
        assert len(leaf.shape) == len(shape)
        # How many features there are depends on the network and the image.
        assert all(size in (found, None) for found, size in zip(leaf.shape, shape, strict=True))
    known = {"params", "batch_stats", "spectral", "reference", "noise", "average", "growth"}
    assert variables.keys() <= known
    # What training changes keeps its structure.
    assert structure(changed) == structure({k: v for k, v in variables.items() if k != "params"})


@EVERY
def test_values_and_gradients(network):
    """All finite, every parameter in use, nothing random but by the keys, compiled once."""
    network = small(network)
    inputs, arguments, _ = call(network)
    variables = weights(lambda: network.init(KEYS, *inputs, train=False, **arguments))
    if "growth" in variables:
        # While the second level fades in, both layers to or from RGB are in use.
        variables["growth"] = {"levels": jnp.float32(0.5)}
    state = {k: v for k, v in variables.items() if k != "params"}
    traces = []

    @jax.jit
    def gradients(params, inputs, key):
        traces.append(1)

        def loss(params, inputs):
            outputs, changed = network.apply(
                {"params": params, **state}, *inputs, train=True, mutable=[*state],
                rngs={"dropout": key}, **arguments,
            )  # fmt: skip
            # Not symmetric, so that normalization cancels no gradient.
            total = sum(jnp.sum(jnp.sin(3.0 * leaf + 0.5)) for leaf in jax.tree.leaves(outputs))
            return total, (outputs, changed)

        return jax.grad(loss, argnums=(0, 1), has_aux=True, allow_int=True)(params, inputs)

    first, again = (
        jax.device_get(gradients(variables["params"], inputs, KEYS["dropout"])) for _ in range(2)
    )
    jax.tree.map(np.testing.assert_array_equal, first, again)
    (by_params, by_inputs), _ = first
    assert all(
        np.isfinite(leaf).all() for leaf in jax.tree.leaves(first) if leaf.dtype == np.float32
    )
    assert structure(by_params) == structure(variables["params"])
    for path, leaf in jax.tree_util.tree_leaves_with_path(by_params):
        assert leaf.any(), f"{jax.tree_util.keystr(path)} is not used"
    slopes = [leaf for leaf in jax.tree.leaves(by_inputs) if leaf.dtype == np.float32]
    assert len(slopes) == (2 if type(network).__name__.startswith("Pair") else 1)
    assert all(slope.any() for slope in slopes)
    assert len(traces) == 1
