"""Pictures of many examples: grids of images, rows of pairs, clouds of points.

All pictures are uint8 ``(height, width, channels)`` with 1 or 3 channels, ready for `save_png`, a
logger or a report. Nothing is rescaled by its own minimum and maximum: what is dark stays dark.
"""

from __future__ import annotations

import io
import math
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw

from jaxgan.machine.atomic import write_atomically

_SUPERSAMPLING = 4
_POINT_COLOR = (0, 114, 178)  # blue and vermilion: told apart by color-blind readers too
_MODE_COLOR = (213, 94, 0)


def image_grid(
    images: UInt8[np.ndarray, "count height width channels"],
    *,
    columns: int | None = None,
    padding: int = 1,
    scale: int = 1,
    background: int = 255,
) -> UInt8[np.ndarray, "grid_height grid_width channels"]:
    """Lays images out in rows, left to right and top to bottom.

    Args:
        images: at least one, of 1 or 3 channels.
        columns: images a row; by default the grid is as good as square.
        padding: pixels between images (none around the grid).
        scale: edge of the square that each pixel becomes (nearest neighbor), so that small images
            can be seen.
        background: gray level of the padding and of the places left over in the last row.

    Raises:
        ValueError: there is no image, the channels are not 1 or 3, or a number is out of range.
    """
    count = len(images)
    columns = _columns(images, columns, padding, scale)
    height, width = images.shape[1] * scale, images.shape[2] * scale
    corners = [
        (row * (height + padding), column * (width + padding))
        for row, column in (divmod(index, columns) for index in range(count))
    ]
    return _compose(images, corners, scale, background, columns * (width + padding) - padding)


def pairs_grid(
    first: UInt8[np.ndarray, "count height width channels"],
    second: UInt8[np.ndarray, "count height width channels"],
    *,
    columns: int | None = None,
    padding: int = 1,
    gap: int = 6,
    scale: int = 1,
    background: int = 255,
) -> UInt8[np.ndarray, "grid_height grid_width channels"]:
    """Lays pairs out in double rows: the first of each pair above, the second right below it.

    For originals and their reconstructions, or samples and their nearest training examples.

    Args:
        first: the upper ones.
        second: the lower ones, in the same order.
        columns: pairs a double row; by default all.
        padding: pixels between images.
        gap: pixels between double rows.
        scale: edge of the square that each pixel becomes.
        background: gray level of what is between images.

    Raises:
        ValueError: the shapes differ, or as `image_grid` does.
    """
    if first.shape != second.shape:
        raise ValueError(f"pairs must have equal shapes, not {first.shape} and {second.shape}")
    count = len(first)
    checked = _columns(first, columns, min(padding, gap), scale)
    columns = count if columns is None else checked
    height, width = first.shape[1] * scale, first.shape[2] * scale
    upper = [
        (row * (2 * height + padding + gap), column * (width + padding))
        for row, column in (divmod(index, columns) for index in range(count))
    ]
    lower = [(top + height + padding, left) for top, left in upper]
    images = np.concatenate([first, second])
    grid_width = columns * (width + padding) - padding
    return _compose(images, upper + lower, scale, background, grid_width)


def _columns(images: np.ndarray, columns: int | None, padding: int, scale: int) -> int:
    count, _, _, channels = images.shape
    if count == 0:
        raise ValueError("a grid needs at least one image")
    if channels not in (1, 3):
        raise ValueError(f"images must have 1 or 3 channels, not {channels}")
    if padding < 0 or scale < 1 or (columns is not None and columns < 1):
        raise ValueError("padding must be 0 or more; scale and columns must be 1 or more")
    return math.ceil(math.sqrt(count)) if columns is None else columns


def _compose(
    images: np.ndarray, corners: list[tuple[int, int]], scale: int, background: int, width: int
) -> np.ndarray:
    tiles = images.repeat(scale, axis=1).repeat(scale, axis=2)
    _, tile_height, tile_width, channels = tiles.shape
    height = max(top for top, _ in corners) + tile_height
    grid = np.full((height, width, channels), background, np.uint8)
    for tile, (top, left) in zip(tiles, corners, strict=True):
        grid[top : top + tile_height, left : left + tile_width] = tile
    return grid


