"""The laws of every algorithm's steps, with every objective: found by walking the package."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from discovery import (
    BATCH,
    auxiliaries,
    constraints,
    losses,
    penalties,
)
from laws import (
    CASES,
    DISTINCT,
    EVERY,
    SEEDS,
    algorithm_of,
    alike,
    arrays_of,
    assert_close,
    assert_equal,
    first_states,
    keeps_something,
    program_of,
    ran,
    rows_of,
    run,
)

from jaxgan import rng
from jaxgan.program import example_batch
from jaxgan.run.checkpoint import Checkpoints
from jaxgan.training.population import compile_population, member

# What is compiled over devices or members, which takes longest: these between them have lazy
# penalties, several critic updates, batch statistics, dropout, constraints, warm-up and phases.
CORE = {"Gan-critic", "Gan-lazy", "Phases", "Vae-convolutional"}
CORE_MARKS = {n: () if n in CORE else pytest.mark.slow for n in CASES}
DISTINCT_COMPILED = pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=CORE_MARKS[n]) for n in CASES if alike()[n] == n or keeps_something(n)],
)
# Both ways to map are one way to an algorithm, which sees the name of an axis: one case of each
# class of settings tells of the other one.
OF_EACH_CLASS = {type(case.experiment.model): n for n, case in reversed(CASES.items())}.values()
MAPPED = pytest.mark.parametrize(
    ("name", "mode"),
    [pytest.param(n, "pmap", marks=CORE_MARKS[n], id=f"pmap-{n}") for n in CASES]
    + [
        pytest.param(n, "shard_map", marks=pytest.mark.slow, id=f"shard_map-{n}")
        for n in sorted({*OF_EACH_CLASS, *CORE})
    ],
)
# The gradient of a loss that nothing is added to, and after one plain update of each player.
FOLLOWED = [
    pytest.param(name, marks=pytest.mark.slow if case.slow or alike()[name] != name else ())
    for name, case in CASES.items()
    if getattr(case.experiment.model, "n_critic", 1) == 1
    and len(algorithm_of(name).phases) == 1
    and not case.estimated
]


def all_finite(tree):
    # On the host: on the device, every shape would be a compilation.
    return all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(jax.device_get(tree)))


def test_the_known_ones_are_found():
    assert CASES.keys() >= {
        *("Gan-Minimax", "Gan-NonSaturating", "Gan-LeastSquares", "Gan-Wasserstein", "Gan-Hinge"),
        *("Gan-GradientPenalty", "Gan-R1", "Vae-Bernoulli", "Vae-Gaussian"),
    }
    assert penalties().keys() >= {"GradientPenalty", "R1", "R2"}
    assert constraints().keys() >= {"Clip"}
    assert auxiliaries().keys() >= {"AuxiliaryClassifier"}
    assert losses().keys().isdisjoint({"Clip", "R1"})


@EVERY
def test_steps_learn(name):
    """One compilation; the old state's memory is used again; all finite, and something learned."""
    case, (program, traces) = CASES[name], program_of(name)
    found = ran(name)
    visited = sum(phase.start < case.steps for phase in program.phases)
    assert traces == [("float32", None)] * visited
    assert all(phase.resident_steps._cache_size() == 1 for phase in program.phases[:visited])
    for first, (last, metrics, deleted) in zip(first_states(name), found, strict=True):
        assert [int(first.step), int(last.step)] == [0, case.steps]
        assert all(deleted)
        assert len(deleted) >= len(jax.tree.leaves(first))
        assert all_finite((last, metrics))
        for player, old in first.parameters.items():
            new = last.parameters[player]
            moved = jax.tree.map(lambda a, b: bool(np.any(a != b)), old, new)
            assert player in case.quiet or any(jax.tree.leaves(moved)), f"{player} has not moved"
    # Another seed is another run.
    for metric, value in found[0].metrics[-1].items():
        assert metric in case.quiet or value != found[1].metrics[-1][metric], metric


