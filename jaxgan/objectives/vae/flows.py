"""What posteriors that are flows have in common: how they read what an encoder returned.

An encoder returns two vectors of one length. Their first numbers are mean and log variance of the
Gaussian that a flow starts from; the others, of both, are its context.
"""

from __future__ import annotations

import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgan.objectives.vae.posteriors import Encoded


def check_steps(steps: int) -> None:
    """Refuses flows that are none.

    Raises:
        ValueError: there is not even one step.
    """
    if steps < 1:
        raise ValueError(f"steps = {steps}: a flow has at least 1; without, take DiagonalGaussian")


def size_with_context(latent_size: int, context: int) -> int:
    """Length of the encoder's vectors, for codes and contexts of given lengths.

    >>> size_with_context(3, 5)
    6
    """
    return latent_size + -(-context // 2)


def base_and_context(
    encoded: Encoded, latent_size: int, context: int
) -> tuple[Encoded, Float[Array, "batch {context}"]]:
    """Mean and log variance of the Gaussian, and the context.

    Args:
        encoded: vectors of the length that `size_with_context` tells.
        latent_size: of the codes.
        context: numbers that are wanted.
    """
    base = Encoded(encoded.mean[:, :latent_size], encoded.log_variance[:, :latent_size])
    rest = [vector[:, latent_size:] for vector in encoded]
    return base, jnp.concatenate(rest, axis=-1)[:, :context]
