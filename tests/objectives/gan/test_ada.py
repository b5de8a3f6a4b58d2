"""ADA's controller and its schedule, update by update, in NumPy."""

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from standard_draws import images

from jaxgan.objectives.gan.ada import Ada, ScheduledAda
from jaxgan.objectives.gan.ada_pipe import AdaPipe
from jaxgan.objectives.gan.verdict import Verdict

SMALL = AdaPipe(blit=0.0, geom=0.0, color=0.0, cutout=1.0)


def follow(augment, batches, count):
    """States after each update on given logits."""
    update, state, states = jax.jit(augment.update, static_argnums=2), augment.init(), []
    for logits in batches:
        state = update(state, Verdict(jnp.asarray(logits, jnp.float32)), count)
        states.append(jax.device_get(state))
    return states


def test_moves_every_fourth_update_by_the_mean_over_all_four():
    # Means of signs: 1, 1/2, 1/2, 1/2: 0.625 > 0.6, though the last three are below.
    high = [[3.0, 1e4, 0.1, 2.0], *[[1.0, 1.0, -5.0, 2.0]] * 3]
    # A logit of 0 has no sign: -1 + 3/4 three times.
    low = [[-1.0, -1.0, -1e4, -2.0], *[[1.0, 0.0, 1.0, 1.0]] * 3]
    states = follow(Ada(kimg=0.1), [*high, *high, *low], count=4)
    step = 4 * 4 / 100
    expected = [0, 0, 0, step, step, step, step, 2 * step, *[2 * step] * 3, step]
    np.testing.assert_allclose([state["p"] for state in states], expected, rtol=1e-5)
    signs = [0, 0, 0, *[0.625] * 8, (-1 + 3 * 0.75) / 4]
    np.testing.assert_allclose([state["sign"] for state in states], signs, rtol=1e-5)
    logged = Ada().metrics(jax.tree.map(jnp.asarray, states[-1]))
    assert set(logged) == {"ada/p", "ada/sign"}
    assert float(logged["ada/p"]) == pytest.approx(step, rel=1e-5)
    assert float(logged["ada/sign"]) == pytest.approx(0.3125)


def test_interval_and_target():
    states = follow(Ada(kimg=1.0, interval=1, target=-0.5), [[-1.0] * 3 + [1.0]] * 2, count=10)
    # The mean sign is the target itself: nothing moves.
    assert [float(state["p"]) for state in states] == [0.0, 0.0]
    states = follow(Ada(kimg=1.0, interval=2, target=-0.6), [[-1.0] * 3 + [1.0]] * 4, count=10)
    np.testing.assert_allclose([state["p"] for state in states], [0, 0.02, 0.02, 0.04], rtol=1e-5)


@pytest.mark.parametrize(("most", "expected"), [(1.0, 1.0), (0.8, 0.8), (math.inf, 1.2)])
def test_bounds(most, expected):
    believing, doubting = [[1.0]] * 12, [[-1.0]] * 40
    states = follow(Ada(kimg=0.1, most=most), [*believing, *doubting], count=10)
    assert max(state["p"] for state in states) == pytest.approx(expected, rel=1e-5)
    assert states[-1]["p"] == 0.0
    assert min(state["p"] for state in states) == 0.0


def test_pace():
    """From 0 to 1 in ``kimg`` thousand images."""
    states = follow(Ada(), [[1.0]] * 8, count=64)
    assert float(states[-1]["p"]) == pytest.approx(8 * 64 / 500_000, rel=1e-5)


def test_schedule():
    augment = ScheduledAda(first=0.1, last=0.5, kimg=0.5)
    states = follow(augment, [[1.0]] * 12, count=50)
    done = np.minimum(np.arange(1, 13) / 10, 1.0)
    expected = 0.1 + 0.4 * (1 - np.cos(np.pi * done)) / 2
    found = [float(augment.metrics(jnp.asarray(state))["scheduled_ada/p"]) for state in states]
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert float(augment.metrics(augment.init())["scheduled_ada/p"]) == pytest.approx(0.1)
    assert max(int(state) for state in states) == 500


def test_the_state_is_the_strength():
    x, own = images(64, 4, 4, 1), jax.random.split(jax.random.key(0), 64)
    steered = jax.jit(Ada(SMALL, kimg=0.1).__call__)
    state = Ada().init()
    np.testing.assert_array_equal(steered(x, own, state), x)
    found = steered(x, own, state | {"p": jnp.float32(0.4)})
    np.testing.assert_array_equal(found, jax.jit(SMALL.__call__)(x, own, jnp.float32(0.4)))
    scheduled = ScheduledAda(SMALL, first=0.4, last=0.8)
    np.testing.assert_array_equal(jax.jit(scheduled.__call__)(x, own, scheduled.init()), found)
    untouched = (np.asarray(found) == x).all(axis=(1, 2, 3)).mean()
    assert untouched == pytest.approx(0.6, abs=0.15)


def test_states_keep_their_types():
    for augment in (Ada(), ScheduledAda()):
        before = augment.init()
        after = augment.update(before, Verdict(jnp.ones(4, jnp.bfloat16)), 64)
        assert jax.tree.map(jnp.shape, before) == jax.tree.map(jnp.shape, after)
        for one, other in zip(jax.tree.leaves(before), jax.tree.leaves(after), strict=True):
            assert (one.dtype, one.weak_type) == (other.dtype, other.weak_type)


def test_what_cannot_be():
    for changes in ({"kimg": 0.0}, {"interval": 0}, {"most": 0.0}):
        with pytest.raises(ValueError, match="must be positive"):
            Ada(**changes)
    with pytest.raises(ValueError, match="must be positive"):
        ScheduledAda(kimg=0.0)
    with pytest.raises(ValueError, match="must not be negative"):
        ScheduledAda(last=-0.1)
    for augment in (Ada(), ScheduledAda()):
        with pytest.raises(ValueError, match="these are points"):
            augment.check((1, 1, 2), "float32")
        augment.check((8, 8, 1), "uint8")
        assert hash(augment) == hash(dataclasses.replace(augment))
