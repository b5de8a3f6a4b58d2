"""What exactly was measured, and measuring it.

A metric's number depends on the features, on which real images it is taken against, on how many
samples, on their rounding to 8 bits and on which weights drew them. `Protocol` holds all of it and
gives the metric its name; two numbers under one name, and one digest, can be compared.

    backbone = load_backbone("digits-cnn", (8, 8, 1))
    reference = reference_statistics(backbone, real_batches, split="train", sample_count=1500)
    scores = score(draw(sample, reference.protocol), reference)
    scores["fid[digits-cnn,train1500,gen1500,q8,ema]"]
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Literal

import jax
import numpy as np
from jaxtyping import Float32, Float64, Num

from jaxgan import rng
from jaxgan.evaluation import moments as moments_
from jaxgan.evaluation.extraction import BATCH, extract
from jaxgan.evaluation.features import Backbone
from jaxgan.evaluation.fid import frechet_between
from jaxgan.evaluation.kid import kernel_distance, self_sums
from jaxgan.typing import PRNGKey


@dataclasses.dataclass(frozen=True)
class Protocol:
    """All that a sample metric's number depends on, besides the model."""

    backbone: str
    backbone_digest: str
    """Of the backbone's weights."""
    split: str
    """Which part of the data set the real images are, such as ``train``."""
    real_count: int
    real_digest: str
    """Of the real images themselves, every pixel in order."""
    sample_count: int
    quantized: bool = True
    """Whether samples are rounded to uint8, as the real images are; false for points."""
    weights: Literal["ema", "raw"] = "ema"
    """Whether samples come from averaged weights or from those being trained."""
    batch_norm: str = "running"
    """Statistics that batch normalization uses for sampling: ``running`` averages, the ``batch``'s
    own, or ``standing`` ones gathered for it."""
    seed: int = 0
    """Of the samples' latents."""

    @property
    def short(self) -> str:
        """What a reader has to know: ``digits-cnn,train1500,gen1500,q8,ema``."""
        parts = [
            self.backbone,
            f"{self.split}{self.real_count}",
            f"gen{self.sample_count}",
            "q8" if self.quantized else "f32",
            self.weights,
        ]
        if self.batch_norm != "running":
            parts.append(f"bn={self.batch_norm}")
        return ",".join(parts)

    @property
    def digest(self) -> str:
        """Twelve hexadecimal digits over every field, those that `short` leaves out included."""
        fields = json.dumps(dataclasses.asdict(self), sort_keys=True)
        return hashlib.sha256(fields.encode()).hexdigest()[:12]

    def name(self, metric: str) -> str:
        """``fid`` becomes ``fid[digits-cnn,train1500,gen1500,q8,ema]``."""
        return f"{metric}[{self.short}]"


@dataclasses.dataclass(frozen=True, eq=False)
class Reference:
    """The real side of a measurement, computed once and used for every model."""

    protocol: Protocol
    backbone: Backbone
    features: Float32[np.ndarray, "n d"]
    moments: moments_.Moments
    kernel_sums: Float64[np.ndarray, "n"]
    """`jaxgan.evaluation.kid.self_sums` of the features."""

    def under(
        self,
        *,
        sample_count: int | None = None,
        weights: Literal["ema", "raw"] | None = None,
        batch_norm: str | None = None,
        seed: int | None = None,
    ) -> Reference:
        """The same real side, for samples drawn in another way."""
        changes = {
            "sample_count": sample_count,
            "weights": weights,
            "batch_norm": batch_norm,
            "seed": seed,
        }
        given = {name: value for name, value in changes.items() if value is not None}
        return dataclasses.replace(self, protocol=dataclasses.replace(self.protocol, **given))


def reference_statistics(
    backbone: Backbone,
    images: Num[np.ndarray | jax.Array, "n h w c"]
    | Iterable[Num[np.ndarray | jax.Array, "_batch h w c"]],
    *,
    split: str,
    sample_count: int,
    weights: Literal["ema", "raw"] = "ema",
    batch_norm: str = "running",
    seed: int = 0,
) -> Reference:
    """Measures the real images.

    Args:
        backbone: gives the features.
        images: the real images, in one array or in batches of any size; uint8, or float32 points.
        split: which part of the data set they are.
        sample_count: samples that models will be judged by.
        weights: as in `Protocol`, like the next two.
        batch_norm: see there.
        seed: see there.

    Raises:
        ValueError: there are fewer than two images, they do not have the backbone's shape, or they
            are neither uint8 nor float32.
    """
    batches = [images] if isinstance(images, np.ndarray | jax.Array) else images
    sha = hashlib.sha256()

    def hashed() -> Iterator[np.ndarray]:
        for batch in batches:
            array = np.asarray(batch)
            sha.update(array.tobytes())
            yield array

    features, quantized = extract(backbone, hashed(), which="real")
    if len(features) < 2:
        raise ValueError(f"the real set has {len(features)} images, a distance needs at least 2")
    protocol = Protocol(
        backbone=backbone.name,
        backbone_digest=backbone.digest,
        split=split,
        real_count=len(features),
        real_digest=sha.hexdigest()[:12],
        sample_count=sample_count,
        quantized=quantized,
        weights=weights,
        batch_norm=batch_norm,
        seed=seed,
    )
    return Reference(
        protocol=protocol,
        backbone=backbone,
        features=features,
        moments=moments_.from_features(features),
        kernel_sums=self_sums(features),
    )


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


def score(
    samples: Iterable[Num[np.ndarray | jax.Array, "_batch h w c"]], reference: Reference
) -> dict[str, float]:
    """Measures samples against the real images.

    Args:
        samples: batches of any size, from `draw` or from elsewhere, such as a folder of images.
        reference: the real side, and the protocol that the samples were drawn under.

    Returns:
        Frechet distance ``fid[...]``, kernel distance ``kid[...]`` and the latter's standard error
        ``kid_se[...]``, with the protocol's short name in the brackets.

    Raises:
        ValueError: there are more or fewer samples than the protocol says; they do not have the
            backbone's shape; they are rounded to 8 bits where the real images are not, or the
            reverse; or features are not finite.
    """
    protocol = reference.protocol
    features, quantized = extract(reference.backbone, samples, which="generated")
    if len(features) != protocol.sample_count:
        raise ValueError(
            f"the protocol {protocol.short} is for {protocol.sample_count} samples, "
            f"got {len(features)}"
        )
    if quantized != protocol.quantized:
        expected = "uint8" if protocol.quantized else "float32"
        raise ValueError(f"the real images are {expected}, samples must be {expected} as well")
    fid, kid, kid_se = protocol.name("fid"), protocol.name("kid"), protocol.name("kid_se")
    distance = frechet_between(reference.moments, moments_.from_features(features), metric=fid)
    kernel = kernel_distance(
        reference.features, features, real_sums=reference.kernel_sums, metric=kid
    )
    return {fid: distance, kid: kernel.value, kid_se: kernel.standard_error}
