"""What every algorithm promises, with every objective: found by walking the package."""

import dataclasses
import functools
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from discovery import BATCH, LATENT_SIZE, Counted, objectives_of_algorithms, variants

from jaxgan import rng
from jaxgan.algorithms.base import Algorithm, Player
from jaxgan.program import Program, compile_program, example_batch

OBJECTIVES = objectives_of_algorithms()
CASES = OBJECTIVES | variants()
EVERY = pytest.mark.parametrize("name", CASES)
SEEDS = (3, 11)
COUNT = 40


def arrays_of(experiment):
    """A small data set of the right shape and type, every example of it different."""
    shape, draws = (COUNT, *experiment.data.image_shape), np.random.default_rng(5)
    if experiment.data.dtype == "uint8":
        images = draws.integers(0, 256, shape, np.uint8)
    else:
        images = draws.normal(size=shape).astype(np.float32)
    return {"image": jnp.asarray(images), "label": jnp.zeros(COUNT, jnp.int32)}


def batch_of(experiment):
    return {"image": arrays_of(experiment)["image"][: experiment.images_per_step]}


def structure(tree):
    return jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype), tree)


def all_finite(tree):
    # On the host: on the device, every shape would be a compilation.
    return all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(jax.device_get(tree)))


def networks_of(experiment):
    model = experiment.model
    values = [getattr(model, field.name) for field in dataclasses.fields(model)]
    return type(model), [value for value in values if isinstance(value, nn.Module)]


def representative(name):
    """The first case with the same algorithm and networks: its initial state is that of all."""
    return next(n for n, e in CASES.items() if networks_of(e) == networks_of(CASES[name]))


@functools.cache
def program_of(name):
    return compile_program(CASES[name], "none")


@functools.cache
def first_states(name):
    """Initial states of all seeds, as NumPy arrays, from one compilation."""
    init, blank = program_of(representative(name)).init, example_batch(CASES[name])
    states = [jax.device_get(init(seed, blank)) for seed in SEEDS]
    assert init._cache_size() == 1
    return states


class Trained(NamedTuple):
    """What three steps with each of two seeds left behind; lists have one entry a seed."""

    program: Program
    traces: tuple[tuple[str, str | None], ...]
    deleted: list[bool]
    states: list[Any]
    metrics: list[list[Any]]


@functools.cache
def trained(name, mode="none"):
    """Three steps with each seed, through what the training loop runs."""
    counted = Counted(CASES[name].model)
    program = compile_program(dataclasses.replace(CASES[name], model=counted), mode)
    result = Trained(program, (), [], [], [])
    arrays = program.plan.replicate(arrays_of(CASES[name]))
    for seed, state in zip(SEEDS, first_states(name), strict=True):
        state = program.plan.replicate(state)
        seed = program.plan.replicate(np.asarray(seed, np.uint32))
        reported = []
        for _ in range(3):
            before = state
            state, metrics = program.resident_step(state, arrays, seed)
            result.deleted.extend(leaf.is_deleted() for leaf in jax.tree.leaves(before))
            reported.append(metrics)
        result.states.append(state)
        result.metrics.append(reported)
    return result._replace(traces=tuple(counted.traces))


def test_the_known_ones_are_found():
    assert OBJECTIVES.keys() >= {
        *("Gan-Minimax", "Gan-NonSaturating", "Gan-LeastSquares", "Gan-Wasserstein", "Gan-Hinge"),
        *("Gan-GradientPenalty", "Vae-Bernoulli", "Vae-Gaussian"),
    }


@EVERY
def test_shapes_without_running(name):
    """Everything of the contract works under `jax.eval_shape`; a step changes no shape or type."""
    experiment = CASES[name]
    algorithm: Algorithm = experiment.model.build(experiment)
    key, batch, shape = jax.random.key(0), batch_of(experiment), experiment.data.image_shape
    state = jax.eval_shape(algorithm.init, key, batch)
    after, metrics = jax.eval_shape(algorithm.train_step, state, batch, key)
    assert jax.tree.structure(after) == jax.tree.structure(state)
    assert structure(after) == structure(state)
    assert structure(state.step) == ((), jnp.int32)
    assert {(leaf.shape, leaf.dtype.name) for leaf in metrics.values()} == {((), "float32")}

    made = structure(jax.ShapeDtypeStruct((5, *shape), experiment.data.dtype))
    latents = jax.eval_shape(lambda k: algorithm.prior(k, 5), key)
    assert structure(latents) == ((5, LATENT_SIZE), jnp.float32)
    assert structure(jax.eval_shape(lambda s, k: algorithm.sample(s, k, 5), state, key)) == made
    assert structure(jax.eval_shape(algorithm.generate, state, latents)) == made
    five = {"image": batch["image"][:5], "mask": jnp.ones(5)}
    if algorithm.reconstruct is not None:
        assert structure(jax.eval_shape(algorithm.reconstruct, state, five)) == made
    if algorithm.posterior is not None:
        codes = jax.eval_shape(algorithm.posterior, state, five)
        assert structure(codes) == (((5, LATENT_SIZE), jnp.float32),) * 2
    if algorithm.log_likelihood is not None:
        values = jax.eval_shape(algorithm.log_likelihood, state, five, latents)
        assert structure(values) == ((5,), jnp.float32)
    sums = jax.eval_shape(algorithm.evaluate, state, five, key)
    assert {(leaf.shape, leaf.dtype.name) for pair in sums.values() for leaf in pair} <= {
        ((), "float32")
    }
    for params in algorithm.parameters(state).values():
        assert jax.tree.leaves(params)


