"""Steps whose networks see a batch in parts are those of the whole batch."""

import dataclasses
import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tiny

from jaxgan import rng
from jaxgan.algorithms import micro_batches
from jaxgan.algorithms.base import build
from jaxgan.algorithms.gan import Gan
from jaxgan.algorithms.micro_batches import by_parts, in_parts
from jaxgan.algorithms.r3gan import R3Gan
from jaxgan.algorithms.stylegan2 import StyleGan2
from jaxgan.algorithms.vae import Vae
from jaxgan.config import ConfigError, Experiment
from jaxgan.data.pipeline import Data
from jaxgan.networks.conditional import LabelledDiscriminator, LabelledGenerator
from jaxgan.networks.dcgan import DcganDiscriminator, DcganGenerator
from jaxgan.networks.layers.norm import BatchNorm
from jaxgan.networks.mlp import MlpDecoder, MlpDiscriminator, MlpEncoder, MlpGenerator
from jaxgan.networks.r3gan import R3GanDiscriminator, R3GanGenerator
from jaxgan.networks.stylegan2 import StyleGan2Generator
from jaxgan.networks.stylegan2_discriminator import StyleGan2Discriminator
from jaxgan.objectives.gan.ada import Ada
from jaxgan.objectives.gan.ada_pipe import AdaPipe
from jaxgan.objectives.gan.augmentations import DiffAugment
from jaxgan.objectives.gan.path_length import PathLength
from jaxgan.objectives.gan.penalties import R1, GradientPenalty
from jaxgan.objectives.gan.relativistic import RelativisticAverageHinge
from jaxgan.objectives.priors import Labelled, Normal
from jaxgan.objectives.vae.monte_carlo import MonteCarloElbo
from jaxgan.optim import Sgd
from jaxgan.program import compile_program, example_batch

DATA, BATCH, SLOW = Data(classes=10), 16, Sgd(learning_rate=0.02, momentum=0.5)
KEY = rng.base_key(4)


def parts_of(experiment, parts):
    return dataclasses.replace(experiment, micro_batches=parts)


def experiment(model, **changes):
    rates = dict.fromkeys(("generator_optimizer", "discriminator_optimizer", "optimizer"), SLOW)
    known = {field.name for field in dataclasses.fields(model)}
    model = dataclasses.replace(model, **{f: v for f, v in rates.items() if f in known})
    settings = {"name": "parts", "model": model, "data": DATA, "steps": 4, "batch_size": BATCH}
    return Experiment(**(settings | changes))


# What a step of a GAN draws and compares, all at once: labels, dropout, two critic updates, points
# between images, lazy slopes, strengths that follow the signs of a batch, a mean of a batch.
GAN = Gan(
    LabelledGenerator(MlpGenerator((8,))),
    LabelledDiscriminator(MlpDiscriminator((8,), dropout=0.2)),
    loss=RelativisticAverageHinge(),
    prior=Labelled(Normal(3)),
    n_critic=2,
    penalties=(GradientPenalty(), R1(weight=0.1, every=3)),
    augmentations=(DiffAugment(), Ada(AdaPipe(blit=0.0, geom=0.0), kimg=0.02, interval=1)),
    diagnostics=True,
)
VAE = Vae(
    MlpEncoder((8,)), MlpDecoder((8,)), latent_size=2, conditional=False,
    bound=MonteCarloElbo(samples=3),
)  # fmt: skip
STYLE = StyleGan2(
    StyleGan2Generator(width=4, units=4, mapping_layers=1, average_decay=0.5),
    # Groups of one image, which is compared with none.
    StyleGan2Discriminator(width=4, group=1),
    prior=Normal(3),
    penalties=(R1(weight=0.1, every=2),),
    path_lengths=(PathLength(shrink=2, every=2),),
    mixing=0.5,
)
PAIRS = R3Gan(
    R3GanGenerator(widths=(4,), blocks=1, group_width=4),
    R3GanDiscriminator(widths=(4,), blocks=1, group_width=4),
    prior=Normal(3),
    generator_optimizer=SLOW,
    discriminator_optimizer=SLOW,
    pipes=(AdaPipe(blit=0.0, geom=0.0, color=0.0, cutout=1.0),),
)
MODELS = {"gan": GAN, "vae": VAE, "stylegan2": STYLE, "r3gan": PAIRS}