@DISTINCT
def test_several_steps_a_call_are_those_one_by_one(name):
    """Bit for bit, wherever a call ends."""
    case, program, (whole, _) = CASES[name], program_of(name)[0], ran(name)
    for most in {1, 2, case.steps - 1} - {case.steps}:
        cut = run(program, first_states(name)[0], case.experiment, SEEDS[0], case.steps, most)
        assert_equal((cut.state, cut.metrics), (whole.state, whole.metrics))
    assert all(phase.resident_steps._cache_size() <= 1 for phase in program.phases)


@DISTINCT
def test_runs_that_go_on_from_a_checkpoint_are_those_of_one_piece(name, tmp_path):
    """Bit for bit, in the middle of a phase and on its end."""
    case, program, (whole, _) = CASES[name], program_of(name)[0], ran(name)
    ends = {phase.until for phase in program.phases if phase.until < case.steps}
    start, done = first_states(name)[0], 0
    like = jax.eval_shape(program.init, 0, example_batch(case.experiment))
    with Checkpoints(tmp_path) as checkpoints:
        for stop in sorted({case.steps // 2, *ends}):
            start = run(program, start, case.experiment, SEEDS[0], stop - done, stop).state
            checkpoints.save(stop, start, {})
            checkpoints.wait()
            restored = checkpoints.restore(like)
            assert_equal(restored.state, start)
            start, done = restored.state, stop
    rest = run(program, start, case.experiment, SEEDS[0], case.steps - done, case.steps)
    assert_equal((rest.state, rest.metrics), (whole.state, whole.metrics[done:]))


@MAPPED
def test_many_devices_are_one(name, mode):
    """What is drawn, normalized, summed and averaged does not depend on who holds the rows."""
    many, one = ran(name, mode)[0], ran(name)[0]
    assert len(jax.devices()) == BATCH
    assert all(many.deleted)
    assert_close((many.state, many.metrics), (one.state, one.metrics))


@DISTINCT_COMPILED
def test_a_member_of_a_population_is_the_run_of_its_seed(name):
    """Since all is a function of the seed, `jax.vmap` trains several runs at once."""
    case = CASES[name]
    population, done = compile_population(case.experiment), 0
    seeds = np.asarray(SEEDS, np.uint32)
    states = jax.tree.map(lambda *leaves: np.stack(leaves), *first_states(name))
    states = states.replace(step=states.step[0])
    arrays, metrics = jax.device_put(arrays_of(case.experiment)), []
    for phase in population.phases:
        if phase.enter is not None and done == phase.start < case.steps:
            states = phase.enter(states)
        while done < min(phase.until, case.steps):
            states, found = phase.step(states, arrays, seeds)
            metrics.append(jax.device_get(found))
            done += 1
    for i, alone in enumerate(ran(name)):
        assert_close(member(states, i), alone.state)
        own = [{key: values[i] for key, values in step.items()} for step in metrics]
        assert_close(own, alone.metrics)


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=CORE_MARKS[n]) for n in sorted({*OF_EACH_CLASS, *CORE})]
)
def test_initial_states_of_a_population_are_those_of_its_seeds(name):
    experiment = CASES[name].experiment
    states = compile_population(experiment).init(
        np.asarray(SEEDS, np.uint32), example_batch(experiment)
    )
    for i, state in enumerate(first_states(name)):
        assert_close(member(states, i), state)


@DISTINCT
def test_an_image_depends_on_its_own_latent_alone(name):
    """Whatever else is made in the same batch; and it does depend on it, and has a slope."""
    algorithm, state = algorithm_of(name), ran(name)[0].state
    generation, rows = algorithm.generation, 4
    if generation is None:
        pytest.skip("it makes no images from latents")

    def made(state, latents):
        numbers = jax.tree.map(lambda z: z if _is_real(z) else jnp.zeros(()), latents)

        def pixels(numbers):
            given = jax.tree.map(lambda n, z: n if _is_real(z) else z, numbers, latents)
            return generation.pixels(state, given)

        images, pull_back = jax.vjp(pixels, numbers)
        (slopes,) = pull_back(jnp.cos(images))
        return images, [
            slope
            for slope, z in zip(jax.tree.leaves(slopes), jax.tree.leaves(latents), strict=True)
            if _is_real(z)
        ]

    compiled = jax.jit(made)
    ours, others = (generation.prior(rng.base_key(seed), rows) for seed in (1, 2))
    images, slopes = compiled(state, ours)
    for row in range(rows):
        mixed = jax.tree.map(lambda a, b, row=row: b.at[row].set(a[row]), ours, others)
        again, _ = compiled(state, mixed)
        np.testing.assert_allclose(again[row], images[row], atol=1e-6)
        assert np.abs(again - images).max() > 1e-4
    assert all_finite(images)
    if generation.gradients:
        assert all_finite(slopes)
        assert slopes
        assert all(np.abs(slope).max(axis=tuple(range(1, slope.ndim))).all() for slope in slopes)


