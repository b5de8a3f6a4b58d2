"""``jaxgan evaluate``: measures a run again, or one set of images against another."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from jaxgan.cli import fit, outputs, reading, tables
from jaxgan.config import ConfigError, config_errors
from jaxgan.data.image_set import SUFFIXES, ImageSet, load_images, same_channels
from jaxgan.data.order import subset_rows
from jaxgan.data.source import DataError
from jaxgan.evaluation.features.load import load_backbone
from jaxgan.evaluation.likelihood.annealed import USUAL, Annealing
from jaxgan.evaluation.metrics import check_names, shortage, warnings_of
from jaxgan.evaluation.protocol import bracket
from jaxgan.evaluation.reference import reference_statistics
from jaxgan.evaluation.scores import results
from jaxgan.machine import xla
from jaxgan.machine.atomic import write_atomically
from jaxgan.measurement import drawing, held_out, runs, scoring
from jaxgan.measurement.numbers import numbers_of
from jaxgan.run import workdir
from jaxgan.run.generator_file import SUFFIX
from jaxgan.run.trust import NOTHING, Trust


@dataclasses.dataclass(frozen=True)
class EvaluateOptions:
    """Measure a run, or images against others; prints a table with 95% intervals and protocols.

    The newest checkpoint is measured or, where validation selects, the best one. Two folders of
    images, or .npz files with an array `images`, are measured against each other.
    """

    what: tyro.conf.Positional[tuple[Path, ...]]
    """A run's folder, or its snapshot; or real images and then generated ones, each a folder or an
    .npz file."""
    metrics: tuple[str, ...] = ()
    """Such as fid fid_inf kid is prdc cfid cas memorization swd ms_ssim likelihood ais
    surgery disentanglement manifold; none given: those of the run's settings, or fid and kid."""
    backbone: str | None = None
    """Feature extractor; None: as in the run's settings, or pixels."""
    samples: int | None = None
    """Generated images, of image files a random subset; None: as in the run's settings, or all."""
    split: Literal["train", "test"] | None = None
    """Real images of a run's data; None: as in the run's settings."""
    weights: Literal["ema", "raw"] | None = None
    """Weights of a run that draw; None: as in the run's settings."""
    threshold: float | None = None
    """Size beyond which a run's latents are drawn again, 0 for none; None: as in its settings."""
    batch_norm: Literal["running", "batch", "standing", "standing_random"] | None = None
    """Statistics of batch normalization in a run; None: as in the run's settings."""
    truncation: float | None = None
    """Factor of a run's latents; None: as in the run's settings."""
    labels: Literal["uniform", "real"] | None = None
    """Classes of a run's samples, for models with labels; None: as in the run's settings."""
    draws: int | None = None
    """Codes drawn for each held-out image of a run, for metrics that estimate a likelihood; None:
    1,000."""
    ais: Annealing = USUAL
    """Chains of the metric ais, of a run."""
    sampler: str | None = None
    """Sampler of a run, which `jaxgan fit` has fitted; None: its prior itself draws."""
    batch_size: int | None = None
    """Images a device call of a run; None: as in the run's settings."""
    json: bool = False
    """Print JSON, with every field of the protocols, in place of the table."""
    out: Path | None = None
    """A .json file to write the same JSON to."""
    overwrite: bool = False
    """Replace the file --out, if it is there."""
    code: Annotated[Trust, tyro.conf.arg(name="")] = NOTHING


_JSON_FILE = "{0}: --json prints JSON; --out {0} writes it to a file"

_OF_RUNS = ("split", "weights", "batch_norm", "truncation", "threshold", "labels", "batch_size")
"""Options that change a run's evaluation settings."""


def evaluate(arguments: list[str]) -> None:
    """The command; prints a table, or JSON.

    Raises:
        ConfigError: the options do not go together, or a metric needs what is not there.
        DataError: images cannot be read, or cannot be compared.
        RunError: there is no such run, or no checkpoint in it.
        NonFiniteError: a metric is NaN or infinite.
    """
    for flag, value in itertools.pairwise(arguments):
        if flag == "--json" and value.endswith(".json"):
            raise ConfigError(_JSON_FILE.format(value))
    options = reading.read(EvaluateOptions, arguments, "jaxgan evaluate")
    _check_what(options.what)
    _check_options(options)
    document = _of_run(options) if len(options.what) == 1 else _of_images(options)
    plain = _without_nan({**document, "estimates": _estimates(document)})
    text = json.dumps(plain, indent=2)
    print(text if options.json else "\n".join(tables.numbers_table(numbers_of(document))))
    if options.out is not None:
        write_atomically(options.out, f"{text}\n".encode())


def _check_what(what: tuple[Path, ...]) -> None:
    """Finds out whether what is named is one run, or two sets of images."""
    for path in what:
        if path.suffix == ".json" and not path.is_dir():
            raise ConfigError(_JSON_FILE.format(path))
    if len(what) not in (1, 2):
        raise ConfigError(
            "name a run, or real images and generated ones: jaxgan evaluate RUN, or"
            " jaxgan evaluate REAL GENERATED"
        )
    is_run = [(path / workdir.CONFIG).is_file() or path.suffix == SUFFIX for path in what]
    first, last = what[0], what[-1]
    if is_run == [False] and (first.is_file() or _holds_images(first)):
        raise ConfigError(
            f"{first} is one set of images: name the real ones and those to be measured, jaxgan"
            " evaluate REAL GENERATED"
        )
    if is_run == [True, True]:
        raise ConfigError(
            f"{first} and {last} are two runs: measure them one by one; numbers of the same"
            " protocol can be compared"
        )
    if any(is_run) and len(what) == 2:
        run, images = what if is_run[0] else what[::-1]
        raise ConfigError(
            f"{run} is a run and {images} is not: to measure its samples against those images,"
            f" write them to a file, jaxgan sample {run} -n 10000 --out samples.npz, and then"
            f" jaxgan evaluate {images} samples.npz"
        )


