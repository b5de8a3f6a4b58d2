"""Seconds that each metric takes, as ``jaxgan evaluate`` computes it.

    python experiments/benchmarks/evaluation_costs.py
    python experiments/benchmarks/evaluation_costs.py --only samples --count 1000 --json costs.json

samples    metrics of samples: features of ``fashion-cnn`` (64 of them), 28x28 pixels
models     metrics of models, of a convolutional VAE
backbones  features of images; Inception's weights are zeros

Triangles of 28x28 stand for real images, others of them with noise for samples, and the VAE is not
trained: time does not depend on what is seen. Each is computed twice in this process; the first
time includes compilation. About ten minutes on two cores.
"""

from __future__ import annotations

import dataclasses
import functools
import time
from collections.abc import Callable, Sequence
from typing import Any

import jax
import measures
import numpy as np
from scaling_report import Row, experiment

from jaxgan.data.pipeline import Data
from jaxgan.data.sources.sprites import Sprites
from jaxgan.data.sources.triangles import Triangles
from jaxgan.evaluation.features import inception
from jaxgan.evaluation.features.backbone import Backbone, network_backbone
from jaxgan.evaluation.features.efficientnet import load_efficientnet_lite1
from jaxgan.evaluation.features.extraction import extract
from jaxgan.evaluation.features.load import load_backbone
from jaxgan.evaluation.metrics import SAMPLE_METRICS, Measured
from jaxgan.evaluation.model_metrics import MODEL_METRICS, ON_MANIFOLD, RECALLED
from jaxgan.evaluation.reference import reference_statistics
from jaxgan.measurement import held_out
from jaxgan.program import compile_program, example_batch

DRAWS = 50
"""Codes an image for the likelihood."""

PHOTOGRAPHS = 64
"""Images that the large backbones are timed with."""


def row(name: str, what: str, run: Callable[[], Any]) -> Row:
    """Seconds of the first and of the second call, and a sign of life."""
    seconds = []
    for _ in range(2):
        started = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - started)
    print(f"{name}: {seconds[1]:.3g} s", flush=True)
    return {"metric": name, "what": what, "first_s": seconds[0], "again_s": seconds[1]}


def of_samples(count: int) -> list[Row]:
    """Metrics of samples."""
    draws = np.random.default_rng(0)
    training = Triangles().load("train").images[: 6 * count]
    test = Triangles().load("test").images[:count]
    real, labels = training[:count], draws.integers(0, 10, count)
    noisy = training[-count:] + draws.normal(0, 10, real.shape)
    samples = np.clip(noisy, 0, 255).astype(np.uint8)
    backbone = load_backbone("fashion-cnn", real.shape[1:])
    reference = reference_statistics(
        backbone, real, split="train", sample_count=count, labels=labels
    )
    generated = extract(backbone, [samples], which="generated", logits=True)
    measured = Measured(reference, generated, labels, training, test)
    return [
        row(name, f"{count:,} samples", functools.partial(metric.compute, measured))
        for name, metric in SAMPLE_METRICS.items()
    ]


def of_models(count: int) -> list[Row]:
    """Metrics of an untrained convolutional VAE."""
    images = Triangles().load("test").images[:count]
    batches = [
        {"image": part, "mask": np.ones(len(part), np.float32)}
        for part in np.array_split(images, -(-count // 500))
    ]
    what = {
        "likelihood": f"{count:,} images, {DRAWS} codes each",
        "surgery": f"{count:,} images",
        "disentanglement": "15,000 images of 64x64",
        "manifold": f"{ON_MANIFOLD:,} samples, {min(RECALLED, count)} test images inverted",
    }
    found = []
    for name, metric in MODEL_METRICS.items():
        source, size = (Sprites(), 64) if name == "disentanglement" else (Triangles(), 28)
        data = Data(source=source, image_size=size)
        setting = dataclasses.replace(experiment("conv_beta_vae"), data=data)
        program = compile_program(setting, "none")
        state = program.init(0, example_batch(setting))
        model = held_out.model_of(program, state, setting, batches, DRAWS)
        found.append(row(name, what[name], functools.partial(metric.compute, model)))
    return found


def of_backbones(count: int) -> list[Row]:
    """Features of images."""
    draws = np.random.default_rng(0)
    photographs = draws.integers(0, 256, (PHOTOGRAPHS, 64, 64, 3), np.uint8)
    images = Triangles().load("test").images[:count]
    found = []
    for backbone, shown in (
        (load_backbone("fashion-cnn", images.shape[1:]), images),
        (load_efficientnet_lite1(), photographs),
        (_inception(), photographs),
    ):
        side = shown.shape[1]
        what = f"{len(shown):,} images of {side}x{side}"
        one = row(backbone.name, what, functools.partial(extract, backbone, [shown]))
        found.append({**one, "images_per_s": len(shown) / one["again_s"]})
    return found


def _inception() -> Backbone:
    """The network without its weights' values."""
    network = inception.Inception()
    blank = jax.eval_shape(
        network.init, jax.random.key(0), jax.ShapeDtypeStruct((1, 299, 299, 3), np.float32)
    )
    params = jax.tree.map(lambda leaf: np.zeros(leaf.shape, np.float32), blank["params"])
    return network_backbone(
        network,
        params,
        prepare=inception.prepared_as_2015,
        name="inception",
        digest="zeros",
        image_shape=None,
        dimension=2048,
        batch=32,
    )


MEASURES: dict[str, Callable[[int], list[Row]]] = {
    "samples": of_samples,
    "models": of_models,
    "backbones": of_backbones,
}
"""From a number of images to rows."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures, prints a table, and writes it to the files asked for."""
    parser = measures.parser(__doc__, MEASURES)
    parser.add_argument("--count", type=int, default=10_000, help="images; default 10000")
    options = parser.parse_args(arguments)
    names = measures.chosen(options, MEASURES)
    if not 100 <= options.count <= 10_000:
        measures.fail(f"--count {options.count}: must be from 100 to 10000")
    measures.report(options, names, lambda name: MEASURES[name](options.count))


if __name__ == "__main__":
    main()
