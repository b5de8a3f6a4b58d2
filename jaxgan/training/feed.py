"""Feeds a compiled step: from a data set that lies on the device, or from a stream."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Array

from jaxgan.algorithms.state import State
from jaxgan.config import Experiment, Run
from jaxgan.data import splits
from jaxgan.data.pipeline import is_resident
from jaxgan.data.prefetch import Prefetch
from jaxgan.data.stream import stream
from jaxgan.program import STEPS_IN_A_CALL, Program
from jaxgan.training.periods import periods_of

STEPS_PER_CALL = {"cpu": 5}
"""Steps in one call, at most, by platform: what a call costs is as much as a small network does."""
STEPS_PER_CALL_ON_ACCELERATORS = 16
"""The same where there is no entry. CPUs have less, since a signal waits for the end of a call."""


class Feed(NamedTuple):
    """Steps that bring their own data.

    Attributes:
        step: from a state and the number of steps it has behind it to the next state, the metrics,
            and how many steps they are of: the first so many of each. The state given is used up.
        position: what a checkpoint must hold for the next batch to be the right one; JSON data.
        close: ends threads and processes.
    """

    step: Callable[[State, int], tuple[State, dict[str, Array], int]]
    position: Callable[[], Any]
    close: Callable[[], None]


def most_steps_per_call(run: Run, platform: str) -> int:
    """What the run asks for, else what is good on the platform."""
    wanted = run.steps_per_dispatch or STEPS_PER_CALL.get(platform, STEPS_PER_CALL_ON_ACCELERATORS)
    return min(wanted, STEPS_IN_A_CALL)


def steps_per_call(done: int, *, most: int, periods: Iterable[int], ends: Iterable[int]) -> int:
    """How many steps to do in the next call, such that whatever is due comes after a call.

    Args:
        done: steps behind.
        most: steps of a call at most.
        periods: of logs, pictures, evaluations, checkpoints; 0 stands for never.
        ends: of phases, and of the training; those that have passed do not count.
    """
    due = [period - done % period for period in periods if period]
    return min(most, *due, *(end - done for end in ends if end > done))


def open_feed(experiment: Experiment, run: Run, program: Program, position: Any = None) -> Feed:
    """The feed of an experiment's training split.

    Data on the device is used for several steps a call (`steps_per_call`). How many is nothing to
    the numbers: all of them are the same compiled step. A stream does one step a call, while the
    next batches are on their way to the device.

    Args:
        experiment: its data, batch size and seed apply.
        run: how many steps to do in a call, and what is due between calls.
        program: compiled from the experiment.
        position: of a checkpoint, to go on from; None at the start.
    """
    data, plan = experiment.data, program.plan
    split = splits.open_data(data).train
    seed = plan.replicate(np.asarray(experiment.seed, np.uint32))
    if is_resident(data, split):
        arrays = plan.replicate(splits.in_memory(data, "train"))
        most = most_steps_per_call(run, plan.platform)
        periods = periods_of(experiment, run)
        ends = [phase.until for phase in program.phases]
        on_devices = functools.cache(lambda count: plan.replicate(np.asarray(count, np.int32)))

        def resident(state: State, done: int) -> tuple[State, dict[str, Array], int]:
            count = steps_per_call(done, most=most, periods=periods, ends=ends)
            steps = program.phase(done).resident_steps
            return *steps(state, arrays, seed, on_devices(count)), count

        # The step counter in the state is all the position there is.
        return Feed(resident, lambda: None, _nothing)

    source = stream(
        split,
        seed=experiment.seed,
        batch_size_global=experiment.images_per_step,
        data=data,
        process_index=jax.process_index(),
        process_count=jax.process_count(),
    )
    if position is not None:
        source.set_state(position)
    batches = Prefetch(source, plan.shard)

    def streaming(state: State, done: int) -> tuple[State, dict[str, Array], int]:
        return *program.phase(done).streaming_step(state, next(batches), seed), 1

    return Feed(streaming, batches.get_state, source.close)


def _nothing() -> None:
    pass
