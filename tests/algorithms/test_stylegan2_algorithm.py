"""StyleGAN2's settings, configurations and sheets."""

import dataclasses
import math

import jax
import numpy as np
import pytest
from tiny_stylegan2 import EXPERIMENT, IMAGES, KEY, MODEL

from jaxgan import rng
from jaxgan.algorithms import stylegan2_configurations as configurations
from jaxgan.algorithms.base import build
from jaxgan.algorithms.gan import Gan
from jaxgan.algorithms.ramped_ema import RampedEma
from jaxgan.algorithms.stylegan2 import lazy, updates_of
from jaxgan.algorithms.stylegan2_latents import Styled, style_sheets
from jaxgan.config import ConfigError
from jaxgan.data.pipeline import Data
from jaxgan.data.sources.gaussians import Ring
from jaxgan.networks.mlp import MlpGenerator
from jaxgan.objectives.gan.apa import Apa
from jaxgan.objectives.gan.losses import Hinge
from jaxgan.objectives.gan.path_length import PathLength
from jaxgan.objectives.gan.penalties import R1
from jaxgan.objectives.priors import Normal
from jaxgan.optim import Adam, Ema
from jaxgan.program import example_batch


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
