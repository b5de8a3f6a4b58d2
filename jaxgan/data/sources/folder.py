"""A folder of PNG or JPEG images."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from jaxgan.data.images import decode, size_of
from jaxgan.data.source import IMAGE_AND_LABEL, DataError, Example, Field, Info, check_split_name

SUFFIXES = (".png", ".jpg", ".jpeg")

# Decoding releases Python's lock, so threads do help.
_THREADS = 8


@dataclass(frozen=True)
class FolderSplit:
    """Images that are decoded when they are asked for."""

    paths: tuple[Path, ...]
    labels: tuple[int, ...]
    channels: int

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int, /) -> Example:
        if not 0 <= index < len(self.paths):
            raise IndexError(f"index {index} of a split of {len(self.paths)} examples")
        path = self.paths[index]
        image = decode(path, self.channels, str(path), upright=True)
        return {"image": image, "label": self.labels[index]}


@dataclass(frozen=True)
class Folder:
    """Images in a folder, with the classes and the split that its sub-folders show.

    With sub-folders ``train`` and ``test`` the split is theirs. Otherwise an image goes to the test
    split by a hash of its path inside the folder, so that adding images never moves the old ones
    from one split to the other. Below that, each sub-folder that holds images, at any depth, is a
    class; classes are numbered in the order of their sorted names. Without sub-folders every
    label is 0.
    Files with other endings than .png, .jpg and .jpeg are passed over, hidden ones as well.
    """

    fields: ClassVar[Mapping[str, Field]] = IMAGE_AND_LABEL

    path: str
    """The folder; ``~`` stands for the home folder."""
    channels: Literal[1, 3] = 3
    """1 to read every image as gray, 3 to read every one as RGB, whatever the files hold."""
    test_fraction: float = 0.1
    """Share of the images set aside for testing; without effect where there are ``train`` and
    ``test`` folders."""
    verify: bool = True
    """Decode every file when the split is opened, so that a damaged one is found before training
    and not in the middle of it. Turn off for large folders that are known to be sound."""

    def info(self) -> Info:
        """Lists the folder and reads the header of every image.

        Raises:
            DataError: the folder is missing, has no images or no images in one split, or a file
                is no image.
        """
        splits, classes = self._scan()
        paths = [path for paths, _ in splits.values() for path in paths]
        with ThreadPoolExecutor(_THREADS) as pool:
            sizes = set(pool.map(size_of, paths))
        shape = (*sizes.pop(), self.channels) if len(sizes) == 1 else None
        counts = {split: len(paths) for split, (paths, _) in splits.items()}
        name = self._root().resolve().name
        return Info(name, shape, self.channels, "uint8", max(len(classes), 1), counts)

    def load(self, split: str) -> FolderSplit:
        """Opens one split; with ``verify`` on, decodes each of its images once.

        Raises:
            DataError: as `info`; or a file is damaged or cut short.
        """
        check_split_name(str(self._root()), split)
        paths, labels = self._scan()[0][split]
        opened = FolderSplit(paths, labels, self.channels)
        if self.verify:
            with ThreadPoolExecutor(_THREADS) as pool:
                # The results are dropped as they come; the first error is raised.
                for _ in pool.map(lambda index: opened[index]["image"].shape, range(len(opened))):
                    pass
        return opened

    def _root(self) -> Path:
        root = Path(self.path).expanduser()
        if not root.is_dir():
            raise DataError(f"{root}: there is no such folder of images.")
        return root

    def _scan(self) -> tuple[dict[str, tuple[tuple[Path, ...], tuple[int, ...]]], list[str]]:
        """Paths and labels of both splits, in the order of their paths, and the classes' names."""
        root = self._root()
        if self.channels not in (1, 3):
            raise DataError(f"{root}: channels is {self.channels}; it must be 1 or 3.")
        if not 0 < self.test_fraction < 1:
            raise DataError(
                f"{root}: test_fraction is {self.test_fraction}; it must be above 0 and below 1."
            )
        given = [root / name for name in ("train", "test") if (root / name).is_dir()]
        if len(given) == 1:
            other = "test" if given[0].name == "train" else "train"
            raise DataError(f"{root}: there is a folder {given[0].name!r} but no folder {other!r}.")
        if given:
            files = {folder.name: _images(folder) for folder in given}
        else:
            listed = _images(root)
            is_test = [_hash_fraction(name) < self.test_fraction for name, _ in listed]
            files = {
                split: [file for file, test in zip(listed, is_test, strict=True) if test == wanted]
                for split, wanted in (("train", False), ("test", True))
            }
        for split, found in files.items():
            if not found and (given or not any(files.values())):
                where = root / split if given else root
                raise DataError(f"{where}: there are no .png, .jpg or .jpeg images in this folder.")
            if not found:
                raise DataError(
                    f"{root}: none of its {sum(map(len, files.values()))} images falls into the "
                    f"{split} split; change test_fraction ({self.test_fraction}), or make folders "
                    "'train' and 'test'."
                )
        folders = {str(Path(name).parent) for found in files.values() for name, _ in found}
        classes = sorted(folders)
        if "." in classes and len(classes) > 1:
            raise DataError(
                f"{root}: there are images both in class folders ({classes[1]!r}) and beside them."
            )
        number = {name: label for label, name in enumerate(classes)}
        splits = {
            split: (
                tuple(path for _, path in found),
                tuple(number[str(Path(name).parent)] for name, _ in found),
            )
            for split, found in files.items()
        }
        return splits, [] if classes == ["."] else classes


def _images(folder: Path) -> list[tuple[str, Path]]:
    """Images below a folder: path inside it, with forward slashes, and path; sorted by the former.

    Sorted, because a file system lists its files in an order of its own.
    """
    found = []
    for path in folder.rglob("*"):
        inside = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in inside.parts)
        if path.suffix.lower() in SUFFIXES and not hidden and path.is_file():
            found.append((inside.as_posix(), path))
    return sorted(found)


def _hash_fraction(name: str) -> float:
    """A number in [0, 1) that depends on ``name`` alone: its SHA-256, as a fraction of 2^64."""
    return int.from_bytes(hashlib.sha256(os.fsencode(name)).digest()[:8], "big") / 2**64