def _is_real(leaf):
    return jnp.issubdtype(leaf.dtype, jnp.floating)


@DISTINCT
def test_rows_without_a_mask_do_not_count(name):
    """Held-out batches are filled up with whatever; only their true rows are measured."""
    experiment, algorithm, state = CASES[name].experiment, algorithm_of(name), ran(name)[0].state
    key, mask = rng.base_key(4), np.asarray([1, 1, 1, 0, 0], np.float32)
    ours, others = (rows_of(experiment, start, 5) for start in (0, 5))
    mixed = {n: np.concatenate([array[:3], others[n][3:]]) for n, array in ours.items()}
    evaluate = jax.jit(algorithm.evaluate)
    sums, again = (
        jax.device_get(evaluate(state, {**batch, "mask": mask}, key)) for batch in (ours, mixed)
    )
    assert_equal(again, sums)
    # Of packs, those of true rows alone.
    whole = 3 // getattr(experiment.model, "pack", 1)
    assert all(count == whole for _, count in sums.values())
    assert all_finite(sums)


@pytest.mark.parametrize("name", FOLLOWED)
def test_players_follow_their_own_loss_only(name):
    """Each player moves along the gradient of its own loss, and by nothing else.

    A loss has a gradient of exactly zero with respect to the parameters of players that are not to
    minimize it: it may depend on them only through what reaches it as plain numbers.
    """
    experiment, algorithm, state = CASES[name].experiment, algorithm_of(name), first_states(name)[0]
    batch, key = rows_of(experiment, 0, experiment.images_per_step), rng.base_key(2)
    makers = ("generator", *CASES[name].with_generator)
    # Later players judge what earlier ones make: see below.
    players = [*sorted(state.players, key=lambda player: player not in makers)]

    def leader(player):
        return "generator" if player in makers else player

    def losses(params, state):
        given = {name: state.players[name].replace(params=params[name]) for name in players}
        after, metrics = algorithm.phases[0].train_step(state.replace(players=given), batch, key)
        return {name: metrics[f"loss/{leader(name)}"] for name in players}, after.parameters

    params = state.parameters
    jacobian, moved = jax.device_get(jax.jit(jax.jacrev(losses, has_aux=True))(params, state))
    for i, player in enumerate(players):
        rate = optimizer_of(experiment.model, leader(player)).learning_rate
        jax.tree.map(
            lambda old, new, slope, rate=rate: np.testing.assert_allclose(
                new, old - rate * slope, atol=1e-6
            ),
            params[player], moved[player], jacobian[player][player],
        )  # fmt: skip
        assert any(leaf.any() for leaf in jax.tree.leaves(jacobian[player][player]))
        for maker in (other for other in players[:i] if leader(other) != leader(player)):
            for leaf in jax.tree.leaves(jacobian[player][maker]):
                np.testing.assert_array_equal(leaf, np.zeros_like(leaf))


def optimizer_of(model, player):
    return getattr(model, f"{player}_optimizer", None) or model.optimizer


def test_differences_of_a_loss_alone_are_seen():
    first = {name for name, one in alike().items() if name == one}
    assert alike()["Gan-NonSaturating"] == alike()["Gan-Wasserstein"] == alike()["Gan-R1"]
    assert first >= {"Gan-lazy", "Gan-augmented", "Gan-classified", "Gan-critic", "Phases"}
    assert len({*penalties()} & first) == 0
