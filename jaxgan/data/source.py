"""What a source of training examples is: the contract that every file in this folder keeps.

A source is a frozen dataclass of plain fields (it prints, compares, hashes and becomes JSON), and
making one reads nothing from disk. `Source.info` and `Source.load` do the reading, and raise a
`DataError` of one line where something is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol, TypedDict, runtime_checkable

import numpy as np

from jaxgan.typing import ImageShape


class DataError(ValueError):
    """Data or data settings that cannot be used; the message is one line, meant for a person."""


class Example(TypedDict):
    """One record of a split."""

    image: np.ndarray
    """uint8 ``(height, width, channels)``, or float32 ``(1, 1, dimensions)`` for points."""
    label: int
    """Class index, 0 to ``classes - 1``."""


class Info(NamedTuple):
    """What is known of a source before its images are read."""

    name: str
    """How reports and metrics call the data set."""
    shape: ImageShape | None
    """Native height, width and channels; None where images differ in size."""
    channels: int
    """Channels of every image, or the dimensions of points."""
    dtype: Literal["uint8", "float32"]
    """``uint8`` for images, ``float32`` for points."""
    classes: int
    """Number of classes; 1 where the source has no labels, and every label is 0."""
    counts: dict[str, int]
    """Examples in each split."""


@runtime_checkable
class Split(Protocol):
    """A fixed sequence of examples with random access.

    ``__getitem__`` takes 0 to ``len - 1``, raises `IndexError` beyond, is safe to call from several
    threads at once, and always returns the same example for the same index.
    """

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Example: ...


@runtime_checkable
class Source(Protocol):
    """Where examples come from."""

    def info(self) -> Info:
        """Describes the source.

        Raises:
            DataError: the data is missing or damaged.
        """
        ...

    def load(self, split: str) -> Split:
        """Opens one split, having checked whatever can be checked before training.

        Args:
            split: ``"train"`` or ``"test"``.

        Raises:
            DataError: the data is missing or damaged, or there is no such split.
        """
        ...


@dataclass(frozen=True, eq=False)
class ArraySplit:
    """A `Split` over arrays in memory."""

    images: np.ndarray
    """``(n, height, width, channels)``."""
    labels: np.ndarray
    """``(n,)``, integers."""

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int, /) -> Example:
        if not 0 <= index < len(self.images):
            raise IndexError(f"index {index} of a split of {len(self.images)} examples")
        return {"image": self.images[index], "label": int(self.labels[index])}


def check_split_name(name: str, split: str) -> None:
    """Raises the `DataError` of a source called ``name`` that is asked for an unknown split."""
    if split not in ("train", "test"):
        raise DataError(f"{name}: there is no split {split!r}; it has 'train' and 'test'.")
