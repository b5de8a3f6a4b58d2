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
        self._step = population.phases[0].guarded
        rates = np.geomspace(1e-4, 1e-3, count, dtype=np.float32)
        self._values = jax.device_put({RATE: rates})
        self._seeds = jax.device_put(np.arange(count, dtype=np.uint32))
        self._died = jax.device_put(np.zeros(count, np.int32))
        self._states = population.init(self._seeds, example_batch(setting), self._values)
        self._arrays = jax.device_put(splits.in_memory(setting.data, "train"))

    def seconds(self, steps: int) -> float:
        metrics: Any = None
        started = time.perf_counter()
        for _ in range(steps):
            self._states, metrics, self._died = self._step(
                self._states, self._arrays, self._seeds, self._values, self._died
            )
        jax.block_until_ready(metrics)
        return time.perf_counter() - started
