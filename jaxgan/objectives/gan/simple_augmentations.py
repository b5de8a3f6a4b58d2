"""Augmentations of one operation each: a mirror, and noise."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Key

from jaxgan.objectives.gan.verdict import Verdict
from jaxgan.typing import ImageShape, Metrics, Pixels


@dataclasses.dataclass(frozen=True)
class Flip:
    """Images exchange left and right, each with a probability.

    At one half a generator learns mirrored images along with the others: both are equally likely
    to the discriminator, so that this belongs to data without a left and a right, not to digits.
    At less than one half it does not, in principle: what was learned can be told from its mirror.

    >>> images, keys = jnp.arange(6.0).reshape(1, 1, 3, 2), jax.random.split(jax.random.key(0), 1)
    >>> Flip(probability=1.0)(images, keys, ()).ravel().tolist()
    [4.0, 5.0, 2.0, 3.0, 0.0, 1.0]

    Raises:
        ValueError: ``probability`` is none.
    """

    probability: float = 0.5
    """Of each image to be mirrored."""

    def __post_init__(self) -> None:
        if not 0 < self.probability <= 1:
            raise ValueError(f"probability = {self.probability}: must be over 0 and at most 1")

    def check(self, image_shape: ImageShape, dtype: str) -> None:
        """See `Augmentation`.

        Raises:
            ValueError: images are one pixel wide, as points are.
        """
        del dtype
        if image_shape[1] < 2:
            raise ValueError("Flip is for images, and these are one pixel wide: leave it out")

    def init(self) -> tuple[()]:
        """No state."""
        return ()

    def __call__(self, images: Pixels, keys: Key[Array, "batch"], state: Any) -> Pixels:
        """Images, some of them mirrored."""
        del state
        flipped = jax.vmap(lambda key: jax.random.bernoulli(key, self.probability))(keys)
        return jnp.where(flipped[:, None, None, None], images[:, :, ::-1], images)

    def update(self, state: Any, verdict: Verdict, count: int) -> Any:
        """The state as it is."""
        del verdict, count
        return state

    def metrics(self, state: Any) -> Metrics:
        """None."""
        del state
        return {}


@dataclasses.dataclass(frozen=True)
class InstanceNoise:
    """Normal noise is added to every pixel, less and less of it.

    Its standard deviation falls in a line from ``first`` to ``last``, which it reaches after
    ``updates`` discriminator updates. Noise of one size throughout has both equal. It makes the
    distributions of real and generated images overlap, so that the discriminator has a slope
    between them; points may have it as well as images.

    Logged is ``instance_noise/std``.

    >>> round(float(InstanceNoise(first=0.1, updates=10).std(jnp.int32(5))), 6)
    0.05

    Raises:
        ValueError: a standard deviation is negative, both are 0, or ``updates`` is not positive.

    References:
        Sonderby et al., Amortised MAP Inference for Image Super-resolution, 2017; Arjovsky and
        Bottou, Towards Principled Methods for Training Generative Adversarial Networks, 2017,
        section 3. Neither gives a schedule; the numbers here are choices.
    """

    first: float = 0.1
    """Standard deviation at the start; pixels are in [-1, 1]."""
    last: float = 0.0
    """Standard deviation in the end."""
    updates: int = 10_000
    """Discriminator updates from the one to the other."""

    def __post_init__(self) -> None:
        if min(self.first, self.last) < 0 or max(self.first, self.last) == 0:
            raise ValueError(
                f"first = {self.first}, last = {self.last}: must not be negative, nor both be 0"
            )
        if self.updates < 1:
            raise ValueError(f"updates = {self.updates}: must be positive")

    def check(self, image_shape: ImageShape, dtype: str) -> None:
        """There are no data that it is not for."""
        del image_shape, dtype

    def init(self) -> Any:
        """Discriminator updates done."""
        return jnp.int32(0)

    def std(self, state: Any) -> Any:
        """The standard deviation of a state."""
        done = jnp.minimum(state / self.updates, 1.0)
        return jnp.asarray(self.first + (self.last - self.first) * done, jnp.float32)

    def __call__(self, images: Pixels, keys: Key[Array, "batch"], state: Any) -> Pixels:
        """Images with noise."""
        shape, dtype = images.shape[1:], images.dtype
        noise = jax.vmap(lambda key: jax.random.normal(key, shape, dtype))(keys)
        return images + self.std(state).astype(dtype) * noise

    def update(self, state: Any, verdict: Verdict, count: int) -> Any:
        """One more update."""
        del verdict, count
        return state + 1

    def metrics(self, state: Any) -> Metrics:
        """``instance_noise/std``."""
        return {"instance_noise/std": self.std(state)}
