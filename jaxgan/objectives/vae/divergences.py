"""KL divergences between distributions of codes, one value an example, in nats."""

from __future__ import annotations

import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgan.typing import Latents, PerExample


def kl_standard_normal_groups(
    *, mean: Latents, log_variance: Latents
) -> Float[Array, "batch latent"]:
    """``KL(N(mean, exp(log_variance)) || N(0, 1))`` of each dimension of the code."""
    # expm1 keeps the digits that exp(v) - 1 loses near v = 0, where training starts.
    variance_term = jnp.expm1(log_variance) - log_variance
    return 0.5 * (jnp.square(mean) + variance_term)


def kl_standard_normal(*, mean: Latents, log_variance: Latents) -> PerExample:
    """``KL(N(mean, exp(log_variance)) || N(0, 1))``, summed over the code.

    >>> import jax.numpy as jnp
    >>> kl_standard_normal(mean=jnp.full((1, 3), 2.0), log_variance=jnp.zeros((1, 3))).tolist()
    [6.0]

    References:
        Kingma and Welling, Auto-Encoding Variational Bayes, 2013, appendix B.
    """
    return jnp.sum(kl_standard_normal_groups(mean=mean, log_variance=log_variance), axis=-1)


def kl_diagonal_gaussians_groups(
    *,
    mean_q: Float[Array, "*batch latent"],
    log_variance_q: Float[Array, "*batch latent"],
    mean_p: Float[Array, "*batch latent"],
    log_variance_p: Float[Array, "*batch latent"],
) -> Float[Array, "*batch latent"]:
    """``KL(q || p)`` of two Gaussians with diagonal covariance, of each dimension of the code."""
    log_ratio = log_variance_q - log_variance_p
    distance = jnp.square(mean_q - mean_p) * jnp.exp(-log_variance_p)
    return 0.5 * (jnp.expm1(log_ratio) - log_ratio + distance)


def kl_diagonal_gaussians(
    *, mean_q: Latents, log_variance_q: Latents, mean_p: Latents, log_variance_p: Latents
) -> PerExample:
    """``KL(q || p)`` of two Gaussians with diagonal covariance, summed over the code.

    >>> import jax.numpy as jnp
    >>> zero, one = jnp.zeros((1, 3)), jnp.ones((1, 3))
    >>> kl_diagonal_gaussians(
    ...     mean_q=one, log_variance_q=zero, mean_p=zero, log_variance_p=zero
    ... ).tolist()
    [1.5]
    """
    groups = kl_diagonal_gaussians_groups(
        mean_q=mean_q, log_variance_q=log_variance_q, mean_p=mean_p, log_variance_p=log_variance_p
    )
    return jnp.sum(groups, axis=-1)