def images(count):
    draws = np.random.default_rng(2)
    return {
        "image": draws.integers(0, 256, (count, *DATA.image_shape), np.uint8),
        "label": draws.integers(0, 10, count).astype(np.int32),
    }


@functools.cache
def after_two_steps(one, devices=1):
    """State and metrics, on one device or on several of them."""
    axis, count = None if devices == 1 else "devices", one.images_per_step
    state, found = jax.jit(build(one).init)(KEY, example_batch(one)), []
    step = build(one, axis_name=axis).phases[0].train_step
    run = (
        jax.jit(step)
        if devices == 1
        else jax.pmap(
            step, axis, in_axes=(None, 0, None), out_axes=None, devices=jax.devices()[:devices]
        )
    )
    batch = images(2 * count)
    for number in range(2):
        rows = {name: array[number * count :][:count] for name, array in batch.items()}
        if devices > 1:
            rows = {name: a.reshape(devices, -1, *a.shape[1:]) for name, a in rows.items()}
        state, metrics = run(state, rows, rng.step_key(KEY, number))
        found.append(metrics)
    return jax.device_get((state, found))


def assert_same(got, expected):
    """To a millionth of an array's length, and of one where that is less."""

    def check(path, got, expected):
        got, expected = np.float64(got), np.float64(expected)
        off = np.linalg.norm(got - expected) / max(np.linalg.norm(expected), 1.0)
        assert off < 1e-6, (jax.tree_util.keystr(path), off)

    jax.tree_util.tree_map_with_path(check, got, expected)


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=() if n == "vae" else pytest.mark.slow) for n in MODELS]
)
def test_two_steps_in_parts_are_those_of_the_whole_batch(name):
    one = experiment(MODELS[name])
    assert_same(after_two_steps(parts_of(one, 4)), after_two_steps(one))


@pytest.mark.slow
def test_parts_of_each_of_two_devices_are_those_of_one():
    one = experiment(GAN)
    assert_same(after_two_steps(parts_of(one, 4), devices=2), after_two_steps(one))


def drawn(rows):
    """Each row times a number that is drawn for it, and the mean of the rows."""
    factors = rng.per_example(jax.random.normal, KEY, rows.shape[0])
    return factors[:, None] * rows, {"mean": jnp.mean(rows), "two": jnp.int32(2)}


def in_force(function, parts):
    """As a step of so many parts calls it."""
    return in_parts(lambda *rows: by_parts(function, *rows), parts)


@pytest.mark.parametrize("parts", [1, 2, 3, 6])
def test_rows_draws_and_means_are_those_of_the_whole(parts):
    rows = jnp.arange(12.0).reshape(6, 2)
    factors = [jax.random.normal(jax.random.fold_in(KEY, i)) for i in range(6)]
    made, found = in_force(drawn, parts)(rows)
    np.testing.assert_allclose(made, np.stack(factors)[:, None] * rows, rtol=1e-6)
    assert (float(found["mean"]), int(found["two"])) == (5.5, 2)
    assert found["two"].dtype == jnp.int32


def test_rows_that_cannot_be_divided_so_are_divided_less():
    seen = []

    def function(rows):
        seen.append(rows.shape[0])
        return rows, {}

    for count in (8, 6, 5):
        made, _ = in_force(function, 4)(jnp.arange(count))
        np.testing.assert_array_equal(made, np.arange(count))
    assert [*dict.fromkeys(seen)] == [2, 3, 5]


def test_gradients_are_summed_up_over_parts_also_of_gradients():
    rows = jnp.linspace(-1.0, 1.0, 12).reshape(6, 2)

    def loss(parts):
        def network(weight):
            return in_force(lambda x: (jnp.tanh(x * weight) * weight, {}), parts)

        def slope(weight):
            found = jax.grad(lambda x: jnp.sum(network(weight)(x)[0]))(rows)
            return jnp.mean(jnp.square(found)) + jnp.mean(network(weight)(rows)[0])

        return jax.value_and_grad(slope)(jnp.array([0.5, -2.0]))

    for got, expected in zip(loss(3), loss(1), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-6)


def test_what_is_the_same_in_all_parts_stays_so_to_the_last_bit():
    constant = jnp.float32(0.1) + jnp.arange(7) / 3
    _, found = in_force(lambda rows: (rows, {"kept": constant}), 3)(jnp.zeros(6))
    np.testing.assert_array_equal(found["kept"], constant)


