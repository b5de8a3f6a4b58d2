"""White shapes on black whose every factor of variation is known: dSprites' factors and counts.

Drawn here, not downloaded. The factors, their order and their numbers of values are those of
"dSprites: Disentanglement testing Sprites dataset" (Matthey, Higgins, Hassabis and Lerchner, 2017);
the outlines are those below, so the pixels are not dSprites'.

=========== ====== ==================================================
factor      values what they are
=========== ====== ==================================================
color       1      white
shape       3      square, ellipse, heart
scale       6      0.5, 0.6, ..., 1
orientation 40     ``2 pi k / 41`` for k = 0, ..., 39, clockwise
x           32     0, 1/31, ..., 1, from left to right
y           32     0, 1/31, ..., 1, from top to bottom
=========== ====== ==================================================

The orientations differ from dSprites' on purpose. There, 40 values are spaced evenly from 0 to 2 pi
with both ends, so that the first and the last are the same image. Forty parts of a whole turn would
show every square four times and every ellipse twice. Steps of 1/41 of a turn repeat nothing,
because 41 has no factor in common with 4 and 2; what is left out is the last step before 2 pi.

**How they are drawn.** An image is 64 pixels wide and high; its upper left corner is (0, 0), and
every pixel covers a unit of area. The centroid of a shape lies at ``x = 16.9 + i``,
``y = 16.65 + j`` for positions number ``i`` and ``j``, so that a step is exactly one pixel; the
fractions are such that no two of the 720 sprites have the same pixels, as small turned squares
would have in the middle of one. At scale 1 every shape covers 466.56 pixels and reaches at most
15.3 pixels from its centroid: all of it is seen everywhere. The square has sides of 21.6; the
ellipse a half axis of 15.3 along x; the heart is a square that stands on its corner, with a half
disk on each of its upper sides. A pixel is white (255) where at least half of a 4x4 grid of points
in it lies in the shape, and black (0) elsewhere; there are no grays.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Bool, Float64, Int32, Int64, Integer, UInt8

from jaxgan.data.order import epoch_position
from jaxgan.data.source import IMAGE_AND_LABEL, DataError, Example, Field, Info, check_split_name

SIZE = 64
"""Height and width of an image in pixels."""

SHAPES = ("square", "ellipse", "heart")

FACTOR_NAMES = ("color", "shape", "scale", "orientation", "x", "y")
"""In dSprites' order; from one image to the next, y changes first."""

FACTOR_SIZES = (1, 3, 6, 40, 32, 32)
"""How many values each factor has."""

IMAGES = 737_280
"""Every combination of the factors, once."""

TEST = IMAGES // 10
"""Images of the test split."""

REACH = 15.3
"""No shape reaches farther from its centroid, in pixels at scale 1."""

_VALUES = (
    np.ones(1),
    np.arange(1.0, 4.0),
    np.linspace(0.5, 1.0, 6),
    np.arange(40) * (2 * np.pi / 41),
    np.linspace(0.0, 1.0, 32),
    np.linspace(0.0, 1.0, 32),
)

# Which images are tested must never change.
_SPLIT_SEED = 0xD592

# The square's half side sets the area of all; its corners are 15.27 pixels from the middle.
_HALF_SIDE = 10.8
_AREA = (2 * _HALF_SIDE) ** 2

# A sprite is kept in the middle of a tile of which every image is a window, since positions are
# whole pixels apart. The centroid lies in the tile's middle pixel, this far from its middle.
_OFFSET_X, _OFFSET_Y = 0.4, 0.15
_STEPS = 32
_TILE = SIZE + _STEPS - 1
_BOX = 35
_GRID = 4


def index_of(factors: Integer[np.ndarray, "*n 6"]) -> Int64[np.ndarray, "*n"]:
    """Numbers of images, 0 to `IMAGES` - 1, from the number of each factor's value.

    >>> index_of(np.array([[0, 0, 0, 0, 0, 1], [0, 2, 5, 39, 31, 31]]))
    array([     1, 737279])

    Raises:
        DataError: a factor has no value of that number.
    """
    if factors.size and not ((factors >= 0) & (factors < FACTOR_SIZES)).all():
        raise DataError(
            f"sprites: a factor is out of range; there are {FACTOR_SIZES} values of {FACTOR_NAMES}."
        )
    return np.asarray(
        np.ravel_multi_index(tuple(np.moveaxis(factors, -1, 0)), FACTOR_SIZES), np.int64
    )


def factors_of(index: Integer[np.ndarray, "*n"]) -> Int64[np.ndarray, "*n 6"]:
    """The number of each factor's value, from numbers of images: the reverse of `index_of`.

    Raises:
        DataError: there is no image of that number.
    """
    if index.size and not ((index >= 0) & (index < IMAGES)).all():
        raise DataError(f"sprites: an image is out of range; there are 0 to {IMAGES - 1}.")
    return np.stack(np.unravel_index(index, FACTOR_SIZES), axis=-1).astype(np.int64)


def values_of(factors: Integer[np.ndarray, "*n 6"]) -> Float64[np.ndarray, "*n 6"]:
    """The values that the numbers stand for: color 1, shape 1 to 3, scale, radians, positions.

    Raises:
        DataError: a factor has no value of that number.
    """
    index_of(factors)
    return np.stack([_VALUES[i][factors[..., i]] for i in range(6)], axis=-1)


