"""Each member of a population is the run of its seed alone."""

import dataclasses

import jax
import numpy as np
import pytest
import tiny

from jaxgan.data import splits
from jaxgan.objectives.gan.penalties import R1
from jaxgan.program import example_batch
from jaxgan.training.population import compile_population, member

SEEDS = (3, 0, 11)


@pytest.mark.parametrize(
    "make",
    [*(pytest.param(make, marks=pytest.mark.slow) for make in (tiny.gan, tiny.dcgan)), tiny.vae],
    ids=["gan", "dcgan", "vae"],
)
def test_every_member_is_the_single_run_of_its_seed(make):
    experiment = make(steps=10, seed=99)  # the experiment's own seed is not among them
    population = compile_population(experiment)
    seeds = np.asarray(SEEDS, np.uint32)
    arrays = jax.device_put(splits.in_memory(experiment.data, "train"))
    states = population.init(seeds, example_batch(experiment))
    assert states.step.shape == ()
    given, history = states, []
    for _ in range(10):
        states, metrics = population.step(states, arrays, seeds)
        history.append(jax.device_get(metrics))
    assert all(leaf.is_deleted() for leaf in jax.tree.leaves(given))
    assert population.phases[0].step._cache_size() == 1

    finals = []
    for index, seed in enumerate(SEEDS):
        expected, each = tiny.train(make(steps=10, seed=seed), "none", 10)
        found = member(states, index)
        finals.append(found)
        assert jax.tree.structure(found) == jax.tree.structure(expected)
        for (path, a), b in zip(
            jax.tree_util.tree_leaves_with_path(found), jax.tree.leaves(expected), strict=True
        ):
            scale = max(float(np.abs(np.asarray(b, np.float64)).max(initial=0.0)), 1e-3)
            # Gradient descent (see tiny.py) keeps differences of rounding small.
            np.testing.assert_allclose(
                a, b, rtol=0, atol=2e-5 * scale, err_msg=jax.tree_util.keystr(path)
            )
        for together, alone in zip(history, each, strict=True):
            for name, value in alone.items():
                assert together[name][index] == pytest.approx(float(value), rel=1e-4, abs=1e-5)
    assert int(finals[0].step) == 10
    # The members do differ: no seed was given to all of them.
    leaves = [np.concatenate([np.ravel(x) for x in jax.tree.leaves(f)]) for f in finals]
    assert np.abs(leaves[0] - leaves[1]).max() > 0.01
    assert np.abs(leaves[1] - leaves[2]).max() > 0.01
    assert compile_population(make(steps=10, seed=5)) is population


@pytest.mark.parametrize(("every", "conditions"), [(1, False), (2, True)])
def test_a_lazy_penalty_is_skipped_for_all_members_at_once(every, conditions):
    """The step is one number: a condition on one number a member would become a selection, for
    which the penalty is computed even where it is not due."""
    model = dataclasses.replace(tiny.gan().model, n_critic=1, penalties=(R1(every=every),))
    experiment = tiny.gan(model=model)
    population = compile_population(experiment)
    seeds = np.asarray(SEEDS, np.uint32)
    states = jax.eval_shape(population.init, seeds, example_batch(experiment))
    arrays = splits.in_memory(experiment.data, "train")
    program = str(jax.make_jaxpr(population.step)(states, arrays, seeds))
    assert ("cond[" in program) == conditions
