"""Runs that are on disk: read back, and measured again."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax

from jaxgan.algorithms.state import State
from jaxgan.config import Experiment, config_errors
from jaxgan.data.splits import SplitName
from jaxgan.measurement import held_out, scoring
from jaxgan.program import Program, compile_program, example_batch
from jaxgan.run import experiment_file, workdir
from jaxgan.run.checkpoint import Checkpoints
from jaxgan.run.config_json import TYPE_KEY


class Trained(NamedTuple):
    """A run's experiment, and its state on one device."""

    experiment: Experiment
    program: Program
    state: State
    step: int
    notes: tuple[str, ...]


def experiment_of(folder: Path) -> Experiment:
    """The experiment of a run, with the classes of its file and those beside it, if it needs any.

    Raises:
        RunError: there is no run, or its configuration is damaged.
        ConfigError: the configuration names something that does not exist (any more).
    """
    document = workdir.read_config(folder)
    file = document.get("file")
    named = re.findall(rf'"{TYPE_KEY}": "([^"]*)"', json.dumps(document["experiment"]))
    # Files beside it are found while it is loaded, and not later.
    needs_file = not all(name.startswith("jaxgan.") for name in named)
    classes = vars(experiment_file.load_file(file)) if file and needs_file else {}
    with config_errors():
        return workdir.read_experiment(folder, classes)


def load(folder: Path) -> Trained:
    """The newest state of a run, ready to be sampled and measured on one device.

    Where validation selects (``early_stopping.metric``), it is the best one so far instead.

    Raises:
        RunError: there is no run or no checkpoint.
        CheckpointError: no checkpoint can be read.
    """
    experiment = experiment_of(folder)
    program = compile_program(experiment, "none")
    if not (folder / workdir.CHECKPOINTS).is_dir():
        raise workdir.RunError(f"{folder} has no checkpoint yet: `jaxgan resume {folder}`")
    like = jax.eval_shape(program.init, 0, example_batch(experiment))
    with Checkpoints(folder / workdir.CHECKPOINTS) as checkpoints:
        restored = checkpoints.restore(like)
        if restored is None:
            raise workdir.RunError(f"{folder} has no checkpoint yet: `jaxgan resume {folder}`")
        step = restored.document["position"].get("best_step") or restored.step
        state = restored.state if step == restored.step else checkpoints.at(step, like)
    state = jax.device_put(state, jax.devices()[0])
    return Trained(experiment, program, state, step, restored.skipped)


def evaluate(
    trained: Trained,
    names: Sequence[str] | None = None,
    *,
    draws: int = held_out.DRAWS,
    split: SplitName | None = None,
    log: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """The numbers of a run, measured again; a JSON document.

    Args:
        trained: the run; its experiment's evaluation settings apply.
        names: metrics; None: those of the settings.
        draws: as in `jaxgan.measurement.scoring.measure`, as is ``log``.
        split: real images that samples are compared with; None:
            `jaxgan.measurement.scoring.final_split`.

    Raises:
        ConfigError: a metric does not exist, or needs what the model or its data do not have.
        NonFiniteError: samples or a metric are NaN or infinite.
    """
    experiment = trained.experiment
    numbers = scoring.measure(
        trained.program,
        trained.state,
        experiment,
        distances=split or scoring.final_split(experiment),
        held_out_split="test",
        names=names,
        intervals=True,
        draws=draws,
        log=log,
    )
    return {"name": experiment.name, "step": trained.step, **numbers._asdict()}
