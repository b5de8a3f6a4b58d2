"""Adaptive discriminator augmentation: how often images are transformed follows the discriminator.

While the discriminator tells the real images it has seen from all others, the share of real images
that it believes rises. The pipeline's strength p is raised then, and lowered when it falls.

A strength below 1 leaves some images as they are, and it is this that keeps transformations out of
what is generated: the distribution of transformed images then still tells what that of the images
was (section 2.2 of the paper). It does so the worse the nearer p is to 1; the paper found leaks
from about 0.8 on.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Key

from jaxgan.objectives.gan.ada_pipe import AdaPipe
from jaxgan.objectives.gan.steering import check_steering, steered, unsteered
from jaxgan.objectives.gan.verdict import Verdict
from jaxgan.typing import ImageShape, Metrics, Pixels


@dataclasses.dataclass(frozen=True)
class Ada:
    """A pipeline whose strength p is steered by the signs of the logits of real images.

    Every ``interval`` discriminator updates of B images each, with r = E sign D(real) over all of
    them,

        p <- clip(p + sign(r - target) interval B / (1000 kimg), 0, most).

    Logged are ``ada/p`` and ``ada/sign``, the last r.

    Raises:
        ValueError: ``interval``, ``kimg`` or ``most`` is not positive.

    References:
        Karras et al., Training Generative Adversarial Networks with Limited Data, 2020, section 3.
        There and in the published code nothing bounds p from above; past 1 it changes no image, and
        only takes longer to come back. ``most=inf`` is the same.
    """

    pipe: AdaPipe = AdaPipe()
    """What is done to images."""
    target: float = 0.6
    """Mean sign of the logits of real images that is steered for."""
    kimg: float = 500.0
    """Thousands of images in which p can rise from 0 to 1."""
    interval: int = 4
    """Discriminator updates between two changes of p."""
    most: float = 1.0
    """Upper bound of p."""

    def __post_init__(self) -> None:
        check_steering(self)

    def check(self, image_shape: ImageShape, dtype: str) -> None:
        """See `AdaPipe.check`."""
        self.pipe.check(image_shape, dtype)

    def init(self) -> Any:
        """See `jaxgan.objectives.gan.steering.unsteered`."""
        return unsteered()

    def __call__(self, images: Pixels, keys: Key[Array, "batch"], state: Any) -> Pixels:
        """Images augmented with the strength of the state."""
        return self.pipe(images, keys, state["p"])

    def update(self, state: Any, verdict: Verdict, count: int) -> Any:
        """The state after one discriminator update; p moves after every ``interval`` of them."""
        return steered(
            state, verdict, count, target=self.target, kimg=self.kimg, interval=self.interval,
            most=self.most,
        )  # fmt: skip

    def metrics(self, state: Any) -> Metrics:
        """``ada/p`` and ``ada/sign``."""
        return {"ada/p": state["p"], "ada/sign": state["sign"]}


@dataclasses.dataclass(frozen=True)
class ScheduledAda:
    """A pipeline whose strength is known beforehand: from ``first`` to ``last`` along a cosine.

    After n images p is first + (last - first) (1 - cos(pi min(1, n / (1000 kimg)))) / 2. Nothing is
    measured, so that p depends on no discriminator. Equal ends are a constant strength.

    Logged is ``scheduled_ada/p``.

    Raises:
        ValueError: ``kimg`` is not positive, or an end is negative.

    References:
        Huang et al., The GAN is dead; long live the GAN! (R3GAN), 2024, whose code raises p to 0.3
        to 0.55; its pipeline is ``AdaPipe(color=0.5, cutout=1.0)``.
    """

    pipe: AdaPipe = AdaPipe()
    """What is done to images."""
    first: float = 0.0
    """Strength at the start."""
    last: float = 0.3
    """Strength in the end."""
    kimg: float = 500.0
    """Thousands of images from the one to the other."""

    def __post_init__(self) -> None:
        if self.kimg <= 0:
            raise ValueError(f"kimg = {self.kimg}: must be positive")
        if min(self.first, self.last) < 0:
            raise ValueError(f"first = {self.first}, last = {self.last}: must not be negative")

    def check(self, image_shape: ImageShape, dtype: str) -> None:
        """See `AdaPipe.check`."""
        self.pipe.check(image_shape, dtype)

    def init(self) -> Any:
        """Real images that discriminator updates were made with."""
        return jnp.int32(0)

    def strength(self, state: Any) -> Any:
        """The strength p of a state."""
        done = jnp.minimum(state / (1000 * self.kimg), 1.0)
        risen = (1 - jnp.cos(jnp.pi * done)) / 2
        return jnp.asarray(self.first + (self.last - self.first) * risen, jnp.float32)

    def __call__(self, images: Pixels, keys: Key[Array, "batch"], state: Any) -> Pixels:
        """Images augmented with the strength of the state."""
        return self.pipe(images, keys, self.strength(state))

    def update(self, state: Any, verdict: Verdict, count: int) -> Any:
        """The state after one more batch, counted no further than it matters."""
        del verdict
        return jnp.minimum(state + count, math.ceil(1000 * self.kimg))

    def metrics(self, state: Any) -> Metrics:
        """``scheduled_ada/p``."""
        return {"scheduled_ada/p": self.strength(state)}
