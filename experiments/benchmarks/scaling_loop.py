"""The whole loop against the bare step, and the cost of a step by batch size and by width."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scaling_report import Row, Stepper, alternate, enough, experiment

from jaxgan.config import Evaluation, Experiment, Run
from jaxgan.data.pipeline import Data
from jaxgan.training.loop import train

BATCHES = (16, 32, 64, 128, 256)
WIDTHS = (16, 32, 64, 128)
STEPS = 2000
"""Steps of the whole loop: two checkpoints at their default, and the last one."""


def loop(rounds: int, names: Sequence[str] = ("dcgan", "vae"), steps: int = STEPS) -> list[Row]:
    """Time a step within `jaxgan.training.loop.train`, and of the compiled step called in a row.

    The loop logs, writes event files and checkpoints as often as by default and prints what it
    prints into no terminal. Pictures are left out, and so is the evaluation at the end.
    """
    rows = []
    for name in names:
        setting = dataclasses.replace(
            experiment(name), steps=steps, evaluation=Evaluation(samples=100)
        )
        bare = Stepper(setting)

        def whole(setting: Experiment = setting) -> float:
            with (
                tempfile.TemporaryDirectory() as folder,
                contextlib.redirect_stdout(io.StringIO()),
            ):
                run = Run(workdir=str(Path(folder) / "run"), images_every=0, parallel="none")
                return train(setting, run)["seconds"]["training"]

        def step(stepper: Stepper = bare) -> float:
            return stepper.seconds(steps)

        medians = alternate({"whole": whole, "bare": step}, rounds)
        rows.append(
            {
                "measure": "loop",
                "experiment": name,
                "steps": steps,
                "loop_ms_per_step": medians["whole"] / steps * 1e3,
                "bare_ms_per_step": medians["bare"] / steps * 1e3,
                "ratio": medians["whole"] / medians["bare"],
            }
        )
    return rows


def dcgan_32(width: int = 64, batch_size: int = 64, image_size: int = 32) -> Experiment:
    """The DCGAN of the experiment on digits scaled to 32 pixels."""
    base: Any = experiment("dcgan")
    model = dataclasses.replace(
        base.model,
        generator=dataclasses.replace(base.model.generator, width=width),
        discriminator=dataclasses.replace(base.model.discriminator, width=width),
    )
    data = Data(image_size=image_size, resize="bilinear")
    return dataclasses.replace(base, model=model, data=data, batch_size=batch_size)


def batch(rounds: int, sizes: Sequence[int] = BATCHES, image_size: int = 32) -> list[Row]:
    """Time of a DCGAN step (32 pixels, width 64) by batch size."""
    settings = {size: dcgan_32(batch_size=size, image_size=image_size) for size in sizes}
    return _steps("batch", "batch_size", settings, rounds)


def width(rounds: int, widths: Sequence[int] = WIDTHS, image_size: int = 32) -> list[Row]:
    """Time of a DCGAN step (32 pixels, 64 images) by the width of both networks."""
    settings = {value: dcgan_32(width=value, image_size=image_size) for value in widths}
    return _steps("width", "width", settings, rounds)


def _steps(
    measure: str, name: str, settings: dict[int, Experiment], rounds: int, seconds: float = 0.5
) -> list[Row]:
    steppers = {value: Stepper(setting) for value, setting in settings.items()}
    steps = {value: enough(stepper, seconds) for value, stepper in steppers.items()}

    def each(value: int) -> float:
        return steppers[value].seconds(steps[value]) / steps[value]

    medians = alternate({str(value): lambda value=value: each(value) for value in settings}, rounds)
    rows = []
    for value, setting in settings.items():
        time = medians[str(value)]
        rows.append(
            {
                "measure": measure,
                name: value,
                "ms_per_step": time * 1e3,
                "images_per_s": setting.images_per_step / time,
            }
        )
    return rows
