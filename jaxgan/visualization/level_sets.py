"""Level sets of a function over the plane, such as a critic's, with the data on top of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float, UInt8

_LINE_COLOR = np.array([68.0, 68.0, 68.0])
_LOW, _HIGH = np.array([94.0, 120.0, 168.0]), np.array([252.0, 250.0, 240.0])
_POINT_COLOR = np.array([213, 94, 0], np.uint8)


def plane(extent: float, size: int) -> Float[np.ndarray, "points 2"]:
    """The points that a picture's pixels show, row by row from the upper left.

    >>> plane(1.0, 2).tolist()
    [[-0.5, 0.5], [0.5, 0.5], [-0.5, -0.5], [0.5, -0.5]]

    Args:
        extent: the picture is of the square from ``-extent`` to ``extent``, y upwards.
        size: pixels of an edge; points are the middles of pixels.
    """
    line = extent * ((2 * np.arange(size) + 1) / size - 1)
    x, y = np.meshgrid(line, line[::-1])
    return np.stack([x.ravel(), y.ravel()], axis=1)


def lines(
    values: Float[np.ndarray, "height width"], levels: int
) -> Bool[np.ndarray, "height width"]:
    """Which pixels are beside a level set: their band is another than that of a neighbor.

    >>> lines(np.array([[0.0, 1.0, 2.0, 4.0]]), 3).tolist()  # levels at 1, 2 and 3
    [[True, True, True, False]]

    Args:
        values: finite.
        levels: how many there are, evenly spaced strictly between the least and the largest value.
            A level's own values are above it.
    """
    low, high = values.min(), values.max()
    step = (high - low) / (levels + 1) or 1.0
    # The largest value is in the band below it, and not in one of its own.
    band = np.minimum(np.floor((values - low) / step), levels)
    # Where a line passes, one of its two sides is drawn: the left one, or the upper one.
    across, down = np.zeros(values.shape, bool), np.zeros(values.shape, bool)
    across[:, :-1] = band[:, :-1] != band[:, 1:]
    down[:-1] = band[:-1] != band[1:]
    return across | down


def level_sets(
    function: Callable[[Float[np.ndarray, "points 2"]], Float[np.ndarray, " points"]],
    points: Float[np.ndarray, "count 2"],
    *,
    extent: float,
    size: int = 160,
    levels: int = 12,
) -> UInt8[np.ndarray, "{size} {size} 3"]:
    """Draws level sets of a function as lines, its values as shades, points of data as dots.

    Values of critics have no scale of their own: levels and shades are spread evenly from the least
    (dark) to the largest value (bright) in the picture, so that pictures show where a function is
    steep and in which direction, and not how steep it is.

    Args:
        function: of points of the plane.
        points: drawn on top, a pixel each; those outside of the picture are left out.
        extent: the picture is of the square from ``-extent`` to ``extent``, y upwards.
        size: edge in pixels.
        levels: number of lines' values.

    Raises:
        ValueError: the function is not finite everywhere, or there is no level.
    """
    if levels < 1:
        raise ValueError(f"levels = {levels}: must be at least 1")
    values = np.asarray(function(plane(extent, size)), np.float64).reshape(size, size)
    if not np.isfinite(values).all():
        raise ValueError("level sets want a function that is finite everywhere")
    share = (values - values.min()) / ((values.max() - values.min()) or 1.0)
    picture = _LOW + share[..., None] * (_HIGH - _LOW)
    picture[lines(values, levels)] = _LINE_COLOR
    picture = np.rint(picture).astype(np.uint8)
    inside = points[(np.abs(points) < extent).all(axis=1)]
    columns, rows = np.floor((inside / extent * [1.0, -1.0] + 1.0) / 2.0 * size).astype(int).T
    picture[rows.clip(0, size - 1), columns.clip(0, size - 1)] = _POINT_COLOR
    return picture
