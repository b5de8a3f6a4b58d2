"""The two halves of an autoencoder's update: what moves, and what is added."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tiny

from jaxgan.algorithms.autoencoder import autoencoder
from jaxgan.algorithms.autoencoder_step import learner
from jaxgan.algorithms.state import new_player
from jaxgan.networks.layers import spectral
from jaxgan.networks.mlp import MlpGenerator
from jaxgan.program import example_batch


@pytest.mark.slow
def test_an_update_moves_spectral_vectors_once_and_adds_terms():
    decoder = MlpGenerator((4,), bounded=False, weight_norm="spectral")
    experiment = tiny.vae(model=dataclasses.replace(tiny.vae().model, decoder=decoder))
    model = experiment.model
    parts, optimizer = autoencoder(experiment, model), model.optimizer.build(experiment.steps)
    batch = example_batch(experiment)
    player = new_player(jax.jit(parts.init)(jax.random.key(0), batch), optimizer)
    learning, key, step = learner(model, parts, optimizer), jax.random.key(1), jnp.zeros((), int)

    @jax.jit
    def updates(player):
        coded = learning.code(player, batch, step, key)
        plain = learning.update(coded, batch, step, key)
        own = {"own": lambda view: 3.0 + view.codes[:, 0]}
        return plain, learning.update(coded, batch, step, key, own), coded.found.codes

    (plain, before), (more, after), codes = updates(player)
    moved = spectral.moved(player.variables)
    for found in (plain, more):
        jax.tree.map(
            lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5),
            found.model_state["spectral"],
            moved["spectral"],
        )
    changed = jax.tree.map(
        lambda a, b: np.abs(a - b).max() > 1e-4, moved["spectral"], player.model_state["spectral"]
    )
    assert any(jax.tree.leaves(changed))
    # What is added is told of by its name, and reaches the encoder.
    np.testing.assert_allclose(after["own"], 3.0 + codes[0, :, 0].mean(), rtol=1e-5)
    np.testing.assert_allclose(
        after["loss/autoencoder"], before["loss/autoencoder"] + after["own"], rtol=1e-5
    )
    same = jax.tree.map(lambda a, b: np.allclose(a, b), plain.params, more.params)
    assert not all(jax.tree.leaves(same["encoder"]))
    assert all(jax.tree.leaves(same["decoder"]))
