"""Three gray images as the channels of one: data with as many modes as classes cubed.

"Stacked MNIST" as in "PacGAN: The power of two samples in generative adversarial networks" (Lin,
Khetan, Fanti and Oh, 2018), section 4.2, after "Unrolled generative adversarial networks" (Metz,
Poole, Pfau and Sohl-Dickstein, 2017): which of the 1,000 combinations of three digits a sample
shows is told by a classifier, channel by channel (`jaxgan.evaluation.manifolds.stacks`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Int32

from jaxgan.data.source import (
    IMAGE_AND_LABEL,
    DataError,
    Example,
    Field,
    Info,
    Source,
    Split,
    check_split_name,
)
from jaxgan.data.sources.digits import Digits

STACK = 3
"""Images stacked in one."""
TEST = 10_000

# One stream of random numbers for each split.
_SEEDS = {"train": 1_000, "test": 1_001}


@dataclass(frozen=True)
class Stacked:
    """Triples of images of a labelled gray set, drawn at random, each of the three a channel.

    Training triples are made of training images, test triples of test images. The label of images
    of the classes a, b and c is ``100 a + 10 b + c`` where there are ten classes.
    """

    fields: ClassVar[Mapping[str, Field]] = IMAGE_AND_LABEL

    source: Any = field(default_factory=Digits)
    """The gray images: a `jaxgan.data.source.Source` with classes."""
    count: int = 128_000
    """Triples of the training split, always the same ones; as many as a run sees, and it sees none
    of them twice."""

    @property
    def attribution(self) -> str:
        """That of the source within."""
        return getattr(self.source, "attribution", "")

    def info(self) -> Info:
        """Describes the triples.

        Raises:
            DataError: the images are not gray, have no classes or differ in size; there are no
                triples; or as the source of the images.
        """
        if self.count < 1:
            raise DataError(f"stacked: count = {self.count}; there must be at least one triple.")
        if not isinstance(self.source, Source):
            raise DataError(f"stacked: {self.source!r} is no source of images.")
        own: Info = self.source.info()
        fields = getattr(self.source, "fields", IMAGE_AND_LABEL)
        if own.dtype != "uint8" or own.channels != 1 or not {*IMAGE_AND_LABEL} <= {*fields}:
            raise DataError(
                f"stacked: three gray images make one, and those of {own.name} are not."
            )
        if own.shape is None:
            raise DataError(f"stacked: the images of {own.name} differ in size.")
        if own.classes < 2:
            raise DataError(f"stacked: the images of {own.name} have no classes.")
        counts = {"train": self.count, "test": TEST}
        return Info(
            f"stacked-{own.name}",
            (*own.shape[:2], STACK),
            STACK,
            "uint8",
            own.classes**STACK,
            counts,
            frozenset({"stacked"}),
        )

    def load(self, split: str) -> Split:
        """Draws the triples of one split, always the same.

        Raises:
            DataError: ``split`` is neither ``"train"`` nor ``"test"``; or as `info`.
        """
        info = self.info()
        check_split_name(info.name, split)
        images: Split = self.source.load(split)
        # NumPy's generator whose stream is frozen for good.
        random = np.random.RandomState(_SEEDS[split])
        rows = random.randint(len(images), size=(info.counts[split], STACK), dtype=np.int32)
        return Stacks(images, rows, round(info.classes ** (1 / STACK)))


@dataclass(frozen=True, eq=False)
class Stacks:
    """A `Split` whose every example is made of several of another one's."""

    images: Split
    """Gray images with labels."""
    rows: Int32[np.ndarray, "n stack"]
    """Of each example, which images are its channels."""
    classes: int
    """Of the images."""

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int, /) -> Example:
        if not 0 <= index < len(self.rows):
            raise IndexError(f"index {index} of a split of {len(self.rows)} examples")
        parts = [self.images[row] for row in self.rows[index].tolist()]
        label = 0
        for part in parts:
            label = self.classes * label + int(part["label"])
        return {"image": np.concatenate([part["image"] for part in parts], axis=2), "label": label}
