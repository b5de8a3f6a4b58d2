"""Decoding PNG and JPEG files to uint8 arrays, strictly and with every conversion spelled out."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageOps

from jaxgan.data.source import DataError

_WHITE = (255, 255, 255, 255)
# How Pillow's versions call the 16 bits of a gray PNG file.
_GRAY_16_BITS = ("I;16", "I;16B", "I;16L", "I;16N", "I")
# What a damaged file makes Pillow raise depends on which part of it is damaged.
_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, struct.error, Image.DecompressionBombError)


def decode(
    data: bytes | Path, channels: int, where: str, *, upright: bool = False
) -> UInt8[np.ndarray, "height width channels"]:
    """Decodes one PNG or JPEG image.

    Whatever the file holds becomes 8 bits a channel, gray or RGB:

    * palettes are looked up, CMYK and YCbCr become RGB;
    * transparent pixels are laid over white;
    * RGB becomes gray as luma by ITU-R BT.601, 0.299 R + 0.587 G + 0.114 B;
    * gray becomes RGB by repeating it;
    * of 16 bits of gray the upper eight are kept.

    Args:
        data: the bytes of the file, or where it lies.
        channels: 1 for gray, 3 for RGB.
        where: what to call the image in an error, usually its path.
        upright: turn the image as its EXIF data says.

    Returns:
        The image.

    Raises:
        DataError: the image is missing, damaged, cut short, or of another format.
    """
    try:
        with Image.open(
            io.BytesIO(data) if isinstance(data, bytes) else data, formats=("PNG", "JPEG")
        ) as file:
            image = ImageOps.exif_transpose(file) if upright else file
            image.load()
            return _to_array(image, channels)
    except _DAMAGE as error:
        raise DataError(f"{where}: {_reason(error)}.") from None


def size_of(path: Path) -> tuple[int, int]:
    """Height and width, upright, of a PNG or JPEG file, from its header alone.

    Raises:
        DataError: as `decode`, as far as the header shows it.
    """
    try:
        with Image.open(path, formats=("PNG", "JPEG")) as file:
            width, height = file.size
            # Tag 274 is the orientation; 5 to 8 swap the axes. The method of the base class is
            # called because that of PNG files decodes the image first.
            turned = Image.Image.getexif(file).get(274, 1) in (5, 6, 7, 8)
    except _DAMAGE as error:
        raise DataError(f"{path}: {_reason(error)}.") from None
    return (width, height) if turned else (height, width)


def _reason(error: Exception) -> str:
    if isinstance(error, Image.UnidentifiedImageError):
        return "this is neither a PNG nor a JPEG image"
    if isinstance(error, OSError) and error.strerror:
        return f"cannot be read ({error.strerror})"
    detail = (str(error) or type(error).__name__).splitlines()[0].rstrip(".")
    return f"the image is damaged or cut short ({detail})"


def _to_array(image: Image.Image, channels: int) -> UInt8[np.ndarray, "height width channels"]:
    mode = "L" if channels == 1 else "RGB"
    if image.mode in _GRAY_16_BITS:
        # Pillow would clip at 255.
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    elif image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, _WHITE), image)
    elif image.mode not in ("1", "L", "RGB"):
        image = image.convert("RGB")
    pixels = np.asarray(image.convert(mode), dtype=np.uint8)
    return pixels[..., None] if channels == 1 else pixels
