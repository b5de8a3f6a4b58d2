"""``jaxgan evaluate``: measures a run again, or one set of images against another."""

from __future__ import annotations

import dataclasses
import json
import math
import sys
from pathlib import Path
from typing import Any, Literal

import tyro

from jaxgan.config import ConfigError, config_errors
from jaxgan.data.image_set import ImageSet, load_images, same_channels
from jaxgan.data.order import subset_rows
from jaxgan.data.source import DataError
from jaxgan.evaluation.features.load import load_backbone
from jaxgan.evaluation.metrics import check_names
from jaxgan.evaluation.protocol import bracket
from jaxgan.evaluation.reference import reference_statistics
from jaxgan.evaluation.scores import results
from jaxgan.machine import xla
from jaxgan.measurement import held_out, runs, scoring
from jaxgan.run import workdir


@dataclasses.dataclass(frozen=True)
class EvaluateOptions:
    """Measure a run, or images against others; prints JSON with 95% intervals and protocols.

    The newest checkpoint is measured or, where validation selects, the best one. Two folders of
    images, or .npz files with an array `images`, are measured against each other.
    """

    what: tyro.conf.Positional[tuple[Path, ...]]
    """A run's folder; or real images and then generated ones, each a folder or an .npz file."""
    metrics: tuple[str, ...] = ()
    """Such as fid fid_inf kid is prdc cfid cas memorization swd ms_ssim likelihood surgery
    disentanglement manifold; none given: those of the run's settings, or fid and kid."""
    backbone: str | None = None
    """Feature extractor; None: as in the run's settings, or pixels."""
    samples: int | None = None
    """Generated images, of image files a random subset; None: as in the run's settings, or all."""
    split: Literal["train", "test"] | None = None
    """Real images of a run's data; None: as in the run's settings."""
    weights: Literal["ema", "raw"] | None = None
    """Weights of a run that draw; None: as in the run's settings."""
    batch_norm: Literal["running", "batch", "standing"] | None = None
    """Statistics of batch normalization in a run; None: as in the run's settings."""
    truncation: float | None = None
    """Factor of a run's latents; None: as in the run's settings."""
    labels: Literal["uniform", "real"] | None = None
    """Classes of a run's samples, for models with labels; None: as in the run's settings."""
    draws: int = held_out.DRAWS
    """Codes drawn for each held-out image, for metrics that estimate a likelihood."""
    json: Path | None = None
    """A file to write the JSON to as well."""


_OF_RUNS = ("split", "weights", "batch_norm", "truncation", "labels")


def evaluate(arguments: list[str]) -> None:
    """The command; prints JSON.

    Raises:
        ConfigError: the options do not go together, or a metric needs what is not there.
        DataError: images cannot be read, or cannot be compared.
        RunError: there is no such run, or no checkpoint in it.
        NonFiniteError: a metric is NaN or infinite.
    """
    options = tyro.cli(EvaluateOptions, args=arguments, prog="jaxgan evaluate")
    if len(options.what) not in (1, 2):
        raise ConfigError(
            "name a run, or real images and generated ones: jaxgan evaluate RUN, or"
            " jaxgan evaluate REAL GENERATED"
        )
    if options.draws < 1:
        raise ConfigError(f"draws = {options.draws}: must be at least 1")
    if options.json is not None and not options.json.absolute().parent.is_dir():
        raise ConfigError(f"--json {options.json}: there is no folder {options.json.parent}")
    document = _of_run(options) if len(options.what) == 1 else _of_images(options)
    plain = _without_nan({**document, "estimates": _estimates(document)})
    print(json.dumps(plain, indent=2))
    if options.json is not None:
        workdir.write_json(options.json, plain)


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
    xla.set_flags([runs.experiment_of(folder).precision])
    # What the run's own file imports may bring metrics; names are checked before weights are read.
    with config_errors():
        check_names(options.metrics)
    trained = runs.load(folder)
    for note in trained.notes:
        print(note, file=sys.stderr)
    named = ("backbone", "samples", *_OF_RUNS)
    given = {name: value for name in named if (value := getattr(options, name)) is not None}
    experiment = trained.experiment
    evaluation = dataclasses.replace(experiment.evaluation, **given)
    trained = trained._replace(experiment=dataclasses.replace(experiment, evaluation=evaluation))
    return runs.evaluate(
        trained,
        options.metrics or None,
        draws=options.draws,
        split=options.split,
        # Beside the JSON, which may be read by a program.
        log=lambda line: print(line, file=sys.stderr, flush=True),
    )


def _of_images(options: EvaluateOptions) -> dict[str, Any]:
    if given := [name for name in _OF_RUNS if getattr(options, name) is not None]:
        raise ConfigError(f"--{given[0].replace('_', '-')} is for runs, and these are images")
    with config_errors():
        check_names(options.metrics, samples_only=True)
    real_path, generated_path = options.what
    real, generated, subset = _comparable(options)
    points = real.images.dtype != "uint8"
    name = options.backbone or ("identity" if points else "pixels")
    with config_errors():
        backbone = load_backbone(name, real.images.shape[1:])
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
            options.metrics or ("fid", "kid"),
            labels=generated.labels,
        )
    numbers = scoring.numbers(
        {name: result.value for name, result in found.items()},
        {name: result.protocol for name, result in found.items()},
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
