"""Hamiltonian Monte Carlo."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgan import rng
from jaxgan.typing import PRNGKey


def transition(
    log_density: Callable[[Any], Any],
    codes: Float[Array, "rows latent"],
    sizes: Float[Array, "rows"],
    key: PRNGKey,
    *,
    leapfrog: int,
) -> tuple[Float[Array, "rows latent"], Float[Array, "rows"]]:
    """A step of Hamiltonian Monte Carlo in every row, which leaves a density as it is.

    Args:
        log_density: from codes to the log density of each row, up to a constant.
        codes: where the rows are.
        sizes: step sizes.
        key: of the momenta and of what is accepted.
        leapfrog: steps of the trajectory.

    Returns:
        Codes, and the probabilities with which the proposals were accepted.

    References:
        Neal, MCMC Using Hamiltonian Dynamics, 2011, section 3.
    """
    each = sizes[:, None]

    def slope(codes: Any) -> tuple[Any, Any]:
        values, back = jax.vjp(log_density, codes)
        return values, back(jnp.ones_like(values))[0]

    momentum = jax.random.normal(rng.role_key(key, "momentum"), codes.shape)
    before, slopes = slope(codes)
    start = before - 0.5 * jnp.sum(jnp.square(momentum), axis=-1)

    def leap(_: Any, carry: Any) -> Any:
        place, momentum, _, slopes = carry
        momentum = momentum + 0.5 * each * slopes
        place = place + each * momentum
        values, slopes = slope(place)
        return place, momentum + 0.5 * each * slopes, values, slopes

    place, momentum, after, _ = jax.lax.fori_loop(
        0, leapfrog, leap, (codes, momentum, before, slopes)
    )
    end = after - 0.5 * jnp.sum(jnp.square(momentum), axis=-1)
    # A trajectory that has left all numbers is refused.
    share = jnp.where(jnp.isfinite(end), jnp.exp(jnp.minimum(end - start, 0.0)), 0.0)
    taken = jax.random.uniform(rng.role_key(key, "accept"), share.shape) < share
    return jnp.where(taken[:, None], place, codes), share
