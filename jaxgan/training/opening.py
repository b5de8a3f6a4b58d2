"""The first line of a run: what is trained, on what, and where."""

from __future__ import annotations

from pathlib import Path

from jaxgan.algorithms.state import State
from jaxgan.config import Experiment
from jaxgan.data.splits import open_data, split_of
from jaxgan.measurement.pictures import parameter_counts
from jaxgan.program import Program


def opening(folder: Path, experiment: Experiment, program: Program, state: State) -> str:
    """``runs/vae-seed0: 2,000 steps of 64 of the 1,500 images of digits (8x8x1); ...``."""
    data, plan = experiment.data, program.plan
    name, count = open_data(data).info.name, len(split_of(data, "train"))
    shape = "x".join(map(str, data.image_shape))
    kind = "images" if data.dtype == "uint8" else "points"
    sizes = ", ".join(f"{player} {size:,}" for player, size in parameter_counts(state).items())
    device = plan.mesh.devices.flat[0].device_kind
    return (
        f"{folder}: {experiment.steps:,} steps of {experiment.images_per_step:,} of the {count:,}"
        f" {kind} of {name} ({shape}); parameters: {sizes}; on {plan.devices} x {device}"
    )
