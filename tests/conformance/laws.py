"""Runs of the cases that the laws are about; what is compiled is made once and shared."""

import dataclasses
import functools
import operator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from discovery import Counted, cases, without_objective

from jaxgan.algorithms.base import Algorithm, build
from jaxgan.objectives.gan.losses import StatefulLoss
from jaxgan.program import Program, compile_program, example_batch

CASES = cases()
SEEDS = (3, 11)
COUNT = 40


@functools.cache
def alike() -> dict[str, str]:
    """From each case to the first one of those that differ in a loss or a penalty alone."""
    first: dict[Any, str] = {}
    return {
        name: first.setdefault(without_objective(case.experiment), name)
        for name, case in CASES.items()
    }


# What differs from another case in a loss or penalty alone is left to CI: those have tests of their
# own, and what a step does with them is the same.
EVERY = pytest.mark.parametrize(
    "name",
    [
        pytest.param(n, marks=pytest.mark.slow if alike()[n] != n or case.slow else ())
        for n, case in CASES.items()
    ],
)


def keeps_something(name: str) -> bool:
    """Whether a case's loss or one of its penalties has a place of its own in the state."""
    model = CASES[name].experiment.model
    if isinstance(getattr(model, "loss", None), StatefulLoss):
        return True
    penalties = (*getattr(model, "penalties", ()), *getattr(model, "generator_penalties", ()))
    return any(jax.tree.leaves(getattr(one, "init", tuple)()) for one in penalties)


# What has no say in where a run's state is kept, cut and stacked: another loss or penalty without a
# state of its own. Those laws hold for it because they hold for the case that it is like.
DISTINCT = pytest.mark.parametrize(
    "name",
    [
        pytest.param(n, marks=pytest.mark.slow if alike()[n] != n or case.slow else ())
        for n, case in CASES.items()
        if alike()[n] == n or keeps_something(n)
    ],
)


def arrays_of(experiment) -> dict[str, np.ndarray]:
    """A small data set with every field of the experiment's, every example of it different."""
    draws = np.random.default_rng(5)
    found = {}
    for name, (shape, dtype) in experiment.data.specs.items():
        if dtype == "uint8":
            found[name] = draws.integers(0, 256, (COUNT, *shape), np.uint8)
        elif dtype == "float32":
            found[name] = draws.normal(size=(COUNT, *shape)).astype(np.float32)
        else:
            classes = max(experiment.data.classes, 1)
            found[name] = draws.integers(0, classes, (COUNT, *shape)).astype(dtype)
    return found


def rows_of(experiment, start: int, count: int) -> dict[str, np.ndarray]:
    """Some examples of `arrays_of`."""
    return {name: array[start : start + count] for name, array in arrays_of(experiment).items()}


def structure(tree: Any) -> Any:
    """Shapes, types and weak types: all that decides whether a step has to be compiled anew."""
    return jax.tree.map(
        lambda leaf: (leaf.shape, leaf.dtype.name, getattr(leaf, "weak_type", False)), tree
    )


def assert_equal(got: Any, expected: Any) -> None:
    """Bit for bit."""

    def check(path, got, expected):
        np.testing.assert_array_equal(got, expected, err_msg=jax.tree_util.keystr(path))

    jax.tree_util.tree_map_with_path(check, *jax.device_get((got, expected)))


def assert_close(got: Any, expected: Any) -> None:
    """Up to the rounding of sums in another order."""

    def check(path, got, expected):
        name = jax.tree_util.keystr(path)
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=2e-6, err_msg=name)

    jax.tree_util.tree_map_with_path(check, *jax.device_get((got, expected)))


@functools.cache
def algorithm_of(name: str) -> Algorithm:
    """The functions of a case, not compiled."""
    return build(CASES[name].experiment)


@functools.cache
def program_of(name: str) -> tuple[Program, list]:
    """The program of a case on one device, and what its train steps were traced with."""
    return _program(name, "none")


def _program(name: str, mode: Any) -> tuple[Program, list]:
    counted = Counted(CASES[name].experiment.model)
    experiment = dataclasses.replace(CASES[name].experiment, model=counted)
    return compile_program(experiment, mode), counted.traces


@functools.cache
def first_states(name: str) -> list[Any]:
    """Initial states of all seeds, as NumPy arrays, from one compilation."""
    init, blank = program_of(name)[0].init, example_batch(CASES[name].experiment)
    if alike()[name] != name:
        # The objective has no part in it, unless it has a place of its own in the state.
        states = first_states(alike()[name])
        shapes = (
            jax.tree.map(jnp.shape, tree) for tree in (states[0], jax.eval_shape(init, 0, blank))
        )
        if operator.eq(*shapes):
            return states
    states = [jax.device_get(init(seed, blank)) for seed in SEEDS]
    assert init._cache_size() == 1
    return states


class Ran(NamedTuple):
    """What some steps left behind: NumPy arrays.

    Attributes:
        state: after the last step.
        metrics: of each step.
        deleted: whether each array of each state that was given has been used up.
    """

    state: Any
    metrics: list[dict[str, np.ndarray]]
    deleted: list[bool]


def run(program: Program, state: Any, experiment, seed: int, steps: int, most: int) -> Ran:
    """Steps through what the training loop runs, ``most`` a call, from where the state is."""
    replicate = program.plan.replicate
    arrays, state = replicate(arrays_of(experiment)), replicate(state)
    number = replicate(np.asarray(seed, np.uint32))
    done, metrics, deleted = int(state.step), [], []
    end = done + steps
    while done < end:
        phase = program.phase(done)
        if phase.enter is not None and done == phase.start:
            state = phase.enter(state)
        count = min(most, end - done, phase.until - done)
        before = state
        state, found = phase.resident_steps(
            state, arrays, number, replicate(np.asarray(count, np.int32))
        )
        deleted += [leaf.is_deleted() for leaf in jax.tree.leaves(before)]
        found = jax.device_get(found)
        for name, values in found.items():
            # Nothing is written behind what was asked for.
            assert values.ndim == 1
            assert len(values) > count
            assert not values[count:].any(), name
        metrics += [{name: values[i] for name, values in found.items()} for i in range(count)]
        done += count
    return Ran(jax.tree.map(np.asarray, jax.device_get(_one(state))), metrics, deleted)


def _one(state: Any) -> Any:
    return jax.tree.map(lambda leaf: leaf.addressable_data(0), state)


@functools.cache
def ran(name: str, mode: str = "none") -> list[Ran]:
    """A case's steps in as few calls as can be, with each seed."""
    program = program_of(name)[0] if mode == "none" else _program(name, mode)[0]
    case = CASES[name]
    # Rounding aside, seeds say the same on several devices: one of them is enough.
    seeds = SEEDS if mode == "none" else SEEDS[:1]
    return [
        run(program, state, case.experiment, seed, case.steps, case.steps)
        for seed, state in zip(seeds, first_states(name), strict=False)
    ]
