"""Runs and snapshots that are on disk: read back, and measured again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jax

from jaxgan.config import Experiment, config_errors
from jaxgan.data.pipeline import Data
from jaxgan.data.source import Source
from jaxgan.data.splits import SplitName
from jaxgan.evaluation.likelihood.annealed import USUAL, Annealing
from jaxgan.measurement import held_out, scoring, snapshots
from jaxgan.measurement.trained import Trained, working
from jaxgan.program import compile_program, example_batch
from jaxgan.run import generator_file, restore, workdir
from jaxgan.run.config_json import to_json
from jaxgan.run.trust import NOTHING, Trust, classes_of, notes


def experiment_of(folder: Path, trust: Trust = NOTHING) -> Experiment:
    """The experiment of a run. Runs no code of the run's, unless that is allowed.

    Args:
        folder: of the run; or a file with its generator.
        trust: whether classes that are not jaxgan's may be loaded.

    Raises:
        RunError: there is no run, or its configuration is damaged.
        TrustError: the configuration needs code that is not allowed; says which.
        ConfigError: the configuration names something that does not exist (any more).
    """
    if generator_file.is_one(folder):
        return snapshots.experiment_of(folder, trust)
    document = workdir.read_config(folder)
    classes = classes_of(folder, document, trust)
    with config_errors():
        experiment = workdir.read_experiment(folder, classes)
    if not (isinstance(experiment.data, Data) and isinstance(experiment.data.source, Source)):
        raise workdir.RunError(f"{folder / workdir.CONFIG} is damaged: its data are no data set")
    return experiment


def load(folder: Path, trust: Trust = NOTHING, *, step: int | None = None) -> Trained:
    """The newest state of a run, ready to be sampled and measured on one device.

    Where validation selects (``early_stopping.metric``), it is the best one so far instead. Nothing
    in the folder is changed, and the run may be in training meanwhile.

    Args:
        folder: of the run; or a file with its generator, which draws samples and can do no more.
        trust: whether classes that are not jaxgan's may be loaded.
        step: of the checkpoint; None: as said above.

    Raises:
        RunError: there is no run or no such checkpoint, or its configuration does not work.
        TrustError: the configuration needs code that is not allowed; says which.
        CheckpointError: no checkpoint can be read.
    """
    if generator_file.is_one(folder):
        return snapshots.load(folder, trust)
    experiment = experiment_of(folder, trust)
    checkpoints = folder / workdir.CHECKPOINTS
    if step is not None and step not in (there := restore.steps_in(checkpoints)):
        told = ", ".join(f"{one}" for one in there) or "none"
        raise workdir.RunError(f"{folder} has no checkpoint of step {step}: there is {told}")
    with working(folder):
        program = compile_program(experiment, "none")
        like = jax.eval_shape(program.init, 0, example_batch(experiment))
    if step is None:
        found = restore.selected(checkpoints, like, to_json(experiment))
    else:
        found = restore.Restored(
            step, *restore.at(checkpoints, step, like, to_json(experiment)), skipped=()
        )
    if found is None:
        raise workdir.RunError(f"{folder} has no checkpoint yet: `jaxgan resume {folder}`")
    state = jax.device_put(found.state, jax.devices()[0])
    extra = notes(workdir.read_config(folder), trust)
    return Trained(experiment, program, state, found.step, (*extra, *found.skipped))


def evaluate(
    trained: Trained,
    names: Sequence[str] | None = None,
    *,
    draws: int = held_out.DRAWS,
    split: SplitName | None = None,
    log: Callable[[str], None] = lambda line: None,
    annealing: Annealing = USUAL,
) -> dict[str, Any]:
    """The numbers of a run, measured again; a JSON document.

    Args:
        trained: the run; its experiment's evaluation settings apply.
        names: metrics; None: those of the settings.
        draws: as in `jaxgan.measurement.scoring.measure`, as are ``log`` and
            ``annealing``.
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
        annealing=annealing,
    )
    return {"name": experiment.name, "step": trained.step, **numbers._asdict()}
