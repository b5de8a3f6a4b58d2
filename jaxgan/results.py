"""A run's data, and what is shown of a trained state: pictures."""

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
from jaxgan.evaluation.features import default_backbone
from jaxgan.evaluation.neighbors import nearest_neighbors
from jaxgan.program import Program
from jaxgan.typing import PRNGKey
from jaxgan.visualization.grid import image_grid, pairs_grid, scatter
from jaxgan.visualization.interpolation import interpolation_latents

SEED = 0
"""Of the evaluation's own randomness: the same latents for every model and training seed."""

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


def labels_of(data: Data, name: SplitName, count: int) -> np.ndarray:
    """The classes of the first so many images of a split."""
    split = split_of(data, name)
    if pipeline.is_resident(data, split):
        return in_memory(data, name)["label"][:count]
    return np.array([split[i]["label"] for i in range(count)], np.int32)


def images_of(data: Data, name: SplitName, size: int = 500) -> Iterator[np.ndarray]:
    """The images of a split in batches, from memory where the split is small enough."""
    split = split_of(data, name)
    if pipeline.is_resident(data, split):
        yield in_memory(data, name)["image"]
        return
    for start in range(0, len(split), size):
        stop = min(start + size, len(split))
        yield np.stack([split[i]["image"] for i in range(start, stop)])


def backbone_name(data: Data, evaluation: Evaluation) -> str:
    """The feature extractor that the settings name, or that is shipped for the data set."""
    if evaluation.backbone != "auto":
        return evaluation.backbone
    return default_backbone(open_data(data).info.name)


def parameter_counts(program: Program, state: State) -> dict[str, int]:
    """Trained parameters of each network."""
    return {
        name: sum(int(leaf.size) for leaf in jax.tree.leaves(params))
        for name, params in program.algorithm.parameters(state).items()
    }


def short_name(metric: str) -> str:
    """``fid[digits-cnn,...]`` is ``fid`` for short."""
    return metric.partition("[")[0]


def bracket(metric: str) -> str:
    """``fid[digits-cnn,...]`` has ``digits-cnn,...`` in its brackets."""
    return metric[len(short_name(metric)) + 1 : -1]


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