def test_batch_statistics_are_means_of_those_of_the_parts():
    """Exact for the mean; of the variance, what parts differ by is missing."""
    layer, rows = BatchNorm(momentum=0.75), jnp.array([0.0, 2.0, 10.0, 14.0])[:, None]
    variables = layer.init(KEY, rows, train=False)

    def function(rows):
        return layer.apply(variables, rows, train=True, mutable=["batch_stats"])

    made, found = in_force(function, 2)(rows)
    of = found["batch_stats"]
    np.testing.assert_allclose(of["mean"], [0.25 * 6.5], rtol=1e-6)
    np.testing.assert_allclose(of["var"], [0.75 + 0.25 * (1.0 + 4.0) / 2], rtol=1e-6)
    scale = variables["params"]["scale"]
    np.testing.assert_allclose(made[:, 0] / scale, [-1, 1, -1, 1], rtol=1e-4)


def test_a_part_is_not_taken_apart_again():
    def inner(rows):
        return by_parts(lambda own: (own, {"rows": jnp.int32(own.shape[0])}), rows)

    _, found = in_force(inner, 2)(jnp.zeros(8))
    assert int(found["rows"]) == 4


def test_batches_that_cannot_be_divided_are_refused_before_anything_is_compiled():
    one = tiny.gan(batch_size=16)
    with pytest.raises(ConfigError, match=r"micro_batches = 0: must be at least 1"):
        parts_of(one, 0)
    with pytest.raises(ConfigError) as refused:
        build(parts_of(one, 6))
    assert str(refused.value) == (
        "micro_batches = 6 does not divide the batch of 16 images: parts are of one size; set"
        " --micro-batches 4, or another --batch-size"
    )
    with pytest.raises(ConfigError, match=r"the 2 images of a device.*--micro-batches 2,"):
        compile_program(parts_of(one, 4), "pmap")


def test_a_reference_of_a_whole_batch_is_refused():
    reference = Gan(DcganGenerator(width=4, batch_norm=False, norm="virtual_batch"), DISCRIMINATOR)
    build(experiment(reference))
    with pytest.raises(ConfigError, match=r"the generator, DcganGenerator, is normalized by the"):
        build(parts_of(experiment(reference), 2))


DISCRIMINATOR = DcganDiscriminator(width=4, batch_norm=False)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (Gan(DcganGenerator(width=4), DISCRIMINATOR), "batch normalization of the generator see"),
        (
            Gan(
                DcganGenerator(width=4),
                DcganDiscriminator(width=4, minibatch="stddev"),
            ),
            "batch normalization of the generator and minibatch features of the discriminator see",
        ),
        (STYLE, "minibatch features of the discriminator see"),
        (GAN, None),
        (VAE, None),
    ],
)
def test_networks_that_compare_examples_say_so(model, said):
    def warned(one):
        state = jax.eval_shape(build(one).init, KEY, example_batch(one))
        return micro_batches.warnings(one, state)

    one = experiment(model, data=dataclasses.replace(DATA, image_size=8))
    assert warned(one) == ()
    lines = warned(parts_of(one, 4))
    assert len(lines) == (said is not None)
    if said:
        assert lines[0].startswith(f"{said} 4 images at a time, and not the 16 of a batch")


class Wide(nn.Module):
    """Much inside, little outside."""

    @nn.compact
    def __call__(self, latent, *, image_shape, train, axis_name=None):
        hidden = latent
        for _ in range(3):
            hidden = nn.tanh(nn.Dense(512)(hidden))
        return nn.Dense(np.prod(image_shape))(hidden).reshape(-1, *image_shape)


def test_a_step_in_parts_needs_a_fraction_of_the_memory():
    def bytes_of(parts):
        one = experiment(Gan(Wide(), MlpDiscriminator((8,)), prior=Normal(4)), batch_size=1024)
        algorithm = build(parts_of(one, parts))
        state = jax.eval_shape(algorithm.init, KEY, example_batch(one))
        step = jax.jit(algorithm.phases[0].train_step, donate_argnums=0)
        compiled = step.lower(state, images(1024), KEY).compile()
        return compiled.memory_analysis().temp_size_in_bytes

    whole, apart = bytes_of(1), bytes_of(8)
    # Three layers of activations and their slopes; what stays are images, and a gradient.
    assert whole > 3 * 512 * 1024 * 4
    assert apart < 0.6 * whole
