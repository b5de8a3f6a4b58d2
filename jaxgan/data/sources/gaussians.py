"""Mixtures of Gaussians in the plane: data whose every mode is known.

The ring and the grid of "PacGAN: The power of two samples in generative adversarial networks" (Lin,
Khetan, Fanti and Oh, 2018), section 4.1 and table 1: 100,000 training points.
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


def _check(**sizes: float) -> None:
    for name, size in sizes.items():
        if not 0.0 < size < math.inf:
            raise ValueError(f"{name} = {size}: must be above 0 and finite")


@dataclass(frozen=True)
class Ring:
    """Eight Gaussians, evenly on a circle around the origin.

    PacGAN's are on the unit circle with standard deviation 0.01. Those of the code of Nagarajan and
    Kolter, Gradient Descent GAN Optimization is Locally Stable, 2017, are ``Ring(2.0, 0.02)``.

    Raises:
        ValueError: for a size that is not positive and finite.
    """

    fields: ClassVar[Mapping[str, Field]] = IMAGE_AND_LABEL

    radius: float = 1.0
    """Of the circle that the means lie on."""
    std: float = 0.01
    """Standard deviation of each Gaussian along each axis."""

    def __post_init__(self) -> None:
        _check(radius=self.radius, std=self.std)

    @property
    def dtype(self) -> Literal["float32"]:
        """Points are floats."""
        return "float32"

    @property
    def modes(self) -> Float[np.ndarray, "8 2"]:
        """Centers, counterclockwise from ``(radius, 0)``."""
        # The end of the circle is its start: eight angles end one step before it.
        angle = np.arange(8) * (2 * np.pi / 8)
        return self.radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)

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
    """Twenty-five Gaussians, on a square grid of five by five around the origin.

    PacGAN's are on {-4, -2, 0, 2, 4} squared with standard deviation 0.05.

    Raises:
        ValueError: for a size that is not positive and finite.
    """

    fields: ClassVar[Mapping[str, Field]] = IMAGE_AND_LABEL

    spacing: float = 2.0
    """Distance of neighbors along an axis."""
    std: float = 0.05
    """Standard deviation of each Gaussian along each axis."""

    def __post_init__(self) -> None:
        _check(spacing=self.spacing, std=self.std)

    @property
    def dtype(self) -> Literal["float32"]:
        """Points are floats."""
        return "float32"

    @property
    def modes(self) -> Float[np.ndarray, "25 2"]:
        """Centers; the second coordinate changes fastest."""
        line = self.spacing * np.arange(-2.0, 3.0)
        return np.stack(np.meshgrid(line, line, indexing="ij"), axis=-1).reshape(25, 2)

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
