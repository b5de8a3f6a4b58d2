"""Images whose pixels are black or white, once and for all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

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

# One stream of random numbers for each split.
_SEEDS = {"train": 2_000, "test": 2_001}


@dataclass(frozen=True)
class Binarized:
    """Another source's images with every value 0 or 255, the same ones in every epoch.

    ``draw`` makes a value 255 with probability ``value / 255``, as the static MNIST of Larochelle
    and Murray, The Neural Autoregressive Distribution Estimator, 2011, was made; ``threshold``
    where it is at least 128. For other draws at each step there is
    `jaxgan.objectives.vae.binarized.DynamicBernoulli`.
    """

    source: Any = field(default_factory=Digits)
    """The images: a `jaxgan.data.source.Source`."""
    how: Literal["threshold", "draw"] = "threshold"
    """threshold: from 128 on it is white. draw: white with the probability that gray says."""

    @property
    def fields(self) -> Mapping[str, Field]:
        """Those of the source."""
        return getattr(self.source, "fields", IMAGE_AND_LABEL)

    @property
    def attribution(self) -> str:
        """That of the source within."""
        return getattr(self.source, "attribution", "")

    def info(self) -> Info:
        """Describes the images.

        Raises:
            DataError: the source has no field ``image`` of 8 bits, or ``how`` is neither of the
                two; or as the source of the images.
        """
        if self.how not in ("threshold", "draw"):
            raise DataError(f"binarized: how = {self.how!r}; it must be threshold or draw.")
        if not isinstance(self.source, Source):
            raise DataError(f"binarized: {self.source!r} is no source of images.")
        own: Info = self.source.info()
        if own.dtype != "uint8" or "image" not in self.fields:
            raise DataError(f"binarized: {own.name} has no images of 8 bits.")
        # What is known of the gray images, such as how they are drawn, is not true of these.
        return own._replace(name=f"binarized-{own.name}", knows=frozenset())

    def load(self, split: str) -> Split:
        """One split of the source, made black and white as it is read.

        Raises:
            DataError: ``split`` is neither ``"train"`` nor ``"test"``; or as `info`.
        """
        info = self.info()
        check_split_name(info.name, split)
        images: Split = self.source.load(split)
        return BlackAndWhite(images, None if self.how == "threshold" else _SEEDS[split])


@dataclass(frozen=True, eq=False)
class BlackAndWhite:
    """A `Split` whose images are made of those of another one."""

    images: Split
    """The gray ones."""
    seed: int | None
    """Of the draws; None: a threshold."""

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int, /) -> Example:
        example = self.images[index]
        image = np.asarray(example["image"])
        white = image >= 128 if self.seed is None else self._draws(index, image.shape) < image
        return {**example, "image": np.where(white, 255, 0).astype(np.uint8)}

    def _draws(self, index: int, shape: tuple[int, ...]) -> np.ndarray:
        """Whole numbers from 0 to 254, which 0 is above none of, and 255 above all of."""
        # NumPy's generator whose stream is frozen for good, one for each image.
        return np.random.RandomState([self.seed or 0, index]).randint(0, 255, size=shape)
