"""Penalties on critics."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import jax
import jax.numpy as jnp

from jaxgan.typing import Logits, PerExample, Pixels


def interpolate(*, real: Pixels, fake: Pixels, share: PerExample) -> Pixels:
    """Points on the lines between pairs of a real and a generated example.

    >>> import jax.numpy as jnp
    >>> real, fake = jnp.full((2, 1, 1, 1), 8.0), jnp.zeros((2, 1, 1, 1))
    >>> interpolate(real=real, fake=fake, share=jnp.array([0.25, 1.0])).ravel().tolist()
    [2.0, 8.0]

    Args:
        real: real examples.
        fake: generated ones.
        share: what each point has of the real example, from 0 to 1; one number for all its pixels.

    References:
        Gulrajani et al., Improved Training of Wasserstein GANs, 2017, algorithm 1, line 6.
    """
    share = share[:, None, None, None]
    return share * real + (1.0 - share) * fake


@dataclasses.dataclass(frozen=True)
class GradientPenalty:
    """Squared distance of the length of a critic's gradient from the one that it should have.

    It holds for each example by itself, which is why a critic under it must not mix examples, as
    batch normalization does (section 4 of the paper).

    >>> import jax.numpy as jnp
    >>> penalty = GradientPenalty(weight=10.0)
    >>> points = jnp.zeros((2, 1, 1, 2))
    >>> slope = jnp.array([3.0, 4.0])  # of length 5
    >>> penalty(lambda x: jnp.sum(x * slope, axis=(1, 2, 3)), points).tolist()
    [160.0, 160.0]

    References:
        Gulrajani et al., Improved Training of Wasserstein GANs, 2017, eq. 3.
    """

    weight: float = 10.0
    """Factor of the penalty (lambda); 10 in the paper, 0 for no penalty."""
    target: float = 1.0
    """Length that gradients should have; 1 for Wasserstein losses, 0 pulls towards flat critics."""

    def __post_init__(self) -> None:
        for name in ("weight", "target"):
            if not 0.0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name} = {getattr(self, name)}: must be at least 0 and finite")

    def __call__(self, critic: Callable[[Pixels], Logits], points: Pixels) -> PerExample:
        """``weight (|grad f(x)| - target)^2`` for every ``x`` of the points.

        Args:
            critic: from images to one score each, none of which depends on another image.
            points: where the gradient is taken, such as `interpolate` gives.
        """
        gradients = jax.grad(lambda images: jnp.sum(critic(images)))(points)
        squares = jnp.sum(jnp.square(gradients), axis=(1, 2, 3))
        # The slope of a square root is infinite at 0; a gradient of length 0 gets the slope 0.
        is_flat = squares == 0.0
        lengths = jnp.where(is_flat, 0.0, jnp.sqrt(jnp.where(is_flat, 1.0, squares)))
        return self.weight * jnp.square(lengths - self.target)
