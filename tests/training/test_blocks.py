"""Members in blocks are those of the whole population."""

import contextlib

import jax
import numpy as np
import pytest
import tiny

from jaxgan.data import splits
from jaxgan.program import example_batch
from jaxgan.training import blocks
from jaxgan.training.population import compile_population, member

RATE = "model.optimizer.learning_rate"
RATES = np.asarray([1e-3, 2e-3, 3e-3, 1e-3, 1e30, 5e-3], np.float32)
SEEDS = np.asarray([4, 0, 9, 9, 2, 7], np.uint32)


@pytest.mark.parametrize(
    ("count", "sizes"), [(1, [1]), (4, [4]), (5, [4, 1]), (6, [4, 2]), (32, [4] * 8)]
)
def test_every_member_is_in_one_block(count, sizes):
    cut = blocks.cut(count)
    assert [one.stop - one.start for one in cut] == sizes
    assert [place for one in cut for place in range(count)[one]] == list(range(count))


def test_steps_are_those_of_the_whole_population():
    experiment = tiny.vae(steps=8)
    population = compile_population(experiment, (RATE,))
    phase, values = population.phases[0], {RATE: RATES}
    arrays = jax.device_put(splits.in_memory(experiment.data, "train"))
    none = np.zeros(6, np.int32)

    def started():
        return population.init(SEEDS, example_batch(experiment), values)

    whole, died, expected = started(), none, []
    for _ in range(5):
        whole, metrics, died = phase.guarded(whole, arrays, SEEDS, values, died)
        expected.append(jax.device_get(metrics))

    own = (jax.numpy.asarray(SEEDS), jax.device_put(values), none)
    with contextlib.closing(blocks.Blocks(started(), *own)) as apart:
        # The first call is not in threads, the second is.
        told = [*apart.steps(phase, arrays, 1), *apart.steps(phase, arrays, 4)]
        states = jax.device_get(apart.states)
        np.testing.assert_array_equal(apart.died, died)
        apart.end([1, 5], 3)
        np.testing.assert_array_equal(apart.died, [0, 3, 0, 0, died[4], 3])
        later = [apart.steps(phase, arrays, 2), apart.states][1]
    assert died[4] > 0
    assert not np.delete(died, 4).any()
    for found, wanted in zip(told, expected, strict=True):
        found = blocks.of_all(jax.device_get(found))
        assert found.keys() == wanted.keys()
        for name, value in wanted.items():
            np.testing.assert_allclose(found[name], value, rtol=1e-5, err_msg=name)
    assert int(states.step) == 5
    assert int(later.step) == 7
    for index in range(6):
        _close(member(states, index), member(whole, index))
    # Those who have died stay as they were, all others go on.
    gone = [place for place in range(6) if _same(member(states, place), member(later, place))]
    assert gone == [1, 4, 5]


def _numbers(state):
    return jax.tree.leaves(state.replace(step=()))


def _close(found, wanted):
    for a, b in zip(_numbers(found), _numbers(wanted), strict=True):
        scale = max(float(np.abs(b).max(initial=0.0)), 1e-3)
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-5 * scale)


def _same(one, other):
    return all(map(np.array_equal, _numbers(one), _numbers(other)))
