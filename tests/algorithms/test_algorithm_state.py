"""The state: what is measured of it, and what stands in for that."""

import jax
import jax.numpy as jnp
import numpy as np
import optax

from jaxgan.algorithms.state import new_player, new_state

OPTIMIZER = optax.sgd(0.1, momentum=0.9)


def variables(value, statistics=None):
    found = {"params": {"w": jnp.full(2, value)}}
    return (
        found if statistics is None else {**found, "batch_stats": {"mean": jnp.full(2, statistics)}}
    )


def state_of(generator, judge, average=None):
    """Two players, of which the first is averaged."""
    players = {"generator": new_player(generator, OPTIMIZER), "judge": new_player(judge, OPTIMIZER)}
    state = new_state(players, averaged=("generator",))
    return state if average is None else state.replace(ema={"generator": average})


STATE = state_of(variables(1.0, 2.0), variables(3.0, 4.0), variables(5.0, 6.0))


def same(found, expected):
    assert jax.tree.structure(found) == jax.tree.structure(expected)
    jax.tree.map(np.testing.assert_array_equal, found, expected)


def test_averages_are_measured_where_there_are_any():
    same(STATE.evaluated("generator"), variables(5.0, 6.0))
    same(STATE.evaluated("judge"), variables(3.0, 4.0))


def test_raw_weights_take_the_place_of_averages():
    """Batch statistics too; nothing else changes, and the averages are still in the first state."""
    raw = STATE.raw
    same(raw.evaluated("generator"), variables(1.0, 2.0))
    same(raw.replace(ema=STATE.ema), STATE)
    same(STATE.evaluated("generator"), variables(5.0, 6.0))


def test_parameters_are_those_in_training():
    same(STATE.parameters, {"generator": {"w": jnp.ones(2)}, "judge": {"w": jnp.full(2, 3.0)}})


def test_statistics_go_where_they_are_measured():
    """Into the average of a player that has one, else into the player; the rest stays."""
    found = {
        name: {"mean": jnp.full(2, value)} for name, value in (("generator", 7.0), ("judge", 8.0))
    }
    changed = STATE.with_statistics(found)
    same(changed.evaluated("generator"), variables(5.0, 7.0))
    same(changed.evaluated("judge"), variables(3.0, 8.0))
    same(changed.players["generator"], STATE.players["generator"])
    same(changed.players["judge"].opt_state, STATE.players["judge"].opt_state)
    same(STATE.with_statistics({}), STATE)
    same(STATE.evaluated("generator"), variables(5.0, 6.0))


def test_other_collections_of_a_player_survive_new_statistics():
    judge = {**variables(3.0, 4.0), "memory": {"seen": jnp.zeros(1)}}
    changed = state_of(variables(1.0), judge).with_statistics({"judge": {"mean": jnp.ones(2)}})
    same(changed.evaluated("judge"), {**variables(3.0, 1.0), "memory": {"seen": jnp.zeros(1)}})


def test_batch_normalization_is_seen_in_any_network_that_is_measured():
    assert STATE.is_batch_normalized
    assert not state_of(variables(1.0), variables(3.0)).is_batch_normalized
    assert state_of(variables(1.0, 2.0), variables(3.0)).is_batch_normalized
    assert state_of(variables(1.0), variables(3.0, 4.0)).is_batch_normalized
    empty = {**variables(1.0), "batch_stats": {}}
    assert not state_of(empty, variables(3.0)).is_batch_normalized


def test_a_new_state():
    """At step 0; averages start at the first weights, in memory of their own."""
    state = state_of(variables(1.0, 2.0), variables(3.0))
    assert int(state.step) == 0
    assert state.ema.keys() == {"generator"}
    same(state.ema["generator"], variables(1.0, 2.0))
    leaves = jax.tree.leaves((state.players, state.ema))
    assert len({leaf.unsafe_buffer_pointer() for leaf in leaves}) == len(leaves)
    assert state.extras == ()


def test_a_renewed_player_has_its_optimizer_as_at_the_start():
    player = STATE.players["judge"]
    moved = player.update(OPTIMIZER, {"w": jnp.ones(2)}, player.model_state)
    assert any(leaf.any() for leaf in jax.tree.leaves(moved.opt_state))
    renewed = moved.renewed(OPTIMIZER)
    same(renewed.opt_state, player.opt_state)
    same(renewed.variables, moved.variables)
