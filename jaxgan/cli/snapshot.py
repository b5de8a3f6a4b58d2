"""``jaxgan snapshot``: writes a run's generator to one small file."""

from __future__ import annotations

import dataclasses
import re
import sys
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import tyro

from jaxgan.cli import outputs, reading
from jaxgan.cli.show import megabytes
from jaxgan.config import ConfigError
from jaxgan.machine import xla
from jaxgan.measurement import drawing, runs, snapshots
from jaxgan.measurement.trained import Trained
from jaxgan.run import generator_file, workdir
from jaxgan.run.trust import NOTHING, Trust

COMPARED = 64
"""Samples that tell what another number format costs."""


@dataclasses.dataclass(frozen=True)
class SnapshotOptions:
    """Write the generator of a run to one small file, from which `jaxgan sample` draws.

    It holds the averaged weights and the statistics that images are made with, and the run's
    settings, in which there may be paths of its data; no discriminator, encoder or optimizer. The
    newest checkpoint is taken or, where validation selects, the best one.
    """

    run: tyro.conf.Positional[Path]
    """Folder of the run."""
    out: Path | None = None
    """A .safetensors file; None: NAME-stepSTEP.safetensors in this folder."""
    step: int | None = None
    """Step of the checkpoint; None: as said above."""
    weights: Literal["ema", "raw"] | None = None
    """Averaged weights, or those in training; None: as in the run's settings."""
    dtype: Literal["float16", "bfloat16"] | None = None
    """Number format that takes half the room, and changes images by what is then told; None:
    float32."""
    attribution: str | None = None
    """A line on the authors and the licence of the data, which goes into the file; None: as the
    data's source says, where it says anything."""
    overwrite: bool = False
    """Replace a file that is there."""
    code: Annotated[Trust, tyro.conf.arg(name="")] = NOTHING


def snapshot(arguments: list[str]) -> None:
    """The command; prints where the generator is.

    Raises:
        ConfigError: the options do not go together, or the model has no generator.
        RunError: there is no such run, or no such checkpoint in it.
    """
    parsed = reading.read(SnapshotOptions, arguments, "jaxgan snapshot")
    if parsed.run.is_file():
        raise ConfigError(f"{parsed.run} is a file: name the folder of a run")
    if parsed.out is not None:
        _check(parsed.out, parsed)
    experiment = runs.experiment_of(parsed.run, parsed.code)
    xla.set_flags([experiment.precision])
    found = runs.load(parsed.run, parsed.code, step=parsed.step)
    trained = drawing.under(found, weights=parsed.weights)
    config = workdir.read_config(parsed.run)
    content = snapshots.snapshot(
        trained, config, dtype=parsed.dtype, attribution=parsed.attribution
    )
    out = parsed.out or Path(_default(trained))
    _check(out, parsed)
    lines = [] if parsed.dtype is None else [_cost(trained, out, content, parsed)]
    size = generator_file.write(out, content.arrays, content.document)
    for note in trained.notes:
        print(note, file=sys.stderr)
    counted = f"{len(content.arrays)} arrays, {megabytes(size)}"
    print("\n".join([f"generator of step {trained.step} is in {out}: {counted}", *lines]))


def _check(out: Path, parsed: SnapshotOptions) -> None:
    if out.suffix != generator_file.SUFFIX:
        raise ConfigError(f"--out {out}: the name must end in {generator_file.SUFFIX}")
    outputs.check(out, overwrite=parsed.overwrite)


def _default(trained: Trained) -> str:
    name = re.sub(r"[^\w.-]+", "_", trained.experiment.name)
    return f"{name}-step{trained.step}{generator_file.SUFFIX}"


def _cost(
    trained: Trained, out: Path, content: generator_file.Content, parsed: SnapshotOptions
) -> str:
    """What the number format changes in samples, in words."""
    other = snapshots.restored(out, content, trained.experiment, parsed.code)
    before, after = (drawing.sample(one, COMPARED).astype(np.float64) for one in (trained, other))
    off = np.abs(after - before)
    of = " levels of 255" if trained.experiment.data.dtype == "uint8" else ""
    return (
        f"{parsed.dtype}: {COMPARED} samples are off by {off.mean():.2g}{of} on average, by"
        f" {off.max():.3g} at most"
    )
