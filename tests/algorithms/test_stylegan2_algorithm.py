"""StyleGAN2's step and configurations; lazy updates are told apart by steps that lack them."""

import dataclasses
import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan import rng
from jaxgan.algorithms import stylegan2_configurations as configurations
from jaxgan.algorithms.base import build
from jaxgan.algorithms.gan import Gan
from jaxgan.algorithms.ramped_ema import RampedEma
from jaxgan.algorithms.stylegan2 import StyleGan2, lazy, updates_of
from jaxgan.algorithms.stylegan2_latents import Styled, style_sheets
from jaxgan.config import ConfigError, Experiment
from jaxgan.data.pipeline import Data
from jaxgan.data.sources.gaussians import Ring
from jaxgan.networks.mlp import MlpGenerator
from jaxgan.networks.stylegan2 import StyleGan2Generator
from jaxgan.networks.stylegan2_discriminator import StyleGan2Discriminator
from jaxgan.objectives.gan.apa import Apa
from jaxgan.objectives.gan.losses import Hinge
from jaxgan.objectives.gan.path_length import PathLength, path_lengths
from jaxgan.objectives.gan.penalties import R1
from jaxgan.objectives.priors import Normal
from jaxgan.optim import Adam, Ema, Sgd
from jaxgan.program import example_batch

RATE, WEIGHT, BATCH = 0.02, 0.3, 4
MODEL = StyleGan2(
    StyleGan2Generator(width=4, units=4, mapping_layers=2),
    StyleGan2Discriminator(width=4),
    prior=Normal(3),
    generator_optimizer=Sgd(RATE),
    discriminator_optimizer=Sgd(RATE),
    penalties=(R1(weight=WEIGHT, every=3),),
    path_lengths=(PathLength(weight=0.7, decay=0.1, every=2),),
    mixing=None,
    ema=RampedEma(decay=0.9, ramp=0.5),
)
EXPERIMENT = Experiment("tiny", MODEL, Data(), steps=10, batch_size=BATCH)
IMAGES = np.random.default_rng(0).integers(0, 256, (BATCH, 8, 8, 1), np.uint8)
KEY = rng.step_key(rng.base_key(1), 0)


@functools.cache
def compiled():
    algorithm = build(EXPERIMENT)
    state = jax.jit(algorithm.init)(jax.random.key(0), example_batch(EXPERIMENT))
    # Noise starts at strength 0 and the mean of w at 0, which would hide what they do.
    made = state.players["generator"]
    params = jax.tree_util.tree_map_with_path(
        lambda path, leaf: leaf + 0.3 if "noise_strength" in str(path) else leaf, made.params
    )
    made = made.replace(params=params)
    state = state.replace(players={**state.players, "generator": made})
    return jax.jit(algorithm.phases[0].train_step), state


@functools.cache
def after(step):
    """The state and metrics after a step of this number, from the same state and key."""
    train_step, state = compiled()
    return train_step(state.replace(step=jnp.int32(step)), {"image": IMAGES}, KEY)


def close(found, expected):
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=2e-3, atol=2e-6), found, expected
    )


@pytest.mark.slow
def test_every_parameter_moves():
    """Mapping, styles, strengths of the noise and all: in a step without regularizers."""
    _, before = compiled()
    state, _ = after(1)
    for player in ("generator", "discriminator"):
        old, new = (one.players[player].params for one in (before, state))
        for path, moved in jax.tree_util.tree_leaves_with_path(
            jax.tree.map(lambda a, b: bool(jnp.any(a != b)), old, new)
        ):
            assert moved, jax.tree_util.keystr(path)


@pytest.mark.slow
def test_r1_is_an_update_of_its_own():
    """In step 3 and not in step 1; three times the gradient, at what the loss's update left."""
    without, with_r1 = (after(step)[0].players["discriminator"].params for step in (1, 3))
    real = jnp.asarray(IMAGES, jnp.float32) / 127.5 - 1.0

    def penalty(params):
        def logit(image):
            return MODEL.discriminator.apply({"params": params}, image, train=True)

        slopes = jax.grad(lambda images: jnp.sum(logit(images)))(real)
        return jnp.mean(0.5 * WEIGHT * jnp.sum(slopes**2, axis=(1, 2, 3)))

    value, gradient = jax.jit(jax.value_and_grad(penalty))(without)
    close(with_r1, jax.tree.map(lambda p, g: p - RATE * 3 * g, without, gradient))
    assert after(1)[1]["penalty/r1"] == after(2)[1]["penalty/r1"] == 0.0
    np.testing.assert_allclose(after(3)[1]["penalty/r1"], value, rtol=1e-4)


