"""``jaxgan project``: looks for the styles of given images in a run of StyleGAN2."""

from __future__ import annotations

import dataclasses
import io
import re
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import tyro

from jaxgan.cli import outputs, reading
from jaxgan.config import ConfigError, Experiment
from jaxgan.data.image_set import SUFFIXES, load_images
from jaxgan.data.images import decode
from jaxgan.data.splits import split_of
from jaxgan.data.transforms import convert_color, resize_image
from jaxgan.evaluation.manifolds import style_projection
from jaxgan.machine import xla
from jaxgan.machine.atomic import folder_atomically
from jaxgan.measurement import drawing, pictures, projection, runs, styles
from jaxgan.measurement.projection import Projected
from jaxgan.run.trust import NOTHING, Trust
from jaxgan.visualization.grid import encode_png, pairs_grid


@dataclasses.dataclass(frozen=True)
class ProjectOptions:
    """Project images into the space w of a run of StyleGAN2: of what styles are they made?

    A folder gets projection.png (images above what the generator makes of what was found),
    projection.npz (targets, images, w, noise_LAYER, by_step) and distances.csv (a row a step).
    Nothing in the run's folder changes.
    """

    run: tyro.conf.Positional[Path]
    """Folder of the run."""
    targets: tyro.conf.Positional[tuple[str, ...]]
    """Numbers of test images of the run's data, image files, and folders or .npz files of some."""
    steps: int = style_projection.STEPS
    """Steps of gradient descent."""
    distance: tuple[str, ...] = ()
    """Whose squared difference is made small: pixels, or feature extractors such as digits-cnn;
    none given: pixels and the classifier that is shipped for the data set, if there is one."""
    seed: int = 0
    """Seed of the noise."""
    weights: Literal["ema", "raw"] | None = None
    """Weights of the generator; None: as in the run's settings."""
    out: Path | None = None
    """A new folder; None: NAME-stepSTEP-projection in this one."""
    code: Annotated[Trust, tyro.conf.arg(name="")] = NOTHING


def project(arguments: list[str]) -> None:
    """``jaxgan project``: looks for the styles of images, and writes what was found.

    Raises:
        ConfigError: the run is none of StyleGAN2, an image does not fit, or the options do not go
            together.
        DataError: an image file is missing or damaged.
        RunError: there is no such run, or no checkpoint in it.
    """
    parsed = reading.read(ProjectOptions, arguments, "jaxgan project")
    experiment = runs.experiment_of(parsed.run, parsed.code)
    styles.check(experiment, "jaxgan project")
    xla.set_flags([experiment.precision])
    drawing.whole("steps", parsed.steps, least=1)
    if parsed.distance:
        projection.features_of(parsed.distance, experiment.data.image_shape)
    if parsed.out is not None:
        outputs.check(parsed.out, overwrite=False, folder=True)
    targets = targets_of(experiment, parsed.targets)
    trained = drawing.under(runs.load(parsed.run, parsed.code), weights=parsed.weights)
    for note in trained.notes:
        print(note, file=sys.stderr)
    name = re.sub(r"[^\w.-]+", "_", trained.experiment.name)
    out = parsed.out or Path(f"{name}-step{trained.step}-projection")
    outputs.check(out, overwrite=False, folder=True)
    found = projection.project(
        trained, targets, distance=parsed.distance, steps=parsed.steps, seed=parsed.seed
    )
    write(out, found, pictures.scale(experiment.data))
    first, last = found.by_step[0].mean(), found.distances.mean()
    print(
        f"{len(targets)} images in w of step {trained.step}: mean distance {last:.3g}, that of the"
        f" mean w {first:.3g}; in {out}/"
    )


def targets_of(experiment: Experiment, words: tuple[str, ...]) -> np.ndarray:
    """The images that words name, uint8 ``(n, height, width, channels)`` as the run's data.

    Raises:
        ConfigError: there are none, there is no such test image, or one has another size and the
            run's data says no way to resize.
        DataError: a file is missing or damaged.
    """
    if not words:
        raise ConfigError(
            "what is to be projected? Name numbers of test images, or files, after the run"
        )
    return np.concatenate([_named(experiment, word) for word in words])


def _named(experiment: Experiment, word: str) -> np.ndarray:
    data = experiment.data
    if word.isdecimal():
        split = split_of(data, "test")
        if int(word) >= len(split):
            raise ConfigError(f"{word}: there are test images 0 to {len(split) - 1:,}")
        return np.asarray(split[int(word)]["image"])[None]
    path, (height, width, channels) = Path(word), data.image_shape
    if path.suffix.lower() in SUFFIXES:
        images = decode(path, 1 if channels == 1 else 3, word, upright=True)[None]
    else:
        images = load_images(path).images
    if (images.shape[-1], channels) == (3, 1):
        images = np.stack([convert_color(one, "gray") for one in images])
    elif (images.shape[-1], channels) == (1, 3):
        images = np.repeat(images, 3, axis=-1)
    if images.shape[1:3] != (height, width) and images.dtype == np.uint8:
        if data.resize == "none":
            raise ConfigError(
                f"{word} has images of {images.shape[1]}x{images.shape[2]}, and the run makes"
                f" {height}x{width}: bring them to that size first"
            )
        images = np.stack([resize_image(one, (height, width), data.resize) for one in images])
    if images.dtype != np.uint8 or images.shape[1:] != data.image_shape:
        raise ConfigError(f"{word} has other images than the run's, {height}x{width}x{channels}")
    return images


def write(out: Path, found: Projected, scale: int) -> None:
    """Writes the picture, the arrays and the table into a new folder.

    Args:
        out: nothing is there, or an empty folder.
        found: what `jaxgan.measurement.projection.project` returned.
        scale: screen pixels an image pixel.

    Raises:
        OSError: it cannot be written; the message names it.
    """
    columns = min(len(found.targets), 8)
    picture = pairs_grid(found.targets, found.images, columns=columns, scale=scale)
    names = ("targets", "images", "w", "by_step")
    arrays: dict[str, Any] = {name: getattr(found, name) for name in names}
    arrays |= {f"noise_{name}": maps for name, maps in found.maps.items()}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    head = ",".join(["step", *(f"image {number}" for number in range(len(found.targets)))])
    rows = [*found.by_step, found.distances]
    lines = [
        ",".join([str(step), *(f"{value:.6g}" for value in row)]) for step, row in enumerate(rows)
    ]
    with folder_atomically(out) as inside:
        (inside / "projection.png").write_bytes(encode_png(picture))
        (inside / "projection.npz").write_bytes(buffer.getvalue())
        (inside / "distances.csv").write_text("\n".join([head, *lines]) + "\n")
