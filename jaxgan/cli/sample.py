"""``jaxgan sample``: draws images from a run."""

from __future__ import annotations

import dataclasses
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import tyro

from jaxgan.cli import fit, outputs, reading
from jaxgan.config import ConfigError, Experiment
from jaxgan.data.pipeline import Data
from jaxgan.machine import xla
from jaxgan.measurement import drawing, pictures, runs
from jaxgan.measurement.trained import Trained, working
from jaxgan.program import compile_program
from jaxgan.run.trust import NOTHING, Trust
from jaxgan.visualization.grid import save_png
from jaxgan.visualization.image_files import write_gif, write_npz, write_pngs

COUNT, PATHS = 64, 8
"""Samples, and paths, unless said otherwise."""

MOST_PIXELS = 89_478_485
"""Of one picture; of larger ones Pillow warns whoever opens them."""


@dataclasses.dataclass(frozen=True)
class SampleOptions:
    """Draw samples from a run: the newest checkpoint or, where validation selects, the best one.

    Nothing in the run's folder changes. Image number 7 of a seed is the same however many are
    drawn.
    """

    run: tyro.conf.Positional[Path]
    """Folder of the run, or a .safetensors file that `jaxgan snapshot` has written of it."""
    count: Annotated[int | None, tyro.conf.arg(aliases=["-n"])] = None
    """How many samples, or paths of --interpolate; None: 64 samples, or 8 paths."""
    seed: int = 0
    """Seed of the latents."""
    label: int | None = None
    """Class of all samples, for models with labels; None: as the prior draws them."""
    interpolate: int | None = None
    """Steps of paths between pairs of latents, which are drawn in place of samples."""
    weights: Literal["ema", "raw"] | None = None
    """Weights that draw; None: as in the run's settings."""
    truncation: float | None = None
    """Factor of the latents, in (0, 1]; None: as in the run's settings."""
    threshold: float | None = None
    """Size beyond which latents are drawn again, 0 for none; None: as in the run's settings."""
    batch_norm: Literal["running", "batch", "standing", "standing_random"] | None = None
    """Statistics of batch normalization; None: as in the run's settings."""
    sampler: str | None = None
    """Sampler that `jaxgan fit` has fitted, such as gaussian_mixture; None: the prior itself."""
    out: str | None = None
    """x.png for one picture, x.npz for an array `images` (and `labels`, where there are any), x.gif
    for moving --interpolate, or FOLDER/ for single files 000000.png ...; None:
    NAME-stepSTEP-seedSEED.png in this folder."""
    overwrite: bool = False
    """Replace a file that is there."""
    code: Annotated[Trust, tyro.conf.arg(name="")] = NOTHING


def sample(arguments: list[str]) -> None:
    """``jaxgan sample``: draws images and writes them to files.

    Raises:
        ConfigError: the options do not go together, or the run's configuration cannot be used.
        RunError: there is no such run, or no checkpoint in it.
    """
    parsed = reading.read(SampleOptions, arguments, "jaxgan sample")
    steps = 1 if parsed.interpolate is None else parsed.interpolate
    paths = parsed.interpolate is not None
    count = (PATHS if paths else COUNT) if parsed.count is None else parsed.count
    drawing.whole("count", count, least=1)
    if paths:
        drawing.whole("interpolate", steps, least=2)
    form = ".png" if parsed.out is None else _form(parsed.out)
    if form == ".gif" and not paths:
        raise ConfigError(f"--out {parsed.out}: a .gif shows paths; give --interpolate STEPS")
    experiment = runs.experiment_of(parsed.run, parsed.code)
    xla.set_flags([experiment.precision])
    with working(parsed.run):
        program = compile_program(experiment, "none")
    drawing.check(experiment, program.algorithm, count, parsed.seed, parsed.label)
    size = _checked_size(experiment, count, steps, form)
    if parsed.out is not None:
        outputs.check(
            Path(parsed.out), overwrite=parsed.overwrite, folder=form == "folder", size=size
        )
    trained = drawing.under(
        runs.load(parsed.run, parsed.code),
        weights=parsed.weights,
        truncation=parsed.truncation,
        threshold=parsed.threshold,
        batch_norm=parsed.batch_norm,
    )
    trained = fit.drawn_by(trained, parsed.run, parsed.sampler)
    out = Path(_default(parsed, trained) if parsed.out is None else parsed.out)
    outputs.check(out, overwrite=parsed.overwrite, folder=form == "folder", size=size)
    if paths:
        images = drawing.interpolate(trained, count, steps, parsed.seed, parsed.label)
        _write(out, form, experiment.data, iter(images), count, steps)
        what = f"{count} paths of {steps} steps"
    else:
        pieces = drawing.batches(trained, count, parsed.seed, parsed.label)
        labels = drawing.classes(trained, count, parsed.seed, parsed.label)
        _write(out, form, experiment.data, pieces, count, steps, labels)
        what = f"{count} samples"
    for note in trained.notes:
        print(note, file=sys.stderr)
    print(f"{what} of step {trained.step} are in {out}{'/' if form == 'folder' else ''}")


