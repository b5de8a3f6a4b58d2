"""Whether what a run must hold at once fits into memory, found out from shapes alone.

Bounds from below: what is refused cannot work, and what is not may still need more than there is.
"""

from __future__ import annotations

import math
from typing import Any

import jax
import numpy as np

from jaxgan.algorithms.state import State
from jaxgan.config import ConfigError, Experiment
from jaxgan.machine import memory


def check_batches(experiment: Experiment) -> None:
    """Looks at what is as large as the settings say, before any data is opened.

    Raises:
        ConfigError: one example, a batch or the samples would not fit.
    """
    example = sum(
        math.prod(spec.shape) * np.dtype(spec.dtype).itemsize
        for spec in experiment.data.specs.values()
    )
    image = math.prod(experiment.data.image_shape)
    evaluation = experiment.evaluation
    _fits("one example (data.image_size)", example)
    _fits(
        f"a batch of {experiment.images_per_step} (batch_size)",
        experiment.images_per_step * example,
    )
    # Samples are kept as they are shown: a byte a number at least.
    _fits(f"evaluation.samples = {evaluation.samples}", evaluation.samples * image)
    _fits(f"evaluation.batch_size = {evaluation.batch_size}", evaluation.batch_size * image)


def check_state(state: State) -> None:
    """Looks at parameters, averages and optimizers.

    Args:
        state: of shapes alone.

    Raises:
        ConfigError: it would not fit.
    """
    of_device = (jax.local_devices()[0].memory_stats() or {}).get("bytes_limit", 0)
    what = "the state (parameters, their averages and those of optimizers)"
    _fits(what, bytes_of(state), of_device or memory.total(), "device" if of_device else "machine")


def bytes_of(tree: Any) -> int:
    """Bytes of a pytree of arrays, or of their shapes and types."""
    return sum(
        math.prod(leaf.shape) * np.dtype(leaf.dtype).itemsize
        for leaf in jax.tree.leaves(tree)
        if not jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key)
    )


def _fits(what: str, needed: int, there: int | None = None, whose: str = "machine") -> None:
    there = memory.total() if there is None else there
    if there and needed > there:
        raise ConfigError(
            f"{what} needs {_gib(needed)} GiB at least, and this {whose} has {_gib(there)} GiB of"
            " memory: make it smaller"
        )


def _gib(count: int) -> str:
    return f"{count / 2**30:,.1f}" if count < 2**60 else f"{count >> 30:,}"
