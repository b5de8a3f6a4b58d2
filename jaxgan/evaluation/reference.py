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
from jaxtyping import Float32, Float64, Int, Num

from jaxgan import rng
from jaxgan.evaluation import cache
from jaxgan.evaluation.distances import kid
from jaxgan.evaluation.distances import moments as moments_
from jaxgan.evaluation.features.backbone import BATCH, Backbone
from jaxgan.evaluation.features.extraction import Extracted, extract
from jaxgan.evaluation.protocol import BatchNorm, Protocol, Weights, pixels_digest
from jaxgan.typing import PRNGKey

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
        seed: int | None = None,
    ) -> Reference:
        """The same real side, for samples drawn in another way; fields as in `Protocol`."""
        changes = {
            "sample_count": sample_count,
            "weights": weights,
            "batch_norm": batch_norm,
            "batch_size": batch_size,
            "truncation": truncation,
            "seed": seed,
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
        seed: as in `Protocol`.
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
    sample: Callable[[PRNGKey, int], Num[np.ndarray | jax.Array, "batch h w c"]],
    protocol: Protocol,
    batch: int = BATCH,
) -> Iterator[Num[np.ndarray, "batch h w c"]]:
    """Draws a protocol's samples, with keys that follow from its seed.

    Args:
        sample: from a key and a count to that many samples. It is always asked for the same count,
            so that it compiles once.
        protocol: says how many samples, and from which seed.
        batch: samples a call; what is drawn depends on it.

    Yields:
        Batches on the host, ``protocol.sample_count`` samples in all; the surplus is dropped.
    """
    size = min(batch, protocol.sample_count)
    base = rng.base_key(protocol.seed)
    for index, start in enumerate(range(0, protocol.sample_count, size)):
        images = sample(rng.role_key(base, "evaluation", index), size)
        yield np.asarray(images)[: protocol.sample_count - start]
