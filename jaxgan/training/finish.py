"""What is measured of a run, on its way and at its end."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any

from jaxgan.algorithms.state import State
from jaxgan.config import Experiment
from jaxgan.evaluation import protocol
from jaxgan.evaluation.metrics import SAMPLE_METRICS
from jaxgan.machine import parallel
from jaxgan.measurement import pictures, scoring
from jaxgan.measurement.sampling import SELECTION_SEED
from jaxgan.program import Program, on_one_device
from jaxgan.run import provenance, workdir
from jaxgan.run.logs import Logger, read_jsonl
from jaxgan.run.restore import digest
from jaxgan.training import alarms
from jaxgan.training.recorder import Recorder
from jaxgan.training.start import Position
from jaxgan.visualization.grid import save_png


def measure(
    experiment: Experiment,
    program: Program,
    state: State,
    recorder: Recorder,
    step: int,
    logger: Logger,
) -> dict[str, float]:
    """What is measured while training; on the validation split, if there is one."""
    validation = bool(experiment.data.validation)
    numbers = scoring.measure(
        program,
        on_one_device(state),
        experiment,
        distances="validation" if validation else "train",
        held_out_split="validation" if validation else None,
        names=[name for name in experiment.evaluation.metrics if name in SAMPLE_METRICS],
        seed=SELECTION_SEED,
        log=lambda line: logger.status(f"measuring {line}"),
    ).metrics
    recorder.record(step, numbers)
    return {protocol.short_name(k): v for k, v in numbers.items()} if validation else {}


def validated(folder: Path, step: int) -> dict[str, float]:
    """What the log says of a step on the validation split, by short names.

    Args:
        folder: of the run.
        step: whose state the run reports.

    Returns:
        Finite numbers; none where nothing was measured on such a split at that step.

    Raises:
        LogError: the log cannot be read.
    """
    path = folder / workdir.METRICS
    records = read_jsonl(path) if path.exists() else []
    return {
        protocol.short_name(name): value
        for record in records
        if record["step"] == step
        for name, value in record.items()
        if _of_validation(name) and math.isfinite(value)
    }


def _of_validation(name: str) -> bool:
    try:
        metric, fields = protocol.parse(name)
    except ValueError:  # No metric under a protocol, but a loss, say.
        return False
    return fields["split"] == "validation" and not metric.startswith("final/")


def finish(
    experiment: Experiment,
    program: Program,
    state: State,
    position: Position,
    folder: Path,
    logger: Logger,
) -> dict[str, Any]:
    """Final numbers, pictures and the document that holds them."""
    local = on_one_device(state)
    started = time.perf_counter()
    numbers = scoring.measure(
        program,
        local,
        experiment,
        distances=scoring.final_split(experiment),
        held_out_split="test",
        intervals=True,
        log=lambda line: logger.status(f"measuring {line}"),
    )
    images_seen = position.step * experiment.images_per_step
    measured_step = position.best_step or position.step
    # What a search selects by. It was measured where the run was at that step.
    selecting = validated(folder, measured_step)
    document = {
        "name": experiment.name,
        "seed": experiment.seed,
        "steps": position.step,
        "images_seen": images_seen,
        "stopped_early": position.stopped,
        "measured_step": measured_step,
        "digest": digest(local),
        **numbers._asdict(),
        **({"validation": selecting} if selecting else {}),
        # All processes train the same, but one of them writes the log.
        "alarms": alarms.documents(alarms.so_far(folder).alarms),
        "parameters": pictures.parameter_counts(local),
        "seconds": {
            "training": position.seconds,
            "evaluation": time.perf_counter() - started,
        },
        "versions": provenance.versions(),
        "hardware": provenance.hardware(),
    }
    shown = pictures.pictures(program, local, experiment)
    if parallel.is_main_process():
        for name, picture in shown.items():
            save_png(folder / workdir.PICTURES / f"{name}.png", picture)
            logger.image(position.step, f"final/{name}", picture)
        final = {f"final/{name}": value for name, value in numbers.metrics.items()}
        logger.scalars(position.step, images_seen, {}, beside=final)
        workdir.write_json(folder / workdir.RESULT, document)
    for line in numbers.warnings:
        logger.message(line)
    for name, value in numbers.metrics.items():
        ends = numbers.intervals.get(name)
        logger.message(
            f"{name}  {value:.6g}" + (f" ({ends[0]:.6g} to {ends[1]:.6g})" if ends else "")
        )
    logger.message(f"results, pictures and checkpoints are in {folder}")
    parallel.barrier("result")
    return document