def _form(out: str) -> str:
    """The ending of a file's name, or ``folder``."""
    suffix = Path(out).suffix.lower()
    if out.endswith(("/", "\\")) or Path(out).is_dir() or not suffix:
        return "folder"
    if suffix not in (".png", ".npz", ".gif"):
        raise ConfigError(
            f"--out {out}: the name must end in .png, .npz or .gif, or in / for a folder of single"
            " images"
        )
    return suffix


def _checked_size(experiment: Experiment, count: int, steps: int, form: str) -> int:
    """Bytes that the images take at most on the disk; refuses what cannot be made."""
    data = experiment.data
    if form == "folder" and data.dtype != "uint8":
        raise ConfigError(f"{experiment.name} draws points: they go to one .npz, .png or .gif")
    size = drawing.bytes_of(experiment, count * steps)
    if form in (".png", ".gif"):
        columns = steps if steps > 1 and form == ".png" else _columns(count)
        rows = count if steps > 1 and form == ".png" else -(-count // columns)
        height, width = pictures.tile_size(data)
        pixels = rows * height * columns * width
        if data.dtype == "uint8" and pixels > MOST_PIXELS:
            raise ConfigError(
                f"a picture of {count * steps:,} images would have {pixels / 1e6:,.0f} million"
                " pixels, which hardly any program opens: take fewer, or --out x.npz or FOLDER/"
            )
    if form in (".png", ".gif") or steps > 1:
        drawing.check_memory(experiment, count * steps)
    return size


def _columns(count: int) -> int:
    return max(1, round(count**0.5))


def _default(parsed: SampleOptions, trained: Trained) -> str:
    """A name that says what is in it, in the current folder."""
    name = re.sub(r"[^\w.-]+", "_", trained.experiment.name)
    label = "" if parsed.label is None else f"-label{parsed.label}"
    paths = "" if parsed.interpolate is None else f"-interpolate{parsed.interpolate}"
    by = "" if parsed.sampler is None else f"-{fit.kind_of(parsed.sampler).name}"
    return f"{name}-step{trained.step}-seed{parsed.seed}{label}{paths}{by}.png"


def _write(
    out: Path,
    form: str,
    data: Data,
    pieces: Iterator[np.ndarray],
    count: int,
    steps: int,
    labels: np.ndarray | None = None,
) -> None:
    """Writes samples in pieces, or paths one by one, to the form that was asked for."""
    if form == ".npz":
        write_npz(out, pieces, (count * steps, *data.image_shape), labels)
    elif form == "folder":
        write_pngs(out, pieces, count * steps)
    elif form == ".gif":
        paths = np.stack(list(pieces), axis=1)
        write_gif(out, [pictures.picture(data, frame, _columns(count)) for frame in paths])
    else:
        columns = steps if steps > 1 else _columns(count)
        save_png(out, pictures.picture(data, np.concatenate(list(pieces)), columns))
