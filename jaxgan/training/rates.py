"""The learning rates of a run, for its log; no device is asked while it trains."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from jaxgan.config import Experiment
from jaxgan.optim import Schedule


def learning_rates(experiment: Experiment) -> Callable[[int], dict[str, float]]:
    """From a number of steps done to ``PLAYER_learning_rate``: the schedules at that step.

    Schedules are evaluated once, at all steps of the run. Optimizers without a
    `jaxgan.optim.Schedule` have no rate to show.
    """
    courses = {
        f"{player}_learning_rate": course
        for player, (optimizer, updates) in experiment.model.optimizers.items()
        if (course := _course(optimizer, experiment.steps, updates)) is not None
    }
    return lambda step: {name: course(step) for name, course in courses.items()}


def _course(optimizer: Any, steps: int, updates: int) -> Callable[[int], float] | None:
    schedule, peak = getattr(optimizer, "schedule", None), getattr(optimizer, "learning_rate", None)
    if not isinstance(schedule, Schedule) or peak is None:
        return None
    rate = schedule.build(peak, steps * updates)
    if isinstance(constant := rate(0), float | int):
        return lambda step: float(constant)
    values = np.asarray(jax.jit(jax.vmap(rate))(np.arange(steps + 1) * updates))
    return lambda step: float(values[step])
