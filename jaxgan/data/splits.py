"""The splits of a data set, opened and read once for all that look at them."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Literal

import numpy as np

from jaxgan.data import pipeline, reading
from jaxgan.data.domains import domain_of, domains_of, join
from jaxgan.data.order import subset_rows
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
    """A whole split as NumPy arrays; see `jaxgan.data.reading.arrays`."""
    return reading.arrays(split_of(data, name))


def labels_of(data: Data, name: SplitName, count: int, field: str = "label") -> np.ndarray:
    """The classes of the images that `images_of` gives for the same count, in their order."""
    return np.concatenate(list(_column(data, name, field, count)))


def images_of(
    data: Data,
    name: SplitName,
    size: int = 500,
    field: str = "image",
    count: int | None = None,
) -> Iterator[np.ndarray]:
    """The images of a split: all at once from memory, where it is small enough; else in batches.

    Args:
        data: of which.
        name: of the split.
        size: images a batch.
        field: which of an example's images.
        count: how many; of a larger split the random subset `jaxgan.data.order.subset_rows`, and
            nothing else of it is read. None: all.
    """
    return _column(data, name, field, count, size)


def held_out_batches(
    data: Data, name: SplitName, size: int
) -> Iterator[tuple[dict[str, np.ndarray], int]]:
    """A split in its own order, in batches of one size with every field.

    The last batch is filled up with zeros, and ``mask`` (float32 ``(size,)``) is 1 for what counts.
    Every domain has a mask of its own, such as ``photo/mask``, and the batches last as long as the
    largest domain does. A split that is streamed is read one batch at a time.

    Yields:
        A batch, and how many of its examples count (in the domain where most do).
    """
    split = split_of(data, name)
    for start in range(0, len(split), size):
        batch = {}
        for field, array in _rows(data, name, slice(start, start + size)).items():
            padding = [(0, size - len(array))] + [(0, 0)] * (array.ndim - 1)
            batch[field] = np.pad(array, padding)
            mask = (np.arange(size) < len(array)).astype(np.float32)
            batch[join(domain_of(field), "mask")] = mask
        yield batch, min(size, len(split) - start)


def _rows(data: Data, name: SplitName, rows: slice) -> dict[str, np.ndarray]:
    """Some examples of a split, which are read for that where it is streamed."""
    split = split_of(data, name)
    if not pipeline.is_resident(data, split):
        return reading.arrays(split, rows)
    return {field: array[rows] for field, array in in_memory(data, name).items()}


def _column(
    data: Data, name: SplitName, field: str, count: int | None, size: int = 500
) -> Iterator[np.ndarray]:
    """All values of a field, or those of ``count`` random rows, in parts."""
    if field not in data.fields:
        raise DataError(f"there is no field {field}; there are {', '.join(data.fields)}")
    split = split_of(data, name)
    part = domains_of(split)[domain_of(field)]
    rows = None if count is None or count >= len(part) else subset_rows(len(part), count)
    if pipeline.is_resident(data, split):
        whole = in_memory(data, name)[field]
        yield whole if rows is None else whole[rows]
        return
    if rows is not None:
        part = reading.Subset(part, rows)
    for start in range(0, len(part), size):
        found = reading.arrays(part, slice(start, start + size))
        yield found[field.rpartition("/")[2]]