def scatter(
    points: Float[np.ndarray, "count 2"],
    modes: Float[np.ndarray, "modes 2"] | None = None,
    *,
    size: int = 256,
    extent: float | None = None,
    radius: float = 1.25,
    opacity: float = 0.4,
) -> UInt8[np.ndarray, "{size} {size} 3"]:
    """Draws points of the plane as dots, the centers of a mixture's modes as rings around them.

    The picture shows the square from ``-extent`` to ``extent``, y upwards. Dots that overlap grow
    darker. Points outside the square, and those that are not finite, are left out.

    Args:
        points: coordinates.
        modes: centers to mark.
        size: edge of the picture in pixels.
        extent: largest coordinate shown. By default 1.3 times the largest of the modes, so that
            pictures of one data set share one scale; without modes 1.05 times that of the points.
        radius: of a dot, in pixels.
        opacity: of one dot, in (0, 1].
    """
    points = points[np.isfinite(points).all(axis=1)]
    if extent is None:
        reference, margin = (points, 1.05) if modes is None else (modes, 1.3)
        extent = margin * float(np.abs(reference).max(initial=0.0)) or 1.0
    edge = size * _SUPERSAMPLING
    ink = 1.0 - (1.0 - opacity) ** _coverage(
        _pixels(points, extent, edge), edge, radius * _SUPERSAMPLING
    )
    shades = 255.0 + ink[..., None] * (np.array(_POINT_COLOR) - 255.0)
    picture = Image.fromarray(np.rint(shades).astype(np.uint8))
    if modes is not None:
        draw = ImageDraw.Draw(picture)
        ring = edge / 40
        for x, y in _pixels(modes, extent, edge):
            box = (x - ring, y - ring, x + ring, y + ring)
            draw.ellipse(box, outline=_MODE_COLOR, width=max(edge // 150, _SUPERSAMPLING))
    return np.asarray(picture.reduce(_SUPERSAMPLING))


def _pixels(points: np.ndarray, extent: float, edge: int) -> np.ndarray:
    """Columns and rows of coordinates, as real numbers."""
    return (points.astype(np.float64) / extent * [1.0, -1.0] + 1.0) / 2.0 * (edge - 1)


def _coverage(centers: np.ndarray, edge: int, radius: float) -> np.ndarray:
    """How many discs of ``radius`` around ``centers`` cover each pixel of a square picture."""
    reach = math.ceil(radius)
    offsets = np.mgrid[-reach : reach + 1, -reach : reach + 1].reshape(2, -1).T
    offsets = offsets[(offsets**2).sum(axis=1) <= radius**2]
    centers = centers[((centers >= 0) & (centers <= edge - 1)).all(axis=1)]
    counts = np.zeros((edge + 2 * reach) ** 2, np.int64)  # with a margin: discs may stick out
    middle = np.rint(centers).astype(np.int64)[:, ::-1] + reach
    for chunk in np.array_split(middle, len(middle) // 4096 + 1):  # bounds the memory
        rows, columns = (chunk[:, None, :] + offsets).reshape(-1, 2).T
        counts += np.bincount(rows * (edge + 2 * reach) + columns, minlength=counts.size)
    square = counts.reshape(edge + 2 * reach, -1)
    return square[reach : reach + edge, reach : reach + edge]


def encode_png(image: UInt8[np.ndarray, "height width channels"]) -> bytes:
    """A picture of 1 or 3 channels as a PNG file; the same picture gives the same bytes."""
    buffer = io.BytesIO()
    Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(
        buffer, "PNG", optimize=True
    )
    return buffer.getvalue()


def is_png(content: bytes) -> bool:
    """Whether a file begins as PNG files do, with its signature and its size."""
    return content.startswith(b"\x89PNG\r\n\x1a\n") and len(content) > 24


def save_png(path: str | Path, image: UInt8[np.ndarray, "height width channels"]) -> Path:
    """Writes a picture of 1 or 3 channels, as a whole or not at all.

    Returns:
        The path.

    Raises:
        OSError: the file cannot be written; the message names it.
    """
    return write_atomically(path, encode_png(image))