@EVERY
def test_three_steps_with_two_seeds(name):
    """One compilation; the old state's memory is used again; all finite, and something learned."""
    run = trained(name)
    assert run.traces == (("float32", None),)
    assert run.program.resident_step._cache_size() == 1
    assert all(run.deleted)
    for first, last, metrics in zip(first_states(name), run.states, run.metrics, strict=True):
        assert [int(first.step), int(last.step)] == [0, 3]
        assert structure(first) == structure(last)
        assert all_finite((last, metrics))
        old, new = map(run.program.algorithm.parameters, (first, jax.device_get(last)))
        for network in old:
            moved = jax.tree.map(lambda a, b: bool(np.any(a != b)), old[network], new[network])
            assert any(jax.tree.leaves(moved)), f"{network} has not moved"
    # Another seed is another run.
    for metric, value in run.metrics[0][0].items():
        assert float(value) != float(run.metrics[1][0][metric]), metric


def assert_close(got, expected):
    """Up to the rounding of sums in another order."""

    def check(path, got, expected):
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=2e-6, err_msg=str(path))

    jax.tree_util.tree_map_with_path(check, *jax.device_get((got, expected)))


@EVERY
def test_steps_mapped_over_seeds_are_those_one_by_one(name):
    """Since all is a function of the seed, `jax.vmap` trains several runs at once."""
    program = trained(name).program
    arrays, seeds = arrays_of(CASES[name]), np.asarray(SEEDS, np.uint32)
    states = jax.tree.map(lambda *leaves: np.stack(leaves), *first_states(name))
    mapped = jax.jit(jax.vmap(lambda state, seed: program.resident_step(state, arrays, seed)))
    together = jax.device_get(mapped(states, seeds))
    for i, state in enumerate(first_states(name)):
        # What was compiled for three steps serves here as well.
        alone = program.resident_step(*program.plan.replicate((state, arrays, seeds[i])))
        assert_close(jax.tree.map(lambda leaf, i=i: leaf[i], together), alone)
    assert program.resident_step._cache_size() == 1


@pytest.mark.parametrize("name", sorted({representative(name) for name in OBJECTIVES}))
def test_initial_states_mapped_over_seeds_are_those_one_by_one(name):
    program, blank = program_of(name), example_batch(CASES[name])
    mapped = jax.jit(jax.vmap(lambda seed: program.init(seed, blank)))
    together = jax.device_get(mapped(np.asarray(SEEDS, np.uint32)))
    for i, state in enumerate(first_states(name)):
        assert_close(jax.tree.map(lambda leaf, i=i: leaf[i], together), state)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_players_follow_their_own_loss_only(name):
    """Each player moves along the gradient of its own loss, and by nothing else.

    A loss has a gradient of exactly zero with respect to the parameters of players that are not to
    minimize it: it may depend on them only through what reaches it as plain numbers.
    """
    experiment = OBJECTIVES[name]
    algorithm = experiment.model.build(experiment)
    batch, key = batch_of(experiment), rng.base_key(2)
    state = first_states(name)[0]
    players = [field.name for field in dataclasses.fields(state) if has_player(state, field.name)]

    def losses(params, state):
        with_params = {name: getattr(state, name).replace(params=params[name]) for name in players}
        after, metrics = algorithm.train_step(state.replace(**with_params), batch, key)
        moved = {name: getattr(after, name).params for name in players}
        return {name: metrics[f"loss/{name}"] for name in players}, moved

    params = {name: getattr(state, name).params for name in players}
    jacobian, moved = jax.device_get(jax.jit(jax.jacrev(losses, has_aux=True))(params, state))
    for i, player in enumerate(players):
        rate = optimizer_of(experiment.model, player).learning_rate
        jax.tree.map(
            lambda old, new, slope, rate=rate: np.testing.assert_allclose(
                new, old - rate * slope, atol=1e-6
            ),
            params[player], moved[player], jacobian[player][player],
        )  # fmt: skip
        assert any(leaf.any() for leaf in jax.tree.leaves(jacobian[player][player]))
        # Players are in the order of their fields: an earlier one makes what a later one judges.
        for maker in players[:i]:
            for leaf in jax.tree.leaves(jacobian[player][maker]):
                np.testing.assert_array_equal(leaf, np.zeros_like(leaf))


def has_player(state, name):
    return isinstance(getattr(state, name), Player)


def optimizer_of(model, player):
    return getattr(model, f"{player}_optimizer", None) or model.optimizer


@pytest.mark.parametrize("mode", ["pmap", "shard_map"])
def test_penalties_are_those_of_one_device(mode):
    """What lies between real and generated images does not depend on who holds them."""
    name = "Gan-GradientPenalty"
    many, one = trained(name, mode), trained(name)
    assert many.program.plan.devices == BATCH
    for i in range(len(SEEDS)):
        assert_close(jax.tree.map(np.asarray, (many.states[i], many.metrics[i])),
                     (one.states[i], one.metrics[i]))  # fmt: skip


@pytest.mark.parametrize("mode", ["pmap", "shard_map"])
def test_compiled_once_on_several_devices(mode):
    run = trained("Gan-NonSaturating", mode)
    assert run.traces == (("float32", "devices"),)
    assert run.program.plan.devices == BATCH
    assert all(int(state.step) == 3 for state in run.states)
    assert all(run.deleted)
    assert all_finite((run.states, run.metrics))
