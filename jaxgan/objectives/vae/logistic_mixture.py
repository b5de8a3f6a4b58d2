"""Mixtures of discretized logistics, in which a channel depends on those before it."""

from __future__ import annotations

import dataclasses
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Num

from jaxgan.objectives.vae.likelihoods import Outputs, to_unit
from jaxgan.objectives.vae.logistic import (
    clipped_mean,
    log_mass,
    nearest_level,
    to_pixels,
)
from jaxgan.typing import Images, Measure, PerExample, Pixels, PRNGKey


class Components(NamedTuple):
    """What the outputs of a pixel say, all of leading shape ``(batch, height, width)``.

    Attributes:
        log_weights: of the components, ``(..., components)``.
        means: of each channel where those before it are 0 (in the middle between black and white),
            ``(..., channels, components)``.
        log_scales: likewise.
        coefficients: of the channels before, in (-1, 1): green on red, blue on red, blue on green,
            ``(..., channels (channels - 1) / 2, components)``.
    """

    log_weights: Float[Array, "batch height width components"]
    means: Float[Array, "batch height width channels components"]
    log_scales: Float[Array, "batch height width channels components"]
    coefficients: Float[Array, "batch height width pairs components"]


@dataclasses.dataclass(frozen=True)
class LogisticMixture:
    """Pixels that belong to one of several components, each a discretized logistic a channel.

    Within a component, the mean of a channel depends linearly on the channels before it. All
    channels of a pixel belong to one component; pixels are independent.

    References:
        Salimans, Karpathy, Chen and Kingma, PixelCNN++, 2017, section 2.1 and 2.2, eq. 2 and 3.
    """

    bounded: ClassVar[bool] = True

    components: int = 10
    """Logistics that each pixel is a mixture of."""

    def __post_init__(self) -> None:
        if self.components < 1:
            raise ValueError(f"components = {self.components}: a mixture needs at least 1")

    def decoded(self, channels: int) -> int:
        """Of each component a weight, and a mean, a scale and coefficients for each channel."""
        return self.components * (1 + 2 * channels + _pairs(channels))

    def learned(self, channels: int) -> tuple[float, ...]:
        """Nothing."""
        del channels
        return ()

    def from_uint8(self, images: Images) -> Pixels:
        """Images scaled to [0, 1]."""
        return to_unit(images)

    def log_prob(self, *, outputs: Outputs, targets: Pixels) -> PerExample:
        """Logs of the pixels' probabilities, summed over pixels.

        Args:
            outputs: of each pixel the weights' logits, one a component; then for each component,
                in this order, the means, the log scales and the coefficients' arguments of tanh
                (see `Components`); means are -1 for black and 1 for white.
            targets: pixels in [0, 1], at levels of 1/255.
        """
        parts = self.parts(outputs, targets.shape[-1])
        before = (2.0 * targets - 1.0)[..., None]
        means = _shifted(parts, [before[..., i, :] for i in range(targets.shape[-1])])
        masses = log_mass(targets[..., None], means, parts.log_scales)
        each = jax.nn.logsumexp(parts.log_weights + jnp.sum(masses, axis=-2), axis=-1)
        return jnp.sum(each, axis=(1, 2))

    def parts(self, outputs: Outputs, channels: int) -> Components:
        """The outputs by what they mean."""
        logits, rest = outputs[..., : self.components], outputs[..., self.components :]
        rest = rest.reshape(*outputs.shape[:-1], 2 * channels + _pairs(channels), self.components)
        means, log_scales, arguments = jnp.split(rest, [channels, 2 * channels], axis=-2)
        return Components(jax.nn.log_softmax(logits), means, log_scales, jnp.tanh(arguments))

    def mean(self, outputs: Outputs) -> Pixels:
        """The mean of red, and of the channels after it where those before them are at their own.

        Each is that of a clipped logistic (`jaxgan.objectives.vae.logistic.clipped_mean`).
        """
        parts = self.parts(outputs, self._channels(outputs.shape[-1]))
        found: list[Array] = []
        for channel in range(parts.means.shape[-2]):
            mean = _mean_of(parts, channel, found)
            found.append(clipped_mean(mean, parts.log_scales[..., channel, :]))
        weights = jnp.exp(parts.log_weights)[..., None, :]
        return to_pixels(jnp.sum(weights * jnp.stack(found, axis=-2), axis=-1))

    def draw(self, outputs: Outputs, key: PRNGKey) -> Pixels:
        """One component a pixel, and then its channels, each with those before it known."""
        parts = self.parts(outputs, self._channels(outputs.shape[-1]))
        which, key = jax.random.split(key)
        chosen = jax.random.categorical(which, parts.log_weights)[..., None, None]

        def own(values: Array) -> Array:
            return jnp.take_along_axis(values, chosen, axis=-1)

        of_one = parts._replace(
            means=own(parts.means), log_scales=own(parts.log_scales),
            coefficients=own(parts.coefficients),
        )  # fmt: skip
        found: list[Array] = []
        for channel in range(parts.means.shape[-2]):
            mean = _mean_of(of_one, channel, found)
            scale = of_one.log_scales[..., channel, :]
            found.append(nearest_level(mean, scale, jax.random.fold_in(key, channel)))
        return to_pixels(jnp.concatenate(found, axis=-1))

    def _channels(self, size: int) -> int:
        """The channels that the decoder makes so many outputs for."""
        return next(c for c in range(1, size + 1) if self.decoded(c) == size)

    def measure(self, images: Num[np.ndarray, "..."]) -> Measure:
        """``mass``, of whatever images."""
        return "mass"


def _pairs(channels: int) -> int:
    return channels * (channels - 1) // 2


def _mean_of(parts: Components, channel: int, before: list[Array]) -> Array:
    """Of one channel, ``(..., components)``, given the channels before it."""
    first = _pairs(channel)
    mean = parts.means[..., channel, :]
    for other in range(channel):
        mean = mean + parts.coefficients[..., first + other, :] * before[other]
    return mean


def _shifted(parts: Components, channels: list[Array]) -> Array:
    """Of all channels, given what the channels before them are."""
    means = [_mean_of(parts, i, channels[:i]) for i in range(len(channels))]
    return jnp.stack(means, axis=-2)
