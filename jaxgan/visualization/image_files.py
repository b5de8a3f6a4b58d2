"""Many images as files: one array, single pictures in a folder, an animation.

All are written piece by piece where they may be large, and are there as a whole or not at all.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from jaxgan.machine.atomic import folder_atomically, open_atomically, write_atomically
from jaxgan.visualization.grid import encode_png

FRAME_MILLISECONDS = 100
"""How long an animation shows each of its pictures."""


def write_npz(
    path: str | Path,
    pieces: Iterable[np.ndarray],
    shape: tuple[int, ...],
    labels: np.ndarray | None = None,
) -> None:
    """Writes an array ``images`` to an ``.npz`` file, holding one piece of it at a time.

    Args:
        path: the file.
        pieces: at least one; rows of the array, in order.
        shape: of the whole array.
        labels: classes of the images, for an array ``labels`` beside it; None: there is none.

    Raises:
        OSError: the file cannot be written; the message names it.
    """
    pieces = iter(pieces)
    first = np.asarray(next(pieces))
    header = {
        "descr": np.lib.format.dtype_to_descr(first.dtype),
        "fortran_order": False,
        "shape": shape,
    }
    with (
        open_atomically(path) as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        with archive.open("images.npy", "w", force_zip64=True) as entry:
            np.lib.format.write_array_header_1_0(entry, header)
            entry.write(np.ascontiguousarray(first).tobytes())
            for piece in pieces:
                entry.write(np.ascontiguousarray(piece, first.dtype).tobytes())
        if labels is not None:
            with archive.open("labels.npy", "w") as entry:
                np.lib.format.write_array(entry, np.ascontiguousarray(labels))


def write_pngs(
    folder: str | Path,
    pieces: Iterable[UInt8[np.ndarray, "rows height width channels"]],
    count: int,
) -> None:
    """Writes images as ``000000.png``, ``000001.png``, ... into a new folder.

    Args:
        folder: nothing is there, or an empty folder.
        pieces: images of 1 or 3 channels, in order.
        count: how many there will be, for enough digits.

    Raises:
        OSError: the folder cannot be written; the message names it.
    """
    digits, number = max(6, len(str(count - 1))), 0
    with folder_atomically(folder) as inside:
        for piece in pieces:
            for image in piece:
                (inside / f"{number:0{digits}}.png").write_bytes(encode_png(image))
                number += 1


def write_gif(
    path: str | Path, frames: Sequence[UInt8[np.ndarray, "height width channels"]]
) -> None:
    """Writes an animation that goes through its frames, and back, for ever.

    Args:
        path: the file.
        frames: at least two pictures of 1 or 3 channels. Colors become 256 a frame.

    Raises:
        OSError: the file cannot be written; the message names it.
    """
    shown = [
        Image.fromarray(frame[..., 0] if frame.shape[-1] == 1 else frame)
        for frame in (*frames, *frames[-2:0:-1])
    ]
    buffer = io.BytesIO()
    shown[0].save(
        buffer, "GIF", save_all=True, append_images=shown[1:], duration=FRAME_MILLISECONDS, loop=0
    )
    write_atomically(path, buffer.getvalue())
