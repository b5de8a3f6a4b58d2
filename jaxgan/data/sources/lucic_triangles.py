"""The published triangles of "Are GANs Created Equal?": 28x28, black on white.

Lucic, Kurach, Michalski, Gelly and Bousquet, Are GANs Created Equal? A Large-Scale Study, 2018. The
set of 80,000 follows from a seed (0): 60,000 for training, 10,000 for testing, and 10,000 more that
are not read here. Those of `jaxgan.data.sources.triangles` are others.

Corner i of a triangle lies on a circle at 120 i + 10 + 110 U degrees. The circle's square is mapped
to [0, 1]^2, turned about (0, 0), and scaled to 21 pixels; the mean of the corners is moved to
(14, 14). Four uniform numbers say all, the last of them being the turn: the notebook takes its 2 pi
U for degrees, so that it is at most 6.28 of them, and corners keep to their thirds of the circle.

Each pixel has 8x8 points, of which the part outside of the triangle is its level. Points have whole
coordinates, in eighths, and a pixel those from 3 before to 4 behind its own, which the notebook's
convolution with an even kernel says: its middle is at (row + 1/16, column + 1/16), and that of the
triangles half a pixel below and to the right of the image's. Levels are multiples of 1/64, and are
rounded to 8 bits here, which tells all of them apart.

The published file was not at hand. The first 200 images of the notebook's code, run once by itself
with seed 0, were equal to these before rounding.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float64, UInt8

from jaxgan.data.source import IMAGE_AND_LABEL, ArraySplit, Field, Info, check_split_name

SIZE = 28
"""Height and width of an image in pixels."""

POINTS = 8
"""Points of a pixel along either side."""

TOTAL = 80_000
COUNTS = {"train": 60_000, "test": 10_000}
_STARTS = {"train": 0, "test": 60_000}
_SCALE = 0.75 * SIZE
_BLOCK = 32  # Images drawn at once, whose intermediate results stay in a core's cache.


def corners_of(shares: Float64[np.ndarray, "n 4"]) -> Float64[np.ndarray, "n 3 2"]:
    """Triangles from numbers of [0, 1): of three corners, and of the turn.

    Returns:
        Row and column of each corner, in pixels.
    """
    degrees = 120.0 * np.arange(3) + 10.0 + 110.0 * shares[:, :3]
    angles = degrees * np.pi / 180.0
    x, y = (np.cos(angles) + 1.0) / 2.0, (np.sin(angles) + 1.0) / 2.0
    turn = np.radians(shares[:, 3:] * 2.0 * np.pi)
    cos, sin = np.cos(turn), np.sin(turn)
    corners = _SCALE * np.stack([x * cos + y * sin, y * cos - x * sin], axis=-1)
    return corners + (SIZE / 2 - corners.mean(axis=1, keepdims=True))


@functools.cache
def _shares(split: str) -> Float64[np.ndarray, "n 4"]:
    """The numbers that a split's triangles are made from; the notebook shuffles what it has drawn.

    The generator is NumPy's `RandomState`, whose stream is frozen for good (NumPy enhancement
    proposal 19).
    """
    random = np.random.RandomState(0)
    shares = random.random_sample((TOTAL, 4))
    order = random.permutation(TOTAL)
    return shares[order[_STARTS[split] :][: COUNTS[split]]]


def outside(corners: Float64[np.ndarray, "n 3 2"]) -> Float64[np.ndarray, "n 28 28"]:
    """The part of each pixel's points that lie outside of a triangle, in multiples of 1/64.

    A line of points meets a triangle between two of them, which the edges' crossings say: points
    are counted, and not looked at one by one.

    Args:
        corners: rows and columns in pixels, each from 0 to 28, in either direction of turning.
    """
    start, count = POINTS * corners, SIZE * POINTS
    end = np.roll(start, -1, axis=1)
    rise, run = np.moveaxis(end - start, -1, 0)[..., None]
    rows = np.arange(count, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = start[:, :, 1, None] + (rows - start[:, :, 0, None]) * (run / rise)
    # Corners that turn the one way have the inside at larger columns of edges that go up.
    a, b = start[:, 1] - start[:, 0], start[:, 2] - start[:, 0]
    sign = np.sign(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])[:, None, None]
    low = np.where(sign * rise > 0, crossing, -np.inf).max(axis=1)
    high = np.where(sign * rise < 0, crossing, np.inf).min(axis=1)
    first = np.clip(np.floor(low) + 1, 0, count)[..., None]
    last = np.clip(np.ceil(high) - 1, -1, count - 1)[..., None]
    # Points of a line within the triangle and up to the end of each pixel, whose difference is the
    # pixel's; the last pixel goes one way beyond the image, which is white there.
    ends = np.arange(SIZE) * POINTS + POINTS // 2
    so_far = np.clip(np.minimum(last, ends) - first + 1, 0, None)
    inside = np.diff(so_far, axis=-1, prepend=0)
    # The same for the lines of a pixel: the first pixel has those from -3, which are white.
    lines = np.concatenate([np.zeros((len(corners), 3, SIZE)), inside], axis=1)[:, :count]
    total = lines.reshape(-1, SIZE, POINTS, SIZE).sum(axis=2)
    return 1.0 - total / POINTS**2


def render(corners: Float64[np.ndarray, "n 3 2"]) -> UInt8[np.ndarray, "n 28 28 1"]:
    """Draws triangles: `outside` in 8 bits.

    Args:
        corners: as in `outside`.
    """
    images = np.empty((len(corners), SIZE, SIZE, 1), np.uint8)

    def fill(start: int) -> None:
        part = slice(start, start + _BLOCK)
        images[part, ..., 0] = np.rint(255 * outside(corners[part]))

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        # The results are dropped as they come; the first error is raised.
        for _ in pool.map(fill, range(0, len(corners), _BLOCK)):
            pass
    return images


@dataclass(frozen=True)
class LucicTriangles:
    """60,000 triangles for training, 10,000 for testing, always the same ones.

    There are no classes: every label is 0.
    """

    fields: ClassVar[Mapping[str, Field]] = IMAGE_AND_LABEL

    def info(self) -> Info:
        """Describes the data set."""
        known = frozenset({"manifold"})
        return Info("lucic-triangles", (SIZE, SIZE, 1), 1, "uint8", 1, dict(COUNTS), known)

    def load(self, split: str) -> ArraySplit:
        """Draws one split into memory (47 MB the training split), once a process.

        Raises:
            DataError: ``split`` is neither ``"train"`` nor ``"test"``.
        """
        check_split_name("lucic-triangles", split)
        return _split(split)

    def corners(self, split: str) -> Float64[np.ndarray, "n 3 2"]:
        """The triangles that the images of a split show, in the same order; see `corners_of`.

        Raises:
            DataError: ``split`` is neither ``"train"`` nor ``"test"``.
        """
        check_split_name("lucic-triangles", split)
        return corners_of(_shares(split))


@functools.cache
def _split(name: str) -> ArraySplit:
    images = render(corners_of(_shares(name)))
    images.setflags(write=False)
    return ArraySplit(images, np.zeros(len(images), np.int32))
