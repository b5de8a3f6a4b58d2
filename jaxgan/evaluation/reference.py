"""The real side of a measurement, and samples that are scored against it.

Used so:

    backbone = load_backbone("digits-cnn", (8, 8, 1))
    reference = reference_statistics(backbone, real_batches, split="train", sample_count=1500)
    found = score(draw(sample, reference.protocol), reference)
    found["fid[digits-cnn,train1500,gen1500,q8,ema]"].value
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import jax
import numpy as np
from jaxtyping import Float32, Float64, Int, Int32, Num

from jaxgan import rng
from jaxgan.evaluation import cache
from jaxgan.evaluation.distances import kid
from jaxgan.evaluation.distances import moments as moments_
from jaxgan.evaluation.features.backbone import BATCH, Backbone
from jaxgan.evaluation.features.extraction import Extracted, extract
from jaxgan.evaluation.protocol import BatchNorm, Protocol, Weights, pixels_digest

# Of what `_statistics` computes: to be raised whenever it computes something else.
_VERSION = 1


@dataclasses.dataclass(frozen=True, eq=False)
class Reference:
    """The real side of a measurement, computed once and used for every model."""

    protocol: Protocol
    backbone: Backbone
    images: Num[np.ndarray, "n h w c"]
    labels: Int[np.ndarray, "n"] | None
    features: Float32[np.ndarray, "n d"]
    logits: Float32[np.ndarray, "n classes"] | None
    moments: moments_.Moments
    kernel_sums: Float64[np.ndarray, "n"]
    """`jaxgan.evaluation.distances.kid.self_sums` of the features."""

    def under(
        self,
        *,
        sample_count: int | None = None,
        weights: Weights | None = None,
        batch_norm: BatchNorm | None = None,
        batch_size: int | None = None,
        truncation: float | None = None,
        threshold: float | None = None,
        seed: int | None = None,
        via: str | None = None,
        sampler: str | None = None,
        nfe: int | None = None,
        labels: str | None = None,
    ) -> Reference:
        """The same real side, for samples drawn in another way; fields as in `Protocol`."""
        changes = {
            "sample_count": sample_count,
            "weights": weights,
            "batch_norm": batch_norm,
            "batch_size": batch_size,
            "truncation": truncation,
            "threshold": threshold,
            "seed": seed,
            "via": via,
            "sampler": sampler,
            "nfe": nfe,
            "labels": labels,
        }
        given: Any = {name: value for name, value in changes.items() if value is not None}
        return dataclasses.replace(self, protocol=dataclasses.replace(self.protocol, **given))


def reference_statistics(
    backbone: Backbone,
    images: Num[np.ndarray | jax.Array, "n h w c"]
    | Iterable[Num[np.ndarray | jax.Array, "_batch h w c"]],
    *,
    split: str,
    sample_count: int,
    labels: Int[np.ndarray, "_labels"] | None = None,
    weights: Weights = "ema",
    seed: int = 0,
    subset: str = "",
    use_cache: bool = False,
) -> Reference:
    """Measures the real images.

    Args:
        backbone: gives the features.
        images: the real images, in one array or in batches of any size; uint8, or float32 points.
        split: which part of the data set they are, as in `Protocol`.
        sample_count: samples that models will be judged by.
        labels: classes of the images, in their order.
        weights: as in `Protocol`; for other ways to draw see `Reference.under`.
        seed: as in `Protocol`, as is ``subset``.
        use_cache: keep the statistics on disk (`jaxgan.evaluation.cache`). Only for backbones whose
            digest is truly one.

    Raises:
        ValueError: there are fewer than two images, they do not have the backbone's shape, or they
            are neither uint8 nor float32; or there are not as many labels.
    """
    batches = [images] if isinstance(images, np.ndarray | jax.Array) else images
    parts = [np.asarray(batch) for batch in batches]
    if sum(map(len, parts)) < 2:
        raise ValueError(
            f"the real set has {sum(map(len, parts))} images, a distance needs at least 2"
        )
    real_digest = pixels_digest(parts)

    def compute() -> dict[str, np.ndarray]:
        return _statistics(extract(backbone, parts, which="real", logits=bool(backbone.logits)))

    count = sum(map(len, parts))
    if labels is not None and len(labels) != count:
        raise ValueError(f"there are {len(labels)} labels for {count} real images")
    depends = [_VERSION, backbone.name, backbone.digest, real_digest, count, jax.default_backend()]
    key = hashlib.sha256(json.dumps(depends).encode()).hexdigest()[:32]
    found = cache.cached(key, compute) if use_cache else compute()
    whole = np.concatenate(parts)
    protocol = Protocol(
        backbone=backbone.name,
        backbone_digest=backbone.digest,
        split=split,
        real_count=count,
        real_digest=real_digest,
        sample_count=sample_count,
        quantized=whole.dtype == np.uint8,
        weights=weights,
        seed=seed,
        image="x".join(map(str, whole.shape[1:])),
        resize=backbone.resize,
        channels=backbone.channels,
        subset=subset,
    )
    return Reference(
        protocol=protocol,
        backbone=backbone,
        images=whole,
        labels=labels,
        features=found["features"],
        logits=found.get("logits"),
        moments=moments_.Moments(count, found["mean"], found["second"]),
        kernel_sums=found["kernel_sums"],
    )


def _statistics(extracted: Extracted) -> dict[str, np.ndarray]:
    # Moments merge batch by batch, so that no centered copy of all features is held in float64.
    rows = range(0, len(extracted.features), BATCH)
    moments = moments_.from_batches(extracted.features[i : i + BATCH] for i in rows)
    found = {
        "features": extracted.features,
        "mean": moments.mean,
        "second": moments.second,
        "kernel_sums": kid.self_sums(extracted.features),
    }
    return found if extracted.logits is None else {**found, "logits": extracted.logits}


def draw(
    sample: Callable[..., Num[np.ndarray | jax.Array, "batch h w c"]],
    protocol: Protocol,
    batch: int = BATCH,
    labels: Int[np.ndarray, "_labels"] | None = None,
) -> Iterator[Num[np.ndarray, "batch h w c"]]:
    """Draws a protocol's samples, with keys that follow from its seed.

    Args:
        sample: from a key and a count to that many samples; with ``labels``, from a key, a count
            and that many classes. It is always asked for the same count, so that it compiles once.
        protocol: says how many samples, and from which seed.
        batch: samples a call; what is drawn depends on it.
        labels: the samples' classes, such as those of `classes_of`; None: none are asked for.

    Yields:
        Batches on the host, ``protocol.sample_count`` samples in all; the surplus is dropped.

    Raises:
        ValueError: there are not as many labels as samples.
    """
    count = protocol.sample_count
    if labels is not None and len(labels) != count:
        raise ValueError(f"there are {len(labels)} labels for {count} samples")
    size = min(batch, count)
    base = rng.base_key(protocol.seed)
    for index, start in enumerate(range(0, count, size)):
        key = rng.role_key(base, "evaluation", index)
        if labels is None:
            images = sample(key, size)
        else:
            # The surplus is of the first classes again, so that it is like the rest.
            images = sample(key, size, labels.take(np.arange(start, start + size), mode="wrap"))
        yield np.asarray(images)[: count - start]


def classes_of(
    protocol: Protocol, classes: int, real: Int[np.ndarray, "_real"] | None = None
) -> Int32[np.ndarray, "samples"] | None:
    """The classes of a protocol's samples, in the order that they are drawn in.

    Shares are kept as closely as whole numbers allow (by largest remainders, the lower class first
    where they are equal), and the order is mixed by the protocol's seed, so that every part of the
    samples has about the same shares.

    Args:
        protocol: its ``labels`` are ``uniform`` over the classes, ``real`` for the shares of the
            real images, or the number of the one class.
        classes: how many there are.
        real: classes of the real images, for ``real``.

    Returns:
        As many as ``protocol.sample_count``; None where the protocol asks for no classes.

    Raises:
        ValueError: there is no such class, the protocol asks for something else, or the real images
            have no classes, or others.
    """
    how, count = protocol.labels, protocol.sample_count
    if not how:
        return None
    if how == "real":
        if real is None or not len(real):
            raise ValueError("labels = 'real': the real images have no classes")
        weights = np.bincount(real, minlength=classes)
        if len(weights) > classes:
            raise ValueError(f"a real image is of class {len(weights) - 1}; there are {classes}")
    elif how == "uniform":
        weights = np.ones(classes, np.int64)
    elif how.isdecimal() and int(how) < classes:
        weights = (np.arange(classes) == int(how)).astype(np.int64)
    else:
        raise ValueError(
            f"labels = {how!r}: must be uniform, real, or a class from 0 to {classes - 1}"
        )
    # In whole numbers, so that equal remainders are equal.
    each, rest = np.divmod(count * weights, weights.sum())
    largest = np.argsort(-rest, kind="stable")[: count - each.sum()]
    each[largest] += 1
    # NumPy's generator whose stream is frozen for good: the order is part of the protocol.
    mixed = np.random.RandomState(protocol.seed).permutation(np.repeat(np.arange(classes), each))
    return mixed.astype(np.int32)
