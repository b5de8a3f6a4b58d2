"""Seeds trained together in one program against the same seeds one after the other."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from scaling_report import Row, Stepper, alternate, enough, experiment

from jaxgan.config import Experiment
from jaxgan.data import splits
from jaxgan.program import example_batch
from jaxgan.training.population import compile_population

COUNTS = (1, 2, 4, 8, 16)


def seeds(
    rounds: int, names: Sequence[str] = ("gan_mlp", "dcgan"), counts: Sequence[int] = COUNTS
) -> list[Row]:
    """Time of one step of every seed (`jaxgan.training.population`), and of single steps."""
    return [row for name in names for row in _seeds(name, experiment(name), counts, rounds)]


def _seeds(name: str, setting: Experiment, counts: Sequence[int], rounds: int) -> list[Row]:
    singles = [Stepper(dataclasses.replace(setting, seed=seed)) for seed in range(max(counts))]
    steps_of_one = enough(singles[0], 0.5)
    rows = []
    for count in counts:
        steps = max(3, steps_of_one // count)
        together = _Together(setting, count)

        def apart(count: int = count, steps: int = steps) -> float:
            # One run after the other: steps of two runs in flight would share the cores.
            started = time.perf_counter()
            for stepper in singles[:count]:
                metrics: Any = None
                for _ in range(steps):
                    metrics = stepper.advance()
                jax.block_until_ready(metrics)
            return time.perf_counter() - started

        def one(population: _Together = together, steps: int = steps) -> float:
            return population.seconds(steps)

        medians = alternate({"together": one, "apart": apart}, rounds)
        rows.append(
            {
                "measure": "seeds",
                "experiment": name,
                "seeds": count,
                "together_ms_per_step": medians["together"] / steps * 1e3,
                "one_by_one_ms_per_step": medians["apart"] / steps * 1e3,
                "throughput_ratio": medians["apart"] / medians["together"],
            }
        )
    return rows


class _Together:
    """A population that is trained on."""

    def __init__(self, setting: Experiment, count: int) -> None:
        population = compile_population(setting)
        self._step = population.step
        self._seeds = jax.device_put(np.arange(count, dtype=np.uint32))
        self._states = population.init(self._seeds, example_batch(setting))
        self._arrays = jax.device_put(splits.in_memory(setting.data, "train"))

    def seconds(self, steps: int) -> float:
        metrics: Any = None
        started = time.perf_counter()
        for _ in range(steps):
            self._states, metrics = self._step(self._states, self._arrays, self._seeds)
        jax.block_until_ready(metrics)
        return time.perf_counter() - started