@pytest.mark.slow
def test_path_lengths_are_an_update_of_their_own():
    """In step 2 and not in step 1: of half the batch, twice the gradient, through the mapping."""
    without, with_paths = (after(step)[0].players["generator"] for step in (1, 2))
    constants, network = without.model_state["noise"], MODEL.generator
    latents = rng.per_example(lambda k: MODEL.prior.draw(k, 0), rng.role_key(KEY, "path-latent"), 2)
    noise = rng.per_example(
        lambda k: jax.random.normal(k, (8, 8, 1)), rng.role_key(KEY, "path-direction"), 2
    )

    def penalty(params):
        variables = {**without.variables, "params": params}
        w = network.apply(variables, latents, method=network.styles)
        lengths = path_lengths(
            lambda ws: network.apply(
                variables, ws, image_shape=(8, 8, 1), random=True, method=network.images,
                rngs={"dropout": rng.role_key(KEY, "path-noise")},
            ),
            jnp.stack([w] * 4, axis=1), noise / 8,
        )  # fmt: skip
        mean = 0.1 * jnp.mean(lengths)
        return jnp.mean(0.7 * (lengths - mean) ** 2), mean

    (value, mean), gradient = jax.jit(jax.value_and_grad(penalty, has_aux=True))(without.params)
    close(with_paths.params, jax.tree.map(lambda p, g: p - RATE * 2 * g, without.params, gradient))
    state, metrics = after(2)
    np.testing.assert_allclose(metrics["penalty/generator/path_length"], value, rtol=1e-3)
    np.testing.assert_allclose(state.extras["path_lengths"][0], mean, rtol=1e-3)
    assert after(1)[0].extras["path_lengths"][0] == 0.0
    jax.tree.map(np.testing.assert_array_equal, constants, with_paths.model_state["noise"])
    # Every set of latents that was mapped moves the mean of w: those of the path lengths too.
    assert np.abs(
        with_paths.model_state["average"]["w"] - without.model_state["average"]["w"]
    ).max()


@pytest.mark.slow
def test_the_average_is_of_weights_and_the_mean_of_w_is_copied():
    _, before = compiled()
    state, _ = after(2)
    made, ema = state.players["generator"], state.ema["generator"]
    keeps = min(0.9, 0.5 ** (1 / (0.5 * 2)))
    old = before.ema["generator"]["params"]
    close(ema["params"], jax.tree.map(lambda a, b: b + keeps * (a - b), old, made.params))
    np.testing.assert_array_equal(ema["average"]["w"], made.model_state["average"]["w"])
    assert np.abs(ema["average"]["w"]).max() > 0


def test_lazy_adam_is_that_of_the_reference():
    """Its cifar trains G with 2.0e-3 and beta2 0.99^0.8, D with 2.353e-3, betas^(16/17)."""
    model = configurations.model(configurations.settings("cifar", 32, 2))
    made, judged = model.generator_optimizer, model.discriminator_optimizer
    assert math.isclose(made.learning_rate, 2.0e-3)
    assert math.isclose(made.b2, 0.99**0.8)
    assert round(judged.learning_rate, 6) == 2.353e-3
    assert math.isclose(judged.b2, 0.99 ** (16 / 17))
    assert (made.b1, judged.b1) == (0.0, 0.0)
    assert math.isclose(lazy(Adam(b1=0.5), 4).b1, 0.5**0.8)
    assert updates_of(17, (R1(every=16),)) == 19
    assert updates_of(17, ()) == 17


AUTO = {
    # max(min(gpus min(4096 / size, 32), 64), gpus), and what follows from it.
    (32, 1): (32, 4, 16384, 2.5e-3, 0.0002 * 32**2 / 32, 10.0),
    (256, 8): (64, 4, 16384, 2.5e-3, 0.0002 * 256**2 / 64, 20.0),
    (1024, 8): (32, 4, 32768, 2e-3, 0.0002 * 1024**2 / 32, 10.0),
    (512, 100): (100, 1, 32768, 2.5e-3, 0.0002 * 512**2 / 100, 31.25),
}


