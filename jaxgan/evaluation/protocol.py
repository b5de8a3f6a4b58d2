"""What exactly was measured: all that a metric's number depends on, besides the model.

Two numbers under one name, and one digest, can be compared. `Protocol.name` makes the name,
`parse` reads it back, and `differences` says in which fields two protocols differ.

    protocol.name("fid")  # fid[digits-cnn,train1500,gen1500,q8,ema]
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

Weights = Literal["ema", "raw", "none"]
BatchNorm = Literal["running", "batch", "standing", "standing_random"]

SPLITS = ("train", "validation", "test", "real", "factors")
"""Names of real sets: parts of a data set, ``real`` for images that were given as files, or
``factors`` for images made for values of their factors."""


@dataclasses.dataclass(frozen=True)
class Protocol:
    """All that a metric's number depends on, besides the model."""

    backbone: str
    """Whose features are compared; empty for metrics without, such as likelihoods."""
    backbone_digest: str
    """Of the backbone's weights."""
    split: str
    """Which part of the data set the real images are, one of `SPLITS`."""
    real_count: int
    real_digest: str
    """Of the real images themselves, every pixel in order."""
    sample_count: int
    """Generated images; 0 for metrics that need none."""
    quantized: bool = True
    """Whether samples are rounded to uint8, as the real images are; false for points."""
    weights: Weights = "ema"
    """Whether samples come from averaged weights or from those being trained, ``raw``, as they do
    where the state has no average; ``none`` for samples that were given as files."""
    batch_norm: BatchNorm = "running"
    """Statistics that batch normalization uses for sampling: ``running`` averages, the ``batch``'s
    own, or ``standing`` ones gathered for it, maybe from batches of random sizes."""
    seed: int = 0
    """Of the samples' latents, and of all that a metric draws itself."""
    truncation: float = 1.0
    """Factor psi of the latents; 1: none."""
    batch_size: int = 0
    """Samples that share batch statistics (``batch``), or of each batch that they are gathered from
    (``standing``; of random sizes at most); 0 with ``running`` ones, where it does not matter."""
    image: str = ""
    """Height, width and channels of the images as they were given, such as ``28x28x1``."""
    resize: str = "none"
    """Filter and size by which the backbone resizes images first, such as ``bilinear299x299``."""
    channels: str = "none"
    """What the backbone does to channels first: ``gray-to-rgb`` repeats one channel three times,
    ``each`` looks at every channel by itself."""
    draws: int = 0
    """Codes drawn for each image by metrics that estimate a likelihood; 0 for others."""
    via: str = ""
    """Direction of the translation that made the samples, such as ``photo-map``."""
    likelihood: str = ""
    """Kind of the density, where numbers of different kinds cannot be compared."""
    sampler: str = ""
    """How samples are drawn, for models that can draw them in several ways."""
    nfe: int = 0
    """Evaluations of the network for each sample, for such models."""
    labels: str = ""
    """Classes of the samples: ``uniform``, ``real`` for those of the real images, or the number of
    the one class; empty where none were asked for."""
    subset: str = ""
    """Which side is a random subset of a larger set, the same one every time: ``real`` or
    ``generated``; empty where each side is all there is."""
    threshold: float = 0.0
    """Size beyond which numbers of the latents were drawn again; 0: none."""

    def __post_init__(self) -> None:
        for name in _LATER:
            if isinstance(value := getattr(self, name), str) and set(value) & set(",[]"):
                raise ValueError(f"{name} = {value!r}: a comma or a bracket would end it in a name")

    @property
    def short(self) -> str:
        """What a reader has to know: ``digits-cnn,train1500,gen1500,q8,ema``.

        Fields of a usual value are left out, others follow as ``key=value``.
        """
        parts = [self.backbone] if self.backbone else []
        parts.append(f"{self.split}{self.real_count}")
        if self.sample_count:
            parts += [f"gen{self.sample_count}", "q8" if self.quantized else "f32"]
        if self.weights != "none":
            parts.append(self.weights)
        for key, field in _KEYS.items():
            value = getattr(self, field.name)
            if value != field.default:
                parts.append(f"{key}={value:g}" if isinstance(value, float) else f"{key}={value}")
        return ",".join(parts)

    @property
    def digest(self) -> str:
        """Twelve hexadecimal digits over every field, those that `short` leaves out included."""
        fields = json.dumps(self._told(), sort_keys=True)
        return hashlib.sha256(fields.encode()).hexdigest()[:12]

    def name(self, metric: str) -> str:
        """``fid`` becomes ``fid[digits-cnn,train1500,gen1500,q8,ema]``."""
        return f"{metric}[{self.short}]"

    def document(self) -> dict[str, Any]:
        """Every field by its name, and the ``digest``, as JSON data; see `_LATER`."""
        return {**self._told(), "digest": self.digest}

    def _told(self) -> dict[str, Any]:
        fields = dataclasses.asdict(self)
        return {k: v for k, v in fields.items() if k not in _LATER or v != _FIELDS[k].default}


