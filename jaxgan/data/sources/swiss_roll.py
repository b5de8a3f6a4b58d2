"""A spiral in the plane: data of one connected, curved piece.

The "swiss roll" of the toys of "Improved Training of Wasserstein GANs" (Gulrajani, Ahmed, Arjovsky,
Dumoulin and Courville, 2017), whose code takes two of the three coordinates of scikit-learn's roll.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from jaxtyping import Float

from jaxgan.data.source import IMAGE_AND_LABEL, ArraySplit, Field, Info, check_split_name

TRAIN = 100_000
TEST = 10_000

# One stream of random numbers for each split.
_SEEDS = {"train": 4_500, "test": 4_501}


@dataclass(frozen=True)
class SwissRoll:
    """Points ``(t cos t, t sin t)``, with noise, all divided by one number.

    ``t = 3/2 pi (1 + 2 u)`` with ``u ~ U(0, 1)``: one and a half turns. Points are not even along
    the spiral: where it is wide they are further apart.

    >>> SwissRoll().spiral(np.array([0.0, 0.25])).round(6).tolist()  # t = 3/2 pi, 9/4 pi
    [[-0.0, -0.628319], [0.666432, 0.666432]]

    Raises:
        ValueError: for a noise that is negative or infinite, a scale that is not positive and
            finite.
    """

    fields: ClassVar[Mapping[str, Field]] = IMAGE_AND_LABEL

    noise: float = 0.25
    """Standard deviation along each axis, before all is divided."""
    scale: float = 7.5
    """What all coordinates are divided by."""

    def __post_init__(self) -> None:
        if not 0.0 <= self.noise < math.inf:
            raise ValueError(f"noise = {self.noise}: must be at least 0 and finite")
        if not 0.0 < self.scale < math.inf:
            raise ValueError(f"scale = {self.scale}: must be above 0 and finite")

    @property
    def dtype(self) -> Literal["float32"]:
        """Points are floats."""
        return "float32"

    def spiral(self, u: Float[np.ndarray, " n"]) -> Float[np.ndarray, "n 2"]:
        """Points without noise.

        Args:
            u: how far along, from 0 (inside) to 1.
        """
        t = 1.5 * np.pi * (1.0 + 2.0 * u)
        return t[:, None] * np.stack([np.cos(t), np.sin(t)], axis=1) / self.scale

    def info(self) -> Info:
        """Describes the points."""
        return Info("swiss-roll", (1, 1, 2), 2, "float32", 1, {"train": TRAIN, "test": TEST})

    def load(self, split: str) -> ArraySplit:
        """Draws one split, always the same.

        Raises:
            DataError: ``split`` is neither ``"train"`` nor ``"test"``.
        """
        check_split_name("swiss-roll", split)
        count = self.info().counts[split]
        # NumPy's generator whose stream is frozen for good.
        random = np.random.RandomState(_SEEDS[split])
        points = self.spiral(random.random_sample(count))
        points = points + self.noise / self.scale * random.standard_normal((count, 2))
        images = points.astype(np.float32).reshape(count, 1, 1, 2)
        return ArraySplit(images, np.zeros(count, np.int32))
