"""A probability of each level of a pixel, without an order among them."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Num

from jaxgan.objectives.vae.likelihoods import Outputs, sum_pixels, to_unit
from jaxgan.typing import Images, Measure, PerExample, Pixels, PRNGKey


@dataclasses.dataclass(frozen=True)
class Categorical:
    """Independent pixels that have each of their levels with a probability of its own.

    Level ``k`` is the value ``round(255 k / (levels - 1))``; 17 are those of scikit-learn's digits.

    >>> import jax.numpy as jnp
    >>> outputs = jnp.zeros((1, 1, 1, 4))
    >>> log_prob = Categorical(levels=4).log_prob(outputs=outputs, targets=outputs[..., :1])
    >>> print(f"{log_prob[0]:.4f}")  # log 1/4
    -1.3863

    References:
        Van den Oord, Kalchbrenner and Kavukcuoglu, Pixel Recurrent Neural Networks, 2016, section
        2.2 (of pixels that depend on each other; here they are independent).
    """

    bounded: ClassVar[bool] = True

    levels: int = 256
    """From black to white, at even distances."""

    def __post_init__(self) -> None:
        if not 2 <= self.levels <= 256:
            raise ValueError(f"levels = {self.levels}: images of 8 bits have 2 to 256 levels")

    @property
    def kind(self) -> str:
        """With the levels, since images that are rounded to fewer of them are others."""
        return f"Categorical-{self.levels}"

    def decoded(self, channels: int) -> int:
        """One logit a level and channel."""
        return self.levels * channels

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
            outputs: logits of the first channel's levels from black to white, then of the next's.
            targets: pixels in [0, 1], of which the nearest level is taken.
        """
        level = jnp.round(targets * (self.levels - 1)).astype(jnp.int32)
        log_probs = jax.nn.log_softmax(self._by_level(outputs))
        return sum_pixels(jnp.take_along_axis(log_probs, level[..., None], axis=-1)[..., 0])

    def mean(self, outputs: Outputs) -> Pixels:
        """The mean of the levels, in [0, 1]."""
        values = jnp.linspace(0.0, 1.0, self.levels)
        return jnp.sum(jax.nn.softmax(self._by_level(outputs)) * values, axis=-1)

    def draw(self, outputs: Outputs, key: PRNGKey) -> Pixels:
        """Levels of 1 / (levels - 1)."""
        return jax.random.categorical(key, self._by_level(outputs)) / (self.levels - 1)

    def measure(self, images: Num[np.ndarray, "..."]) -> Measure:
        """``mass`` of images that have these levels alone; of others, rounded: ``coarsened``."""
        own = np.rint(np.arange(self.levels) * (255 / (self.levels - 1)))
        return "mass" if np.isin(images, own).all() else "coarsened"

    def _by_level(self, outputs: Outputs) -> Float[Array, "batch height width channels levels"]:
        return outputs.reshape(*outputs.shape[:-1], -1, self.levels)