def pixels_digest(parts: Sequence[np.ndarray]) -> str:
    """Of every pixel in order, and of the type and shape of images; however they are batched."""
    sha = hashlib.sha256(f"{parts[0].dtype}{parts[0].shape[1:]}".encode())
    for part in parts:
        sha.update(np.ascontiguousarray(part).tobytes())
    return sha.hexdigest()[:12]


_LATER = ("via", "likelihood", "sampler", "nfe", "labels", "subset", "threshold")
"""Fields that digests and documents tell only where they are set: these were made without them
before, and are to be found again."""

_FIELDS = {field.name: field for field in dataclasses.fields(Protocol)}
_KEYS = {
    "bn": _FIELDS["batch_norm"],
    "batch": _FIELDS["batch_size"],
    "psi": _FIELDS["truncation"],
    "draws": _FIELDS["draws"],
    "resize": _FIELDS["resize"],
    "channels": _FIELDS["channels"],
    "seed": _FIELDS["seed"],
    **{name: _FIELDS[name] for name in _LATER},
}
"""Fields that a name tells only where they are not as usual, by their key there."""


def from_document(document: Mapping[str, Any]) -> Protocol:
    """The inverse of `Protocol.document`.

    Raises:
        ValueError: a field is missing or unknown, or the digest is not that of the fields.
    """
    fields = {name: value for name, value in document.items() if name != "digest"}
    try:
        protocol = Protocol(**fields)
    except TypeError as error:
        raise ValueError(f"this is no protocol of this version: {error}") from error
    if protocol.digest != document.get("digest"):
        raise ValueError(
            f"the protocol {protocol.short} has digest {protocol.digest}, but is recorded with"
            f" {document.get('digest')}"
        )
    return protocol


class Parsed(NamedTuple):
    """What a metric's full name says."""

    metric: str
    fields: dict[str, Any]
    """Fields of `Protocol` by name; those that names never tell are missing."""


_PATTERNS = {
    "split": re.compile(rf"({'|'.join(SPLITS)})(\d+)"),
    "sample_count": re.compile(r"gen(\d+)"),
    "quantized": re.compile(r"q8|f32"),
    "weights": re.compile(r"ema|raw"),
}


def parse(name: str) -> Parsed:
    """Reads a name that `Protocol.name` made.

    >>> parse("fid[digits-cnn,train1500,gen100,q8,ema,psi=0.5]").fields["truncation"]
    0.5

    Raises:
        ValueError: it is none.
    """
    matched = re.fullmatch(r"([^\[\],]+)\[([^\[\]]+)\]", name)
    if matched is None:
        raise ValueError(f"{name!r} is not of the form metric[protocol]")
    fields: dict[str, Any] = {
        "backbone": "",
        "sample_count": 0,
        "weights": "none",
        **{field.name: field.default for field in _KEYS.values()},
    }
    for index, part in enumerate(matched[2].split(",")):
        fields |= _parsed(part, first=index == 0, name=name)
    if "split" not in fields:
        raise ValueError(f"{name!r} does not say which real images it is about")
    return Parsed(matched[1], fields)


def _parsed(part: str, *, first: bool, name: str) -> dict[str, Any]:
    key, equals, value = part.partition("=")
    if equals and key in _KEYS:
        field = _KEYS[key]
        try:
            return {field.name: type(field.default)(value)}
        except ValueError:
            raise ValueError(f"{name!r}: {part!r} is not a number") from None
    if found := _PATTERNS["split"].fullmatch(part):
        return {"split": found[1], "real_count": int(found[2])}
    if found := _PATTERNS["sample_count"].fullmatch(part):
        return {"sample_count": int(found[1])}
    if _PATTERNS["quantized"].fullmatch(part):
        return {"quantized": part == "q8"}
    if _PATTERNS["weights"].fullmatch(part):
        return {"weights": part}
    if first and part:
        return {"backbone": part}
    raise ValueError(f"{name!r}: {part!r} is no part of a protocol's name")


def differences(a: Protocol, b: Protocol) -> list[str]:
    """Every field in which two protocols differ, as ``field: value and value``.

    >>> one = Protocol("pixels8x8", "", "test", 10, "", 10)
    >>> differences(one, dataclasses.replace(one, truncation=0.5))
    ['truncation: 1.0 and 0.5']
    """
    pairs = {name: (getattr(a, name), getattr(b, name)) for name in _FIELDS}
    return [
        f"{name}: {_shown(one)} and {_shown(other)}"
        for name, (one, other) in pairs.items()
        if one != other
    ]


def _shown(value: Any) -> str:
    return "(none)" if value == "" else str(value)


def short_name(metric: str) -> str:
    """``fid[digits-cnn,...]`` is ``fid`` for short."""
    return metric.partition("[")[0]


def bracket(metric: str) -> str:
    """``fid[digits-cnn,...]`` has ``digits-cnn,...`` in its brackets."""
    return metric[len(short_name(metric)) + 1 : -1]
