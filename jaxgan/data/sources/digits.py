"""Handwritten digits, 8x8, that come with scikit-learn: real scans that need no download.

1,797 images by 13 writers, the test part of "Optical Recognition of Handwritten Digits" (Alpaydin
and Kaynak, UCI Machine Learning Repository, 1998, doi:10.24432/C50P49). Each pixel counts the inked
ones among 4x4 pixels of the scan, so it goes from 0 to 16.
"""

from __future__ import annotations

import functools
import gzip
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from jaxgan.data.source import IMAGE_AND_LABEL, ArraySplit, DataError, Field, Info, check_split_name

TRAIN = 1500
TEST = 297


def held_out(labels: np.ndarray) -> np.ndarray:
    """Which rows are the test split: every sixth image or so of each digit.

    The images are put in order of (label, position in the file). Of the ``n`` places in that line,
    place ``i`` goes to the test split where ``floor((i + 1) * 297 / n) > floor(i * 297 / n)``: 297
    places at even distances, so that each digit and each writer (who wrote a run of the file) is
    split in the same proportion, without a random number generator.

    Args:
        labels: the digit of each row, ``(n,)``.

    Returns:
        bool ``(n,)``, True for the 297 test rows.
    """
    count = len(labels)
    places = np.arange(count)
    chosen = (places + 1) * TEST // count > places * TEST // count
    rows = np.zeros(count, bool)
    rows[np.argsort(labels, kind="stable")[chosen]] = True
    return rows


@functools.cache
def _read() -> tuple[np.ndarray, np.ndarray]:
    """Levels ``(1797, 64)`` from 0 to 16, and labels ``(1797,)``.

    The file is read where scikit-learn keeps it, because importing that takes longer than anything
    else at the start of a run. A version that keeps it elsewhere is asked for the arrays.
    """
    found = importlib.util.find_spec("sklearn")
    if found is None:
        raise DataError("digits: they come with scikit-learn, which is not installed.")
    for folder in found.submodule_search_locations or ():
        path = Path(folder) / "datasets" / "data" / "digits.csv.gz"
        if path.is_file():
            with gzip.open(path) as file:
                text = file.read().decode("ascii").strip().replace("\n", ",")
            table = np.fromstring(text, np.float32, sep=",").reshape(-1, 65)
            return table[:, :64], table[:, 64].astype(np.int32)
    from sklearn.datasets import load_digits

    levels, labels = load_digits(return_X_y=True)
    return levels, labels


@dataclass(frozen=True)
class Digits:
    """scikit-learn's 8x8 scans of digits: 1,500 for training, 297 for testing.

    Levels 0 to 16 become 0 to 255 by ``round(level * 255 / 16)``. The split is fixed; see
    `held_out`.
    """

    fields: ClassVar[Mapping[str, Field]] = IMAGE_AND_LABEL
    attribution: ClassVar[str] = (
        "Optical Recognition of Handwritten Digits, E. Alpaydin and C. Kaynak, UCI Machine Learning"
        " Repository, 1998, doi:10.24432/C50P49, CC BY 4.0"
    )

    def info(self) -> Info:
        """Describes the data set, without reading it."""
        return Info("digits", (8, 8, 1), 1, "uint8", 10, {"train": TRAIN, "test": TEST})

    def load(self, split: str) -> ArraySplit:
        """Reads one split into memory (115 kB in all).

        Raises:
            DataError: ``split`` is neither ``"train"`` nor ``"test"``.
        """
        check_split_name("digits", split)
        levels, labels = _read()
        images = np.rint(levels * (255 / 16)).astype(np.uint8).reshape(-1, 8, 8, 1)
        rows = held_out(labels) == (split == "test")
        return ArraySplit(images[rows], labels[rows].astype(np.int32))
