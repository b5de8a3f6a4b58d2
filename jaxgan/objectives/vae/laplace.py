"""Laplace pixels: absolute errors in place of squares."""

from __future__ import annotations

import dataclasses
import math
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Num

from jaxgan.objectives.vae.likelihoods import Outputs, sum_pixels, to_unit
from jaxgan.typing import Images, Measure, PerExample, Pixels, PRNGKey


@dataclasses.dataclass(frozen=True)
class Laplace:
    """Independent pixels of density ``exp(-|t - m| / s) / 2 s`` around the decoder's outputs.

    References:
        Laplace, Mémoire sur la probabilité des causes par les événements, 1774.
    """

    bounded: ClassVar[bool] = False

    scale: float = 1.0
    """``s`` of every pixel, where 1 is the step from black to white; the standard deviation is
    sqrt(2) times that."""

    def __post_init__(self) -> None:
        if not 0.0 < self.scale < math.inf:
            raise ValueError(f"scale = {self.scale}: a scale is positive and finite")

    def decoded(self, channels: int) -> int:
        """One mean a channel."""
        return channels

    def learned(self, channels: int) -> tuple[float, ...]:
        """Nothing."""
        del channels
        return ()

    def from_uint8(self, images: Images) -> Pixels:
        """Images scaled to [0, 1]."""
        return to_unit(images)

    def log_prob(self, *, outputs: Outputs, targets: Pixels) -> PerExample:
        """``sum -|t - m| / s - log(2 s)``, constants included.

        Args:
            outputs: means, which are medians too.
            targets: pixels in the same units, such as [0, 1].
        """
        constant = math.log(2.0 * self.scale)
        return -sum_pixels(jnp.abs(targets - outputs) / self.scale + constant)

    def mean(self, outputs: Outputs) -> Pixels:
        """The outputs themselves; unclipped, since targets may be points of the plane."""
        return outputs

    def draw(self, outputs: Outputs, key: PRNGKey) -> Pixels:
        """The means with noise."""
        return outputs + self.scale * jax.random.laplace(key, outputs.shape)

    def measure(self, images: Num[np.ndarray, "..."]) -> Measure:
        """``density``, of whatever images."""
        return "density"
