"""Steps that keep the ends of blocks alone compute and learn what others do."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tiny

from jaxgan import rng
from jaxgan.algorithms.apply import call
from jaxgan.algorithms.base import build
from jaxgan.algorithms.gan import Gan
from jaxgan.algorithms.rematerialization import computing_again
from jaxgan.networks.mlp import MlpDiscriminator
from jaxgan.networks.progan import ProganDiscriminator, ProganGenerator
from jaxgan.networks.r3gan import R3GanDiscriminator, R3GanGenerator
from jaxgan.networks.resnet import ResnetDiscriminator, ResnetGenerator
from jaxgan.networks.stylegan2 import StyleGan2Generator
from jaxgan.networks.stylegan2_discriminator import StyleGan2Discriminator
from jaxgan.objectives.gan.losses import Hinge
from jaxgan.objectives.gan.penalties import R1
from jaxgan.objectives.priors import Normal
from jaxgan.optim import Sgd
from jaxgan.program import example_batch

KEY, SHAPE, COUNT = rng.base_key(6), (16, 16, 3), 2
LATENTS = jax.random.normal(KEY, (COUNT, 8))
IMAGES = jax.random.normal(KEY, (COUNT, *SHAPE))
MAKING = {"image_shape": SHAPE}
NETWORKS = {
    "resnet G": (ResnetGenerator(width=4), LATENTS, MAKING),
    "resnet D": (ResnetDiscriminator(width=4), IMAGES, {}),
    "r3gan G": (R3GanGenerator(widths=(8, 4), group_width=4), LATENTS, MAKING),
    "r3gan D": (R3GanDiscriminator(widths=(8, 4), group_width=4), IMAGES, {}),
    "progan G": (ProganGenerator(width=8, width_base=64), LATENTS, MAKING),
    "progan D": (ProganDiscriminator(width=8, width_base=64), IMAGES, {}),
    "stylegan2 G": (StyleGan2Generator(width=8, units=8, mapping_layers=2), LATENTS, MAKING),
    "stylegan2 D": (StyleGan2Discriminator(width=8), IMAGES, {}),
}
"""Those that have blocks."""
WITHOUT = {"mlp D": (MlpDiscriminator((64, 64, 64), dropout=0.5), IMAGES, {})}


def applied(name, again):
    """From parameters to what a network returns in a step, and its collections after."""
    network, given, settings = (NETWORKS | WITHOUT)[name]
    variables = jax.eval_shape(lambda: network.init(KEY, given, train=False, **settings))

    def function(variables):
        return call(name, network, variables, given, train=True, key=KEY, **settings)

    return variables, computing_again(function, again)


def kept(name, again):
    """Bytes that the backward pass gets from the forward pass, but for the parameters."""
    variables, function = applied(name, again)

    def pull_back(params):
        return jax.vjp(lambda p: function({**variables_of, "params": p}), params, has_aux=True)[1]

    variables_of = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), variables)
    found = jax.eval_shape(pull_back, variables["params"])
    params = {leaf.shape for leaf in jax.tree.leaves(variables["params"])}
    leaves = [leaf for leaf in jax.tree.leaves(found) if leaf.shape not in params]
    return sum(leaf.size * leaf.dtype.itemsize for leaf in leaves)


@pytest.mark.parametrize("name", NETWORKS)
def test_of_blocks_their_ends_are_kept(name):
    assert kept(name, again=True) < 0.5 * kept(name, again=False)


def test_of_networks_without_blocks_nothing_is_kept_but_what_they_are_given():
    assert kept("mlp D", again=True) <= IMAGES.size * 4 + 16 < kept("mlp D", again=False)


def same(got, expected):
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6), got, expected)


@pytest.mark.parametrize("name", ["resnet G", "mlp D"])
def test_values_statistics_draws_and_gradients_stay(name):
    """Batch norm of a generator, dropout of a discriminator."""

    def found(again):
        network, given, settings = (NETWORKS | WITHOUT)[name]
        variables = network.init(KEY, given, train=False, **settings)
        _, function = applied(name, again)

        def loss(params):
            made, changed = function({**variables, "params": params})
            return jnp.sum(jnp.sin(made)), (made, changed)

        return jax.jit(jax.value_and_grad(loss, has_aux=True))(variables["params"])

    same(found(again=True), found(again=False))


def test_penalties_differentiate_through_what_is_computed_again():
    network, given, _ = NETWORKS["resnet D"]
    variables = network.init(KEY, given, train=False)

    def slope(again):
        def judge(variables, images):
            return call("D", network, variables, images, train=True, key=KEY)[0]

        def penalty(params):
            of = computing_again(
                lambda x: jnp.sum(judge({**variables, "params": params}, x)), again
            )
            return jnp.mean(jnp.square(jax.grad(of)(given)))

        return jax.jit(jax.value_and_grad(penalty))(variables["params"])

    same(slope(again=True), slope(again=False))


@pytest.mark.slow
def test_steps_learn_the_same_also_in_parts():
    model = Gan(
        ResnetGenerator(width=4, max_multiple=2),
        ResnetDiscriminator(width=4),
        loss=Hinge(),
        generator_optimizer=Sgd(learning_rate=0.02),
        discriminator_optimizer=Sgd(learning_rate=0.02),
        prior=Normal(4),
        penalties=(R1(weight=0.1),),
    )
    one = tiny.gan(model=model, batch_size=4)
    batch = {"image": np.random.default_rng(0).integers(0, 256, (4, 8, 8, 1), np.uint8)}

    def after(**changes):
        algorithm = build(dataclasses.replace(one, **changes))
        state = algorithm.init(KEY, example_batch(one))
        return jax.jit(algorithm.phases[0].train_step)(state, batch, KEY)

    same(after(rematerialize=True), after())
    same(after(rematerialize=True, micro_batches=2), after(micro_batches=2))


def test_what_is_kept_does_not_decide_what_there_is():
    """Neither in the state, so that either goes on from the other's, nor of steps' metrics."""

    def shapes(again):
        algorithm = build(tiny.dcgan(rematerialize=again))
        state = jax.eval_shape(algorithm.init, KEY, example_batch(tiny.dcgan()))
        batch = {"image": jax.ShapeDtypeStruct((16, 8, 8, 1), jnp.uint8)}
        return jax.eval_shape(algorithm.phases[0].train_step, state, batch, KEY)

    assert shapes(again=True) == shapes(again=False)
