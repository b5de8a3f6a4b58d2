"""What cannot be trained, measured or shown is found out before training."""

import dataclasses
import math
import re

import flax.linen as nn
import jax.numpy as jnp
import pytest
import tiny

from jaxgan.algorithms import base
from jaxgan.config import ConfigError, EarlyStopping, Evaluation, Run
from jaxgan.data.pipeline import Data
from jaxgan.data.source import DataError
from jaxgan.measurement import rehearsal
from jaxgan.program import compile_program
from jaxgan.training import loop


def check(experiment):
    rehearsal.check(experiment, compile_program(experiment, "none"))


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        (
            {"evaluation": Evaluation(metrics=("fid", "kidd"))},
            ValueError,
            "there is no metric 'kidd': did you mean kid",
        ),
        (
            {"evaluation": Evaluation(metrics=("likelihood",))},
            ConfigError,
            "likelihood needs an encoder and a likelihood, and this model has none",
        ),
        (
            {"evaluation": Evaluation(metrics=("cas",))},
            ConfigError,
            "cas needs samples of given classes, and this model draws none",
        ),
        (
            {"evaluation": Evaluation(metrics=("is",), backbone="pixels")},
            ConfigError,
            "is needs class scores, and backbone pixels8x8 gives none",
        ),
        (
            {"evaluation": Evaluation(samples=319, metrics=("fid", "fid_inf"))},
            ConfigError,
            "fid_inf needs 320 samples, 5 for each of the 64 features of digits-cnn, and there are"
            " 319: evaluation.samples says how many are drawn",
        ),
        (
            # Of the validation images, as many are drawn as there are.
            {
                "data": Data(validation=50),
                "evaluation": Evaluation(every=1, metrics=("fid_inf",)),
            },
            ConfigError,
            "fid_inf needs 320 samples, 5 for each of the 64 features of digits-cnn, and there are"
            " 50: evaluation.samples says how many are drawn",
        ),
        (
            {"evaluation": Evaluation(batch_norm="standing")},
            ConfigError,
            "evaluation.batch_norm = 'standing': the model that samples has no",
        ),
        (
            {
                "data": Data(validation=9),
                "evaluation": Evaluation(every=1),
                "early_stopping": EarlyStopping(metric="elbo"),
            },
            ConfigError,
            "early_stopping.metric = 'elbo' is not measured; there are discriminator_accuracy,"
            " discriminator_accuracy_fake, discriminator_accuracy_real, fid, kid, kid_se",
        ),
        (
            {"evaluation": Evaluation(backbone="vgg")},
            ValueError,
            "there is no backbone 'vgg'; choose",
        ),
        (
            {"evaluation": Evaluation(backbone="fashion-cnn")},
            ValueError,
            "backbone fashion-cnn reads images of 28x28x1, these are 8x8x1",
        ),
        (
            {"data": Data(validation=1), "evaluation": Evaluation(every=1)},
            DataError,
            "the validation split has 1 image: distances need at least 2",
        ),
        (
            {"data": Data(validation=1499), "evaluation": Evaluation(every=1)},
            DataError,
            "the train split has 1 image: distances need at least 2",
        ),
    ],
)
def test_what_cannot_be_measured_is_found_before_training(changes, error, message):
    with pytest.raises(error) as raised:
        check(tiny.gan(**changes))
    assert str(raised.value).startswith(message)
    check(tiny.gan())


class Flat(nn.Module):
    """Forgets the shape of an image."""

    @nn.compact
    def __call__(self, latents, *, image_shape, train, axis_name=None):
        return nn.Dense(math.prod(image_shape))(latents)


class Odd(nn.Module):
    """Takes no axis_name."""

    @nn.compact
    def __call__(self, latents, *, image_shape, train):
        return nn.Dense(math.prod(image_shape))(latents).reshape(-1, *image_shape)


class Column(nn.Module):
    """One logit an image, but as a column."""

    @nn.compact
    def __call__(self, images, *, train, axis_name=None):
        return nn.Dense(1)(images.reshape(len(images), -1))


class Alone(nn.Module):
    """An encoder that is sure."""

    @nn.compact
    def __call__(self, images, *, latent_size, train, axis_name=None):
        return nn.Dense(latent_size)(images.reshape(len(images), -1))


class Short(nn.Module):
    """An encoder with codes of another length."""

    @nn.compact
    def __call__(self, images, *, latent_size, train, axis_name=None):
        codes = nn.Dense(latent_size - 1)(images.reshape(len(images), -1))
        return codes, codes


def changed(experiment, **parts):
    return dataclasses.replace(experiment, model=dataclasses.replace(experiment.model, **parts))