@pytest.mark.parametrize(("size", "devices"), AUTO)
def test_auto_follows_size_and_devices(size, devices):
    found = configurations.settings("auto", size, devices)
    wanted = (found.batch_size, found.group, found.base, found.learning_rate)
    assert wanted == AUTO[size, devices][:4]
    np.testing.assert_allclose((found.gamma, found.ema_kimg), AUTO[size, devices][4:])
    assert (found.kimg, found.ramp, found.mapping_layers) == (25_000, 0.05, 2)


def test_published_configurations():
    cifar = configurations.published("cifar", Data(image_size=32, channels=3, classes=10))
    assert (cifar.steps, cifar.batch_size, cifar.precision) == (1_562_500, 64, "bfloat16")
    model = cifar.model
    assert (model.path_lengths, model.mixing) == ((), None)
    assert (model.discriminator.architecture, model.discriminator.group) == ("orig", 32)
    assert model.generator.mapping_layers == 2
    assert model.penalties == (R1(weight=0.01, every=16),)
    assert model.ema == RampedEma(0.5 ** (64 / 500_000), ramp=0.05)
    assert model.augmentations[0].most == math.inf
    paper = configurations.published("paper256", Data(image_size=256, channels=3), batch_size=32)
    # Everything but the decay, which is of images, stays as it is for 64 of them.
    assert paper.batch_size == 32
    assert paper.model.ema == Ema(0.5 ** (32 / 20_000), warmup=False)
    assert paper.model.path_lengths == (PathLength(2.0, 0.01, 2, 4),)
    assert (paper.model.generator.base, paper.model.generator.mapping_layers) == (16384, 8)
    assert (paper.model.discriminator.group, paper.model.mixing) == (8, 0.9)
    with pytest.raises(ConfigError, match="there is no configuration 'paper128'"):
        configurations.settings("paper128", 128, 1)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"generator": MlpGenerator((4,))}, "MlpGenerator, has no styles"),
        ({"loss": Hinge()}, "not Hinge"),
        ({"n_critic": 2}, "no n_critic"),
        ({"path_lengths": (PathLength(), PathLength())}, "keep one"),
        ({"mixing": 1.5}, "mixing = 1.5"),
        ({"augmentations": (Apa(),)}, "no Apa"),
    ],
)
def test_parts_that_have_no_place(fields, message):
    with pytest.raises(ConfigError, match=message):
        dataclasses.replace(MODEL, **fields)


def test_points_are_refused_and_batches_are_told():
    data = Data(source=Ring(), image_size=1, channels=2)
    with pytest.raises(ConfigError, match="these are points"):
        build(dataclasses.replace(EXPERIMENT, data=data))
    algorithm = build(dataclasses.replace(EXPERIMENT, batch_size=3))
    state = jax.eval_shape(algorithm.init, KEY, example_batch(EXPERIMENT))
    with pytest.raises(ConfigError, match="one in 2 images, and a device has 3"):
        jax.eval_shape(algorithm.phases[0].train_step, state, {"image": IMAGES[:3]}, KEY)
    assert "path length every 2" in MODEL.objective()
    assert isinstance(MODEL, Gan)


def test_sheets_show_what_they_say():
    """Rows share coarse styles and columns fine ones; psi runs from 1 over the mean to -1."""

    def draw(key, count):
        return rng.per_example(lambda k: Styled(Normal(3)).draw(k, 0), key, count)

    found = {n: s.latents for n, s in style_sheets(draw, 8, KEY).items()}
    grids = {
        name: {n: np.asarray(leaf).reshape(8, 8, -1) for n, leaf in latents.items()}
        for name, latents in found.items()
    }
    for one in grids.values():
        assert (one["noise"] == one["noise"][:, :1]).all()
        assert (one["seed"] == one["seed"][:, :1]).all()
    mixing = grids["mixing"]
    assert (mixing["fine"] == mixing["fine"][:1]).all()
    assert not (mixing["fine"] == mixing["fine"][:, :1]).all()
    assert (mixing["cut"] == 2).all()
    assert mixing["share"][0, :, 0].tolist() == [0.0] + [1.0] * 7
    np.testing.assert_allclose(
        grids["truncation"]["psi"][3, :, 0], np.linspace(1, -1, 8), atol=1e-6
    )
    straight = grids["styles"]
    assert (straight["fine"] == straight["fine"][:, :1]).all()
    np.testing.assert_allclose(straight["share"][5, :, 0], np.linspace(0, 1, 8), atol=1e-6)
    assert (straight["cut"] == 0).all()
    assert (straight["psi"] == 1).all()
