"""Mixtures of Gaussians in the plane: data whose every mode is known.

The ring and the grid of "PacGAN: The power of two samples in generative adversarial networks" (Lin,
Khetan, Fanti and Oh, 2018), section 4.1 and table 1: 100,000 training points.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from jaxtyping import Float

from jaxgan.data.source import IMAGE_AND_LABEL, ArraySplit, Field, Info, check_split_name

TRAIN = 100_000
TEST = 10_000

# One stream of random numbers for each split, and for each mixture.
_RING_SEEDS = {"train": 8_000, "test": 8_001}
_GRID_SEEDS = {"train": 25_000, "test": 25_001}


def sample(modes: Float[np.ndarray, "modes 2"], std: float, count: int, seed: int) -> ArraySplit:
    """Draws points from a mixture of equal weights.

    Args:
        modes: centers, ``(modes, 2)``.
        std: standard deviation of each Gaussian along each axis.
        count: number of points.
        seed: the points depend on nothing else. The generator is NumPy's `RandomState`, whose
            stream is frozen for good (NumPy enhancement proposal 19), where that of
            `numpy.random.Generator` may change with NumPy's version.

    Returns:
        The points, float32 ``(count, 1, 1, 2)``, each labeled with its mode.
    """
    random = np.random.RandomState(seed)
    labels = random.randint(len(modes), size=count)
    points = modes[labels] + std * random.standard_normal((count, 2))
    return ArraySplit(points.astype(np.float32).reshape(count, 1, 1, 2), labels.astype(np.int32))


@dataclass(frozen=True)
class Ring:
    """Eight Gaussians of standard deviation 0.01, evenly on the unit circle."""

    fields: ClassVar[Mapping[str, Field]] = IMAGE_AND_LABEL

    @property
    def dtype(self) -> Literal["float32"]:
        """Points are floats."""
        return "float32"

    @property
    def modes(self) -> Float[np.ndarray, "8 2"]:
        """Centers, counterclockwise from ``(1, 0)``."""
        angle = np.arange(8) * (2 * np.pi / 8)
        return np.stack([np.cos(angle), np.sin(angle)], axis=1)

    @property
    def std(self) -> float:
        """Standard deviation of each Gaussian along each axis."""
        return 0.01

    def info(self) -> Info:
        """Describes the mixture."""
        counts = {"train": TRAIN, "test": TEST}
        return Info("ring", (1, 1, 2), 2, "float32", 8, counts, frozenset({"mixture"}))

    def load(self, split: str) -> ArraySplit:
        """Draws one split, always the same.

        Raises:
            DataError: ``split`` is neither ``"train"`` nor ``"test"``.
        """
        check_split_name("ring", split)
        return sample(self.modes, self.std, self.info().counts[split], _RING_SEEDS[split])


@dataclass(frozen=True)
class Grid:
    """Twenty-five Gaussians of standard deviation 0.05, on the grid {-4, -2, 0, 2, 4} squared."""

    fields: ClassVar[Mapping[str, Field]] = IMAGE_AND_LABEL

    @property
    def dtype(self) -> Literal["float32"]:
        """Points are floats."""
        return "float32"

    @property
    def modes(self) -> Float[np.ndarray, "25 2"]:
        """Centers; the second coordinate changes fastest."""
        line = np.arange(-4.0, 5.0, 2.0)
        return np.stack(np.meshgrid(line, line, indexing="ij"), axis=-1).reshape(25, 2)

    @property
    def std(self) -> float:
        """Standard deviation of each Gaussian along each axis."""
        return 0.05

    def info(self) -> Info:
        """Describes the mixture."""
        counts = {"train": TRAIN, "test": TEST}
        return Info("grid", (1, 1, 2), 2, "float32", 25, counts, frozenset({"mixture"}))

    def load(self, split: str) -> ArraySplit:
        """Draws one split, always the same.

        Raises:
            DataError: ``split`` is neither ``"train"`` nor ``"test"``.
        """
        check_split_name("grid", split)
        return sample(self.modes, self.std, self.info().counts[split], _GRID_SEEDS[split])
