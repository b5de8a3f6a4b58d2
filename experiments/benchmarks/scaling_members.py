"""Members with learning rates of their own in one program against runs one after the other."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scaling_report import Row, Stepper, alternate, enough, experiment

from jaxgan.config import Experiment
from jaxgan.data import splits
from jaxgan.program import example_batch
from jaxgan.training.blocks import Blocks
from jaxgan.training.population import compile_population

COUNTS = (8, 16, 32)
RATE = "model.generator_optimizer.learning_rate"
CALL = 5
"""Steps of a run in one call, as on CPUs by default."""


def members(rounds: int, name: str = "gan_mlp", counts: Sequence[int] = COUNTS) -> list[Row]:
    """Time of a step of every member, as `jaxgan.training.members` does it, and of single runs.

    The runs differ from the members in their rates, which makes no difference in time, so that one
    program stands for all of them.
    """
    setting = experiment(name)
    single = _Single(setting)
    # Of one run, so that a turn of all of them takes some seconds.
    steps_of_one = enough(single, 8.0)
    rows = []
    for count in counts:
        steps = max(CALL, steps_of_one // count // CALL * CALL)
        together = _Members(setting, count)

        def apart(count: int = count, steps: int = steps) -> float:
            return sum(single.seconds(steps) for _ in range(count))

        def one(population: _Members = together, steps: int = steps) -> float:
            return population.seconds(steps)

        medians = alternate({"together": one, "apart": apart}, rounds)
        rows.append(
            {
                "measure": "members",
                "experiment": name,
                "members": count,
                "together_ms_per_step": medians["together"] / steps * 1e3,
                "one_by_one_ms_per_step": medians["apart"] / steps * 1e3,
                "throughput_ratio": medians["apart"] / medians["together"],
            }
        )
    return rows


class _Single(Stepper):
    """A run, with as many steps in a call as it has."""

    def seconds(self, steps: int) -> float:
        """Time of so many steps, all done, in whole calls."""
        metrics: Any = None
        count = jnp.int32(CALL)
        started = time.perf_counter()
        for _ in range(-(-steps // CALL)):
            step = self.program.phases[0].resident_steps
            self._state, metrics = step(self._state, self._arrays, self._seed, count)
        jax.block_until_ready(metrics)
        return time.perf_counter() - started


class _Members:
    """A population whose members have rates of their own."""

    def __init__(self, setting: Experiment, count: int) -> None:
        population = compile_population(setting, (RATE,))
        self._phase = population.phases[0]
        values = jax.device_put({RATE: np.geomspace(1e-4, 1e-3, count, dtype=np.float32)})
        seeds = jax.device_put(np.arange(count, dtype=np.uint32))
        states = population.init(seeds, example_batch(setting), values)
        self._blocks = Blocks(states, seeds, values, np.zeros(count, np.int32))
        self._arrays = jax.device_put(splits.in_memory(setting.data, "train"))

    def seconds(self, steps: int) -> float:
        """Time of so many steps, all done, in whole calls."""
        metrics: Any = None
        started = time.perf_counter()
        for _ in range(-(-steps // CALL)):
            metrics = self._blocks.steps(self._phase, self._arrays, CALL)
        jax.block_until_ready(metrics)
        return time.perf_counter() - started
