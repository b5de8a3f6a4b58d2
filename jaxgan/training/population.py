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
from jaxgan.algorithms.base import State
from jaxgan.config import EarlyStopping, Evaluation, Experiment, config_errors
from jaxgan.data.pipeline import resident_batch
from jaxgan.typing import Batch, Metrics


class Population(NamedTuple):
    """Compiled functions over several seeds at once, on one device.

    Attributes:
        init: ``(seeds, example_batch)`` to states; seeds are uint32 ``(members,)``, and every array
            of the states gets a leading axis of that length.
        step: ``(states, arrays, seeds)`` to the states after one more step, and metrics
            ``(members,)`` each; the states given are used up. ``arrays`` is the training split, as
            `jaxgan.data.pipeline.arrays` returns it, and is shared by all members.
    """

    init: Callable[[Any, Batch], State]
    step: Callable[[State, Any, Any], tuple[State, dict[str, Array]]]


def compile_population(experiment: Experiment) -> Population:
    """The population of an experiment, whose own seed is not used; made once.

    Raises:
        ConfigError: parts of the model do not go together.
    """
    compiled = dataclasses.replace(
        experiment, seed=0, name="", evaluation=Evaluation(), early_stopping=EarlyStopping()
    )
    return _compile(compiled)


@functools.lru_cache(maxsize=16)
def _compile(experiment: Experiment) -> Population:
    with config_errors():
        algorithm = experiment.model.build(experiment)
    rows = experiment.images_per_step

    def init(seed: Any, batch: Batch) -> State:
        return algorithm.init(rng.role_key(rng.base_key(seed), "init"), batch)

    def step(state: State, arrays: Any, seed: Any) -> tuple[State, Metrics]:
        batch = resident_batch(
            arrays, step=state.step, seed=seed, batch_size_global=rows, local_count=rows
        )
        return algorithm.train_step(state, batch, rng.step_key(rng.base_key(seed), state.step))

    return Population(
        init=jax.jit(jax.vmap(init, in_axes=(0, None))),
        step=jax.jit(jax.vmap(step, in_axes=(0, None, 0)), donate_argnums=0),
    )


def member(states: State, index: int) -> State:
    """The state of one member, as the run of its seed alone would have it; NumPy arrays."""
    return jax.tree.map(lambda leaf: np.asarray(leaf[index]), states)
