"""Pixels that are on or off, drawn from gray ones each time that an image is seen."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Num, UInt8

from jaxgan.objectives.vae.likelihoods import Bernoulli, Outputs
from jaxgan.typing import Images, Measure, PerExample, Pixels, PRNGKey


@dataclasses.dataclass(frozen=True)
class DynamicBernoulli:
    """Bernoulli pixels of images drawn from gray ones: on with the probability that gray says.

    Encoder and likelihood see the draw, another one at each step; of a held-out image it is always
    the same. Images that are binary are taken as they are. (For images that are binarized once and
    for all there is `jaxgan.data.sources.binarized.Binarized`, with `Bernoulli`.)

    References:
        Salakhutdinov and Murray, On the Quantitative Analysis of Deep Belief Networks, 2008. Burda
        et al., Importance Weighted Autoencoders, 2016, section 5.
    """

    bounded: ClassVar[bool] = True

    def decoded(self, channels: int) -> int:
        """One logit a channel."""
        return Bernoulli().decoded(channels)

    def learned(self, channels: int) -> tuple[float, ...]:
        """Nothing."""
        return Bernoulli().learned(channels)

    def observed(
        self, image: UInt8[Array, "height width channels"], key: PRNGKey
    ) -> UInt8[Array, "height width channels"]:
        """Each pixel 255 with probability ``value / 255``, else 0."""
        # 0 is above none of the draws, and 255 above all.
        below = jax.random.randint(key, image.shape, 0, 255) < image
        return jnp.where(below, 255, 0).astype(jnp.uint8)

    def from_uint8(self, images: Images) -> Pixels:
        """Images scaled to [0, 1]."""
        return Bernoulli().from_uint8(images)

    def log_prob(self, *, outputs: Outputs, targets: Pixels) -> PerExample:
        """As `Bernoulli.log_prob`."""
        return Bernoulli().log_prob(outputs=outputs, targets=targets)

    def mean(self, outputs: Outputs) -> Pixels:
        """Probabilities: pixels in [0, 1], gray as those of the data set are."""
        return Bernoulli().mean(outputs)

    def draw(self, outputs: Outputs, key: PRNGKey) -> Pixels:
        """Pixels that are 0 or 1."""
        return Bernoulli().draw(outputs, key)

    def measure(self, images: Num[np.ndarray, "..."]) -> Measure:
        """``mass`` if every pixel is 0 or 255; else that of draws: ``coarsened``."""
        return "mass" if np.isin(images, (0, 255)).all() else "coarsened"