NETWORKS = {
    "generator of vectors": (
        changed(tiny.gan(), generator=Flat()),
        r"the generator, Flat, returns an array of shape \(\d+, 64\) for a batch of (\d+);"
        r" wanted is \(\1, 8, 8, 1\)",
    ),
    "generator without axis_name": (
        changed(tiny.gan(), generator=Odd()),
        r"the generator, Odd, cannot be called with 1 input\(s\) and the arguments image_shape,"
        r" train, axis_name: its __call__\(.*\) says got an unexpected keyword argument"
        r" 'axis_name'",
    ),
    "discriminator of columns": (
        changed(tiny.gan(), discriminator=Column()),
        r"the discriminator, Column, returns an array of shape \(\d+, 1\) for a batch of (\d+);"
        r" wanted is \(\1,\)",
    ),
    "generator in place of a discriminator": (
        changed(tiny.gan(), discriminator=Flat()),
        r"the discriminator, Flat, cannot be called with 1 input\(s\) and the arguments .*: its"
        r" __call__\(.*\) says missing a required .*argument: 'image_shape'",
    ),
    "decoder of vectors": (
        changed(tiny.vae(), decoder=Flat()),
        r"the decoder, Flat, returns an array of shape \(\d+, 64\) for a batch of (\d+); wanted is"
        r" \(\1, 8, 8, 1\)",
    ),
    "encoder of one thing": (
        changed(tiny.vae(), encoder=Alone()),
        r"the encoder, Alone, must return mean and log variance of each code: two arrays, of shape"
        r" \((\d+), 4\) for a batch of \1",
    ),
    "encoder of short codes": (
        changed(tiny.vae(), encoder=Short()),
        r"the encoder, Short, returns an array of shape \(\d+, 3\) for a batch of (\d+); wanted is"
        r" \(\1, 4\)",
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_that_does_not_fit_is_named_before_a_folder_is_there(tmp_path, name):
    experiment, message = NETWORKS[name]
    run = Run(workdir=str(tmp_path / "run"), parallel="none", quiet=True, tensorboard=False)
    with pytest.raises(ConfigError) as raised:
        loop.train(experiment, run)
    assert re.fullmatch(message, str(raised.value)), str(raised.value)
    assert not (tmp_path / "run").exists()


def broken(part, **functions):
    """An algorithm's part of which some functions are others."""
    return part._replace(**functions)


def halved(function):
    """The same images without their lower half."""
    return lambda *arguments: function(*arguments)[:, :4]


BROKEN = {
    "pixels": (
        lambda a: a._replace(
            generation=broken(
                a.generation, pixels=halved(a.generation.pixels), sheets=base.no_sheets
            )
        ),
        "generation.pixels gives (2, 4, 8, 1) where (2, 8, 8, 1) is wanted",
    ),
    "normalized": (
        lambda a: a._replace(
            generation=broken(
                a.generation, normalized=lambda s, z, k: (a.generation.pixels(s, z)[:1], {})
            )
        ),
        "generation.normalized gives (1, 8, 8, 1) where (2, 8, 8, 1) is wanted",
    ),
    "reconstruct": (
        lambda a: a._replace(encoding=broken(a.encoding, reconstruct=a.encoding.codes)),
        "encoding.reconstruct gives (2, 4) where (2, 8, 8, 1) is wanted",
    ),
    "log_likelihood": (
        lambda a: a._replace(
            density=broken(
                a.density, log_likelihood=lambda s, b, z: a.density.log_likelihood(s, b, z).mean()
            )
        ),
        "density.log_likelihood gives () where (2,) is wanted",
    ),
    "translation": (
        lambda a: a._replace(
            translations={
                "up-down": base.Translation("image", "image", lambda s, b, k: jnp.zeros((2, 8, 8)))
            }
        ),
        "translation up-down gives (2, 8, 8) where (2, 8, 8, 1) is wanted",
    ),
    "train_step": (
        lambda a: a._replace(
            phases=(
                broken(a.phases[0], train_step=lambda s, b, k: (s.replace(extras=jnp.ones(3)), {})),
            )
        ),
        "a train step changes the structure of the state, which must stay as it is",
    ),
    "enter": (
        lambda a: a._replace(
            phases=(a.phases[0]._replace(enter=lambda s: s.replace(step=s.step.astype("float32"))),)
        ),
        "entering phase 1 changes step from () int32 to () float32",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_part_of_the_algorithm_that_gives_something_else_is_named(name):
    change, message = BROKEN[name]
    program = compile_program(tiny.vae(), "none")
    rehearsal.check(tiny.vae(), program)
    with pytest.raises(ConfigError) as raised:
        rehearsal.check(tiny.vae(), program._replace(algorithm=change(program.algorithm)))
    assert str(raised.value) == message


def test_sheets_are_drawn_too():
    program = compile_program(tiny.vae(), "none")
    algorithm = program.algorithm
    shown = []

    def pixels(state, latents):
        shown.append(latents.shape)
        return algorithm.generation.pixels(state, latents)[:2]

    generation = algorithm.generation._replace(pixels=pixels)
    changed_program = program._replace(algorithm=algorithm._replace(generation=generation))
    with pytest.raises(ConfigError) as raised:
        rehearsal.check(tiny.vae(), changed_program)
    assert str(raised.value) == (
        "the sheet interpolation gives (2, 8, 8, 1) where (64, 8, 8, 1) is wanted"
    )
    assert shown == [(2, 4), (64, 4)]


def test_log_weights_are_tried_too():
    experiment = tiny.vae()
    program = compile_program(experiment, "none")
    density = program.algorithm.density
    assert density is not None
    density = density._replace(log_weight=lambda state, batch, key: jnp.zeros(()))
    changed = program._replace(algorithm=program.algorithm._replace(density=density))
    with pytest.raises(ConfigError, match=r"density.log_weight gives \(\) where \(2,\) is wanted"):
        rehearsal.check(experiment, changed)
