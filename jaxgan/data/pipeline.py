"""From a source to batches on the device.

`load` opens a source as `Data` says and makes every check. Then there are two ways to feed it, with
the same order and the same batches: a split that fits stays on the device as arrays, and each step
gathers its batch there (`jaxgan.data.reading.arrays`, `resident_batch`); a larger one is streamed
(`jaxgan.data.stream`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Integer

from jaxgan.data.domains import domain_of, domains_of, map_domains, within
from jaxgan.data.fields import Spec, Transformed, check_fields, spec_of
from jaxgan.data.order import domain_seed, epoch_position
from jaxgan.data.reading import Subset
from jaxgan.data.source import IMAGE_AND_LABEL, DataError, Field, Info, Split
from jaxgan.data.sources.digits import Digits
from jaxgan.data.transforms import Color, Resize, check_fit
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
    """Height of the images that the networks get, in pixels, and their width as well unless
    image_width says otherwise; 1 for points."""
    image_width: int = 0
    """Their width; 0: as image_size, which makes them square."""
    channels: int = 1
    """1 for gray, 3 for RGB; for points, their dimensions."""
    resize: Resize = "none"
    """How images get their size. none: they must have it. bilinear, lanczos: scaled, whatever the
    aspect ratio. crop: the largest part in the middle that has the aspect ratio wanted, scaled.
    pad: black borders."""
    color: Color = "none"
    """How images get their channels. none: they must have them. gray: RGB to gray. tile: gray
    repeated three times."""
    classes: int = 0
    """Classes that networks with labels are made for, as many as the source has; 0: not told, which
    is enough for networks without labels."""
    validation: int = 0
    """Training images set aside (of each domain), always the same ones, as the validation split."""
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
        return self.image_size, self.image_width or self.image_size, self.channels

    @property
    def dtype(self) -> Literal["uint8", "float32"]:
        """Type of one example: ``uint8`` for images, ``float32`` for points."""
        return getattr(self.source, "dtype", "uint8")

    @property
    def fields(self) -> Mapping[str, Field]:
        """What an example consists of; an image and a label, where the source does not say."""
        return getattr(self.source, "fields", IMAGE_AND_LABEL)

    @property
    def specs(self) -> dict[str, Spec]:
        """Shape and type of every field of one example as the networks get it, reading nothing.

        >>> Data().specs["image"]
        Spec(shape=(8, 8, 1), dtype='uint8')
        """
        return {
            name: spec_of(field, self.image_shape, self.dtype)
            for name, field in self.fields.items()
        }


class Dataset(NamedTuple):
    """The splits of a source, checked and in the shape that was asked for."""

    train: Split
    validation: Split | None
    """None where no images were set aside."""
    test: Split
    info: Info
    """What the source says of itself: native shape, classes, counts before any were set aside."""


def load(data: Data) -> Dataset:
    """Opens all splits, with every check there is, so that none fails during training.

    The images set aside for validation are the last ``data.validation`` of one fixed permutation of
    the training split (`epoch_position`), whatever the seed of the run. Domains are cut one by one.

    Args:
        data: what to open.

    Returns:
        The splits, whose examples are as ``data.specs`` says.

    Raises:
        DataError: a setting or the source is wrong, in one line.
    """
    _check_settings(data)
    info: Info = data.source.info()
    _check_source(data, info)
    train, test = (_opened(data, info, name) for name in ("train", "test"))
    if not data.validation:
        return Dataset(train, None, test, info)
    kept, aside = (map_domains(train, _cut(data, info, part)) for part in (0, 1))
    return Dataset(kept, aside, test, info)


def _opened(data: Data, info: Info, name: str) -> Split:
    """One split of the source, transformed."""
    split: Split = data.source.load(name)
    domains = set(domains_of(split))
    if domains != (named := {domain_of(field) for field in data.fields}):
        raise DataError(
            f"{info.name}: the {name} split has domains {_listed(domains)}, but the source's "
            f"fields name {_listed(named)}."
        )

    def opened(domain: str, part: Split) -> Split:
        if not len(part):
            raise DataError(f"{info.name}: the {name} split{_of(domain)} is empty.")
        made = Transformed(
            part,
            within(domain, data.fields),
            info,
            data.image_shape,
            data.resize,
            data.color,
            domain,
        )
        # One example tells whether the source is as it describes itself.
        _ = made[0]
        return made

    return map_domains(split, opened)


def _cut(data: Data, info: Info, which: int) -> Callable[[str, Split], Split]:
    """What takes the rest (0) or what was set aside (1) of a training split."""

    def cut(domain: str, part: Split) -> Split:
        count = len(part)
        if data.validation >= count:
            raise DataError(
                f"--data.validation sets {data.validation} images aside, but {info.name} has only "
                f"{count} for training{_of(domain)}."
            )
        seed = domain_seed(_VALIDATION_SEED, domain)
        rows = np.asarray(epoch_position(np.arange(count), count, seed))
        # Sorted, so that streams read a file front to back where order does not matter.
        return Subset(part, np.sort(np.split(rows, [count - data.validation])[which]))

    return cut


def _of(domain: str) -> str:
    return f" of domain {domain}" if domain else ""


def _listed(domains: set[str]) -> str:
    return ", ".join(sorted(map(repr, domains)))


def _check_source(data: Data, info: Info) -> None:
    check_fields(info.name, data.fields)
    images = [field for field in data.fields.values() if field.kind in ("image", "video")]
    if images:
        own = all(field.channels for field in images)
        check_fit(info, data.image_shape, data.resize, data.color, own_channels=own)
    if info.dtype != data.dtype:
        raise DataError(
            f"{info.name}: the source describes its images as {info.dtype}, but its dtype is "
            f"{data.dtype}; it should have an attribute dtype = {info.dtype!r}."
        )
    if data.classes not in (0, info.classes):
        raise DataError(
            f"{info.name} has {info.classes} class{'es' if info.classes > 1 else ''}, but "
            f"--data.classes is {data.classes}: set it to {info.classes}."
        )


def _check_settings(data: Data) -> None:
    for flag, value, least in (
        ("image-size", data.image_size, 1),
        ("image-width", data.image_width, 0),
        ("channels", data.channels, 1),
        ("classes", data.classes, 0),
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
    domains = domains_of(split)
    size = sum(
        len(domains[domain_of(name)]) * math.prod(spec.shape) * np.dtype(spec.dtype).itemsize
        for name, spec in data.specs.items()
    )
    return size <= RESIDENT_BYTES


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
    batches do not depend on the number of devices. Each domain has its own number of examples, and
    its own order (`domain_seed`).

    Args:
        arrays: a whole split, as `jaxgan.data.reading.arrays` returns it: ``(n, ...)`` each, with
            one ``n`` in a domain; the same on every device.
        step: number of the step, from 0; may be traced.
        seed: of the order; may be traced, also by `jax.vmap`.
        batch_size_global: examples of one step on all devices. Places are 32 unsigned bits: see
            `jaxgan.data.order.check_budget`.
        local_count: examples of one step on this device.
        axis_name: the mapped axis whose devices share the batch; None on one device.

    Returns:
        Every field under its name, such as ``image`` ``(local_count, ...)`` and ``label``
        ``(local_count,)``.
    """
    rows = jnp.arange(local_count, dtype=jnp.uint32)
    if axis_name is not None:
        device = jax.lax.axis_index(axis_name).astype(jnp.uint32)
        rows = rows + device * np.uint32(local_count)
    start = jnp.asarray(step).astype(jnp.uint32) * np.uint32(batch_size_global)
    counts = {domain_of(name): array.shape[0] for name, array in arrays.items()}
    index = {
        domain: epoch_position(start + rows, count, domain_seed(seed, domain))
        for domain, count in counts.items()
    }
    return {
        name: array.at[index[domain_of(name)]].get(mode="promise_in_bounds")
        for name, array in arrays.items()
    }
