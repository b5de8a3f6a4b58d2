"""The fields of examples: what networks get of each, and whether a source keeps its promises."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, get_args

import numpy as np

from jaxgan.data.domains import join
from jaxgan.data.source import DataError, Example, Field, Info, Kind, Split
from jaxgan.data.transforms import Color, Resize, transform
from jaxgan.typing import ImageShape


class Spec(NamedTuple):
    """Shape and type of a field in one example, as the networks get it (without a batch axis)."""

    shape: tuple[int, ...]
    dtype: str


def spec_of(field: Field, shape: ImageShape, dtype: str) -> Spec:
    """What the networks get of a field.

    Args:
        field: its description.
        shape: of images that have no channels of their own.
        dtype: of images.
    """
    image = (*shape[:2], field.channels or shape[2])
    if field.kind == "image":
        return Spec(image, dtype)
    if field.kind == "video":
        return Spec((field.length, *image), dtype)
    return Spec((field.length,) if field.kind == "tokens" else (), "int32")


def check_fields(name: str, fields: Mapping[str, Field]) -> None:
    """Checks the fields of a source called ``name``.

    Raises:
        DataError: there are none, or one of them cannot be.
    """
    if not fields:
        raise DataError(f"{name}: its fields are empty; they should name at least one.")
    for called, field in fields.items():
        if field.kind not in get_args(Kind):
            choices = ", ".join(get_args(Kind))
            raise DataError(
                f"{name}: field {called!r} is of kind {field.kind!r}; it must be one of {choices}."
            )
        if field.kind in ("tokens", "video") and field.length < 1:
            raise DataError(
                f"{name}: field {called!r} is {field.kind} of length {field.length}; it must be at "
                "least 1."
            )
        if called.rpartition("/")[2] in ("", "mask"):
            raise DataError(
                f"{name}: a field is called {called!r}; it needs a name, and 'mask' is taken by "
                "the padding of batches."
            )


@dataclass(frozen=True, eq=False)
class Transformed:
    """A split whose images have been given a shape, and whose every example is checked."""

    split: Split
    fields: Mapping[str, Field]
    """Of its examples, by names without the domain."""
    info: Info
    shape: ImageShape
    """Height, width and channels wanted."""
    resize: Resize
    color: Color
    domain: str = ""

    def __len__(self) -> int:
        return len(self.split)

    def __getitem__(self, index: int, /) -> Example:
        example = self.split[index]
        return {name: self._read(name, example, index) for name in self.fields}

    def _read(self, name: str, example: Example, index: int) -> Any:
        """One field as the networks get it; ``index`` is for messages."""
        full = join(self.domain, name)
        if name not in example:
            raise DataError(
                f"{self.info.name}: example {index} has no {full}; it has "
                f"{', '.join(example) or 'nothing'}."
            )
        value, field = example[name], self.fields[name]
        if field.kind == "label":
            self._check_class(int(value), field, full, index)
            return int(value)
        if field.kind == "tokens":
            return self._tokens(np.asarray(value), field, full, index)
        where = f"example {index}" if full == "image" else f"{full} of example {index}"
        if field.kind == "image":
            return self._image(value, field, where)
        if len(value) != field.length:
            raise DataError(
                f"{self.info.name}: {where} has {len(value)} frames; it should have {field.length}."
            )
        return np.stack([self._image(frame, field, f"a frame of {where}") for frame in value])

    def _image(self, image: np.ndarray, field: Field, where: str) -> np.ndarray:
        info, channels = self.info, field.channels or self.info.channels
        if image.dtype != np.dtype(info.dtype) or image.ndim != 3:
            raise DataError(
                f"{info.name}: {where} is {image.dtype} of shape {image.shape}; it should "
                f"be {info.dtype}, with height, width and channels."
            )
        told = None if info.shape is None else (*info.shape[:2], channels)
        if image.shape[2] != channels or told not in (None, image.shape):
            raise DataError(
                f"{info.name}: {where} is of shape {image.shape}, but the source describes "
                f"its images as {told or f'of {channels} channel(s)'}."
            )
        return transform(image, self.shape, self.resize, "none" if field.channels else self.color)

    def _tokens(self, tokens: np.ndarray, field: Field, full: str, index: int) -> np.ndarray:
        if tokens.dtype.kind not in "iu" or tokens.shape != (field.length,):
            raise DataError(
                f"{self.info.name}: {full} of example {index} are {tokens.dtype} of shape "
                f"{tokens.shape}; they should be {field.length} integers."
            )
        for extreme in (tokens.min(), tokens.max()):
            self._check_class(int(extreme), field, full, index)
        return tokens.astype(np.int32)

    def _check_class(self, value: int, field: Field, full: str, index: int) -> None:
        classes = field.classes or self.info.classes
        if not 0 <= value < classes:
            raise DataError(
                f"{self.info.name}: {full} {value} of example {index} is not a class; "
                f"classes go from 0 to {classes - 1}."
            )
