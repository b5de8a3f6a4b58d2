"""The row of a report that no model can be expected to beat: real images, measured like samples."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
from collections.abc import Sequence
from pathlib import Path

from jaxgan.config import Experiment
from jaxgan.machine import parallel
from jaxgan.machine.atomic import write_atomically
from jaxgan.measurement.real_images import RealImages, real_images
from jaxgan.run import lock
from jaxgan.study.folder import REAL, REAL_PICTURE
from jaxgan.visualization.grid import encode_png, is_png
from jaxgan.visualization.report.data import Floor, MetricValue


def measured_floor(experiments: Sequence[Experiment], folder: Path) -> Floor | None:
    """Measures real images as the samples of a study's experiments are, and keeps it in its folder.

    Args:
        experiments: those of the study, which share data and evaluation settings; all metrics of
            samples that any of them asks for are taken.
        folder: of the study.

    Returns:
        None where there is nothing to measure, and on processes that do not report.

    Raises:
        OSError: the folder cannot be written.
    """
    if not parallel.is_main_process():
        return None
    names = dict.fromkeys(name for one in experiments for name in one.evaluation.metrics)
    measured = real_images(experiments[0], [*names])
    if measured is None:
        return None
    found, picture = measured[0], encode_png(measured[1])
    write_atomically(folder / REAL_PICTURE, picture)
    document = json.dumps(found._asdict(), indent=2)
    write_atomically(folder / REAL, f"{document}\n".encode())
    return _floor(found, picture)


def kept_floor(experiment: Experiment, names: Sequence[str], folder: Path) -> None:
    """Measures real images for a study that several processes train, unless that has been done.

    Args:
        experiment: one of the study's.
        names: of all metrics that any of them asks for.
        folder: of the study; where another process is at it, that is left to do it.

    Raises:
        OSError: the folder cannot be written.
    """
    if (folder / REAL).exists():
        return
    evaluation = dataclasses.replace(experiment.evaluation, metrics=tuple(names))
    with contextlib.suppress(lock.Busy), lock.held(folder):
        if not (folder / REAL).exists():
            measured_floor([dataclasses.replace(experiment, evaluation=evaluation)], folder)


def read_floor(folder: Path) -> Floor | None:
    """What `measured_floor` has kept in a study's folder; None where nothing readable is."""
    try:
        found = RealImages(**json.loads((folder / REAL).read_text()))
        picture = (folder / REAL_PICTURE).read_bytes()
        return _floor(found, picture) if is_png(picture) else None
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _floor(found: RealImages, picture: bytes) -> Floor:
    kind = {"test": "test", "train": "training"}[found.split]
    told = f"{found.images:,} of the {found.split} split, compared with {found.compared_with}"
    if found.images < found.samples:
        told += (
            f"; fewer than the {found.samples:,} samples of a model, which raises distances that"
            " depend on the number of images"
        )
    values = {
        name: MetricValue(value) for name, value in found.metrics.items() if math.isfinite(value)
    }
    return Floor(f"real {kind} images", told, values, picture)
