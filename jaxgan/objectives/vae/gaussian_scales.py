"""Gaussian pixels whose standard deviation is learned: one of all pixels, or one of each.

Where a scale is free to fall, the density of images of few levels has no upper bound; it is kept
above one level's width.
"""

from __future__ import annotations

import dataclasses
import math
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Num

from jaxgan.objectives.vae.likelihoods import Outputs, sum_pixels, to_unit
from jaxgan.typing import Images, Measure, PerExample, Pixels, PRNGKey

LEVEL = 1.0 / 255.0
"""Width of one of 256 levels of [0, 1]."""


def check_floor(floor: float) -> None:
    """Refuses floors that are none.

    Raises:
        ValueError: it is not positive and finite.
    """
    if not 0.0 < floor < math.inf:
        raise ValueError(f"floor = {floor}: a standard deviation is positive and finite")


def log_scale_above(raw: Float[Array, "..."], floor: float) -> Float[Array, "..."]:
    """The log of a scale above ``floor``, near ``raw`` where this is well above the floor's."""
    least = math.log(floor)
    return least + jax.nn.softplus(raw - least)


def log_normal(
    targets: Pixels, mean: Pixels, log_scale: Float[Array, "..."]
) -> Float[Array, "batch height width channels"]:
    """``-(t - m)^2 / 2 s^2 - log s - log(2 pi) / 2``, constants included."""
    distance = (targets - mean) * jnp.exp(-log_scale)
    return -0.5 * jnp.square(distance) - log_scale - 0.5 * math.log(2.0 * math.pi)


@dataclasses.dataclass(frozen=True)
class LearnedGaussian:
    """Independent normal pixels of one standard deviation, a number that is learned.

    Where the bound is largest, its square is the mean squared error of the pixels: what weighs the
    KL is found by the training, and needs no tuning.

    References:
        Rybkin, Daniilidis and Levine, Simple and Effective VAE Training with Calibrated Decoders,
        2021 (their shared, learned variance).
    """

    bounded: ClassVar[bool] = False

    floor: float = LEVEL
    """Standard deviation that it stays above, where 1 is the step from black to white."""

    def __post_init__(self) -> None:
        check_floor(self.floor)

    def decoded(self, channels: int) -> int:
        """One mean a channel."""
        return channels

    def learned(self, channels: int) -> tuple[float, ...]:
        """The log of the standard deviation, which starts at about 1."""
        del channels
        return (0.0,)

    def from_uint8(self, images: Images) -> Pixels:
        """Images scaled to [0, 1]."""
        return to_unit(images)

    def log_prob(self, *, outputs: Outputs, targets: Pixels) -> PerExample:
        """``sum -(t - m)^2 / 2 s^2 - log s - log(2 pi) / 2``, constants included.

        Args:
            outputs: means, and the log of the standard deviation as the last channel.
            targets: pixels in the same units, such as [0, 1].
        """
        log_scale = log_scale_above(outputs[..., -1:], self.floor)
        return sum_pixels(log_normal(targets, outputs[..., :-1], log_scale))

    def mean(self, outputs: Outputs) -> Pixels:
        """The means themselves."""
        return outputs[..., :-1]

    def draw(self, outputs: Outputs, key: PRNGKey) -> Pixels:
        """The means with noise of the learned scale."""
        scale = jnp.exp(log_scale_above(outputs[..., -1:], self.floor))
        mean = outputs[..., :-1]
        return mean + scale * jax.random.normal(key, mean.shape)

    def measure(self, images: Num[np.ndarray, "..."]) -> Measure:
        """``density``, of whatever images."""
        return "density"


@dataclasses.dataclass(frozen=True)
class PixelGaussian:
    """Independent normal pixels, of which the decoder makes mean and standard deviation.

    References:
        Kingma and Welling, Auto-Encoding Variational Bayes, 2013, appendix C.2.
    """

    bounded: ClassVar[bool] = False

    floor: float = LEVEL
    """Standard deviation that all stay above, where 1 is the step from black to white."""

    def __post_init__(self) -> None:
        check_floor(self.floor)

    def decoded(self, channels: int) -> int:
        """A mean and a log standard deviation a channel."""
        return 2 * channels

    def learned(self, channels: int) -> tuple[float, ...]:
        """Nothing."""
        del channels
        return ()

    def from_uint8(self, images: Images) -> Pixels:
        """Images scaled to [0, 1]."""
        return to_unit(images)

    def log_prob(self, *, outputs: Outputs, targets: Pixels) -> PerExample:
        """``sum -(t - m)^2 / 2 s^2 - log s - log(2 pi) / 2``, constants included.

        Args:
            outputs: the means of all channels, then the logs of their standard deviations.
            targets: pixels in the same units, such as [0, 1].
        """
        mean, raw = jnp.split(outputs, 2, axis=-1)
        return sum_pixels(log_normal(targets, mean, log_scale_above(raw, self.floor)))

    def mean(self, outputs: Outputs) -> Pixels:
        """The means themselves."""
        return jnp.split(outputs, 2, axis=-1)[0]

    def draw(self, outputs: Outputs, key: PRNGKey) -> Pixels:
        """The means with noise, of each pixel's scale."""
        mean, raw = jnp.split(outputs, 2, axis=-1)
        scale = jnp.exp(log_scale_above(raw, self.floor))
        return mean + scale * jax.random.normal(key, mean.shape)

    def measure(self, images: Num[np.ndarray, "..."]) -> Measure:
        """``density``, of whatever images."""
        return "density"
