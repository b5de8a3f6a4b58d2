"""The splits of a data set, opened and read once for all that look at them."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Literal

import numpy as np

from jaxgan.data import pipeline
from jaxgan.data.pipeline import Data, Dataset
from jaxgan.data.source import DataError, Split

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
