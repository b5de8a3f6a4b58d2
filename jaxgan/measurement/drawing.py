"""Images that a trained run makes for people: samples, and paths between latents.

All calls are of one compiled size, the ``batch_size`` of the run's evaluation, so that an image
depends on its seed and its place, and not on how many others are asked for.
"""

from __future__ import annotations

import dataclasses
import math
import operator
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxgan import rng
from jaxgan.algorithms.base import Algorithm
from jaxgan.config import ConfigError, Experiment, config_errors
from jaxgan.machine import memory
from jaxgan.measurement import available, sampling
from jaxgan.measurement.trained import Trained
from jaxgan.typing import Latents

MOST_SEEDS = 2**31
"""Seeds are below it, as those of training are."""


def check(
    experiment: Experiment, algorithm: Algorithm, count: int, seed: int, label: int | None
) -> None:
    """Finds out, before anything is read, whether samples can be drawn as asked.

    Raises:
        ConfigError: the model draws none, or takes no labels; or a number is out of range.
    """
    there, classes = available.has(algorithm), experiment.data.classes
    if "samples" not in there:
        raise ConfigError(f"{experiment.name} draws no samples")
    whole("count", count, least=1)
    whole("seed", seed, least=0, below=MOST_SEEDS)
    if label is None:
        return
    if "labels" not in there:
        raise ConfigError(f"label = {label}: {experiment.name} takes no labels")
    if not 0 <= whole("label", label) < classes:
        raise ConfigError(f"label = {label}: there are classes 0 to {classes - 1}")


def whole(name: str, value: Any, *, least: int | None = None, below: int | None = None) -> int:
    """A whole number in a range.

    Raises:
        ConfigError: it is none, or out of the range.
    """
    try:
        number = operator.index(value)
    except TypeError:
        raise ConfigError(f"{name} = {value!r}: must be a whole number") from None
    if least is not None and number < least:
        raise ConfigError(f"{name} = {number}: must be at least {least}")
    if below is not None and number >= below:
        raise ConfigError(f"{name} = {number}: must be below {below:,}")
    return number


def bytes_of(experiment: Experiment, count: int) -> int:
    """What so many images take, uncompressed."""
    return count * math.prod(experiment.data.image_shape) * np.dtype(experiment.data.dtype).itemsize


def check_memory(experiment: Experiment, count: int) -> None:
    """Refuses what does not fit into memory.

    Raises:
        ConfigError: says how much is needed, and how much there is.
    """
    wanted, there = bytes_of(experiment, count), memory.available()
    if there is not None and wanted > there:
        raise ConfigError(
            f"{count:,} images need {gigabytes(wanted)} of memory, and {gigabytes(there)} are"
            " free: take fewer, or have `jaxgan sample --out x.npz` write them piece by piece"
        )


def gigabytes(count: int) -> str:
    """A number of bytes, for people: ``1.5 GB``."""
    return f"{count / 1e9:,.3g} GB" if count < 1e12 else f"{count / 1e9:,.0f} GB"


def under(
    trained: Trained,
    *,
    weights: str | None = None,
    truncation: float | None = None,
    threshold: float | None = None,
    batch_norm: str | None = None,
) -> Trained:
    """The same run with other settings of its samples; None: as in the run's settings.

    Raises:
        ConfigError: there is no such setting, or the model cannot be sampled so.
    """
    given = {
        "weights": weights, "truncation": truncation, "threshold": threshold,
        "batch_norm": batch_norm,
    }  # fmt: skip
    changes = {name: value for name, value in given.items() if value is not None}
    if weights == "ema" and not trained.state.ema:
        raise ConfigError(f"weights = 'ema': {trained.experiment.name} keeps no averaged weights")
    with config_errors():
        evaluation = dataclasses.replace(trained.experiment.evaluation, **changes)
    sampling.check(trained.program.algorithm, trained.state, evaluation)
    experiment = dataclasses.replace(trained.experiment, evaluation=evaluation)
    return trained._replace(experiment=experiment)


def batches(
    trained: Trained, count: int, seed: int = 0, label: int | None = None
) -> Iterator[np.ndarray]:
    """Samples in pieces, drawn as the run's evaluation settings say; see `sample`.

    Yields:
        uint8 ``(rows, height, width, channels)``, or float32 points; ``count`` rows in all.
    """
    check(trained.experiment, trained.program.algorithm, count, seed, label)
    program, evaluation = trained.program, trained.experiment.evaluation
    state = sampling.prepared(program, trained.state, evaluation)

    def pieces() -> Iterator[np.ndarray]:
        draw = sampling.sampler(program, state, evaluation)
        size, base = evaluation.batch_size, rng.base_key(seed)
        labels = None if label is None else np.full(size, label, np.int32)
        for index, start in enumerate(range(0, count, size)):
            images = draw(rng.role_key(base, "samples", index), size, labels)
            yield np.asarray(images)[: count - start]

    return pieces()


