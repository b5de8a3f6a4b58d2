"""What meets on a level of a ladder VAE: the evidence from below and the prior from above."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxgan.objectives.vae.posteriors import Encoded


def precision_weighted(below: Encoded, above: Encoded) -> Encoded:
    """The product of two diagonal Gaussians: precisions add up, means are weighted by them.

    >>> one, zero = jnp.ones((1, 1)), jnp.zeros((1, 1))
    >>> found = precision_weighted(Encoded(one, zero), Encoded(-2.0 * one, zero - jnp.log(2.0)))
    >>> print(f"{found.mean[0, 0]:.4f} {jnp.exp(found.log_variance[0, 0]):.4f}")  # -3 / 3, 1 / 3
    -1.0000 0.3333

    Args:
        below: what the encoder says of a code; broadcast against the other.
        above: what the codes of the level above say.

    References:
        Sønderby et al., Ladder Variational Autoencoders, 2016, eq. 17 to 19.
    """
    # Precisions as logarithms: a variance of exp(-100) is one like others.
    share = jax.nn.sigmoid(above.log_variance - below.log_variance)
    rest = jax.nn.sigmoid(below.log_variance - above.log_variance)
    log_variance = -jnp.logaddexp(-below.log_variance, -above.log_variance)
    return Encoded(share * below.mean + rest * above.mean, log_variance)
