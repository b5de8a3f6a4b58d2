"""From a source to batches on the device.

`load` opens a source as `Data` says and makes every check. Then there are two ways to feed it, with
the same order and the same batches: a split that fits stays on the device as two arrays, and each
step gathers its batch there (`arrays`, `resident_batch`); a larger one is streamed
(`jaxgan.data.stream`).
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Integer

from jaxgan.data.order import epoch_position
from jaxgan.data.source import DataError, Example, Info, Split
from jaxgan.data.sources.digits import Digits
from jaxgan.data.transforms import Color, Resize, check_fit, transform
from jaxgan.typing import Batch, ImageShape

RESIDENT_BYTES = 256 * 2**20
"""With ``streaming="auto"``, a training split of up to this many bytes stays on the device."""

# Which training images are set aside must not change from one run's seed to the next.
_VALIDATION_SEED = 0x5EED


@dataclass(frozen=True)
class Data:
    """The data of an experiment, as plain values."""

    source: Any = field(default_factory=Digits)
    """Where examples come from: a `jaxgan.data.source.Source`."""
    image_size: int = 8
    """Height and width of the images that the networks get, in pixels; 1 for points."""
    channels: int = 1
    """1 for gray, 3 for RGB; for points, their dimensions."""
    resize: Resize = "none"
    """How images get their size. none: they must have it. bilinear, lanczos: scaled, whatever the
    aspect ratio. crop: the middle square, scaled. pad: black borders."""
    color: Color = "none"
    """How images get their channels. none: they must have them. gray: RGB to gray. tile: gray
    repeated three times."""
    validation: int = 0
    """Training images set aside, always the same ones, as the validation split."""
    streaming: Literal["auto", "always", "never"] = "auto"
    """Whether the training split is streamed from the host or stays on the device. auto: streamed
    when larger than 256 MiB."""
    threads: int = 4
    """Threads that load and decode streamed batches, in each worker process."""
    workers: int = 0
    """Processes that load streamed batches. 0: the training process does it with its threads,
    which is enough unless decoding keeps it busy."""
    prefetch: int = 8
    """Streamed batches that are loaded ahead of their turn, on the host."""

    @property
    def image_shape(self) -> ImageShape:
        """Height, width and channels of one example as the networks get it."""
        return self.image_size, self.image_size, self.channels

    @property
    def dtype(self) -> Literal["uint8", "float32"]:
        """Type of one example: ``uint8`` for images, ``float32`` for points."""
        return getattr(self.source, "dtype", "uint8")


class Dataset(NamedTuple):
    """The splits of a source, checked and in the shape that was asked for."""

    train: Split
    validation: Split | None
    """None where no images were set aside."""
    test: Split
    info: Info
    """What the source says of itself: native shape, classes, counts before any were set aside."""


@dataclass(frozen=True, eq=False)
class Transformed:
    """A split whose images have been given a shape, and whose every example is checked."""

    split: Split
    data: Data
    info: Info

    def __len__(self) -> int:
        return len(self.split)

    def __getitem__(self, index: int, /) -> Example:
        example = self.split[index]
        data, info = self.data, self.info
        image, label = example["image"], int(example["label"])
        if not 0 <= label < info.classes:
            raise DataError(
                f"{info.name}: label {label} of example {index} is not a class; "
                f"classes go from 0 to {info.classes - 1}."
            )
        if image.dtype != np.dtype(info.dtype) or image.ndim != 3:
            raise DataError(
                f"{info.name}: example {index} is {image.dtype} of shape {image.shape}; it should "
                f"be {info.dtype}, with height, width and channels."
            )
        if image.shape[2] != info.channels or info.shape not in (None, image.shape):
            told = info.shape or f"of {info.channels} channel(s)"
            raise DataError(
                f"{info.name}: example {index} is of shape {image.shape}, but the source describes "
                f"its images as {told}."
            )
        return {
            "image": transform(image, data.image_shape, data.resize, data.color),
            "label": label,
        }


@dataclass(frozen=True, eq=False)
class Subset:
    """Some examples of a split."""

    split: Split
    rows: Integer[np.ndarray, " rows"]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int, /) -> Example:
        if not 0 <= index < len(self.rows):
            raise IndexError(f"index {index} of a split of {len(self.rows)} examples")
        return self.split[int(self.rows[index])]


def load(data: Data) -> Dataset:
    """Opens all splits, with every check there is, so that none fails during training.

    The images set aside for validation are the last ``data.validation`` of one fixed permutation of
    the training split (`epoch_position`), whatever the seed of the run.

    Args:
        data: what to open.

    Returns:
        The splits, in ``data.image_shape``.

    Raises:
        DataError: a setting or the source is wrong, in one line.
    """
    _check_settings(data)
    info: Info = data.source.info()
    check_fit(info, data.image_shape, data.resize, data.color)
    splits = {}
    for name in ("train", "test"):
        split = data.source.load(name)
        if not len(split):
            raise DataError(f"{info.name}: the {name} split is empty.")
        splits[name] = Transformed(split, data, info)
        # One example tells whether the source is as it describes itself.
        _ = splits[name][0]
    train, test = splits["train"], splits["test"]
    if not data.validation:
        return Dataset(train, None, test, info)
    if data.validation >= len(train):
        raise DataError(
            f"--data.validation sets {data.validation} images aside, but {info.name} has only "
            f"{len(train)} for training."
        )
    rows = np.asarray(epoch_position(np.arange(len(train)), len(train), _VALIDATION_SEED))
    kept, aside = np.split(rows, [len(train) - data.validation])
    # Sorted, so that streams read a file front to back where order does not matter.
    return Dataset(Subset(train, np.sort(kept)), Subset(train, np.sort(aside)), test, info)


def _check_settings(data: Data) -> None:
    for flag, value, least in (
        ("image-size", data.image_size, 1),
        ("channels", data.channels, 1),
        ("validation", data.validation, 0),
        ("threads", data.threads, 1),
        ("workers", data.workers, 0),
        ("prefetch", data.prefetch, 1),
    ):
        if value < least:
            raise DataError(f"--data.{flag} is {value}; it must be at least {least}.")
    if data.streaming not in ("auto", "always", "never"):
        raise DataError(
            f"--data.streaming is {data.streaming!r}; it must be one of auto, always, never."
        )


def is_resident(data: Data, split: Split) -> bool:
    """Whether ``split`` is to stay on the device (`resident_batch`) instead of being streamed."""
    if data.streaming != "auto":
        return data.streaming == "never"
    first = split[0]["image"]
    return len(split) * first.nbytes <= RESIDENT_BYTES


def arrays(split: Split) -> dict[str, np.ndarray]:
    """Reads a whole split into memory, with several threads.

    Args:
        split: ``n`` examples of one shape.

    Returns:
        ``image``: ``(n, height, width, channels)`` in the split's type; ``label``: int32 ``(n,)``.

    Raises:
        DataError: an example is damaged, or not as the source says.
    """
    count = len(split)
    first = split[0]["image"]
    images = np.empty((count, *first.shape), first.dtype)
    labels = np.empty(count, np.int32)

    def fill(start: int) -> None:
        for i in range(start, min(start + 256, count)):
            example = split[i]
            images[i], labels[i] = example["image"], example["label"]

    with ThreadPoolExecutor() as pool:
        # The results are dropped as they come; the first error is raised.
        for _ in pool.map(fill, range(0, count, 256)):
            pass
    return {"image": images, "label": labels}


def resident_batch(
    arrays: Mapping[str, Array],
    *,
    step: int | Integer[Array, ""],
    seed: int | Integer[Array, ""],
    batch_size_global: int,
    local_count: int,
    axis_name: str | None = None,
) -> Batch:
    """Gathers the batch of one step out of a split that lies on the device.

    Meant for the inside of a compiled step: nothing but the step's number crosses over from the
    host. Device ``d`` takes the rows ``d * local_count`` to ``(d + 1) * local_count`` of the global
    batch, and row ``r`` is the example at place ``step * batch_size_global + r`` of the run, so the
    batches do not depend on the number of devices.

    Args:
        arrays: a whole split, as `arrays` returns it: ``(n, ...)`` each, the same on every device.
        step: number of the step, from 0; may be traced.
        seed: of the order; may be traced, also by `jax.vmap`.
        batch_size_global: examples of one step on all devices. Places are 32 unsigned bits: see
            `jaxgan.data.order.check_budget`.
        local_count: examples of one step on this device.
        axis_name: the mapped axis whose devices share the batch; None on one device.

    Returns:
        ``image`` ``(local_count, ...)`` and ``label`` ``(local_count,)``.
    """
    count = arrays["image"].shape[0]
    rows = jnp.arange(local_count, dtype=jnp.uint32)
    if axis_name is not None:
        device = jax.lax.axis_index(axis_name).astype(jnp.uint32)
        rows = rows + device * np.uint32(local_count)
    start = jnp.asarray(step).astype(jnp.uint32) * np.uint32(batch_size_global)
    index = epoch_position(start + rows, count, seed)
    return {name: array.at[index].get(mode="promise_in_bounds") for name, array in arrays.items()}
