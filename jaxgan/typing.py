"""Array types that the whole package shares.

Shapes follow jaxtyping: ``batch`` examples of ``height`` x ``width`` pixels and ``channels``
(NHWC, as XLA prefers on every platform but old GPUs).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from jax.typing import ArrayLike
from jaxtyping import Array, Float, Int, Key, UInt8

PRNGKey: TypeAlias = Key[Array, ""]
"""One typed random key (``jax.random.key``)."""

Batch: TypeAlias = Mapping[str, ArrayLike]
"""``image``: uint8 ``(batch, height, width, channels)`` (float32 for points); ``label``: int32
``(batch,)``; optionally ``mask``: float32 ``(batch,)``, 0 for padding that must not count."""

Images: TypeAlias = UInt8[Array, "batch height width channels"]
"""Images as they travel: eight bits a channel, 0 black."""

Pixels: TypeAlias = Float[Array, "batch height width channels"]
"""Images as a network sees them."""

Points: TypeAlias = Float[Array, "batch 1 1 dimensions"]
"""Examples that are no images (the 2-D mixtures): coordinates in the channel axis."""

Latents: TypeAlias = Any
"""What images are made from: a pytree whose leaves all have the example as axis 0. An array of
noise or codes ``(batch, latent)``, or noise, label, code, a key ... by name."""

Codes: TypeAlias = Float[Array, "batch latent"]
"""An encoder's codes, or noise of the same shape."""

Logits: TypeAlias = Float[Array, "batch"]
"""One unbounded score an example."""

PerExample: TypeAlias = Float[Array, "batch"]
"""One value an example; whoever asked for it reduces."""

Labels: TypeAlias = Int[Array, "batch"]
"""Class indices."""

Scalar: TypeAlias = Float[Array, ""]

Metrics: TypeAlias = dict[str, Scalar]
"""What one train step reports: scalars, already averaged over the devices."""

Sums: TypeAlias = dict[str, tuple[Scalar, Scalar]]
"""Mergeable evaluation results: name -> (sum, count); add two of them entry by entry."""

Params: TypeAlias = Any
"""A pytree of arrays."""

Variables: TypeAlias = dict[str, Any]
"""What ``module.apply`` takes: ``params`` and other collections."""

ImageShape: TypeAlias = tuple[int, int, int]
"""Height, width, channels."""

Measure: TypeAlias = Literal[
    "mass", "dequantized", "density", "cross-entropy", "coarsened", "similarity"
]
"""What a log-likelihood is the log of.

- ``mass``: a probability of the 8-bit (or binary) pixels themselves.
- ``dequantized``: a density at pixels to which uniform noise of the width of one level was added.
- ``density``: a density at the levels themselves, without noise.
- ``cross-entropy``: of gray values taken for probabilities; not normalized at all.
- ``similarity``: of nothing: minus a distance of images that stands where a log-likelihood would.
- ``coarsened``: a probability of pixels of fewer levels, which those of the data set were rounded
  to, or which were drawn from them.
"""
