"""Several seeds of one experiment trained side by side in one compiled program.

Each member is the single run of its seed: same first weights, same order of the data, same draws.
What differs is rounding, because sums over a batch may be taken in another order. Small networks
gain most, since one program keeps a machine busy that one of them leaves idle.

    population = compile_population(experiment)
    seeds = np.arange(8, dtype=np.uint32)
    states = population.init(seeds, example_batch(experiment))
    for _ in range(experiment.steps):
        states, metrics = population.step(states, arrays, seeds)
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Array

from jaxgan import rng
from jaxgan.algorithms.base import Phase, build
from jaxgan.algorithms.state import State
from jaxgan.config import EarlyStopping, Evaluation, Experiment, config_errors
from jaxgan.data.pipeline import resident_batch
from jaxgan.typing import Batch, Metrics


class Steps(NamedTuple):
    """The compiled train step of one phase, over all members.

    Attributes:
        start: steps done before its first.
        until: steps done when it ends.
        enter: from the states before its first step to those that it starts from; None: the same.
        step: ``(states, arrays, seeds)`` to the states after one more step, and metrics
            ``(members,)`` each; the states given are used up. ``arrays`` is the training split, as
            `jaxgan.data.pipeline.arrays` returns it, and is shared by all members.
    """

    start: int
    until: int
    enter: Callable[[State], State] | None
    step: Callable[[State, Any, Any], tuple[State, dict[str, Array]]]


class Population(NamedTuple):
    """Compiled functions over several seeds at once, on one device.

    Attributes:
        init: ``(seeds, example_batch)`` to states; seeds are uint32 ``(members,)``, and every array
            of the states but ``step``, which all share, gets a leading axis of that length.
        phases: the train steps, in their order; most algorithms have one.
    """

    init: Callable[[Any, Batch], State]
    phases: tuple[Steps, ...]

    def step(self, states: State, arrays: Any, seeds: Any) -> tuple[State, dict[str, Array]]:
        """One more step of an algorithm with a single phase; see `Steps`."""
        (only,) = self.phases
        return only.step(states, arrays, seeds)


def _over_members(function: Callable[..., tuple[State, Any]], *axes: int | None) -> Any:
    """A function of a state and more over members, all at the same step.

    The step is one number, so that what depends on it (a lazy penalty, say) is decided once for all
    instead of being done for all and thrown away.

    Args:
        function: from a state and other arguments to the next state and more.
        axes: of the members in the other arguments.
    """

    def apart(step: Any, rest: Any, *others: Any) -> tuple[Any, Any, Any]:
        state, more = function(State(step, *rest), *others)
        return state.step, (state.players, state.ema, state.extras), more

    mapped = jax.vmap(apart, in_axes=(None, 0, *axes), out_axes=(None, 0, 0))

    def over(states: State, *others: Any) -> tuple[State, Any]:
        rest = (states.players, states.ema, states.extras)
        step, rest, more = mapped(states.step, rest, *others)
        return State(step, *rest), more

    return over


def compile_population(experiment: Experiment) -> Population:
    """The population of an experiment, whose own seed is not used; made once.

    Raises:
        ConfigError: parts of the model do not go together.
    """
    compiled = dataclasses.replace(
        experiment, seed=0, name="any", evaluation=Evaluation(), early_stopping=EarlyStopping(),
        init_from="",
    )  # fmt: skip
    return _compile(compiled)


@functools.lru_cache(maxsize=16)
def _compile(experiment: Experiment) -> Population:
    with config_errors():
        algorithm = build(experiment)
    rows = experiment.images_per_step

    def init(seed: Any, batch: Batch) -> State:
        return algorithm.init(rng.role_key(rng.base_key(seed), "init"), batch)

    def states(seeds: Any, batch: Batch) -> State:
        every = jax.vmap(init, in_axes=(0, None))(seeds, batch)
        return every.replace(step=every.step[0])

    def steps(phase: Phase, start: int) -> Steps:
        def step(state: State, arrays: Any, seed: Any) -> tuple[State, Metrics]:
            batch = resident_batch(
                arrays, step=state.step, seed=seed, batch_size_global=rows, local_count=rows
            )
            return phase.train_step(state, batch, rng.step_key(rng.base_key(seed), state.step))

        def entered(state: State) -> tuple[State, None]:
            assert phase.enter is not None
            return phase.enter(state), None

        enter = None
        if phase.enter is not None:
            over = _over_members(entered)
            enter = jax.jit(lambda states: over(states)[0])
        return Steps(
            start, phase.until, enter, jax.jit(_over_members(step, None, 0), donate_argnums=0)
        )

    starts = (0, *(phase.until for phase in algorithm.phases))
    return Population(
        init=jax.jit(states),
        phases=tuple(map(steps, algorithm.phases, starts)),
    )


def member(states: State, index: int) -> State:
    """The state of one member, as the run of its seed alone would have it; NumPy arrays."""
    own = jax.tree.map(lambda leaf: np.asarray(leaf[index]), states.replace(step=()))
    return own.replace(step=np.asarray(states.step))