def render(factors: Integer[np.ndarray, "n 6"]) -> UInt8[np.ndarray, "n 64 64 1"]:
    """Draws images from the numbers of their factors' values.

    The first call of a process takes about half a second more, for the 720 sprites.

    Raises:
        DataError: a factor has no value of that number.
    """
    index_of(factors)
    _, shape, scale, orientation, x, y = np.moveaxis(factors, -1, 0)
    return _windows()[shape, scale, orientation, _STEPS - 1 - y, _STEPS - 1 - x][..., None]


def inside(
    shape: str, u: Float64[np.ndarray, "*points"], v: Float64[np.ndarray, "*points"]
) -> Bool[np.ndarray, "*points"]:
    """Whether points lie in a shape at scale 1 and orientation 0.

    Args:
        shape: one of `SHAPES`.
        u: pixels to the right of the centroid.
        v: pixels below the centroid.
    """
    if shape == "square":
        return np.maximum(abs(u), abs(v)) <= _HALF_SIDE
    if shape == "ellipse":
        return (u / REACH) ** 2 + (v / (_AREA / (np.pi * REACH))) ** 2 <= 1
    # The area is (2 r)^2 of the square and pi r^2 of the half disks. The centroid of a half disk is
    # 4 r / (3 pi) from its straight side, which gives that of the whole, above the square's middle.
    radius = np.sqrt(_AREA / (4 + np.pi))
    v = v - radius * (np.pi + 4 / 3) / (np.sqrt(2) * (4 + np.pi))
    corner = radius / np.sqrt(2)
    disks = (abs(u) - corner) ** 2 + (v + corner) ** 2 <= radius**2
    return disks | (abs(u) + abs(v) <= 2 * corner)


def _sprite_points(scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Points of the box of pixels around a centroid, for all orientations, as `inside` takes them.

    Each is ``(orientations, rows, samples, columns, samples)``.
    """
    ends = _BOX / 2
    line = np.arange(-ends, ends, 1 / _GRID) + 0.5 / _GRID
    y, x = np.meshgrid((line - _OFFSET_Y) / scale, (line - _OFFSET_X) / scale, indexing="ij")
    cosine, sine = (f(_VALUES[3])[:, None, None] for f in (np.cos, np.sin))
    layout = (len(_VALUES[3]), _BOX, _GRID, _BOX, _GRID)
    # The turn is clockwise where y points down, and this is its reverse.
    u = (cosine * x + sine * y).reshape(layout)
    v = (cosine * y - sine * x).reshape(layout)
    return u, v


@functools.cache
def _tiles() -> UInt8[np.ndarray, "3 6 40 95 95"]:
    tiles = np.zeros((*FACTOR_SIZES[1:4], _TILE, _TILE), np.uint8)
    box = slice((_TILE - _BOX) // 2, (_TILE + _BOX) // 2)
    for i, scale in enumerate(_VALUES[2]):
        u, v = _sprite_points(float(scale))
        for j, shape in enumerate(SHAPES):
            covered = inside(shape, u, v).sum(axis=(2, 4))
            tiles[j, i, :, box, box] = np.where(covered >= _GRID**2 // 2, 255, 0)
    tiles.setflags(write=False)
    return tiles


@functools.cache
def _windows() -> UInt8[np.ndarray, "3 6 40 32 32 64 64"]:
    return np.lib.stride_tricks.sliding_window_view(_tiles(), (SIZE, SIZE), axis=(3, 4))


@dataclass(frozen=True, eq=False)
class SpriteSplit:
    """Some of the images, drawn when they are asked for; their label is the shape."""

    rows: Int32[np.ndarray, " n"]
    """Numbers of the images, as in `index_of`."""

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int, /) -> Example:
        if not 0 <= index < len(self.rows):
            raise IndexError(f"index {index} of a split of {len(self.rows)} examples")
        _, shape, *rest = np.unravel_index(int(self.rows[index]), FACTOR_SIZES)
        scale, orientation, x, y = rest
        window = _windows()[shape, scale, orientation, _STEPS - 1 - y, _STEPS - 1 - x]
        return {"image": np.ascontiguousarray(window)[..., None], "label": int(shape)}


@dataclass(frozen=True)
class Sprites:
    """All 737,280 sprites: 663,552 for training, 73,728 for testing, labeled with their shape.

    The test split is the last tenth of one fixed permutation of all images
    (`jaxgan.data.order.epoch_position`), whatever the seed of a run. Metrics of disentanglement
    draw from all images, as is the custom, by way of `factor_sizes` and `images`.
    """

    fields: ClassVar[Mapping[str, Field]] = IMAGE_AND_LABEL

    def info(self) -> Info:
        """Describes the data set."""
        counts = {"train": IMAGES - TEST, "test": TEST}
        return Info(
            "sprites", (SIZE, SIZE, 1), 1, "uint8", len(SHAPES), counts, frozenset({"factors"})
        )

    def load(self, split: str) -> SpriteSplit:
        """Opens one split; its images are drawn when asked for.

        Raises:
            DataError: ``split`` is neither ``"train"`` nor ``"test"``.
        """
        check_split_name("sprites", split)
        first, last = (0, IMAGES - TEST) if split == "train" else (IMAGES - TEST, IMAGES)
        rows = epoch_position(np.arange(first, last), IMAGES, _SPLIT_SEED)
        return SpriteSplit(np.asarray(rows))

    @property
    def factor_names(self) -> tuple[str, ...]:
        """What the columns of factors are."""
        return FACTOR_NAMES

    @property
    def factor_sizes(self) -> tuple[int, ...]:
        """How many values each factor has; all combinations are equally likely."""
        return FACTOR_SIZES

    def images(self, factors: Integer[np.ndarray, "n 6"]) -> UInt8[np.ndarray, "n 64 64 1"]:
        """See `render`."""
        return render(factors)
