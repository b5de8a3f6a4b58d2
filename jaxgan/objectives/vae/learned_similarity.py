"""The losses of a VAE-GAN's three players.

Images are real, decoded from codes of real ones, or generated from draws of the prior.

References:
    Larsen, Sonderby, Larochelle and Winther, Autoencoding beyond pixels using a learned similarity
    metric, 2016, section 2.3 and algorithm 1.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgan.typing import Logits, PerExample


def feature_distance(
    *, real: Float[Array, "batch *features"], decoded: Float[Array, "batch *features"]
) -> PerExample:
    """``-log N(f(x); f(x~), 1)`` without its constant: half the squared distance of the features.

    >>> ones = jnp.ones((1, 2, 2))
    >>> feature_distance(real=3.0 * ones, decoded=ones).tolist()
    [8.0]

    Args:
        real: features of images, ``f(x)``.
        decoded: features of what was decoded from their codes, ``f(x~)``.
    """
    squares = jnp.square(real - decoded)
    return 0.5 * jnp.sum(squares.reshape(squares.shape[0], -1), axis=1)


def discriminator_loss(*, real: Logits, decoded: Logits, generated: Logits) -> PerExample:
    """``-log D(x) - log(1 - D(x~)) - log(1 - D(x_p))``: decoded images count as fake ones.

    Minus ``L_GAN`` of algorithm 1, which the discriminator makes large.

    Args:
        real: logits of real images.
        decoded: of what was decoded from their codes.
        generated: of what was decoded from draws of the prior.
    """
    return jax.nn.softplus(-real) + jax.nn.softplus(decoded) + jax.nn.softplus(generated)


def decoder_loss(*, decoded: Logits, generated: Logits, saturating: bool = False) -> PerExample:
    """``-log D(x~) - log D(x_p)``, or the zero-sum ``log(1 - D(x~)) + log(1 - D(x_p))``.

    Args:
        decoded: logits of what was decoded from codes of images.
        generated: of what was decoded from draws of the prior.
        saturating: whether it is ``L_GAN`` itself, as in algorithm 1, whose gradient vanishes where
            the discriminator is sure.
    """
    if saturating:
        return -jax.nn.softplus(decoded) - jax.nn.softplus(generated)
    return jax.nn.softplus(-decoded) + jax.nn.softplus(-generated)
