"""The discretized logistic: a probability of each of the 256 levels of a pixel."""

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

LEVELS = 256
"""Of 8 bits."""
LEAST_LOG_SCALE = -7.0
"""Scales stay above exp(-7), a ninth of a level, as in the code of the paper on mixtures."""
_HALF_BIN = 1.0 / (LEVELS - 1)
"""Half the distance of levels on [-1, 1]."""


def log_mass(
    targets: Float[Array, "..."], mean: Float[Array, "..."], log_scale: Float[Array, "..."]
) -> Float[Array, "..."]:
    """The log of a logistic's mass between the edges of each level; the outer levels are open.

    With the upper edge ``a`` and the lower one ``b``, both in scales from the mean, it is
    ``sigmoid(a) - sigmoid(b) = sigmoid(a) sigmoid(-b) (1 - exp(b - a))``: nothing cancels.

    Args:
        targets: pixels in [0, 1], at levels of 1/255.
        mean: of the logistic, in units in which black is -1 and white 1.
        log_scale: log of its scale in these units.
    """
    log_scale = jnp.maximum(log_scale, LEAST_LOG_SCALE)
    centered, rate = 2.0 * targets - 1.0 - mean, jnp.exp(-log_scale)
    below_upper = jax.nn.log_sigmoid((centered + _HALF_BIN) * rate)
    above_lower = jax.nn.log_sigmoid(-(centered - _HALF_BIN) * rate)
    between = below_upper + above_lower + _log_of_one_minus_exp(math.log(2 * _HALF_BIN) - log_scale)
    inner = jnp.where(targets > 1.0 - 0.25 * _HALF_BIN, above_lower, between)
    return jnp.where(targets < 0.25 * _HALF_BIN, below_upper, inner)


def _log_of_one_minus_exp(log_width: Float[Array, "..."]) -> Float[Array, "..."]:
    """``log(1 - exp(-d))`` of ``d = exp(log_width)``, however small this is."""
    small = log_width < math.log(0.01)
    width = jnp.exp(log_width)
    series = log_width - width / 2 + jnp.square(width) / 24
    return jnp.where(small, series, jnp.log(-jnp.expm1(-jnp.where(small, 1.0, width))))


def clipped_mean(mean: Float[Array, "..."], log_scale: Float[Array, "..."]) -> Float[Array, "..."]:
    """The mean of a logistic cut off at -1 and 1, where what is outside is put.

    ``-1 + s (softplus((m + 1) / s) - softplus((m - 1) / s))``: that of the discretized one but for
    a part of a level's width, which vanishes where scales are wider than a level.

    Args:
        mean: of the logistic.
        log_scale: log of its scale.
    """
    # However wide it is, at 20 nothing is left between black and white.
    log_scale = jnp.clip(log_scale, LEAST_LOG_SCALE, 20.0)
    scale, rate = jnp.exp(log_scale), jnp.exp(-log_scale)
    lower = (mean - 1.0) * rate
    apart = jax.nn.softplus((mean + 1.0) * rate) - jax.nn.softplus(lower)
    # Of wide ones, the difference is small beside its terms.
    wide = log_scale > -2.0
    grown = jnp.expm1(2.0 * jnp.where(wide, rate, 1.0))
    close = jnp.log1p(jax.nn.sigmoid(lower) * grown)
    return -1.0 + jnp.where(wide, close, apart) * scale


def nearest_level(
    mean: Float[Array, "..."], log_scale: Float[Array, "..."], key: PRNGKey
) -> Float[Array, "..."]:
    """A draw of each logistic, at the level next to it, on [-1, 1]."""
    scale = jnp.exp(jnp.maximum(log_scale, LEAST_LOG_SCALE))
    drawn = mean + scale * jax.random.logistic(key, mean.shape)
    return jnp.clip(jnp.round((drawn + 1.0) / (2 * _HALF_BIN)), 0, LEVELS - 1) * 2 * _HALF_BIN - 1.0


def to_pixels(values: Float[Array, "..."]) -> Float[Array, "..."]:
    """From [-1, 1] to [0, 1]."""
    return 0.5 * (values + 1.0)


@dataclasses.dataclass(frozen=True)
class DiscretizedLogistic:
    """Independent pixels, each the level next to a draw of a logistic distribution.

    The decoder makes mean and scale of every pixel and channel. What lies beyond black and white
    counts as these.

    References:
        Kingma et al., Improving Variational Inference with Inverse Autoregressive Flow, 2016.
        Salimans et al., PixelCNN++, 2017, section 2.1, eq. 2.
    """

    bounded: ClassVar[bool] = True

    def decoded(self, channels: int) -> int:
        """A mean and a log scale a channel."""
        return 2 * channels

    def learned(self, channels: int) -> tuple[float, ...]:
        """Nothing."""
        del channels
        return ()

    def from_uint8(self, images: Images) -> Pixels:
        """Images scaled to [0, 1]."""
        return to_unit(images)

    def log_prob(self, *, outputs: Outputs, targets: Pixels) -> PerExample:
        """Logs of the levels' probabilities, summed.

        Args:
            outputs: the means of all channels, -1 for black and 1 for white, then the logs of their
                scales.
            targets: pixels in [0, 1], at levels of 1/255.
        """
        return sum_pixels(log_mass(targets, *jnp.split(outputs, 2, axis=-1)))

    def mean(self, outputs: Outputs) -> Pixels:
        """See `clipped_mean`, in [0, 1]."""
        return to_pixels(clipped_mean(*jnp.split(outputs, 2, axis=-1)))

    def draw(self, outputs: Outputs, key: PRNGKey) -> Pixels:
        """Levels of 1/255."""
        mean, log_scale = jnp.split(outputs, 2, axis=-1)
        return to_pixels(nearest_level(mean, log_scale, key))

    def measure(self, images: Num[np.ndarray, "..."]) -> Measure:
        """``mass``, of whatever images."""
        return "mass"
