"""What algorithms share: players, masked sums, and the way of images to networks and back."""

import dataclasses
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxgan.algorithms.apply import masked_sum, quantized, to_symmetric, to_unit
from jaxgan.algorithms.base import Algorithm, Phase, at_precision, build
from jaxgan.algorithms.gan import Gan
from jaxgan.algorithms.state import first_step, new_player, new_state
from jaxgan.algorithms.vae import Vae
from jaxgan.config import ConfigError, Experiment, Model
from jaxgan.data.pipeline import Data
from jaxgan.networks.conditional import LabelledDiscriminator, LabelledGenerator
from jaxgan.networks.mlp import MlpDecoder, MlpDiscriminator, MlpEncoder, MlpGenerator
from jaxgan.objectives.priors import Normal

BYTES = np.arange(256, dtype=np.uint8)


def test_bytes_go_to_the_symmetric_range_and_come_back():
    pixels = to_symmetric(jnp.asarray(BYTES))
    assert pixels.dtype == jnp.float32
    np.testing.assert_allclose(pixels, np.linspace(-1, 1, 256), atol=1e-6)
    np.testing.assert_allclose(to_unit(pixels), BYTES / 255, atol=1e-6)
    np.testing.assert_array_equal(quantized(to_unit(pixels)), BYTES)
    assert quantized(to_unit(pixels)).dtype == jnp.uint8


def test_points_stay_as_they_are():
    points = jnp.asarray([[-3.5, 200.0]])
    np.testing.assert_array_equal(to_symmetric(points), points)


def test_the_nearest_byte_and_no_overflow():
    """127.4 goes down and 127.6 goes up; beyond the range is the end of the range."""
    pixels = jnp.asarray([-0.5, 0.0, 127.4 / 255, 127.6 / 255, 1.0, 1.01, 300.0])
    np.testing.assert_array_equal(quantized(pixels), [0, 0, 127, 128, 255, 255, 255])
    unit = to_unit(2 * pixels - 1)
    assert (float(unit.min()), float(unit.max())) == (0.0, 1.0)
    np.testing.assert_array_equal(quantized(unit), [0, 0, 127, 128, 255, 255, 255])


def test_masked_sum():
    values = jnp.asarray([1.0, 10.0, 100.0])
    assert [float(x) for x in masked_sum(values, {"image": values})] == [111.0, 3.0]
    mask = np.array([1, 0, 1], np.float32)
    assert [float(x) for x in masked_sum(values, {"image": values, "mask": mask})] == [101.0, 2.0]


def test_a_player_after_one_update():
    """Parameters go down the gradient; the other collections are replaced; the old one is kept."""
    optimizer = optax.sgd(0.5, momentum=0.5)
    variables = {"params": {"w": jnp.asarray([1.0, 2.0])}, "batch_stats": {"mean": jnp.zeros(2)}}
    player = new_player(variables, optimizer)
    assert player.variables == variables
    assert player.model_state.keys() == {"batch_stats"}
    gradients, stats = {"w": jnp.asarray([4.0, -2.0])}, {"batch_stats": {"mean": jnp.ones(2)}}
    once = player.update(optimizer, gradients, stats)
    np.testing.assert_allclose(once.params["w"], [-1.0, 3.0])
    np.testing.assert_array_equal(once.model_state["batch_stats"]["mean"], [1.0, 1.0])
    # The momentum of the second update holds half of the first.
    twice = once.update(optimizer, gradients, stats)
    np.testing.assert_allclose(twice.params["w"], [-4.0, 4.5])
    np.testing.assert_array_equal(player.params["w"], [1.0, 2.0])


def test_a_player_without_other_collections():
    player = new_player({"params": {"w": jnp.ones(2)}}, optax.sgd(0.1))
    assert player.model_state == {}
    assert player.variables.keys() == {"params"}


def test_the_step_counter_starts_at_zero():
    assert (int(first_step()), first_step().dtype, first_step().shape) == (0, jnp.int32, ())


# --- Precision -----------------------------------------------------------------------------------

GAN = Gan(MlpGenerator((4,)), MlpDiscriminator((3,)), prior=Normal(2))
VAE = Vae(MlpEncoder((4,)), MlpDecoder((3,)), latent_size=2)


class Plain(nn.Module):
    """A network that knows no precision."""

    width: int = 3

    @nn.compact
    def __call__(self, images, *, train, axis_name=None):
        return nn.Dense(1)(images.reshape(len(images), -1))[:, 0]


def test_float32_leaves_a_model_alone():
    for model in (GAN, VAE, dataclasses.replace(GAN, discriminator=Plain())):
        assert at_precision(model, "float32") is model


@pytest.mark.parametrize(
    ("model", "names"),
    [(GAN, ("generator", "discriminator")), (VAE, ("encoder", "decoder"))],
    ids=["GAN", "VAE"],
)
def test_networks_get_the_precision_of_the_experiment(model, names):
    """All of them, and nothing else changes."""
    changed = at_precision(model, "bfloat16")
    expected: dict[str, Any] = {name: getattr(model, name).copy(dtype="bfloat16") for name in names}
    assert changed == dataclasses.replace(model, **expected)
    assert all(getattr(model, name).dtype is None for name in names)


