"""Paths between vectors, such as the latents of two images.

A Gaussian latent of many dimensions lies near a sphere. A straight line leaves it (its middle is
shorter by up to sqrt(2), where the prior has as good as no mass); a great circle stays on it.

>>> a, b = jnp.array([1.0, 0.0]), jnp.array([0.0, 1.0])
>>> [round(float(jnp.linalg.norm(path(a, b, 0.5))), 4) for path in (lerp, slerp)]
[0.7071, 1.0]
"""

from __future__ import annotations

import jax.numpy as jnp
from jaxtyping import Array, Float


def lerp(
    a: Float[Array, "*batch latent"],
    b: Float[Array, "*batch latent"],
    t: Float[Array, "*#batch"] | float,
) -> Float[Array, "*batch latent"]:
    """Straight line: ``(1 - t) a + t b``.

    Args:
        a: where ``t`` is 0.
        b: where ``t`` is 1.
        t: how far to go, broadcast against the batch.
    """
    t = jnp.asarray(t, a.dtype)[..., None]
    return (1 - t) * a + t * b


def slerp(
    a: Float[Array, "*batch latent"],
    b: Float[Array, "*batch latent"],
    t: Float[Array, "*#batch"] | float,
) -> Float[Array, "*batch latent"]:
    """Great circle: ``(sin((1 - t) w) a + sin(t w) b) / sin(w)``, ``w`` the angle between a and b.

    The sines are taken as ``sinc``, which is exact for parallel vectors too, and the angle comes
    from ``atan2``, which keeps its digits where ``arccos`` of nearly 1 loses them. Vectors that
    point in opposite directions (the only other case in one dimension) have no one great circle
    between them; there, and for a zero vector, this is `lerp`.

    Args:
        a: where ``t`` is 0.
        b: where ``t`` is 1. Its length may differ from a's.
        t: how far to go, broadcast against the batch.

    References:
        Shoemake, "Animating Rotation with Quaternion Curves", 1985, section 3.3; for latents:
        White, "Sampling Generative Networks", 2016, section 2.1, arXiv:1609.04468.
    """
    t = jnp.asarray(t, a.dtype)[..., None]
    norm_a = jnp.linalg.norm(a, axis=-1, keepdims=True)
    norm_b = jnp.linalg.norm(b, axis=-1, keepdims=True)
    degenerate = (norm_a == 0) | (norm_b == 0)
    unit_a = a / jnp.where(degenerate, 1, norm_a)
    unit_b = b / jnp.where(degenerate, 1, norm_b)
    apart = jnp.linalg.norm(unit_a - unit_b, axis=-1, keepdims=True)
    together = jnp.linalg.norm(unit_a + unit_b, axis=-1, keepdims=True)
    angle = 2 * jnp.arctan2(apart, together)
    whole = jnp.sinc(angle / jnp.pi)
    # Rounding alone leaves this much of two opposite unit vectors' sum.
    degenerate |= together < 8 * jnp.finfo(a.dtype).eps
    safe = jnp.where(degenerate, 1, whole)
    from_a = jnp.where(degenerate, 1 - t, (1 - t) * jnp.sinc((1 - t) * angle / jnp.pi) / safe)
    from_b = jnp.where(degenerate, t, t * jnp.sinc(t * angle / jnp.pi) / safe)
    return from_a * a + from_b * b
