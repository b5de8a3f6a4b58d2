"""The commands that training does without: sample, compare, and whole studies."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro

from jaxgan import options, results, runs, workdir, xla
from jaxgan.comparison import Entry, Study
from jaxgan.config import ConfigError
from jaxgan.study import StudyOptions, run
from jaxgan.visualization.grid import save_png


def study(value: Study) -> None:
    """What a study's file does: trains as the command line says, compares, reports.

    Raises:
        ConfigError: an experiment or the budget cannot work.
        DataError: the data is missing or damaged.
    """
    parsed = tyro.cli(StudyOptions, description=value.title)
    run(value, parsed, command=workdir.command_line())


@dataclasses.dataclass(frozen=True)
class SampleOptions:
    """Draw samples from the newest checkpoint of a run, under its averaged weights."""

    run: tyro.conf.Positional[Path]
    """Folder of the run."""
    count: Annotated[int, tyro.conf.arg(aliases=["-n"])] = 64
    """How many."""
    seed: int = 0
    """Seed of the latents."""
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
    images = runs.sample(trained, parsed.count, parsed.seed)
    if out.suffix == ".npz":
        with open(out, "wb") as file:
            np.savez_compressed(file, images=images)
    else:
        columns = max(1, round(parsed.count**0.5))
        save_png(out, results.picture(trained.experiment.data, images, columns))
    for note in trained.notes:
        print(note, file=sys.stderr)
    print(f"{parsed.count} samples of step {trained.step} are in {out}")


@dataclasses.dataclass(frozen=True)
class CompareOptions:
    """Train several experiments under one budget, several seeds each, and write a report."""

    files: tyro.conf.Positional[tuple[Path, ...]]
    """Experiments' Python files."""
    study: Annotated[StudyOptions, tyro.conf.arg(name="")] = StudyOptions()
    dataset: options.DatasetName | None = None
    """Replaces the data set of every experiment."""


def compare(arguments: list[str]) -> None:
    """``jaxgan compare``: trains several experiments, several seeds each, and writes a report.

    Raises:
        ConfigError: a file, an experiment or the budget cannot work.
        DataError: the data is missing or damaged.
    """
    parsed = tyro.cli(CompareOptions, args=arguments, prog="jaxgan compare")
    if not parsed.files:
        raise ConfigError("jaxgan compare needs experiments' files: jaxgan compare FILES...")
    changes = ("--dataset", parsed.dataset) if parsed.dataset else ()
    entries = tuple(Entry(str(file), changes) for file in parsed.files)
    title = " against ".join(file.stem for file in parsed.files)
    value = Study(name="compare", title=title, entries=entries)
    run(value, parsed.study, command=workdir.command_line())
