"""Likelihoods of images given their codes, one value an example, in nats.

They are summed over pixels and channels. Averaging them would multiply the weight of the KL by the
number of pixels.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any, ClassVar, Protocol, TypeAlias, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Num, UInt8

from jaxgan.objectives.protocols import subclasses_have
from jaxgan.typing import Images, Measure, PerExample, Pixels, PRNGKey

Outputs: TypeAlias = Float[Array, "batch height width outputs"]
"""What a decoder makes of codes, and what is learned besides: see `Likelihood`."""


@runtime_checkable
class Likelihood(Protocol):
    """Distribution of an image given what the decoder returned for its code.

    ``outputs`` of a likelihood are ``(batch, height, width, decoded + learned)``: the channels that
    the decoder makes, and then those that are learned once for all images and pixels.
    """

    __subclasshook__ = subclasses_have(
        "decoded", "learned", "from_uint8", "log_prob", "mean", "measure"
    )

    bounded: ClassVar[bool]
    """Whether targets must lie between 0 and 1, as pixels do and points do not."""

    def decoded(self, channels: int) -> int:
        """Channels that the decoder makes for images of so many channels."""
        ...

    def learned(self, channels: int) -> tuple[float, ...]:
        """First values of the further channels, numbers that are learned; () for none."""
        ...

    def from_uint8(self, images: Images) -> Pixels:
        """Images in the range that ``log_prob`` wants its targets in."""
        ...

    def log_prob(self, *, outputs: Outputs, targets: Pixels) -> PerExample:
        """Log-likelihood of the targets, summed over pixels and channels."""
        ...

    def mean(self, outputs: Outputs) -> Pixels:
        """The mean of the distribution, in the range of the targets."""
        ...

    def measure(self, images: Num[np.ndarray, "..."]) -> Measure:
        """What ``log_prob`` of these images, as the data set has them, is the log of."""
        ...


@runtime_checkable
class Observing(Protocol):
    """A likelihood of what is drawn from an image, instead of the image."""

    def observed(
        self, image: UInt8[Array, "height width channels"], key: PRNGKey
    ) -> UInt8[Array, "height width channels"]:
        """A draw. Of what was drawn already, it is always the same."""
        ...


@runtime_checkable
class Drawing(Protocol):
    """A likelihood that images can be drawn from, as its ``log_prob`` has them."""

    def draw(self, outputs: Outputs, key: PRNGKey) -> Pixels:
        """One image of each output, in the range of the targets."""
        ...


def kind_of(likelihood: Any) -> str:
    """What values must have in common to be compared: its class, or what its ``kind`` says.

    >>> kind_of(Bernoulli())
    'Bernoulli'
    """
    return getattr(likelihood, "kind", type(likelihood).__name__)


def to_unit(images: Images) -> Pixels:
    """Images scaled to [0, 1]."""
    return images.astype(jnp.float32) / 255.0


def sum_pixels(values: Pixels) -> PerExample:
    """Over pixels and channels."""
    return jnp.sum(values, axis=(1, 2, 3))


@dataclasses.dataclass(frozen=True)
class Bernoulli:
    """Independent pixels that are on with probability ``sigmoid(output)``.

    Gray targets between 0 and 1 are taken for probabilities, the common practice (Lucic et al.
    2018, among others): the value is then a cross-entropy, not the log of a normalized density
    (Loaiza-Ganem and Cunningham, The continuous Bernoulli, 2019), and may only be compared with
    values made in the same way.

    >>> import jax.numpy as jnp
    >>> ones = jnp.ones((1, 1, 2, 1))
    >>> log_prob = Bernoulli().log_prob(outputs=0.0 * ones, targets=ones)
    >>> print(f"{log_prob[0]:.4f}")  # 2 log 1/2
    -1.3863

    References:
        Kingma and Welling, Auto-Encoding Variational Bayes, 2013, appendix C.1.
    """

    bounded: ClassVar[bool] = True

    def decoded(self, channels: int) -> int:
        """One logit a channel."""
        return channels

    def learned(self, channels: int) -> tuple[float, ...]:
        """Nothing."""
        del channels
        return ()

    def from_uint8(self, images: Images) -> Pixels:
        """Images scaled to [0, 1]."""
        return to_unit(images)

    def log_prob(self, *, outputs: Outputs, targets: Pixels) -> PerExample:
        """``sum t log p + (1 - t) log(1 - p)`` with ``p = sigmoid(outputs)``.

        Args:
            outputs: logits.
            targets: pixels in [0, 1].
        """
        # Nothing overflows or cancels, however sure the decoder is: the first two terms are equal
        # where it is right, and the third is what is left, with one logarithm a pixel.
        rest = jnp.log1p(jnp.exp(-jnp.abs(outputs)))
        return sum_pixels(targets * outputs - jnp.maximum(outputs, 0.0) - rest)

    def mean(self, outputs: Outputs) -> Pixels:
        """Probabilities: pixels in [0, 1]."""
        return jax.nn.sigmoid(outputs)

    def draw(self, outputs: Outputs, key: PRNGKey) -> Pixels:
        """Pixels that are 0 or 1."""
        return jax.random.bernoulli(key, jax.nn.sigmoid(outputs)).astype(jnp.float32)

    def measure(self, images: Num[np.ndarray, "..."]) -> Measure:
        """``mass`` if every pixel is 0 or 255."""
        return "mass" if np.isin(images, (0, 255)).all() else "cross-entropy"


@dataclasses.dataclass(frozen=True)
class Gaussian:
    """Independent normal pixels around the decoder's outputs, all of one standard deviation.

    References:
        Kingma and Welling, Auto-Encoding Variational Bayes, 2013, appendix C.2.
    """

    bounded: ClassVar[bool] = False

    scale: float = 1.0
    """Standard deviation of every pixel, where 1 is the step from black to white."""

    def __post_init__(self) -> None:
        if not 0.0 < self.scale < math.inf:
            raise ValueError(f"scale = {self.scale}: a standard deviation is positive and finite")

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
        """``sum -(t - m)^2 / 2 s^2 - log s - log(2 pi) / 2``, constants included.

        Args:
            outputs: means.
            targets: pixels in the same units, such as [0, 1].
        """
        constant = math.log(self.scale) + 0.5 * math.log(2.0 * math.pi)
        return -sum_pixels(0.5 * jnp.square((targets - outputs) / self.scale) + constant)

    def mean(self, outputs: Outputs) -> Pixels:
        """The outputs themselves; unclipped, since targets may be points of the plane."""
        return outputs

    def draw(self, outputs: Outputs, key: PRNGKey) -> Pixels:
        """The means with noise."""
        return outputs + self.scale * jax.random.normal(key, outputs.shape)

    def measure(self, images: Num[np.ndarray, "..."]) -> Measure:
        """``density``, of whatever images."""
        return "density"
