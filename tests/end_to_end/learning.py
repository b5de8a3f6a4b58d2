"""What an experiment has learned of the digits after some steps, and what it must have learned."""

import contextlib
import dataclasses
from pathlib import Path
from typing import NamedTuple, get_args

import jax
import numpy as np
import pytest

from jaxgan.config import Evaluation, Precision
from jaxgan.data import splits
from jaxgan.evaluation import protocol
from jaxgan.evaluation.features.extraction import extract
from jaxgan.evaluation.features.load import load_backbone
from jaxgan.measurement import sampling, scoring
from jaxgan.program import compile_program, example_batch
from jaxgan.run import experiment_file

SEED = 0


class Bound(NamedTuple):
    """How long an experiment is trained, and what it must then reach.

    Programs whose steps are few and fast are compiled with few optimizations, which at this size
    takes less time than it costs.
    """

    steps: int
    fid: float
    elbo: float | None = None
    optimize: bool = False
    accuracy: float | None = None
    """Share of samples that a classifier of digits takes for the class they were made for."""
    reconstruction: float | None = None
    """Log-likelihood of the test split's images under their codes, for models without an ELBO."""


EITHER = {"cgan_projection", "cvae", "dcgan", "gan_mlp", "r3gan", "wgan_gp", "conv_beta_vae"}
"""Those that learn in bfloat16 too. Others are made of the same layers, with another objective."""
EVERY = sorted(
    path
    for path in (Path(__file__).parents[2] / "experiments").glob("*.py")
    if "\nexperiment = Experiment(" in path.read_text()
)


@contextlib.contextmanager
def compilation(*, optimize):
    before = jax.config.read("jax_disable_most_optimizations")
    jax.config.update("jax_disable_most_optimizations", not optimize)
    yield
    jax.config.update("jax_disable_most_optimizations", before)


def cases(bounds):
    """Parameters ``path`` and ``precision`` of the experiments that have a bound, by name."""
    return [
        pytest.param(path, precision, id=f"{path.stem}-{precision}")
        for path in EVERY
        for precision in get_args(Precision)
        if path.stem in bounds and (precision == "float32" or path.stem in EITHER)
    ]


def check(path, precision, bound):
    """With one bound for both: the number format makes no difference to what is learned."""
    with compilation(optimize=bound.optimize):
        found = numbers_of(path, precision, bound.steps)
    assert found["fid"] < bound.fid
    assert bound.elbo is None or found["elbo"] > bound.elbo
    assert bound.reconstruction is None or found["reconstruction"] > bound.reconstruction
    # A label that is not looked at gives a tenth.
    assert bound.accuracy is None or found["accuracy"] > bound.accuracy


def trained(path, **changes):
    """Program, state and experiment after all steps."""
    experiment = experiment_file.load_experiment(path)
    evaluation = Evaluation(samples=1000, backbone=experiment.evaluation.backbone)
    experiment = dataclasses.replace(
        experiment, **{"seed": SEED, "evaluation": evaluation, **changes}
    )
    program = compile_program(experiment, "none")
    replicate = program.plan.replicate
    arrays, seed = replicate(
        (splits.in_memory(experiment.data, "train"), np.asarray(SEED, np.uint32))
    )
    state = replicate(program.init(SEED, example_batch(experiment)))
    for step in range(experiment.steps):
        phase = program.phase(step)
        if phase.enter is not None and step == phase.start:
            state = phase.enter(state)
        state, _ = phase.resident_step(state, arrays, seed)
    return program, state, experiment


def numbers_of(path, precision, steps):
    """Numbers of the experiment after some steps, under names without their protocols."""
    program, state, experiment = trained(path, precision=precision, steps=steps)
    numbers = scoring.measure(
        program, state, experiment, distances="train", held_out_split="test"
    ).metrics
    found = {protocol.short_name(name): value for name, value in numbers.items()}
    if program.algorithm.generation.labels is not None:
        found["accuracy"] = accuracy(program, state, "digits-cnn", (8, 8, 1))
    return found


def accuracy(program, state, classifier, image_shape):
    """Share of 500 samples that are recognized as the class that they were made for."""
    labels = np.arange(500, dtype=np.int32) % 10
    latents = sampling.latents_of(program, jax.random.key(1), len(labels), labels=labels)
    images = shrunk(np.asarray(program.generate(state, latents)), image_shape)
    backbone = load_backbone(classifier, image_shape)
    scores = extract(backbone, [images], which="generated", logits=True).logits
    return float((scores.argmax(axis=1) == labels).mean())


def shrunk(images, image_shape):
    """Means of square blocks, of images that are larger than a classifier's."""
    size = image_shape[0]
    factor = images.shape[1] // size
    blocks = images.reshape(-1, size, factor, size, factor, images.shape[-1])
    return np.round(blocks.mean(axis=(2, 4))).astype(np.uint8)