def _holds_images(folder: Path) -> bool:
    return folder.is_dir() and any(path.suffix.lower() in SUFFIXES for path in folder.rglob("*"))


def _check_options(options: EvaluateOptions) -> None:
    """Refuses, before anything is read, numbers and files that cannot work."""
    if options.samples is not None and options.samples < 2:
        raise ConfigError(f"--samples {options.samples}: distances need at least 2")
    if options.draws is not None:
        drawing.whole("draws", options.draws, least=1, below=held_out.MOST_DRAWS + 1)
    if options.batch_size is not None:
        drawing.whole("batch_size", options.batch_size, least=1, below=scoring.LIMIT + 1)
    if options.out is not None:
        if options.out.suffix != ".json":
            raise ConfigError(f"--out {options.out}: the name must end in .json")
        outputs.check(options.out, overwrite=options.overwrite)


def _estimates(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Each metric with its interval and its protocol in one place."""
    found = {}
    for name, value in document["metrics"].items():
        low, high = document["intervals"].get(name, (math.nan, math.nan))
        protocol = bracket(name)
        digest = document["protocols"][protocol]["digest"]
        found[name] = {
            "value": value, "low": low, "high": high, "protocol": protocol, "digest": digest
        }  # fmt: skip
    return found


def _without_nan(value: Any) -> Any:
    """JSON has no NaN: what is undefined is null."""
    if isinstance(value, dict):
        return {name: _without_nan(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _of_run(options: EvaluateOptions) -> dict[str, Any]:
    folder = options.what[0]
    xla.set_flags([runs.experiment_of(folder, options.code).precision])
    # What the run's own file imports may bring metrics; names are checked before weights are read.
    with config_errors():
        check_names(options.metrics)
    trained = runs.load(folder, options.code)
    for note in trained.notes:
        print(note, file=sys.stderr)
    named = ("backbone", "samples", *_OF_RUNS)
    given = {name: value for name in named if (value := getattr(options, name)) is not None}
    experiment = trained.experiment
    evaluation = dataclasses.replace(experiment.evaluation, **given)
    trained = trained._replace(experiment=dataclasses.replace(experiment, evaluation=evaluation))
    return runs.evaluate(
        fit.drawn_by(trained, folder, options.sampler),
        options.metrics or None,
        draws=options.draws or held_out.DRAWS,
        annealing=options.ais,
        split=options.split,
        # Beside the JSON, which may be read by a program.
        log=lambda line: print(line, file=sys.stderr, flush=True),
    )


def _of_images(options: EvaluateOptions) -> dict[str, Any]:
    of_runs = (*_OF_RUNS, "draws", "sampler")
    if given := [name for name in of_runs if getattr(options, name) is not None]:
        raise ConfigError(f"--{given[0].replace('_', '-')} is for runs, and these are images")
    if options.ais != USUAL:
        raise ConfigError("--ais is for runs, and these are images")
    with config_errors():
        check_names(options.metrics, samples_only=True)
    real_path, generated_path = options.what
    real, generated, subset = _comparable(options)
    points = real.images.dtype != "uint8"
    name = options.backbone or ("identity" if points else "pixels")
    metrics = options.metrics or ("fid", "kid")
    with config_errors():
        backbone = load_backbone(name, real.images.shape[1:])
        counts = len(generated.images), len(real.images)
        for metric in metrics:
            if line := shortage(metric, counts[0], backbone.name, backbone.dimension):
                raise ConfigError(line)
        warnings = warnings_of(metrics, *counts, backbone.dimension)
        for line in warnings:
            print(line, file=sys.stderr, flush=True)
        reference = reference_statistics(
            backbone,
            real.images,
            split="real",
            sample_count=len(generated.images),
            labels=real.labels,
            weights="none",
            subset=subset,
            use_cache=True,
        )
        found = results(
            [generated.images],
            reference,
            metrics,
            labels=generated.labels,
        )
    numbers = scoring.numbers(
        {name: result.value for name, result in found.items()},
        {name: result.protocol for name, result in found.items()},
        warnings,
    )
    return {"real": str(real_path), "generated": str(generated_path), **numbers._asdict()}


def _comparable(options: EvaluateOptions) -> tuple[ImageSet, ImageSet, str]:
    """Both sets, of one size and type, as many generated ones as are asked for; and which of them
    is a subset of what was given."""
    real_path, generated_path = options.what
    real, generated = same_channels(load_images(real_path), load_images(generated_path))
    count = len(generated.images) if options.samples is None else options.samples
    if count > len(generated.images):
        raise DataError(
            f"--samples {count}: {generated_path} has {len(generated.images)} images only"
        )
    subset = "generated" if count < len(generated.images) else ""
    if subset:
        # As with real images: the first ones of a folder are of its first classes.
        rows = subset_rows(len(generated.images), count)
        labels = None if generated.labels is None else generated.labels[rows]
        generated = ImageSet(generated.images[rows], labels)
    for path, images in ((real_path, real.images), (generated_path, generated.images)):
        if len(images) < 2:
            raise DataError(f"{path}: {len(images)} image is too few, a distance needs at least 2")
    a, b = real.images, generated.images
    if (a.shape[1:], a.dtype) != (b.shape[1:], b.dtype):
        raise DataError(
            f"{real_path} has images of {_shape(a)}, {generated_path} of {_shape(b)}: they can only"
            " be compared at one size"
        )
    return real, generated, subset


def _shape(images: Any) -> str:
    return f"{'x'.join(map(str, images.shape[1:]))} ({images.dtype})"
