"""The space of styles of a StyleGAN2, and images projected into it."""

import dataclasses
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tiny
from flax import traverse_util
from tiny_stylegan2 import EXPERIMENT, IMAGES

from jaxgan import rng
from jaxgan.config import ConfigError
from jaxgan.evaluation.features.load import load_backbone
from jaxgan.evaluation.manifolds import style_projection
from jaxgan.measurement import projection, styles
from jaxgan.measurement.trained import Trained
from jaxgan.networks.stylegan2 import LabelledStyleGan2Generator
from jaxgan.program import compile_program, example_batch

STEPS = 200


@pytest.fixture(scope="module")
def trained():
    """An untrained generator in which noise shows."""
    program = compile_program(EXPERIMENT, "none")
    state = program.init(0, example_batch(EXPERIMENT))
    flat = traverse_util.flatten_dict(state.ema["generator"], sep="/")
    noisy = {name: 0.2 * jnp.ones_like(leaf) for name, leaf in flat.items() if "strength" in name}
    assert len(noisy) == 3
    averaged = traverse_util.unflatten_dict({**flat, **noisy}, sep="/")
    return Trained(EXPERIMENT, program, state.replace(ema={"generator": averaged}), 0, ())


@pytest.fixture(scope="module")
def space(trained):
    return styles.styles(trained)


@pytest.fixture(scope="module")
def w(space):
    return space.mapped(600)


def test_images_of_w_are_those_of_its_latents(trained, space):
    """The networks called in one go, with constant noise."""
    w = space.mapped(3, seed=5)
    key = rng.role_key(rng.base_key(5), "mapped", 0)
    noise = trained.program.prior(key, styles.TOGETHER)["noise"][:3]
    variables = trained.state.ema["generator"]
    whole = partial(space.generator.apply, image_shape=(8, 8, 1), train=False)
    pixels = jax.jit(whole)(variables, noise)
    expected = np.rint(np.clip((np.asarray(pixels) + 1) / 2, 0, 1) * 255)
    np.testing.assert_allclose(space.images(w).astype(float), expected, atol=1.0)
    assert np.ptp(expected) > 50


def test_mapped_latents_do_not_depend_on_their_number(space, w):
    assert w.shape == (600, 4)
    np.testing.assert_array_equal(space.mapped(2), w[:2])
    assert not np.allclose(space.mapped(2, seed=1), w[:2])
    assert not np.allclose(w[500:], w[:100])


def test_weights_are_those_that_the_settings_name(trained, space):
    evaluation = dataclasses.replace(EXPERIMENT.evaluation, weights="raw")
    raw = dataclasses.replace(EXPERIMENT, evaluation=evaluation)
    found = styles.styles(trained._replace(experiment=raw)).variables["params"]["synthesis"]
    assert float(found["conv_4"]["noise_strength"]) == 0.0
    strength = space.variables["params"]["synthesis"]["conv_4"]["noise_strength"]
    np.testing.assert_allclose(strength, 0.2)


def test_affines_are_those_of_all_styles(space):
    synthesis = space.variables["params"]["synthesis"]
    assert space.affines.keys() == {"conv_4", "image_4", "up_8", "conv_8", "image_8"}
    for name, found in space.affines.items():
        assert found.shape == (4, 4)
        np.testing.assert_array_equal(found, synthesis[name]["style"]["kernel"])


def test_each_image_has_its_own_noise_maps_and_each_layer_its_own_w(space, w):
    make = jax.jit(space.synthesize)
    ws = jnp.asarray(w[:2])
    own = jax.tree.map(lambda leaf: jnp.stack([leaf, leaf]), space.variables["noise"])
    constant = make(ws, None)
    np.testing.assert_allclose(make(ws, own), constant, atol=1e-5)
    other = jax.tree.map(lambda leaf: leaf.at[1].multiply(-1.0), own)
    changed = make(ws, other)
    np.testing.assert_allclose(changed[0], constant[0], atol=1e-5)
    assert float(jnp.abs(changed[1] - constant[1]).max()) > 0.05
    layers = jnp.tile(ws[:, None], (1, 4, 1))
    np.testing.assert_allclose(make(layers, None), constant, atol=1e-5)
    last = make(layers.at[:, 3].set(0.0), None)
    assert float(jnp.abs(last - constant).max()) > 0.01


