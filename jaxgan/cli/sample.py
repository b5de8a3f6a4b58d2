"""``jaxgan sample``: draws images from a run."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro

from jaxgan.config import ConfigError
from jaxgan.machine import xla
from jaxgan.measurement import pictures, runs
from jaxgan.visualization.grid import save_png


@dataclasses.dataclass(frozen=True)
class SampleOptions:
    """Draw samples from the newest checkpoint of a run, under its averaged weights."""

    run: tyro.conf.Positional[Path]
    """Folder of the run."""
    count: Annotated[int, tyro.conf.arg(aliases=["-n"])] = 64
    """How many."""
    seed: int = 0
    """Seed of the latents."""
    label: int | None = None
    """Class of all samples, for models with labels; None: as the prior draws them."""
    out: Path | None = None
    """A .png file for one picture, or .npz for an array `images`; default: RUN/samples.png."""


def sample(arguments: list[str]) -> None:
    """``jaxgan sample``: draws images and writes them to a file.

    Raises:
        ConfigError: the options do not go together, or the run's configuration cannot be used.
        RunError: there is no such run, or no checkpoint in it.
    """
    parsed = tyro.cli(SampleOptions, args=arguments, prog="jaxgan sample")
    if parsed.count < 1:
        raise ConfigError(f"count = {parsed.count}: must be at least 1")
    out = parsed.out or parsed.run / "samples.png"
    if out.suffix not in (".png", ".npz"):
        raise ConfigError(f"--out {out}: the name must end in .png or .npz")
    xla.set_flags([runs.experiment_of(parsed.run).precision])
    trained = runs.load(parsed.run)
    images = runs.sample(trained, parsed.count, parsed.seed, parsed.label)
    if out.suffix == ".npz":
        with open(out, "wb") as file:
            np.savez_compressed(file, images=images)
    else:
        columns = max(1, round(parsed.count**0.5))
        save_png(out, pictures.picture(trained.experiment.data, images, columns))
    for note in trained.notes:
        print(note, file=sys.stderr)
    print(f"{parsed.count} samples of step {trained.step} are in {out}")