def classes(
    trained: Trained, count: int, seed: int = 0, label: int | None = None
) -> np.ndarray | None:
    """The classes of the samples that `batches` draws with the same arguments, int32 ``(count,)``;
    None for models without labels."""
    program, evaluation = trained.program, trained.experiment.evaluation
    generation = program.algorithm.generation
    if generation is None or generation.labels is None:
        return None
    if label is not None:
        return np.full(count, label, np.int32)
    size, base = evaluation.batch_size, rng.base_key(seed)
    parts = []
    for index in range(-(-count // size)):
        latents = sampling.latents_of(program, rng.role_key(base, "samples", index), size)
        parts.append(np.asarray(generation.labels(latents), np.int32))
    return np.concatenate(parts)[:count]


def sample(trained: Trained, count: int, seed: int = 0, label: int | None = None) -> np.ndarray:
    """Samples of a run; uint8 ``(count, height, width, channels)``, or float32 points.

    Args:
        trained: the run; its experiment's evaluation settings apply (`under` changes them).
        count: how many.
        seed: of the latents.
        label: the class of all samples; None: the prior's own.

    Raises:
        ConfigError: as `check`, or they do not fit into memory.
    """
    pieces = batches(trained, count, seed, label)
    check_memory(trained.experiment, count)
    return np.concatenate(list(pieces))


def interpolate(
    trained: Trained, count: int, steps: int, seed: int = 0, label: int | None = None
) -> np.ndarray:
    """Images along the prior's own paths between pairs of its latents.

    Args:
        trained: as in `sample`.
        count: paths.
        steps: images a path, both of its ends included.
        seed: of the latents at the ends.
        label: the class of all images; None: along a path, the one drawn for its start.

    Returns:
        uint8 ``(count, steps, height, width, channels)``, or float32 points.

    Raises:
        ConfigError: as `sample`; or the model knows no paths, or is normalized by its batch.
    """
    check(trained.experiment, trained.program.algorithm, count, seed, label)
    whole("steps", steps, least=2)
    check_memory(trained.experiment, count * steps)
    evaluation = trained.experiment.evaluation
    size, base = evaluation.batch_size, rng.base_key(seed)
    labels = None if label is None else np.full(size, label, np.int32)

    def ends(role: str) -> Latents:
        parts = [
            sampling.latents_of(
                trained.program, rng.role_key(base, role, index), size, evaluation, labels=labels
            )
            for index in range(-(-count // size))
        ]  # fmt: skip
        return jax.tree.map(lambda *leaves: jnp.concatenate(leaves)[:count], *parts)

    check_paths(trained)
    return along(trained, ends("start"), ends("end"), steps)


def check_paths(trained: Trained) -> None:
    """Refuses models that know no paths between latents.

    Raises:
        ConfigError: there are none, or an image would depend on the others of its batch.
    """
    generation = trained.program.algorithm.generation
    if generation is None or generation.between is None:
        raise ConfigError(f"{trained.experiment.name} knows no paths between its latents")
    if trained.experiment.evaluation.batch_norm == "batch":
        raise ConfigError(
            "batch_norm = 'batch': on a path every image is made by itself; take running or"
            " standing"
        )


def along(trained: Trained, starts: Latents, ends: Latents, steps: int) -> np.ndarray:
    """Images on the paths between given latents; see `interpolate`.

    Args:
        trained: that `check_paths` accepts.
        starts: latents of ``count`` examples.
        ends: as many.
        steps: images a path, both of its ends included.
    """
    program, evaluation = trained.program, trained.experiment.evaluation
    generation, generate = program.algorithm.generation, program.generate
    assert generation is not None
    assert generation.between is not None
    assert generate is not None
    state = sampling.prepared(program, trained.state, evaluation)
    between = jax.jit(generation.between)
    count, size = jax.tree.leaves(starts)[0].shape[0], evaluation.batch_size
    places = np.linspace(0.0, 1.0, steps, dtype=np.float32)
    parts = []
    for first in range(0, count * steps, size):
        # The last call is filled up by the first paths again.
        path, step = np.divmod(np.arange(first, first + size) % (count * steps), steps)
        a, b = (jax.tree.map(lambda leaf, path=path: leaf[path], end) for end in (starts, ends))
        parts.append(np.asarray(generate(state, between(a, b, places[step]))))
    return np.concatenate(parts)[: count * steps].reshape(count, steps, *parts[0].shape[1:])
