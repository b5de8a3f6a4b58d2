"""Data sets in the IDX files of the MNIST family: MNIST, Fashion-MNIST, KMNIST, EMNIST.

An IDX file is a magic number (two zero bytes, the type of the numbers, the number of dimensions),
the dimensions as big-endian 32-bit integers, and the numbers. Format: "The MNIST database of
handwritten digits" (LeCun, Cortes and Burges), section "File formats".
"""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path
from typing import ClassVar

import numpy as np

from jaxgan.data.source import IMAGE_AND_LABEL, ArraySplit, DataError, Field, Info, check_split_name

DEBIAN_FASHION_MNIST = "/usr/share/datasets/fashion-mnist"

# Unsigned bytes (8) in three dimensions, or in one.
_IMAGES_MAGIC = 0x00000803
_LABELS_MAGIC = 0x00000801
_PREFIXES = {"train": "train", "test": "t10k"}


@dataclass(frozen=True)
class Idx:
    """Four IDX files, gzipped or not, in one folder, under the names that MNIST gave them.

    ``train-images-idx3-ubyte``, ``train-labels-idx1-ubyte``, ``t10k-images-idx3-ubyte`` and
    ``t10k-labels-idx1-ubyte``, each with or without ``.gz``.
    """

    fields: ClassVar[Mapping[str, Field]] = IMAGE_AND_LABEL

    folder: str
    """Folder that holds the four files; ``~`` stands for the home folder."""
    name: str = "idx"
    """How reports and metrics call the data set."""
    classes: int = 10
    """Number of classes: labels go from 0 to one less."""

    @property
    def attribution(self) -> str:
        """Whose images they are, where that is known: those of Debian's package."""
        known = "Fashion-MNIST, Zalando SE, 2017, arXiv:1708.07747, MIT licence"
        return known if self.folder == DEBIAN_FASHION_MNIST else ""

    def info(self) -> Info:
        """Reads the headers of the four files.

        Raises:
            DataError: a file is missing, is not IDX, or has not as many labels as images.
        """
        shapes = {split: self._shape(split) for split in _PREFIXES}
        if shapes["train"][1:] != shapes["test"][1:]:
            train, test = (f"{h}x{w}" for _, h, w in (shapes["train"], shapes["test"]))
            raise DataError(
                f"{self._folder()}: training images are {train} but test images are {test}."
            )
        count, height, width = shapes["train"]
        counts = {"train": count, "test": shapes["test"][0]}
        return Info(self.name, (height, width, 1), 1, "uint8", self.classes, counts)

    def load(self, split: str) -> ArraySplit:
        """Reads one split into memory.

        Raises:
            DataError: a file is missing, damaged, cut short or too long, there are not as many
                labels as images, or a label is not a class.
        """
        check_split_name(self.name, split)
        shape = self._shape(split)
        images = _read(self._path(split, "images-idx3"), _IMAGES_MAGIC)
        path = self._path(split, "labels-idx1")
        labels = _read(path, _LABELS_MAGIC).astype(np.int32)
        if labels.size and labels.max() >= self.classes:
            row = int(labels.argmax())
            raise DataError(
                f"{path}: label {labels[row]} of image {row} is not a class; "
                f"classes go from 0 to {self.classes - 1}."
            )
        return ArraySplit(images.reshape(*shape, 1), labels)

    def _folder(self) -> Path:
        folder = Path(self.folder).expanduser()
        if folder.is_dir():
            return folder
        if self.folder == DEBIAN_FASHION_MNIST:
            raise DataError(
                f"{folder}: there is no such folder; on Debian or Ubuntu, "
                "`apt-get install dataset-fashion-mnist` makes it."
            )
        raise DataError(f"{folder}: there is no such folder; it should hold four IDX files.")

    def _path(self, split: str, what: str) -> Path:
        folder = self._folder()
        name = f"{_PREFIXES[split]}-{what}-ubyte"
        for path in (folder / f"{name}.gz", folder / name):
            if path.is_file():
                return path
        raise DataError(f"{folder}: there is neither {name}.gz nor {name} in this folder.")

    def _shape(self, split: str) -> tuple[int, int, int]:
        """Number, height and width of a split's images, from the headers of both of its files."""
        with _opened(self._path(split, "images-idx3")) as (file, path):
            count, height, width = _header(file, path, _IMAGES_MAGIC)
        with _opened(self._path(split, "labels-idx1")) as (file, path):
            (labels,) = _header(file, path, _LABELS_MAGIC)
        if labels != count:
            raise DataError(f"{path}: {labels} labels for {count} images.")
        return count, height, width


def fashion_mnist() -> Idx:
    """Fashion-MNIST (Xiao, Rasul and Vollgraf, 2017, arXiv:1708.07747), from Debian's package.

    60,000 training and 10,000 test images, 28x28 and gray, of ten kinds of clothing, in the folder
    where the package ``dataset-fashion-mnist`` puts them.
    """
    return Idx(DEBIAN_FASHION_MNIST, name="fashion-mnist", classes=10)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[BufferedIOBase, Path]]:
    """Opens a file, gzipped or not, and says in one line what is wrong with it."""
    try:
        with path.open("rb") as raw:
            gzipped = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            if not gzipped and path.suffix == ".gz":
                raise DataError(f"{path}: this is not a gzip file.")
            if gzipped:
                with gzip.open(raw, "rb") as file:
                    yield file, path
            else:
                yield raw, path
    except EOFError:
        raise DataError(f"{path}: the gzip file is cut short; fetch it again.") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path}: the gzip file is damaged ({error}); fetch it again.") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error}).") from None


def _header(file: BufferedIOBase, path: Path, magic: int) -> tuple[int, ...]:
    """Reads the header of an IDX file and returns its dimensions."""
    dimensions = magic & 0xFF
    start = file.read(4)
    if len(start) == 4 and (found := struct.unpack(">I", start)[0]) != magic:
        raise DataError(
            f"{path}: the magic number is 0x{found:08x}, not 0x{magic:08x} "
            f"(bytes in {dimensions} dimension{'s' if dimensions > 1 else ''})."
        )
    sizes = file.read(4 * dimensions)
    if len(start) + len(sizes) < 4 + 4 * dimensions:
        raise DataError(f"{path}: the file ends within its header.")
    return struct.unpack(f">{dimensions}I", sizes)


def _read(path: Path, magic: int) -> np.ndarray:
    """Reads a whole IDX file of bytes, checking that it is as long as its header says."""
    with _opened(path) as (file, _):
        shape = _header(file, path, magic)
        expected = int(np.prod(shape, dtype=np.int64))
        # One byte more than there should be: enough to tell a file that is too long.
        data = file.read(expected + 1)
    if len(data) != expected:
        found = "more" if len(data) > expected else f"only {len(data)}"
        raise DataError(f"{path}: its header promises {expected} bytes of data, there are {found}.")
    return np.frombuffer(data, np.uint8).reshape(shape)
