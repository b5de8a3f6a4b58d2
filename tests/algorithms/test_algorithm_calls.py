"""Calls of networks: collections, dropout, and networks that cannot be called as they must be."""

import dataclasses

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from labelled_gan import CLASSES, DATA, LabelledJudge, LabelledLinear
from labelled_gan import experiment_of as labelled
from linear_gan import LinearGenerator, LinearJudge, experiment_of, points
from linear_vae import LinearDecoder, LinearEncoder
from linear_vae import batch_of as images_of
from linear_vae import experiment_of as autoencoder_of

from jaxgan.algorithms import apply
from jaxgan.algorithms.base import build
from jaxgan.config import ConfigError


class Remembering(nn.Module):
    """Adds what it saw to a collection with a name of its own, and draws when it drops out."""

    @nn.compact
    def __call__(self, values, *, train, axis_name=None, scale=1.0):
        weight = self.param("w", nn.initializers.ones, ())
        kept = self.variable("memory", "sum", lambda: jnp.zeros(()))
        noise = self.variable("batch_stats", "draw", lambda: jnp.zeros(()))
        if train:
            kept.value = kept.value + values.sum()
            if self.has_rng("dropout"):
                noise.value = jax.random.uniform(self.make_rng("dropout"))
        self.sow("intermediates", "axis", axis_name)
        return scale * weight * values

    def doubled(self, values, *, train, axis_name=None):
        return 2.0 * self(values, train=train, axis_name=axis_name)


VALUES = jnp.asarray([1.0, 2.0])
VARIABLES = {
    "params": {"w": jnp.asarray(3.0)},
    "memory": {"sum": jnp.asarray(10.0)},
    "batch_stats": {"draw": jnp.zeros(())},
}


def call(**settings):
    return apply.call("judge", Remembering(), VARIABLES, VALUES, **settings)


def test_collections_of_any_name_change_in_training_and_only_there():
    found, changed = call(train=True, scale=2.0)
    np.testing.assert_array_equal(found, [6.0, 12.0])
    assert changed.keys() == {"memory", "batch_stats"}
    assert float(changed["memory"]["sum"]) == 13.0
    found, changed = call(train=False)
    np.testing.assert_array_equal(found, [3.0, 6.0])
    assert changed == {}


def test_dropout_has_the_key_that_was_given():
    draws = [
        float(call(train=True, key=key)[1]["batch_stats"]["draw"])
        for key in (jax.random.key(0), jax.random.key(0), jax.random.key(1), None)
    ]
    assert draws[0] == draws[1] != draws[2]
    assert draws[2] > 0.0 == draws[3]


def test_methods_are_called_like_networks():
    module = Remembering()
    found, _ = apply.call("judge", module, VARIABLES, VALUES, train=False, method=module.doubled)
    np.testing.assert_array_equal(found, [6.0, 12.0])


def test_the_mapped_axis_is_named_in_training_only():
    """Outside of it there is no such axis: evaluation runs on one device."""
    seen = []

    class Axis(nn.Module):
        @nn.compact
        def __call__(self, values, *, train, axis_name=None):
            seen.append((train, axis_name))
            return values

    for train in (True, False):
        apply.call("judge", Axis(), {}, VALUES, train=train, axis_name="batch")
    assert seen == [(True, "batch"), (False, None)]


def test_first_variables_of_two_networks_are_drawn_apart():
    key = jax.random.key(0)

    def weights(prefix):
        found = apply.initial("judge", LinearJudge(), key, jnp.zeros((1, 1, 1, 2)), prefix=prefix)
        return np.asarray(found["params"]["v"])

    np.testing.assert_array_equal(weights("a-"), weights("a-"))
    assert not np.isclose(weights("a-"), weights("b-")).any()


# --- Networks that are refused --------------------------------------------------------------------


class Deaf(nn.Module):
    """Is not told whether it is trained."""

    @nn.compact
    def __call__(self, images, *, axis_name=None):
        return nn.Dense(1)(images.reshape(len(images), -1))[:, 0]


class Column(nn.Module):
    """Logits as a matrix, as a forgotten squeeze leaves them."""

    @nn.compact
    def __call__(self, images, *, train, axis_name=None):
        return nn.Dense(1)(images.reshape(len(images), -1))


class Flat(LinearGenerator):
    """Images as vectors."""

    @nn.compact
    def __call__(self, latent, *, image_shape, train, axis_name=None):
        return nn.Dense(image_shape[-1])(latent)


class Named(nn.Module):
    """Logits by name."""

    @nn.compact
    def __call__(self, images, *, train, axis_name=None):
        logits = nn.Dense(1)(images.reshape(len(images), -1))[:, 0]
        return {"logits": logits}


class WideEncoder(nn.Module):
    """Codes that are one too long."""

    @nn.compact
    def __call__(self, images, *, latent_size, train, axis_name=None):
        mean = nn.Dense(latent_size + 1)(images.reshape(len(images), -1))
        return mean, mean


