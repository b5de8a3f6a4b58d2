"""Feeds a compiled step: from a data set that lies on the device, or from a stream."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxgan import results
from jaxgan.algorithms.base import State
from jaxgan.config import Experiment
from jaxgan.data.pipeline import is_resident
from jaxgan.data.prefetch import Prefetch
from jaxgan.data.stream import stream
from jaxgan.program import Program
from jaxgan.typing import Metrics


class Feed(NamedTuple):
    """Steps that bring their own data.

    Attributes:
        step: from a state to the next one and the step's metrics; the state given is used up.
        position: what a checkpoint must hold for the next batch to be the right one; JSON data.
        close: ends threads and processes.
    """

    step: Callable[[State], tuple[State, Metrics]]
    position: Callable[[], Any]
    close: Callable[[], None]


def open_feed(experiment: Experiment, program: Program, position: Any = None) -> Feed:
    """The feed of an experiment's training split.

    Args:
        experiment: its data, batch size and seed apply.
        program: compiled from it.
        position: of a checkpoint, to go on from; None at the start.
    """
    data, plan = experiment.data, program.plan
    split = results.open_data(data).train
    seed = plan.replicate(np.asarray(experiment.seed, np.uint32))
    if is_resident(data, split):
        arrays = plan.replicate(results.in_memory(data, "train"))
        # The step counter in the state is all the position there is.
        return Feed(
            lambda state: program.resident_step(state, arrays, seed), lambda: None, _nothing
        )

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

    def step(state: State) -> tuple[State, Metrics]:
        return program.streaming_step(state, next(batches), seed)

    return Feed(step, batches.get_state, source.close)


def _nothing() -> None:
    pass
