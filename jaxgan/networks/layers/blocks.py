"""Where a network's blocks end, for who computes activations again instead of keeping them."""

from __future__ import annotations

from typing import TypeVar

from jax.ad_checkpoint import checkpoint_name

KEPT = "block"
"""Name of what is kept of a block."""

Values = TypeVar("Values")


def block_end(values: Values) -> Values:
    """What a block returns, marked as such; nothing is computed.

    Under `jaxgan.algorithms.rematerialization` it is kept for the backward pass, and what led from
    one such value to the next is computed again.
    """
    return checkpoint_name(values, KEPT)