class MeanOnly(nn.Module):
    """No variance."""

    @nn.compact
    def __call__(self, images, *, latent_size, train, axis_name=None):
        return nn.Dense(latent_size)(images.reshape(len(images), -1))


class FlatDecoder(nn.Module):
    """Images as vectors."""

    @nn.compact
    def __call__(self, latent, *, image_shape, train, axis_name=None):
        return nn.Dense(4)(latent)


def refusal(experiment, batch):
    """What is said of a model when it is built, or when its first step is traced."""

    def first_step(key):
        algorithm = build(experiment)
        return algorithm.phases[0].train_step(algorithm.init(key, batch), batch, key)

    with pytest.raises(ConfigError) as raised:
        jax.eval_shape(first_step, jax.random.key(0))
    (line,) = str(raised.value).splitlines()
    return line


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"discriminator": Deaf()},
            "the discriminator, Deaf, cannot be called with 1 input(s) and the arguments train,"
            " axis_name: its __call__(self, images, *, axis_name=None) says got an unexpected"
            " keyword argument 'train'",
        ),
        (
            {"generator": LinearJudge()},
            "the generator, LinearJudge, cannot be called with 1 input(s) and the arguments"
            " image_shape, train, axis_name: its __call__(self, images, *, train, axis_name=None)"
            " says got an unexpected keyword argument 'image_shape'",
        ),
        (
            {"discriminator": Column()},
            "the discriminator, Column, returns an array of shape (4, 1) for a batch of 4;"
            " wanted is (4,)",
        ),
        (
            {"generator": Flat()},
            "the generator, Flat, returns an array of shape (4, 2) for a batch of 4;"
            " wanted is (4, 1, 1, 2)",
        ),
        (
            {"discriminator": Named()},
            "the discriminator, Named, returns a dict for a batch of 4; wanted is (4,)",
        ),
    ],
    ids=["argument", "setting", "column", "flat", "named"],
)
def test_a_gan_of_networks_that_do_not_fit(changes, message):
    assert refusal(experiment_of(**changes), {"image": points(4)}) == message


@pytest.mark.parametrize(
    ("changes", "start", "end"),
    [
        (
            {"encoder": LinearDecoder()},
            "the encoder, LinearDecoder, cannot be called with 1 input(s) and the arguments ",
            " argument: 'image_shape'",  # Python's own words before it differ by version.
        ),
        (
            {"decoder": LinearEncoder()},
            "the decoder, LinearEncoder, cannot be called with 1 input(s) and the arguments ",
            " argument: 'latent_size'",
        ),
        (
            {"encoder": WideEncoder()},
            "the encoder, WideEncoder, returns an array of shape (1, 3) for a batch of 1;",
            " wanted is (1, 2)",
        ),
        (
            {"encoder": MeanOnly()},
            "the encoder, MeanOnly, must return mean and log variance of each code: two arrays,",
            " of shape (1, 2) for a batch of 1",
        ),
        (
            {"decoder": FlatDecoder()},
            "the decoder, FlatDecoder, returns an array of shape (1, 4) for a batch of 1;",
            " wanted is (1, 2, 2, 1)",
        ),
    ],
    ids=["encoder", "decoder", "wide", "mean-only", "flat"],
)
def test_an_autoencoder_of_networks_that_do_not_fit(changes, start, end):
    line = refusal(autoencoder_of(**changes), images_of(autoencoder_of().data))
    assert line.startswith(start)
    assert line.endswith(end)


def test_conditional_networks_are_called_with_labels():
    """A network that takes none is refused, and so is one that wants some and gets none."""
    batch = {"image": points(4), "label": np.zeros(4, np.int32)}
    assert refusal(labelled(discriminator=LinearJudge()), batch).startswith(
        "the discriminator, LinearJudge, cannot be called with 2 input(s) and the arguments"
        " classes, train, axis_name"
    )
    assert refusal(labelled(generator=LinearGenerator()), batch).startswith(
        "the generator, LinearGenerator, cannot be called with 1 input(s) and the arguments"
        " image_shape, classes, train, axis_name"
    )
    for name, network in (("generator", LabelledLinear()), ("discriminator", LabelledJudge())):
        assert refusal(experiment_of(**{name: network}), batch) == (
            f"the {name}, {type(network).__name__}, is given labels, and the prior, Normal, draws"
            " none: set --prior labelled"
        )


def test_networks_learn_the_number_of_classes_from_the_data():
    algorithm = build(dataclasses.replace(labelled(), data=dataclasses.replace(DATA, classes=5)))
    batch = {"image": points(1), "label": np.zeros(1, np.int32)}
    state = jax.eval_shape(algorithm.init, jax.random.key(0), batch)
    assert CLASSES != 5
    assert state.players["generator"].params["l"].shape == (5, 2)
    assert state.players["discriminator"].params["u"].shape == (5, 2)
