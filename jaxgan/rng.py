"""All randomness of a run, derived from one seed by folding in what it is for.

No key is ever split in a loop or carried in the state: the key of a draw follows from (seed, step,
role, index of the example in the global batch). Restoring step N therefore restores all randomness,
and a batch gets the same draws whether one device holds it or eight share it.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int, Integer

from jaxgan.typing import PRNGKey


def base_key(seed: int | Integer[Array, ""]) -> PRNGKey:
    """The key that everything else in a run is derived from."""
    return jax.random.key(seed)


def step_key(base: PRNGKey, step: int | Int[Array, ""]) -> PRNGKey:
    """The key of one train step."""
    return jax.random.fold_in(base, step)


def role_key(key: PRNGKey, role: str, index: int = 0) -> PRNGKey:
    """The key of one use of randomness within a step, such as ``"latent"`` or ``"dropout"``.

    Args:
        key: the step's key.
        role: what the draw is for. Two uses that must be independent have two names.
        index: tells repeated uses of one role apart, such as the updates of ``n_critic``.
    """
    return jax.random.fold_in(
        jax.random.fold_in(key, zlib.crc32(role.encode()) & 0x7FFFFFFF), index
    )


def example_indices(count: int, axis_name: str | None = None) -> Int[Array, "batch"]:
    """Positions in the global batch of the ``count`` examples that this device holds.

    Args:
        count: examples on this device.
        axis_name: the mapped axis over which the batch is sharded in contiguous blocks; None on
            one device.
    """
    start = 0 if axis_name is None else jax.lax.axis_index(axis_name) * count
    return start + jnp.arange(count)


def per_example(
    draw: Callable[[PRNGKey], Any],
    key: PRNGKey,
    count: int,
    axis_name: str | None = None,
) -> Any:
    """Calls ``draw`` once an example, with a key that depends on its place in the global batch.

    >>> z = per_example(lambda k: jax.random.normal(k, (3,)), base_key(0), count=2)
    >>> z.shape
    (2, 3)

    Args:
        draw: from a key to one example's draw, an array or a pytree of arrays without a batch axis.
        key: key of the role.
        count: examples on this device.
        axis_name: as in `example_indices`.

    Returns:
        The draws, stacked along a new leading axis.
    """
    keys = jax.vmap(lambda index: jax.random.fold_in(key, index))(example_indices(count, axis_name))
    return jax.vmap(draw)(keys)
