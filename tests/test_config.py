"""Experiments as values: equality, descriptions, and settings that are refused."""

import dataclasses
import math
import re

import flax.linen as nn
import pytest
import tiny

from jaxgan.algorithms.gan import Gan
from jaxgan.config import ConfigError, EarlyStopping, Evaluation, Model, Run, describe
from jaxgan.data.pipeline import Data
from jaxgan.networks.dcgan import DcganGenerator
from jaxgan.objectives.gan.constraints import Clip
from jaxgan.objectives.gan.losses import NonSaturating
from jaxgan.objectives.priors import Normal
from jaxgan.optim import Adam


class TestValues:
    def test_equal_by_value_and_usable_as_keys(self):
        assert tiny.gan() == tiny.gan()
        assert tiny.gan() is not tiny.gan()
        assert len({tiny.gan(), tiny.gan(), tiny.gan(seed=1), tiny.vae()}) == 3
        wider = dataclasses.replace(tiny.gan().model, generator=DcganGenerator(width=16))
        assert tiny.gan(model=wider) != tiny.gan()

    def test_nothing_can_be_assigned(self):
        with pytest.raises(dataclasses.FrozenInstanceError):
            tiny.gan().steps = 3

    def test_images_a_step(self):
        assert tiny.gan(batch_size=24).images_per_step == 48
        assert tiny.vae(batch_size=24).images_per_step == 24

    def test_folder(self):
        assert Run().folder(tiny.gan(seed=3)) == "runs/tiny-seed3"
        assert Run(workdir="here").folder(tiny.gan()) == "here"

    def test_on_one_line(self):
        assert describe(NonSaturating()) == "NonSaturating()"
        assert describe(Adam(b1=0.0)) == "Adam(b1=0.0)"
        # What has no default is always said.
        assert describe(Data(validation=3)).startswith("Data(source=Digits(), validation=3")
        assert describe(DcganGenerator(width=4)) == "DcganGenerator(width=4)"

    def test_a_model_without_build_says_so(self):
        with pytest.raises(TypeError, match="Model does not define build"):
            Model().build(tiny.gan())

    def test_early_stopping_knows_its_direction(self):
        down, up = EarlyStopping(mode="min"), EarlyStopping(mode="max")
        assert down.improves(1.0, None)
        for value in (math.nan, math.inf, -math.inf):
            for stopping in (down, up):
                assert not stopping.improves(value, None)
                assert not stopping.improves(value, 1.0)
        assert up.improves(1.0, None)
        assert down.improves(0.5, 1.0)
        assert not down.improves(1.0, 1.0)
        assert not down.improves(2.0, 1.0)
        assert up.improves(2.0, 1.0)
        assert not up.improves(1.0, 1.0)
        assert not up.improves(0.5, 1.0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: tiny.gan(steps=0), "steps = 0: must be at least 1"),
        (lambda: tiny.gan(batch_size=0), "batch_size = 0: must be at least 1"),
        (lambda: tiny.gan(name=" "), "name = ' ': must be a short text, such as dcgan"),
        (lambda: tiny.gan(name="x" * 201), "name has 201 bytes: must be at most 200"),
        (lambda: tiny.gan(name="β" * 101), "name has 202 bytes: must be at most 200"),
        (lambda: tiny.gan(seed=-1), "seed = -1: must be at least 0"),
        (lambda: tiny.gan(seed=2**31), "seed = 2147483648: must be below 2**31"),
        (lambda: Evaluation(samples=-1), "samples = -1: must be at least 0"),
        (
            lambda: Evaluation(samples=1),
            "samples = 1: distances need at least 2 (or 0: as many as are real)",
        ),
        (lambda: Evaluation(every=-5), "every = -5: must be at least 0"),
        (lambda: Evaluation(batch_size=0), "batch_size = 0: must be at least 1"),
        (lambda: EarlyStopping(patience=0), "patience = 0: must be at least 1"),
        (lambda: Run(checkpoint_every=0), "checkpoint_every = 0: must be at least 1"),
        (
            lambda: Run(checkpoint_every="50 kimg"),
            "checkpoint_every = '50 kimg': must be a number of steps, or of thousands of images"
            " such as 50kimg",
        ),
        (lambda: Evaluation(every="0kimg"), "every = '0kimg': must be more than 0 images"),
        (lambda: Run(keep=0), "keep = 0: must be at least 1"),
        (lambda: Run(log_every=0), "log_every = 0: must be at least 1"),
        (lambda: Run(images_every=-1), "images_every = -1: must be at least 0"),
        (
            lambda: Gan(nn.Dense(1), nn.Dense(1), n_critic=0),
            "n_critic = 0: must be at least 1",
        ),
        (
            lambda: dataclasses.replace(tiny.vae().model, latent_size=0),
            "latent_size = 0: must be at least 1",
        ),
        (
            lambda: tiny.gan(early_stopping=EarlyStopping(metric="fid"), data=Data(validation=10)),
            "early_stopping.metric is set, but nothing is measured on a validation split during"
            " training: set --evaluation.every N and --data.validation N as well",
        ),
        (
            lambda: tiny.gan(
                early_stopping=EarlyStopping(metric="fid"), evaluation=Evaluation(every=1)
            ),
            "early_stopping.metric is set, but nothing is measured on a validation split during"
            " training: set --evaluation.every N and --data.validation N as well",
        ),
    ],
)
def test_settings_that_cannot_work_are_refused_in_one_line(make, message):
    with pytest.raises(ConfigError) as raised:
        make()
    assert str(raised.value) == message


@pytest.mark.parametrize(
    "name",
    ["../../escape", "a/b", "/a", "a\\b", "..", ".", ".hidden", "a\0b", "a\nb", "\x1b[31mred",
     "caf\udce9"],
)  # fmt: skip
def test_a_name_is_one_part_of_a_path(name):
    with pytest.raises(
        ConfigError, match=r"^name = '.*': it names a folder in runs/, so"
    ) as raised:
        tiny.gan(name=name)
    assert str(raised.value).isprintable()


@pytest.mark.parametrize("name", ["x" * 200, "β-VAE", "a b", "WGAN_GP.2"])
def test_other_names_are_fine(name):
    assert Run().folder(tiny.gan(name=name, seed=3)) == f"runs/{name}-seed3"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Normal(0), "size = 0: a latent has at least 1 number"),
        (
            lambda: Clip(0.0),
            "bound = 0.0: weights are clipped to a positive bound, such as 0.01",
        ),
    ],
)
def test_so_are_those_of_parts(make, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        make()


@pytest.mark.parametrize(
    ("value", "field", "word", "choices"),
    [
        (tiny.gan(), "precision", "float16", "float32, bfloat16"),
        (EarlyStopping(), "mode", "maximum", "min, max"),
        (Evaluation(), "split", "validation", "train, test"),
        (Evaluation(), "labels", "all", "uniform, real"),
        (Run(), "parallel", "all", "auto, pmap, shard_map, none"),
    ],
)
def test_words_that_are_no_choice_are_refused(value, field, word, choices):
    # While tests run, a type checker guards the constructor, so the word comes in behind it.
    broken = dataclasses.replace(value)
    object.__setattr__(broken, field, word)
    with pytest.raises(ConfigError) as raised:
        broken.__post_init__()
    assert str(raised.value) == f"{field} = {word!r}: must be one of {choices}"
