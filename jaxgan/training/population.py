"""Several seeds of one experiment trained side by side in one compiled program.

Each member is the single run of its seed: same first weights, same order of the data, same draws.
What differs is rounding, because sums over a batch may be taken in another order. Small networks
gain most, since one program keeps a machine busy that one of them leaves idle.

Members may also differ in numbers (`jaxgan.training.varied`): these are arguments of the program,
in float32, for which the algorithm is built anew while it is traced. In float32 a share such as
``1 - 0.999`` is off by 5e-5 of itself; where all members have the same number, nothing is.

    population = compile_population(experiment)
    seeds = np.arange(8, dtype=np.uint32)
    states = population.init(seeds, example_batch(experiment))
    for _ in range(experiment.steps):
        states, metrics = population.step(states, arrays, seeds)

With rates of their own:

    population = compile_population(experiment, ("model.optimizer.learning_rate",))
    values = {"model.optimizer.learning_rate": np.geomspace(1e-4, 1e-2, 8, dtype=np.float32)}
    states = population.init(seeds, example_batch(experiment), values)
    states, metrics = population.step(states, arrays, seeds, values)

These are functions; `jaxgan.training.members` trains populations whose members are runs.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from jaxgan import rng
from jaxgan.algorithms.base import Algorithm, Phase, build
from jaxgan.algorithms.state import State
from jaxgan.config import EarlyStopping, Evaluation, Experiment, config_errors
from jaxgan.data.pipeline import resident_batch
from jaxgan.training import varied
from jaxgan.typing import Batch, Metrics


class Steps(NamedTuple):
    """The compiled train step of one phase, over all members.

    Attributes:
        start: steps done before its first.
        until: steps done when it ends.
        enter: ``(states, values)``, from the states before its first step to those that it starts
            from; None: the same.
        step: ``(states, arrays, seeds, values)`` to the states after one more step, and metrics
            ``(members,)`` each; the states given are used up. ``arrays`` is the training split, as
            `jaxgan.data.pipeline.arrays` returns it, and is shared by all members. ``values`` are
            the numbers that vary, float32 ``(members,)`` by path; without any it may be left out.
        guarded: ``(states, arrays, seeds, values, died)`` to such states, metrics and ``died``:
            int32 ``(members,)``, the step whose metrics were not finite, 0 for members that live.
            Who has died stays as before that step.
    """

    start: int
    until: int
    enter: Callable[..., State] | None
    step: Callable[..., tuple[State, dict[str, Array]]]
    guarded: Callable[..., tuple[State, dict[str, Array], Array]]


class Population(NamedTuple):
    """Compiled functions over several seeds at once, on one device.

    Attributes:
        init: ``(seeds, example_batch, values)`` to states; seeds are uint32 ``(members,)``, and
            every array of the states but ``step``, which all share, gets a leading axis of that
            length. ``values`` as in `Steps`.
        phases: the train steps, in their order; most algorithms have one.
    """

    init: Callable[..., State]
    phases: tuple[Steps, ...]

    def step(
        self, states: State, arrays: Any, seeds: Any, values: Mapping[str, Any] | None = None
    ) -> tuple[State, dict[str, Array]]:
        """One more step of an algorithm with a single phase; see `Steps`."""
        (only,) = self.phases
        return only.step(states, arrays, seeds, values or {})

    def phase(self, step: int) -> Steps:
        """The phase whose steps come after ``step`` others (the last one after the end)."""
        return next((one for one in self.phases if step < one.until), self.phases[-1])


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


def compile_population(experiment: Experiment, varies: tuple[str, ...] = ()) -> Population:
    """The population of an experiment, whose own seed is not used; made once.

    Args:
        experiment: of all members, but for seeds and what varies.
        varies: paths of the numbers that differ between members (`jaxgan.training.varied.check`
            says which may). Members' values are checked where their experiments are made
            (`jaxgan.training.varied.replaced`), not here.

    Raises:
        ConfigError: parts of the model do not go together.
    """
    compiled = dataclasses.replace(
        experiment, seed=0, name="any", evaluation=Evaluation(), early_stopping=EarlyStopping(),
        init_from="",
    )  # fmt: skip
    return _compile(compiled, varies)


@functools.lru_cache(maxsize=16)
def _compile(experiment: Experiment, varies: tuple[str, ...]) -> Population:
    with config_errors():
        algorithm = build(experiment)
    rows = experiment.images_per_step

    def built(values: Mapping[str, Any]) -> Algorithm:
        return build(varied.traced(experiment, values)) if varies else algorithm

    def init(seed: Any, values: Mapping[str, Any], batch: Batch) -> State:
        return built(values).init(rng.role_key(rng.base_key(seed), "init"), batch)

    def states(seeds: Any, batch: Batch, values: Mapping[str, Any] | None = None) -> State:
        every = jax.vmap(init, in_axes=(0, 0, None))(seeds, values or {}, batch)
        return every.replace(step=every.step[0])

    def steps(index: int, phase: Phase, start: int) -> Steps:
        def step(
            state: State, arrays: Any, seed: Any, values: Mapping[str, Any]
        ) -> tuple[State, Metrics]:
            batch = resident_batch(
                arrays, step=state.step, seed=seed, batch_size_global=rows, local_count=rows
            )
            key = rng.step_key(rng.base_key(seed), state.step)
            return built(values).phases[index].train_step(state, batch, key)

        def entered(state: State, values: Mapping[str, Any]) -> tuple[State, None]:
            into = built(values).phases[index].enter
            assert into is not None
            return into(state), None

        over = _over_members(step, None, 0, 0)

        def stepped(
            states: State, arrays: Any, seeds: Any, values: Mapping[str, Any] | None = None
        ) -> tuple[State, dict[str, Array]]:
            return over(states, arrays, seeds, values or {})

        def guarded(
            states: State, arrays: Any, seeds: Any, values: Mapping[str, Any], died: Array
        ) -> tuple[State, dict[str, Array], Array]:
            new, metrics = over(states, arrays, seeds, values)
            finite = jnp.stack([jnp.isfinite(one) for one in metrics.values()]).all(axis=0)
            died = jnp.where((died == 0) & ~finite, new.step, died)

            def kept(old: Array, fresh: Array) -> Array:
                dead = (died > 0).reshape(-1, *[1] * (fresh.ndim - 1))
                return jnp.where(dead, old, fresh)

            own = jax.tree.map(kept, states.replace(step=()), new.replace(step=()))
            return own.replace(step=new.step), metrics, died

        enter = None
        if phase.enter is not None:
            into = _over_members(entered, 0)
            enter = jax.jit(lambda states, values=None: into(states, values or {})[0])
        return Steps(
            start,
            phase.until,
            enter,
            jax.jit(stepped, donate_argnums=0),
            jax.jit(guarded, donate_argnums=0),
        )

    starts = (0, *(phase.until for phase in algorithm.phases))
    return Population(
        init=jax.jit(states),
        phases=tuple(map(steps, range(len(algorithm.phases)), algorithm.phases, starts)),
    )


def member(states: State, index: int) -> State:
    """The state of one member, as the run of its seed alone would have it; NumPy arrays."""
    own = jax.tree.map(lambda leaf: np.asarray(leaf[index]), states.replace(step=()))
    return own.replace(step=np.asarray(states.step))
