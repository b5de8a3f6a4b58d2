"""Filled triangles, 28x28, white on black: images whose manifold is known exactly.

After the convex polygons of "Are GANs Created Equal? A Large-Scale Study" (Lucic, Kurach,
Michalski, Gelly and Bousquet, 2018): gray images of 28x28 pixels, 60,000 for training and 10,000
for testing, where the distance from any image to the closest triangle says how good a sample is.

They are drawn here and differ from the paper's on purpose. There, black on white, corners lie on a
circle, one on each third of it, and a triangle's centroid is in the middle of the image (as the
authors' notebook has it): three or four numbers describe one. Here corners are independent and
uniform on the whole image, so that it takes six, and the manifold is simple to state: **every
triangle whose corners lie in the image and that covers at least** `MIN_AREA` **pixels**. Corners
that make a smaller one are drawn again (31 % of them); slivers thinner than a pixel would be drawn
as faint streaks that no network could be blamed for missing.

A pixel is a unit square whose upper left corner is (0, 0) for the first, and its level is the part
of it that the triangle covers, computed exactly and rounded to 8 bits; nothing is sampled.
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

MIN_AREA = 24.0
"""Area of the smallest triangle in pixels, 3 % of the image."""

COUNTS = {"train": 60_000, "test": 10_000}

# One stream of random numbers for each split.
_SEEDS = {"train": 28_000, "test": 28_001}

# Images drawn at once: their intermediate results stay in a core's cache.
_BLOCK = 32

# An edge that rises less over its whole length is taken to rise this much. It moves less than
# 2e-5 pixels of area, and keeps its reciprocal from swallowing the digits of a double.
_LEAST_RISE = 1e-6


def areas(corners: Float64[np.ndarray, "n 3 2"]) -> Float64[np.ndarray, " n"]:
    """Areas of triangles in pixels, without a sign."""
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    return abs(_cross(b - a, c - a)) / 2


def draw(count: int, seed: int) -> Float64[np.ndarray, "n 3 2"]:
    """Draws triangles with corners uniform on the image and an area of at least `MIN_AREA`.

    Args:
        count: number of triangles.
        seed: they depend on nothing else, and the first ones do not depend on ``count``. The
            generator is NumPy's `RandomState`, whose stream is frozen for good (NumPy enhancement
            proposal 19).

    Returns:
        x (to the right) and y (down) of each corner, in pixels.
    """
    random = np.random.RandomState(seed)
    found = np.empty((0, 3, 2))
    while len(found) < count:
        corners = SIZE * random.random_sample((max(count, 1), 3, 2))
        found = np.concatenate([found, corners[areas(corners) >= MIN_AREA]])
    return found[:count]


def coverage(corners: Float64[np.ndarray, "n 3 2"]) -> Float64[np.ndarray, "n 28 28"]:
    """The part of each pixel that a triangle covers, exactly, from 0 to 1.

    The area of a triangle within ``x <= X, y <= Y`` is a sum over its edges (Green's theorem). An
    edge of slope ``m`` and height ``y(x)`` adds or takes away the integral of ``min(y(x), Y)``,
    which is ``-max(y - Y, 0)^2 / 2m`` between its ends up to what cancels; differences of that
    along X and along Y leave what is covered of each pixel.

    Args:
        corners: x and y in pixels, each from 0 to 28, in either direction of turning.
    """
    images = np.empty((len(corners), SIZE, SIZE))
    for start in range(0, len(corners), _BLOCK):
        part = slice(start, start + _BLOCK)
        images[part] = _coverage(corners[part])
    return images


def _coverage(corners: Float64[np.ndarray, "n 3 2"]) -> Float64[np.ndarray, "n 28 28"]:
    lines = np.arange(SIZE + 1.0)
    x0, y0 = corners[..., 0, None], corners[..., 1, None]
    x1, y1 = np.roll(x0, -1, axis=1), np.roll(y0, -1, axis=1)
    run, rise = x1 - x0, y1 - y0
    rise = np.where(abs(rise) < _LEAST_RISE, _LEAST_RISE, rise)
    # How far along an edge each vertical line crosses it; before or after the edge: its ends.
    along = (lines - x0) / np.where(run == 0, 1.0, run)
    y = y0 + rise * np.clip(along, 0.0, 1.0)
    total = np.zeros((len(corners), SIZE + 1, SIZE + 1))
    for edge in range(3):
        above = y[:, edge, None, :] - lines[:, None]
        np.maximum(above, 0.0, out=above)
        np.square(above, out=above)
        above *= (abs(run) / (2 * rise))[:, edge, None]
        total += above
    rows = total[:, :-1] - total[:, 1:]
    signed = rows[..., 1:] - rows[..., :-1]
    return np.clip(abs(signed), 0.0, 1.0)


def render(corners: Float64[np.ndarray, "n 3 2"]) -> UInt8[np.ndarray, "n 28 28 1"]:
    """Draws triangles: `coverage` in 8 bits.

    Args:
        corners: as in `coverage`.
    """
    images = np.empty((len(corners), SIZE, SIZE, 1), np.uint8)

    def fill(start: int) -> None:
        part = slice(start, start + _BLOCK)
        images[part, ..., 0] = np.rint(255 * _coverage(corners[part]))

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        # The results are dropped as they come; the first error is raised.
        for _ in pool.map(fill, range(0, len(corners), _BLOCK)):
            pass
    return images


@dataclass(frozen=True)
class Triangles:
    """60,000 triangles for training, 10,000 for testing, always the same ones.

    There are no classes: every label is 0.
    """

    fields: ClassVar[Mapping[str, Field]] = IMAGE_AND_LABEL

    def info(self) -> Info:
        """Describes the data set."""
        return Info(
            "triangles", (SIZE, SIZE, 1), 1, "uint8", 1, dict(COUNTS), frozenset({"manifold"})
        )

    def load(self, split: str) -> ArraySplit:
        """Draws one split into memory (47 MB the training split), once a process.

        Raises:
            DataError: ``split`` is neither ``"train"`` nor ``"test"``.
        """
        check_split_name("triangles", split)
        return _split(split)

    def corners(self, split: str) -> Float64[np.ndarray, "n 3 2"]:
        """The triangles that the images of a split show, in the same order; see `draw`.

        Raises:
            DataError: ``split`` is neither ``"train"`` nor ``"test"``.
        """
        check_split_name("triangles", split)
        return draw(COUNTS[split], _SEEDS[split])


@functools.cache
def _split(name: str) -> ArraySplit:
    images = render(draw(COUNTS[name], _SEEDS[name]))
    images.setflags(write=False)
    return ArraySplit(images, np.zeros(len(images), np.int32))


def _cross(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return u[..., 0] * v[..., 1] - u[..., 1] * v[..., 0]