def test_a_network_keeps_a_precision_of_its_own():
    mixed = dataclasses.replace(GAN, generator=MlpGenerator((4,), dtype="float32"))
    changed = at_precision(mixed, "bfloat16")
    assert (changed.generator.dtype, changed.discriminator.dtype) == ("float32", "bfloat16")
    mixed = dataclasses.replace(GAN, generator=MlpGenerator((4,), dtype="bfloat16"))
    changed = at_precision(mixed, "float32")
    assert (changed.generator.dtype, changed.discriminator.dtype) == ("bfloat16", None)


def test_a_network_without_a_dtype_is_refused():
    model = dataclasses.replace(GAN, discriminator=Plain())
    experiment = Experiment(name="plain", model=model, data=Data(), precision="bfloat16")
    with pytest.raises(ConfigError) as raised:
        build(experiment)
    assert str(raised.value) == (
        "the discriminator, Plain, has no field dtype and computes in float32 only: give it one, or"
        " leave out --precision bfloat16"
    )
    float32 = dataclasses.replace(experiment, precision="float32")
    assert build(float32)


@pytest.mark.parametrize("own", [None, "float32"])
def test_networks_within_networks_get_the_precision_too(own):
    """Unless they have one of their own; the network around them keeps its other settings."""
    inner = MlpGenerator((4,), dtype=own)
    model = dataclasses.replace(GAN, generator=LabelledGenerator(inner, embedding=3))
    found = at_precision(model, "bfloat16").generator
    assert found == LabelledGenerator(MlpGenerator((4,), dtype=own or "bfloat16"), embedding=3)
    assert at_precision(model, "float32") is model
    assert inner.dtype is own


def test_the_computation_is_at_the_precision_of_the_inner_network():
    """Weights whose product with the input is no bfloat16 number: 1 + 2^-8 is rounded to 1."""
    model = Gan(LabelledGenerator(MlpGenerator(())), MlpDiscriminator((3,)), prior=Normal(1))
    latents = {"noise": jnp.ones((1, 1)), "label": jnp.zeros(1, jnp.int32)}
    how: dict[str, Any] = {"image_shape": (1, 1, 1), "classes": 1, "train": False}
    values = {}
    for precision in ("float32", "bfloat16"):
        network = at_precision(model, precision).generator
        variables = network.init(jax.random.key(0), latents, **how)
        exact = jax.tree.map(lambda leaf: jnp.full_like(leaf, 0.5 + 2.0**-9), variables)
        assert all(leaf.dtype == jnp.float32 for leaf in jax.tree.leaves(variables))
        values[precision] = float(network.apply(exact, latents, **how).ravel()[0])
    assert values["float32"] != values["bfloat16"]
    assert values["float32"] == pytest.approx(values["bfloat16"], rel=1e-2)


def test_a_network_without_a_dtype_is_found_within_another():
    model = dataclasses.replace(GAN, discriminator=LabelledDiscriminator(Plain()))
    with pytest.raises(ConfigError) as raised:
        at_precision(model, "bfloat16")
    assert str(raised.value) == (
        "the body, Plain, has no field dtype and computes in float32 only: give it one, or"
        " leave out --precision bfloat16"
    )


# --- Phases --------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Phased(Model):
    """Phases that end at the given steps."""

    ends: tuple[int, ...] = ()

    def build(self, experiment, *, axis_name=None):
        phases = tuple(Phase(end, lambda state, batch, key: (state, {})) for end in self.ends)
        return Algorithm(lambda key, batch: new_state({}), phases, lambda *_: {})


@pytest.mark.parametrize("ends", [(9,), (2, 9), (1, 2, 9)])
def test_phases_that_rise_to_the_end(ends):
    experiment = Experiment(name="phased", model=Phased(ends), data=Data(), steps=9)
    assert [phase.until for phase in build(experiment).phases] == list(ends)


@pytest.mark.parametrize("ends", [(), (8,), (10,), (9, 9), (5, 2, 9), (2, 9, 10), (0, 9), (2,)])
def test_phases_that_do_not_are_refused(ends):
    experiment = Experiment(name="phased", model=Phased(ends), data=Data(), steps=9)
    with pytest.raises(ConfigError) as raised:
        build(experiment)
    assert str(raised.value) == (
        f"the phases of Phased end at steps {[*ends]}: they must rise, and the last one must end"
        " with the training, at 9"
    )


class Several(nn.Module):
    """Networks in a tuple, as a discriminator of several scales has them."""

    parts: tuple[nn.Module, ...] = ()
    sizes: tuple[int, ...] = (1, 2)


def test_networks_in_tuples_get_the_precision_too():
    parts = (MlpDiscriminator((3,)), MlpDiscriminator((4,), dtype="float32"))
    found = at_precision(
        dataclasses.replace(GAN, discriminator=Several(parts)), "bfloat16"
    ).discriminator
    assert found == Several((MlpDiscriminator((3,), dtype="bfloat16"), parts[1]))
    with pytest.raises(ConfigError, match=r"^the parts\.1, Plain, has no field dtype"):
        at_precision(
            dataclasses.replace(GAN, discriminator=Several((parts[0], Plain()))), "bfloat16"
        )
