"""How steep a discriminator is at images."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp

from jaxgan.objectives.gan.verdict import Verdict
from jaxgan.typing import PerExample, Pixels


def squared_slopes(critic: Callable[[Pixels], Verdict], points: Pixels) -> PerExample:
    """``|grad f(x)|^2`` for every ``x`` of the points, summed over pixels and channels.

    >>> squared_slopes(
    ...     lambda x: Verdict(jnp.sum(x**2, axis=(1, 2, 3))), jnp.full((1, 1, 1, 2), 3.0)
    ... ).tolist()
    [72.0]

    Args:
        critic: from images to a verdict; ``f`` is its logit. It must not mix images.
        points: images.
    """
    gradients = jax.grad(lambda images: jnp.sum(critic(images).logits))(points)
    return jnp.sum(jnp.square(gradients), axis=(1, 2, 3))


def lengths(squares: PerExample) -> PerExample:
    """Square roots whose slope at 0 is 0.

    The slope of a square root is infinite at 0, and that of a critic's length there would be NaN.

    >>> jax.grad(lambda squares: jnp.sum(lengths(squares)))(jnp.array([0.0, 4.0])).tolist()
    [0.0, 0.25]
    """
    is_flat = squares == 0.0
    return jnp.where(is_flat, 0.0, jnp.sqrt(jnp.where(is_flat, 1.0, squares)))
