"""Constraints on parameters, put on after each update."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxgan.typing import Params


def clip_weights(params: Params, bound: float) -> Params:
    """Every weight of a critic clipped to ``[-bound, bound]``, after each of its updates.

    >>> import jax.numpy as jnp
    >>> clip_weights({"kernel": jnp.array([-0.5, 0.25])}, bound=0.375)["kernel"].tolist()
    [-0.375, 0.25]

    Args:
        params: the critic's parameters, biases and scales included.
        bound: positive; 0.01 in the paper.

    Raises:
        ValueError: for a bound that is not positive.

    References:
        Arjovsky et al., Wasserstein GAN, 2017, algorithm 1.
    """
    if not bound > 0:
        raise ValueError(f"bound = {bound}: weights are clipped to a positive bound, such as 0.01")
    return jax.tree.map(lambda weight: jnp.clip(weight, -bound, bound), params)
