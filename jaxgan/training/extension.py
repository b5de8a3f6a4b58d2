"""More steps for a run: it becomes the run that was started with so many.

An extended run ends, bit for bit, as the run that had all its steps from the start; where it could
not, because what has been done depends on how many steps there were to be, it is refused. That is
found out by comparing the compiled programs of the steps done, and so holds for any algorithm: a
learning rate that decays over the run, a phase that ends at half of it.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax

from jaxgan import rng
from jaxgan.algorithms.base import build
from jaxgan.config import ConfigError, Experiment, config_fields
from jaxgan.measurement.rehearsal import batch_of
from jaxgan.optim import Schedule
from jaxgan.program import example_batch
from jaxgan.run import workdir
from jaxgan.run.config_json import to_json
from jaxgan.run.restore import steps_in


def extend(folder: Path, before: Experiment, experiment: Experiment) -> str:
    """Gives a run more steps, if it then is the run that was started with them.

    The result of the shorter run is kept as ``result-STEPS.json``, and ``config.json`` says under
    ``extended`` when the run got more steps. Who is interrupted in between finds a run without a
    result, which `jaxgan resume` finishes.

    Args:
        folder: of the run.
        before: its experiment so far.
        experiment: the same with more steps.

    Returns:
        A line that says what was done.

    Raises:
        ConfigError: the steps are not more, the run has stopped early, or what has been done
            depends on the number of steps.
        RunError: the folder cannot be read or written.
    """
    done = steps_done(folder)
    _check(folder, before, experiment, done)
    document = workdir.read_config(folder)
    step = {
        "from_steps": before.steps,
        "to_steps": experiment.steps,
        "at_step": done,
        "command": workdir.command_line(),
    }
    history = [*document.get("extended", []), step]
    document = {**document, "experiment": to_json(experiment), "extended": history}
    result, kept = folder / workdir.RESULT, folder / f"result-{before.steps}.json"
    finished = result.exists()
    try:
        if finished:
            result.replace(kept)
        workdir.write_json(folder / workdir.CONFIG, document)
    except OSError as error:
        with contextlib.suppress(OSError):
            if finished and not result.exists():
                kept.replace(result)
        raise workdir.RunError(f"cannot write to {folder}: {error.strerror or error}") from error
    line = f"{folder} now has {experiment.steps:,} steps instead of {before.steps:,}"
    return f"{line}; the result so far is in {kept.name}" if finished else line


def steps_done(folder: Path) -> int:
    """Steps that the newest checkpoint of a run has behind it; 0 where there is none."""
    return max(steps_in(folder / workdir.CHECKPOINTS), default=0)


def _check(folder: Path, before: Experiment, experiment: Experiment, done: int) -> None:
    if experiment.steps < max(done, before.steps):
        raise ConfigError(
            f"steps = {experiment.steps}: {folder} is a run of {before.steps} steps, {done} of"
            " which are done, and can only be given more"
        )
    result = workdir.read_result(folder)
    if result is not None and result.get("stopped_early"):
        raise ConfigError(
            f"{folder} stopped early, at step {result['steps']}, because"
            f" {before.early_stopping.metric} no longer improved: with {experiment.steps} steps it"
            " would have stopped there as well"
        )
    if done and not same_so_far(before, experiment, done):
        why = "what its train step does depends on the number of steps"
        if courses := [f"{path} is {one.kind}" for path, one in _decays(before.model, "model")]:
            why = f"{', '.join(courses)}, over all {before.steps} steps"
        raise ConfigError(
            f"{folder} has done {done} steps that are not those of a run of {experiment.steps}:"
            f" {why}; start such a run anew, or one from these weights: --init-from {folder}"
        )


def same_so_far(before: Experiment, experiment: Experiment, done: int) -> bool:
    """Whether the first steps of two experiments are the same program, which runs nothing.

    Args:
        before: the one experiment.
        experiment: the other.
        done: how many steps.
    """
    pairs = zip(_programs(before, done), _programs(experiment, done), strict=False)
    return all(one == other for one, other in pairs)


def _programs(experiment: Experiment, done: int) -> Iterator[Any]:
    """For each phase that has begun, when it ends and the text of what it does."""
    algorithm = build(experiment)
    key = jax.eval_shape(lambda: rng.base_key(0))
    blank = example_batch(experiment)
    state = jax.eval_shape(algorithm.init, key, blank)
    batch = batch_of(experiment, experiment.images_per_step)
    yield _text(algorithm.init, key, blank)
    start = 0
    for phase in algorithm.phases:
        if start >= done:
            return
        entered = None if phase.enter is None else _text(phase.enter, state)
        yield min(phase.until, done), entered, _text(phase.train_step, state, batch, key)
        start = phase.until


def _text(function: Any, *arguments: Any) -> str:
    return jax.jit(function).lower(*arguments).as_text()


def _decays(value: Any, path: str) -> Iterator[tuple[str, Schedule]]:
    """The schedules within a configuration that decay over the whole run, with their paths."""
    if isinstance(value, Schedule):
        if value.kind != "constant":
            yield path, value
    elif isinstance(value, tuple):
        for index, part in enumerate(value):
            yield from _decays(part, f"{path}.{index}")
    elif dataclasses.is_dataclass(value):
        for field in config_fields(value):
            yield from _decays(getattr(value, field.name), f"{path}.{field.name}")
