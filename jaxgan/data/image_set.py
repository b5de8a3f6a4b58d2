"""Images as people keep them: a folder of image files, or arrays in an ``.npz`` file."""

from __future__ import annotations

import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Int, Num

from jaxgan.data.images import decode
from jaxgan.data.source import DataError

SUFFIXES = (".png", ".jpg", ".jpeg")
ARRAYS = ("images", "arr_0")
"""Names that the array of images may have in an ``.npz`` file."""

# Decoding releases Python's lock, so threads do help.
_THREADS = 8


class ImageSet(NamedTuple):
    """All of a set's images."""

    images: Num[np.ndarray, "n h w c"]
    """uint8, or float32 for points."""
    labels: Int[np.ndarray, "n"] | None
    """Classes, where the set tells any."""


def load_images(path: Path) -> ImageSet:
    """Reads a folder or an ``.npz`` file.

    In a folder, every ``.png``, ``.jpg`` and ``.jpeg`` at any depth counts, in the order of paths;
    images in sub-folders belong to classes, numbered in the order of the folders' names. Images
    whose three channels are equal throughout the set come with one. In an ``.npz`` file the array
    is called ``images`` or ``arr_0``: uint8 ``(n, h, w)`` or ``(n, h, w, c)``, or float32 points
    ``(n, d)`` or ``(n, 1, 1, d)``; classes may be in ``labels``.

    Raises:
        DataError: there is nothing at the path, or no images; a file is damaged; or sizes differ.
    """
    if path.is_dir():
        return _folder(path)
    if not path.exists():
        raise DataError(f"{path}: there is no such folder or .npz file")
    if path.suffix != ".npz":
        raise DataError(f"{path} is neither a folder of images nor an .npz file")
    return _arrays(path)


def same_channels(a: ImageSet, b: ImageSet) -> tuple[ImageSet, ImageSet]:
    """Two sets with equally many channels: gray is repeated where the other set has color."""
    most = max(a.images.shape[-1], b.images.shape[-1])
    if most != 3:
        return a, b

    def colored(given: ImageSet) -> ImageSet:
        gray = given.images.shape[-1] == 1
        return given._replace(images=np.repeat(given.images, 3, axis=-1)) if gray else given

    return colored(a), colored(b)


def _folder(root: Path) -> ImageSet:
    paths = sorted(
        path
        for path in root.rglob("*")
        if path.suffix.lower() in SUFFIXES
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(root).parts)
    )
    if not paths:
        raise DataError(f"{root}: there are no .png, .jpg or .jpeg images in this folder")
    with ThreadPoolExecutor(_THREADS) as pool:
        images = list(pool.map(lambda path: decode(path, 3, str(path), upright=True), paths))
    for path, image in zip(paths, images, strict=True):
        if image.shape != images[0].shape:
            raise DataError(
                f"{root}: images of several sizes, {_size(images[0])} ({paths[0].name}) and"
                f" {_size(image)} ({path.name}); bring them to one size first"
            )
    whole = np.stack(images)
    if (whole == whole[..., :1]).all():
        whole = whole[..., :1]
    folders = [path.parent.relative_to(root).as_posix() for path in paths]
    classes = {name: number for number, name in enumerate(sorted(set(folders)))}
    labels = np.array([classes[name] for name in folders], np.int32)
    return ImageSet(whole, labels if "." not in classes else None)


def _size(image: np.ndarray) -> str:
    return f"{image.shape[1]}x{image.shape[0]}"


def _arrays(path: Path) -> ImageSet:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            there = list(arrays.files)
            name = next((name for name in ARRAYS if name in there), None)
            images = None if name is None else arrays[name]
            labels = arrays["labels"] if "labels" in there else None
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} cannot be read: it is damaged, or no .npz file") from error
    if images is None:
        raise DataError(
            f"{path} has no array 'images' or 'arr_0'; it has {', '.join(there) or 'nothing'}"
        )
    if images.dtype == np.uint8 and images.ndim == 3:
        images = images[..., None]
    if images.dtype == np.float32 and images.ndim == 2:
        images = images[:, None, None, :]
    is_image = images.dtype == np.uint8 and images.ndim == 4
    is_point = images.dtype == np.float32 and images.ndim == 4 and images.shape[1:3] == (1, 1)
    if not (is_image or is_point):
        raise DataError(
            f"{path}: {name!r} is {images.dtype} of shape {images.shape}; images are uint8"
            " (n, h, w, c), points float32 (n, d)"
        )
    if labels is not None and (labels.shape != images.shape[:1] or labels.dtype.kind not in "iu"):
        raise DataError(
            f"{path}: 'labels' is {labels.dtype} of shape {labels.shape}; it needs one integer for"
            f" each of the {len(images)} images"
        )
    return ImageSet(images, None if labels is None else labels.astype(np.int32))
