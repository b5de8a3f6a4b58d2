"""All randomness of a run, derived from one seed by folding in what it is for.

No key is ever split in a loop or carried in the state: the key of a draw follows from (seed, step,
role, index of the example in the global batch). Restoring step N therefore restores all randomness,
and a batch gets the same draws whether one device holds it or eight share it.
"""

from __future__ import annotations

import contextlib
import contextvars
import zlib
from collections.abc import Callable, Iterator
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


@contextlib.contextmanager
def part(index: Any, parts: int) -> Iterator[None]:
    """Within it, what is called the examples of a device is one part of its batch.

    Parts are contiguous and of one size. It is a scope for tracing, as that of a mapped axis is, so
    that networks need not know of it.

    >>> with part(1, parts=2):
    ...     example_indices(3).tolist()
    [3, 4, 5]

    Args:
        index: of the part, from 0; it may be traced.
        parts: of the batch.
    """
    token = _PART.set((index, parts))
    try:
        yield
    finally:
        _PART.reset(token)


_PART: contextvars.ContextVar[tuple[Any, int]] = contextvars.ContextVar("part", default=(0, 1))


def gathered_indices(count: int, axis_name: str | None = None) -> Int[Array, "batch"]:
    """Positions of this device's ``count`` rows among those of all devices, one after the other.

    Args:
        count: rows on this device.
        axis_name: the mapped axis over which they are sharded in contiguous blocks; None on one
            device.
    """
    start = 0 if axis_name is None else jax.lax.axis_index(axis_name) * count
    return start + jnp.arange(count)


def example_indices(count: int, axis_name: str | None = None) -> Int[Array, "batch"]:
    """Positions in the global batch of the ``count`` examples that this device holds.

    Args:
        count: examples on this device, or in the `part` of its batch that is at hand.
        axis_name: as in `gathered_indices`.
    """
    index, parts = _PART.get()
    if parts == 1:
        return gathered_indices(count, axis_name)
    device = 0 if axis_name is None else jax.lax.axis_index(axis_name)
    return (device * parts + index) * count + jnp.arange(count)


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
        count: as in `example_indices`.
        axis_name: as in `example_indices`.

    Returns:
        The draws, stacked along a new leading axis.
    """
    keys = jax.vmap(lambda index: jax.random.fold_in(key, index))(example_indices(count, axis_name))
    return jax.vmap(draw)(keys)
