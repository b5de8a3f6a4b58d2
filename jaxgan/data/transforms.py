"""Resizing and channels: how an image of a source becomes one of the size that a model wants.

Nothing is converted unless it was asked for: a source that does not fit is an error that names the
setting to change.
"""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from jaxgan.data.source import DataError, Info
from jaxgan.typing import ImageShape

Resize: TypeAlias = Literal["none", "bilinear", "lanczos", "pad", "crop"]
"""How images get their size:

* ``none``: they have it already;
* ``bilinear``, ``lanczos``: Pillow's filters, with its antialiasing; the aspect ratio is not kept;
* ``pad``: black borders, as equal as can be, the odd row or column at the bottom and at the right;
* ``crop``: the largest part in the middle with the aspect ratio wanted, scaled by ``lanczos``.
"""

Color: TypeAlias = Literal["none", "gray", "tile"]
"""How images get their channels:

* ``none``: they have them already;
* ``gray``: RGB to luma by ITU-R BT.601, 0.299 R + 0.587 G + 0.114 B;
* ``tile``: gray repeated three times.
"""

_FILTERS = {"bilinear": Image.Resampling.BILINEAR, "lanczos": Image.Resampling.LANCZOS}


def convert_color(
    image: UInt8[np.ndarray, "height width channels"], color: Color
) -> UInt8[np.ndarray, "height width converted"]:
    """Changes the number of channels as `Color` says."""
    if color == "gray":
        return np.asarray(Image.fromarray(image).convert("L"))[..., None]
    if color == "tile":
        return np.repeat(image, 3, axis=2)
    return image


def resize_image(
    image: UInt8[np.ndarray, "height width channels"], size: tuple[int, int], resize: Resize
) -> UInt8[np.ndarray, "new_height new_width channels"]:
    """Gives an image a size as `Resize` says.

    An image that has the size already comes back as it is, whatever ``resize`` is.

    Args:
        image: of any size.
        size: the height and the width wanted.
        resize: how to get them.
    """
    height, width, channels = image.shape
    if (height, width) == size:
        return image
    if resize == "pad":
        top, left = (size[0] - height) // 2, (size[1] - width) // 2
        bottom, right = size[0] - height - top, size[1] - width - left
        return np.pad(image, ((top, bottom), (left, right), (0, 0)))
    if resize == "crop":
        # Whole pixels, rounded down, of the axis that is cut; all of the other.
        tall = min(height, max(1, width * size[0] // size[1]))
        wide = min(width, max(1, height * size[1] // size[0]))
        top, left = (height - tall) // 2, (width - wide) // 2
        return resize_image(image[top : top + tall, left : left + wide], size, "lanczos")
    squeezed = Image.fromarray(image[..., 0] if channels == 1 else image)
    # Pillow names the width first.
    resized = np.asarray(squeezed.resize((size[1], size[0]), _FILTERS[resize]))
    return resized[..., None] if channels == 1 else resized


def transform(image: np.ndarray, shape: ImageShape, resize: Resize, color: Color) -> np.ndarray:
    """Applies `convert_color`, then `resize_image`; points (float32) pass through untouched.

    Args:
        image: uint8 ``(height, width, channels)`` or float32 ``(1, 1, dimensions)``.
        shape: the shape wanted.
        resize: how to get its height and width.
        color: how to get its channels.

    Returns:
        The image, in ``shape`` where `check_fit` accepted the source.
    """
    if image.dtype == np.float32:
        return image
    return resize_image(convert_color(image, color), shape[:2], resize)


def check_fit(
    info: Info, shape: ImageShape, resize: str, color: str, *, own_channels: bool = False
) -> None:
    """Checks that the settings turn a source's examples into ``shape``.

    Args:
        info: of the source.
        shape: the shape wanted.
        resize: how images get their height and width.
        color: how images get their channels.
        own_channels: whether all images keep the channels that their fields name.

    Raises:
        DataError: they do not; the line says which setting would.
    """
    if resize not in get_args(Resize):
        choices = ", ".join(get_args(Resize))
        raise DataError(f"--data.resize is {resize!r}; it must be one of {choices}.")
    if color not in get_args(Color):
        choices = ", ".join(get_args(Color))
        raise DataError(f"--data.color is {color!r}; it must be one of {choices}.")
    if info.dtype == "float32":
        if info.shape != shape:
            square = "" if shape[0] == shape[1] else ", --data.image-width 0"
            raise DataError(
                f"{info.name} has points, not images: set --data.image-size 1{square} and "
                f"--data.channels {info.channels}."
            )
        return
    _check_size(info, shape[:2], resize)
    if not own_channels:
        _check_color(info.name, info.channels, shape[2], color)


def _check_size(info: Info, size: tuple[int, int], resize: str) -> None:
    if info.shape is None:
        if resize in ("none", "pad"):
            raise DataError(
                f"{info.name} has images of different sizes: set --data.resize to crop, lanczos or "
                "bilinear."
            )
        return
    height, width = info.shape[:2]
    if resize == "none" and (height, width) != size:
        told = f"--data.image-size is {size[0]}"
        if size[1] != size[0]:
            told += f" and --data.image-width {size[1]}"
        raise DataError(
            f"{info.name} has images of {height}x{width}, but {told}: set "
            "--data.resize to crop, lanczos, bilinear or pad, or change the size."
        )
    if resize == "pad" and (height > size[0] or width > size[1]):
        raise DataError(
            f"{info.name} has images of {height}x{width}, which --data.resize pad cannot make "
            f"{size[0]}x{size[1]}: set it to crop, lanczos or bilinear."
        )


def _check_color(name: str, native: int, channels: int, color: str) -> None:
    made = {"none": native, "gray": 1, "tile": 3}[color]
    takes = {"none": native, "gray": 3, "tile": 1}[color]
    if native == takes and made == channels:
        return
    fixes = {(3, 1): "--data.color gray", (1, 3): "--data.color tile"}
    fix = fixes.get((native, channels), f"--data.channels {native}")
    if native == channels:
        fix = "--data.color none"
    raise DataError(
        f"{name} has images of {native} channel{'s' if native > 1 else ''}, but --data.channels is "
        f"{channels} and --data.color is {color}: set {fix}."
    )
