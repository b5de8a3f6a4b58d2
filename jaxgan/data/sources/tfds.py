"""Image data sets of tensorflow-datasets, read without TensorFlow.

Records are read at random from ArrayRecord files, and Pillow decodes their images. TensorFlow is
needed only to prepare those data sets whose builders hand out arrays instead of encoded images.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from jaxgan.data.images import decode
from jaxgan.data.network import hosts_of, reachable
from jaxgan.data.source import IMAGE_AND_LABEL, DataError, Example, Field, Info, check_split_name
from jaxgan.data.sources.tfds_safety import check_no_code

FORMAT = "array_record"


@dataclass(frozen=True, eq=False)
class TfdsSplit:
    """A split in ArrayRecord files, decoded when asked for."""

    records: Sequence[Any]
    image: str
    label: str | None
    channels: int
    name: str

    def __len__(self) -> int:
        return len(self.records)

    def __getitem__(self, index: int, /) -> Example:
        if not 0 <= index < len(self.records):
            raise IndexError(f"index {index} of a split of {len(self.records)} examples")
        try:
            record = self.records[index]
        except RuntimeError as error:  # what array_record raises for damaged files
            raise DataError(f"{self.name}, record {index}: {_one_line(error)}.") from None
        label = 0 if self.label is None else int(record[self.label])
        image = decode(record[self.image], self.channels, f"{self.name}, record {index}")
        return {"image": image, "label": label}


@dataclass(frozen=True)
class Tfds:
    """A data set of tensorflow-datasets, prepared on first use.

    Several processes should not prepare the same data set at once: prepare it beforehand, by
    ``Tfds(name).info()``.
    """

    fields: ClassVar[Mapping[str, Field]] = IMAGE_AND_LABEL

    name: str
    """As tensorflow-datasets calls it, such as ``cifar10``, ``svhn_cropped`` or ``mnist:3.0.1``."""
    data_dir: str | None = None
    """Folder of prepared data sets. None: ``TFDS_DATA_DIR`` or ``~/tensorflow_datasets``."""
    train_split: str = "train"
    """Split to train on, in tensorflow-datasets' notation: also ``train[:90%]``."""
    test_split: str = "test"
    """Split to test on, in the same notation."""
    image: str = "image"
    """Name of the feature that holds the image."""
    label: str | None = "label"
    """Name of the feature that holds the class; None to do without classes."""

    def info(self) -> Info:
        """Describes the data set, having prepared it if need be.

        Raises:
            DataError: it does not exist or cannot be prepared, or has no such features or splits.
        """
        return self._describe(self._builder())

    def load(self, split: str) -> TfdsSplit:
        """Opens one split, having prepared the data set if need be.

        Raises:
            DataError: as `info`, or its files are damaged.
        """
        import tensorflow_datasets as tfds

        check_split_name(self.name, split)
        builder = self._builder()
        channels = self._describe(builder).channels
        selected = self.train_split if split == "train" else self.test_split
        # Images are not decoded by tensorflow-datasets, but by `TfdsSplit`; and only the one that
        # is used.
        encoded = {
            name: tfds.decode.SkipDecoding()
            for name, feature in builder.info.features.items()
            if isinstance(feature, tfds.features.Image)
        }
        with self._explained(f"{selected!r} in {builder.data_path} cannot be opened"):
            records = builder.as_data_source(split=selected, decoders=encoded, file_format=FORMAT)
            # A file that is missing or cut short shows when any record of it is read.
            for first in _first_records(builder.info.splits[selected].file_instructions):
                _ = records[first]
        return TfdsSplit(records, self.image, self.label, channels, f"{self.name}[{selected}]")

    def _builder(self) -> Any:
        """The data set's builder, having prepared the data set if need be."""
        # Imported here because it takes a second, which other sources need not wait for.
        import tensorflow_datasets as tfds
        from tensorflow_datasets.core.registered import DatasetNotFoundError

        data_dir = None if self.data_dir is None else Path(self.data_dir).expanduser()
        check_no_code(self.name, data_dir)
        try:
            builder = tfds.builder(self.name, data_dir=data_dir)
        except DatasetNotFoundError:
            raise DataError(self._unknown(data_dir)) from None
        except Exception as error:
            raise DataError(f"{self.name}: it cannot be opened ({_one_line(error)}).") from error
        if not builder.is_prepared():
            self._prepare(builder)
        formats = sorted(file_format.value for file_format in builder.info.available_file_formats())
        if FORMAT not in formats:
            raise DataError(
                f"{self.name}: {builder.data_path} was prepared as {' and '.join(formats)}, not as "
                f"{FORMAT}; delete that folder or choose another data_dir."
            )
        return builder

    def _unknown(self, data_dir: Path | None) -> str:
        import tensorflow_datasets as tfds

        known = tfds.list_builders(with_community_datasets=False)
        name = self.name.split("/")[0].split(":")[0]
        close = difflib.get_close_matches(name, known)
        hint = f"did you mean {' or '.join(close)}?" if close else "check its spelling."
        where = f"nor is it prepared in {data_dir}" if data_dir else "nor is it prepared"
        return f"{self.name}: tensorflow-datasets knows no such data set, {where}; {hint}"

    def _prepare(self, builder: Any) -> None:
        downloads = Path(builder.data_dir_root) / "downloads"
        # A completed download has a file .INFO beside it. Where there is one, what is missing may
        # be nothing; where there is none, tensorflow-datasets would try to connect for minutes.
        started = any(downloads.glob("*.INFO")) or any((downloads / builder.name).rglob("*.INFO"))
        hosts = hosts_of(builder.url_infos or {})
        if hosts and not started and not any(reachable(hosts)):
            raise DataError(
                f"{self.name}: it is not prepared in {builder.data_dir_root}, and cannot be "
                f"downloaded: {' and '.join(hosts)} cannot be reached."
            )
        with self._explained("it cannot be prepared"):
            builder.download_and_prepare(file_format=FORMAT)

    @contextmanager
    def _explained(self, what: str) -> Iterator[None]:
        """Turns whatever tensorflow-datasets raises, which may be anything, into one line."""
        try:
            yield
        except Exception as error:
            if _lacks_tensorflow(error):
                raise DataError(
                    f"{self.name}: preparing it (but not reading it) takes TensorFlow: "
                    "pip install 'jaxgan[prepare]'."
                ) from None
            raise DataError(f"{self.name}: {what} ({_one_line(error)}).") from error

    def _describe(self, builder: Any) -> Info:
        height, width, channels = self._image_shape(builder)
        shape = None if height is None or width is None else (height, width, channels)
        selected = {"train": self.train_split, "test": self.test_split}
        counts = {name: self._count(builder, split) for name, split in selected.items()}
        return Info(self.name, shape, channels, "uint8", self._classes(builder), counts)

    def _image_shape(self, builder: Any) -> tuple[int | None, int | None, int]:
        import tensorflow_datasets as tfds

        feature = self._feature(builder, "image", self.image)
        if not isinstance(feature, tfds.features.Image):
            raise DataError(f"{self.name}: its feature {self.image!r} is no image.")
        shape: Any = feature.shape
        height, width, channels = shape
        dtype: Any = feature.np_dtype
        if dtype != np.uint8 or channels not in (1, 3):
            raise DataError(
                f"{self.name}: its images are {np.dtype(dtype)} of {channels} channels; only uint8 "
                "of 1 or 3 channels can be used."
            )
        return height, width, channels

    def _classes(self, builder: Any) -> int:
        import tensorflow_datasets as tfds

        if self.label is None:
            return 1
        feature = self._feature(builder, "label", self.label)
        if not isinstance(feature, tfds.features.ClassLabel) or not feature.num_classes:
            raise DataError(
                f"{self.name}: its feature {self.label!r} is no class label; name another one as "
                "label, or None to do without."
            )
        return int(feature.num_classes)

    def _feature(self, builder: Any, field: str, name: str) -> Any:
        features = dict(builder.info.features.items())
        if name not in features:
            without = ", or None to do without" if field == "label" else ""
            raise DataError(
                f"{self.name}: it has no feature {name!r}; it has {', '.join(sorted(features))}: "
                f"name one of them as {field}{without}."
            )
        return features[name]

    def _count(self, builder: Any, split: str) -> int:
        try:
            count = int(builder.info.splits[split].num_examples)
        except (KeyError, ValueError, AssertionError):
            splits = ", ".join(sorted(builder.info.splits))
            raise DataError(f"{self.name}: it has no split {split!r}; it has {splits}.") from None
        if not count:
            raise DataError(f"{self.name}: its split {split!r} is empty.")
        return count


def _first_records(instructions: Sequence[Any]) -> list[int]:
    """Index of the first record of each file, given which of the files' records a split takes."""
    takes = [instruction.take for instruction in instructions]
    starts = np.cumsum([0, *takes])[:-1]
    return [int(start) for start, take in zip(starts, takes, strict=True) if take]


def _lacks_tensorflow(error: BaseException | None) -> bool:
    """Whether a failed import of TensorFlow is behind an error."""
    while error is not None:
        if isinstance(error, ImportError) and (error.name or "").split(".")[0] == "tensorflow":
            return True
        error = error.__cause__ or error.__context__
    return False


def _one_line(error: BaseException) -> str:
    """An error's message on one line, and not too long a one."""
    line = " ".join(str(error).split()) or type(error).__name__
    return line.rstrip(".") if len(line) <= 300 else line[:297] + "..."
