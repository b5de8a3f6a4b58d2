"""Feeds a compiled step: from a data set that lies on the device, or from a stream."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Array

from jaxgan.algorithms.base import State
from jaxgan.config import Experiment, Run
from jaxgan.data import splits
from jaxgan.data.pipeline import is_resident
from jaxgan.data.prefetch import Prefetch
from jaxgan.data.stream import stream
from jaxgan.program import Program

TOGETHER = {"cpu": 5}
"""Steps in one call, at most, by platform: what a call costs is as much as a small network does."""
TOGETHER_ON_ACCELERATORS = 16
"""The same where there is no entry. CPUs have less, since a signal waits for the end of a call."""


class Feed(NamedTuple):
    """Steps that bring their own data.

    Attributes:
        step: from a state and the number of steps it has behind it to the next state, the metrics,
            and how many steps they are of; the state given is used up.
        position: what a checkpoint must hold for the next batch to be the right one; JSON data.
        close: ends threads and processes.
    """

    step: Callable[[State, int], tuple[State, dict[str, Array], int]]
    position: Callable[[], Any]
    close: Callable[[], None]


def together(experiment: Experiment, run: Run, platform: str) -> int:
    """How many steps to do in one call, such that whatever is due comes after a call.

    Returns:
        The largest number, up to the one wanted, that divides the periods of logs, pictures,
        evaluations and checkpoints alike.
    """
    wanted = run.steps_per_dispatch or TOGETHER.get(platform, TOGETHER_ON_ACCELERATORS)
    # 0 stands for never, and every number divides it.
    common = math.gcd(
        run.log_every, run.images_every, run.checkpoint_every, experiment.evaluation.every
    )
    return max(count for count in range(1, min(wanted, common) + 1) if common % count == 0)


def open_feed(experiment: Experiment, run: Run, program: Program, position: Any = None) -> Feed:
    """The feed of an experiment's training split.

    Data on the device is used for several steps a call (`together`): from a multiple of that number
    to the next. Steps before the first multiple, after a checkpoint from between two, and behind
    the last one are done one by one. A stream does one step a call, while the next batches are on
    their way to the device.

    Args:
        experiment: its data, batch size and seed apply.
        run: how many steps to do in a call.
        program: compiled from the experiment.
        position: of a checkpoint, to go on from; None at the start.
    """
    data, plan = experiment.data, program.plan
    split = splits.open_data(data).train
    seed = plan.replicate(np.asarray(experiment.seed, np.uint32))
    if is_resident(data, split):
        arrays = plan.replicate(splits.in_memory(data, "train"))
        chunk = together(experiment, run, plan.platform)

        def resident(state: State, done: int) -> tuple[State, dict[str, Array], int]:
            if chunk > 1 and done % chunk == 0 and done + chunk <= experiment.steps:
                return *program.resident_steps(chunk)(state, arrays, seed), chunk
            return *program.resident_step(state, arrays, seed), 1

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
        return *program.streaming_step(state, next(batches), seed), 1

    return Feed(streaming, batches.get_state, source.close)


def _nothing() -> None:
    pass
