"""What a source of training examples is: the contract that every file in this folder keeps.

A source is a frozen dataclass of plain fields (it prints, compares, hashes and becomes JSON), and
making one reads nothing from disk. `Source.info` and `Source.load` do the reading, and raise a
`DataError` of one line where something is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias, runtime_checkable

import numpy as np

from jaxgan.typing import ImageShape


class DataError(ValueError):
    """Data or data settings that cannot be used; the message is one line, meant for a person."""


Kind: TypeAlias = Literal["image", "label", "tokens", "video"]
"""What a field holds:

* ``image``: uint8 ``(height, width, channels)``, or float32 ``(1, 1, dimensions)`` for points;
* ``label``: the index of a class, an integer from 0;
* ``tokens``: the indices of words, integers ``(length,)`` from 0;
* ``video``: uint8 ``(length, height, width, channels)``.
"""


class Field(NamedTuple):
    """What one named part of an example is."""

    kind: Kind
    channels: int = 0
    """Channels of an image or a video that keeps its own, whatever ``--data.channels`` and
    ``--data.color`` say; 0: those of `Info`, changed as these settings say."""
    length: int = 0
    """Tokens of an example, or frames of a video."""
    classes: int = 0
    """Number of a label's classes, or of words that tokens are taken from; 0: `Info.classes`."""


IMAGE_AND_LABEL: Mapping[str, Field] = {"image": Field("image"), "label": Field("label")}
"""The fields of a source that names none."""

Example: TypeAlias = Mapping[str, Any]
"""One record of a split: what the source's ``fields`` name, each as `Kind` says."""


class Info(NamedTuple):
    """What is known of a source before its images are read."""

    name: str
    """How reports and metrics call the data set."""
    shape: ImageShape | None
    """Native height, width and channels of images and frames; None where they differ in size."""
    channels: int
    """Channels of every image, or the dimensions of points."""
    dtype: Literal["uint8", "float32"]
    """``uint8`` for images, ``float32`` for points."""
    classes: int
    """Number of classes; 1 where the source has no labels, and every label is 0."""
    counts: dict[str, int]
    """Examples in each split; of several domains, in the largest one."""
    knows: frozenset[str] = frozenset()
    """Truths that the source can tell beside its examples, by which metrics find out whether it is
    for them: ``"factors"`` (of variation, as `jaxgan.data.sources.sprites.Sprites` tells them),
    ``"manifold"`` (`jaxgan.data.sources.triangles.Triangles` and
    `jaxgan.data.sources.lucic_triangles.LucicTriangles`), ``"mixture"``
    (`jaxgan.data.sources.gaussians.Ring`) or ``"stacked"``
    (`jaxgan.data.sources.stacked.Stacked`)."""


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
    """Where examples come from.

    A source of anything else than images and labels has a class attribute ``fields``, from the name
    of each part of an example to its `Field`. A name such as ``photo/image`` belongs to a domain,
    here ``photo``: parts of one domain belong together, and examples of different domains do not.
    `load` then returns a `jaxgan.data.domains.Domains`.

    A source of points has an attribute ``dtype``, which is ``"float32"``. One whose data must be
    credited has an attribute ``attribution``, a line on the authors and the licence, which goes
    with whatever is made from it to be shared.
    """

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
