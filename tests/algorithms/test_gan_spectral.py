"""When a GAN's step moves the vectors of spectral normalization."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import tiny

from jaxgan.algorithms import base
from jaxgan.networks.layers import spectral
from jaxgan.networks.mlp import MlpDiscriminator, MlpGenerator
from jaxgan.objectives.gan.penalties import R1
from jaxgan.optim import Ema, Sgd

STILL = Sgd(learning_rate=0.0)


def test_once_for_each_update_of_their_own_player():
    """With weights that stay, two discriminator updates are two iterations, whatever else runs
    through the network: two batches each, a penalty, the generator's update."""
    experiment = tiny.gan()
    model = dataclasses.replace(
        experiment.model,
        generator=MlpGenerator(widths=(8,), weight_norm="spectral"),
        discriminator=MlpDiscriminator(widths=(8,), weight_norm="spectral"),
        generator_optimizer=STILL,
        discriminator_optimizer=STILL,
        penalties=(R1(),),
        ema=Ema(decay=0.0, warmup=False),
    )
    algorithm = base.build(dataclasses.replace(experiment, model=model))
    images = np.random.default_rng(0).integers(0, 256, (32, 8, 8, 1), np.uint8)
    batch = {"image": jnp.asarray(images)}
    before = jax.jit(algorithm.init)(jax.random.key(0), batch)
    after, _ = jax.jit(algorithm.phases[0].train_step)(before, batch, jax.random.key(1))
    for player, updates in (("discriminator", 2), ("generator", 1)):
        old, new = before.players[player], after.players[player]
        jax.tree.map(np.testing.assert_array_equal, old.params, new.params)
        expected = spectral.moved(old.variables, updates)["spectral"]
        jax.tree.map(
            lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5),
            new.model_state["spectral"], expected,
        )  # fmt: skip
        further = spectral.moved(new.variables)["spectral"]
        moved = jax.tree.map(lambda a, b: float(jnp.abs(a - b).max()), expected, further)
        assert max(jax.tree.leaves(moved)) > 1e-3, "another iteration would have been seen"
