"""What is measured and shown of a trained state: held-out sums, sample distances, pictures."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any, Literal

import jax
import numpy as np

from jaxgan import rng
from jaxgan.algorithms.base import State
from jaxgan.config import Evaluation, Experiment
from jaxgan.data import pipeline
from jaxgan.data.pipeline import Data, Dataset
from jaxgan.data.source import DataError, Split
from jaxgan.evaluation import likelihood, mixtures, protocol
from jaxgan.evaluation.features import Backbone, default_backbone, load_backbone
from jaxgan.evaluation.neighbors import nearest_neighbors
from jaxgan.program import Program
from jaxgan.recorder import DIVERGED, NonFiniteError
from jaxgan.typing import PRNGKey
from jaxgan.visualization.grid import image_grid, pairs_grid, scatter
from jaxgan.visualization.interpolation import interpolation_latents

LIMIT = 10_000
"""Real images that distances use at most (the kernel distance is quadratic in their number), and
samples of an evaluation that does not say how many."""

# Seed of the evaluation's own randomness: the same latents for every model and training seed.
SEED = 0

SplitName = Literal["train", "validation", "test"]


@functools.lru_cache(maxsize=4)
def open_data(data: Data) -> Dataset:
    """Opens and checks a data set; the same object for the same settings.

    Raises:
        DataError: it is missing, damaged, or does not fit the settings.
    """
    return pipeline.load(data)


def split_of(data: Data, name: SplitName) -> Split:
    """One split of a data set.

    Raises:
        DataError: no images were set aside for it.
    """
    split = getattr(open_data(data), name)
    if split is None:
        raise DataError(f"there is no {name} split: set images aside by --data.validation N")
    return split


@functools.lru_cache(maxsize=8)
def in_memory(data: Data, name: SplitName) -> dict[str, np.ndarray]:
    """All images and labels of a split, as NumPy arrays."""
    return pipeline.arrays(split_of(data, name))


def images_of(data: Data, name: SplitName, size: int = 500) -> Iterator[np.ndarray]:
    """The images of a split in batches, from memory where the split is small enough."""
    split = split_of(data, name)
    if pipeline.is_resident(data, split):
        yield in_memory(data, name)["image"]
        return
    for start in range(0, len(split), size):
        stop = min(start + size, len(split))
        yield np.stack([split[i]["image"] for i in range(start, stop)])


def _first(batches: Iterator[np.ndarray], count: int) -> Iterator[np.ndarray]:
    """The first so many images."""
    for batch in batches:
        yield batch[:count]
        count -= len(batch)
        if count <= 0:
            return


def check(experiment: Experiment) -> None:
    """Finds out before any training whether its result can be measured.

    Raises:
        DataError: a split is too small for distances.
        ValueError: there is no such feature extractor, or it does not read the data's images.
    """
    data = experiment.data
    _backbone(data, experiment.evaluation)
    names: list[SplitName] = [experiment.evaluation.split]
    if experiment.evaluation.every:
        names.append("validation" if data.validation else "train")
    for name in names:
        if (count := len(split_of(data, name))) < 2:
            raise DataError(f"the {name} split has {count} image: distances need at least 2")


def _backbone(data: Data, evaluation: Evaluation) -> Backbone:
    name = evaluation.backbone
    if name == "auto":
        name = default_backbone(open_data(data).info.name)
    return load_backbone(name, data.image_shape)


@functools.lru_cache(maxsize=8)
def reference(data: Data, evaluation: Evaluation, name: SplitName) -> protocol.Reference:
    """The real side of the sample distances, measured once for all models."""
    available = min(len(split_of(data, name)), LIMIT)
    count = evaluation.samples or available
    return protocol.reference_statistics(
        _backbone(data, evaluation),
        _first(images_of(data, name), available),
        split=name,
        sample_count=count,
        seed=SEED,
    )


def measure(
    program: Program,
    state: State,
    experiment: Experiment,
    *,
    distances: SplitName,
    held_out: SplitName | None,
) -> dict[str, float]:
    """All numbers of a state, each under a name that says how it was measured.

    Args:
        program: of the experiment.
        state: on one device.
        experiment: its data and evaluation settings apply.
        distances: split that samples are compared with.
        held_out: split that likelihoods and accuracies are taken on; None: not at all.

    Raises:
        NonFiniteError: samples or a metric are NaN or infinite.
    """
    data: Data = experiment.data
    real = reference(data, experiment.evaluation, distances)

    def sample(key: PRNGKey, count: int) -> Any:
        return program.sample(state, key, count)

    batches = list(protocol.draw(sample, real.protocol, experiment.evaluation.batch_size))
    if not all(np.isfinite(batch).all() for batch in batches):
        raise NonFiniteError(f"samples are not finite at step {state.step}: {DIVERGED}")
    numbers = protocol.score(batches, real)
    if held_out is not None:
        numbers |= _held_out(program, state, experiment, held_out)
    for name, value in numbers.items():
        if not np.isfinite(value):
            raise NonFiniteError(f"{name} is {value} at step {state.step}: {DIVERGED}")
    source = data.source
    if hasattr(source, "modes"):
        points = np.concatenate(batches).reshape(-1, data.channels)
        numbers |= mixtures.mixture_metrics(points, source.modes, source.std)
    return numbers


def _held_out(
    program: Program, state: State, experiment: Experiment, name: SplitName
) -> dict[str, float]:
    """What the algorithm itself measures on real images that it was not trained on."""
    size = experiment.evaluation.batch_size
    key = rng.role_key(rng.base_key(SEED), "held-out")
    parts = []
    count = 0
    for images in images_of(experiment.data, name):
        for start in range(0, len(images), size):
            chunk = images[start : start + size]
            mask = (np.arange(size) < len(chunk)).astype(np.float32)
            padding = [(0, size - len(chunk))] + [(0, 0)] * (chunk.ndim - 1)
            batch = {"image": np.pad(chunk, padding), "mask": mask}
            parts.append(program.evaluate(state, batch, jax.random.fold_in(key, count)))
            count += len(chunk)
    means = likelihood.finalize(likelihood.merge_all(parts)) if parts and parts[0] else {}
    return {f"{metric}[{name}{count},ema]": value for metric, value in means.items()}


def parameter_counts(program: Program, state: State) -> dict[str, int]:
    """Trained parameters of each network."""
    return {
        name: sum(int(leaf.size) for leaf in jax.tree.leaves(params))
        for name, params in program.algorithm.parameters(state).items()
    }


def short_name(metric: str) -> str:
    """``fid[digits-cnn,...]`` is ``fid`` for short."""
    return metric.partition("[")[0]


# --- Pictures ------------------------------------------------------------------------------------


def sample_picture(program: Program, state: State, experiment: Experiment, count: int = 64) -> Any:
    """A grid of samples, from latents that never change; uint8 ``(height, width, channels)``."""
    latents = program.algorithm.prior(_picture_key("samples"), count)
    return picture(experiment.data, np.asarray(program.generate(state, latents)), 8)


def pictures(program: Program, state: State, experiment: Experiment) -> dict[str, np.ndarray]:
    """Samples, interpolations, reconstructions and nearest neighbors as uint8 pictures.

    Returns:
        ``samples``; for images also ``interpolation`` (great circles between latents),
        ``neighbors`` (samples above the training images nearest to them in pixels) and, where there
        is an encoder, ``reconstructions`` (test images above what the decoder makes of them).
    """
    data: Data = experiment.data
    shown = {"samples": sample_picture(program, state, experiment)}
    if data.dtype != "uint8":
        return shown
    latent_size = program.algorithm.prior(_picture_key("size"), 1).shape[-1]
    rows, steps = 8, 8
    path = interpolation_latents(_picture_key("interpolation"), rows, steps, latent_size)
    frames = program.generate(state, path.reshape(rows * steps, latent_size))
    shown["interpolation"] = picture(data, np.asarray(frames), steps)

    latents = program.algorithm.prior(_picture_key("samples"), 64)
    samples = np.asarray(program.generate(state, latents))[:16]
    train = np.concatenate(list(images_of(data, "train")))
    nearest = np.asarray(nearest_neighbors(samples, train).indices)[:, 0]
    shown["neighbors"] = pairs_grid(samples, train[nearest], columns=8, scale=_scale(data))

    if program.reconstruct is not None:
        test = next(images_of(data, "test"))[:16]
        decoded = np.asarray(program.reconstruct(state, {"image": test}))
        shown["reconstructions"] = pairs_grid(test, decoded, columns=8, scale=_scale(data))
    return shown


def picture(data: Data, images: np.ndarray, columns: int) -> np.ndarray:
    """Images as one grid, or points as one scatter plot; uint8 ``(height, width, channels)``."""
    if data.dtype == "uint8":
        return image_grid(images, columns=columns, scale=_scale(data))
    modes = getattr(data.source, "modes", None)
    return scatter(images.reshape(-1, data.channels), modes)


def _scale(data: Data) -> int:
    """Screen pixels an image pixel, so that small images can be seen."""
    return max(1, 48 // data.image_size)


def _picture_key(role: str) -> PRNGKey:
    return rng.role_key(rng.base_key(SEED), role)