def test_labels_are_mapped_too():
    generator = LabelledStyleGan2Generator(width=4, units=4, mapping_layers=1)
    noise, labels = jnp.ones((2, 3)), jnp.array([0, 1])
    variables = generator.init(
        jax.random.key(0), noise, labels, classes=2, method=type(generator).styles
    )
    w = styles._map(generator, 2, variables, {"noise": noise, "label": labels})
    assert not np.allclose(w[0], w[1])


@pytest.mark.slow
def test_own_images_are_recovered(trained, space, w):
    """Without noise, of images that are not cut off: w itself, and not only the image."""
    params = traverse_util.flatten_dict(space.variables["params"], sep="/")
    quiet = {name: leaf * ("strength" not in name) for name, leaf in params.items()}
    variables = {**space.variables, "params": traverse_util.unflatten_dict(quiet, sep="/")}
    synthesize = space._replace(variables=variables).synthesize
    found = style_projection.project(
        synthesize,
        projection.features_of(("pixels",), (8, 8, 1)),
        synthesize(jnp.asarray(w[:4]), None),
        w,
        space.sides,
        steps=STEPS,
    )
    assert (found.distances < 1e-4 * found.by_step[0]).all()
    far = np.linalg.norm(w[:4] - w.mean(axis=0), axis=1)
    assert (np.linalg.norm(found.w - w[:4], axis=1) < 0.01 * far).all()


def test_images_of_eight_bits_are_projected(trained, space, w):
    images = space.images(w[:4])
    found = projection.project(trained, images, distance=("pixels",), steps=STEPS)
    assert found.by_step.shape == (STEPS, 4)
    assert found.maps.keys() == {"conv_4", "up_8", "conv_8"}
    assert found.maps["up_8"].shape == (4, 8, 8)
    np.testing.assert_array_equal(found.targets, images)
    # Most pixels of an untrained generator are cut off, and none of its images has such.
    assert (found.distances < found.by_step[0]).all()
    assert found.distances.mean() < 0.5 * found.by_step[0].mean()
    # Its images are those of its own w and maps.
    maps = {"synthesis": {name: {"constant": leaf} for name, leaf in found.maps.items()}}
    pixels = np.asarray(jax.jit(space.synthesize)(jnp.asarray(found.w), maps))
    squared = np.square(pixels - images / 255).mean(axis=(1, 2, 3))
    np.testing.assert_allclose(found.distances, squared, rtol=1e-4)
    shown = np.rint(np.clip(pixels, 0, 1) * 255)
    np.testing.assert_allclose(found.images.astype(float), shown, atol=1.0)


def test_distances_are_mean_squared_differences_of_features():
    a, b = IMAGES[:2, ...], IMAGES[2:, ...]
    features = projection.features_of(("pixels", "digits-cnn"), (8, 8, 1))
    both = [np.asarray(features(jnp.asarray(one, jnp.float32) / 255.0)) for one in (a, b)]
    backbone = load_backbone("digits-cnn", (8, 8, 1)).features
    pixels = np.square((a.astype(float) - b) / 255).mean(axis=(1, 2, 3))
    classifier = np.square(np.asarray(backbone(a)) - np.asarray(backbone(b))).mean(axis=1)
    found = np.square(both[0] - both[1]).sum(axis=1)
    np.testing.assert_allclose(found, pixels + classifier, rtol=1e-4)


def test_the_usual_distance_has_a_classifier_where_one_is_shipped():
    assert projection.usual(EXPERIMENT) == ("pixels", "digits-cnn")
    data = dataclasses.replace(EXPERIMENT.data, image_size=12, resize="pad")
    assert projection.usual(dataclasses.replace(EXPERIMENT, data=data)) == ("pixels",)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"images": IMAGES[..., 0]}, "images must be uint8"),
        ({"distance": ("lpips",)}, "there is no backbone 'lpips'"),
        ({"distance": ("fashion-cnn",)}, "reads images of 28x28x1"),
        ({"steps": 0}, "steps = 0: must be at least 1"),
        ({"seed": -1}, "seed = -1"),
    ],
)
def test_what_cannot_be_projected(trained, how, message):
    with pytest.raises(ConfigError, match=message):
        projection.project(trained, **{"images": IMAGES, **how})


def test_other_models_have_no_styles():
    with pytest.raises(ConfigError) as raised:
        styles.check(tiny.gan(), "jaxgan project")
    assert str(raised.value) == (
        "jaxgan project needs the space w of StyleGAN2, and tiny is a Gan, whose images have no"
        " styles"
    )
