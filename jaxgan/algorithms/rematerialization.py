"""Less memory for more time: activations within a network's blocks are computed twice.

The backward pass needs what the forward pass has computed. Under ``--rematerialize`` only what a
network marks as the end of a block (`jaxgan.networks.layers.blocks`) is kept between the two, and
all else is computed again, block by block. A network that marks nothing is computed again as a
whole. What is computed, drawn and learned stays as it is, and so do the names of parameters.

Megabytes that one call of a network keeps for its backward pass, at batch 64, 32 x 32 x 3 pixels
and default settings, from shapes (leaves of `jax.vjp`'s function other than parameters):

===================  =====  ======
network                all  blocks
===================  =====  ======
ResnetGenerator      909.7    88.1
ResnetDiscriminator  144.2    15.5
===================  =====  ======

How much of that a device saves has not been measured on GPUs and TPUs. XLA on CPUs merges what is
computed twice, and saves nothing; there, `jaxgan.algorithms.micro_batches` does.

References:
    Chen, Xu, Zhang and Guestrin, Training Deep Nets with Sublinear Memory Cost, 2016.
"""

from __future__ import annotations

import contextvars
import functools
from collections.abc import Callable
from typing import Any

import jax

from jaxgan.networks.layers.blocks import KEPT

_ON: contextvars.ContextVar[bool] = contextvars.ContextVar("rematerialize", default=False)


def computing_again(train_step: Callable[..., Any], on: bool) -> Callable[..., Any]:
    """A train step that keeps the ends of its networks' blocks alone; if not ``on``, the step."""
    if not on:
        return train_step

    @functools.wraps(train_step)
    def step(*arguments: Any) -> Any:
        token = _ON.set(True)
        try:
            return train_step(*arguments)
        finally:
            _ON.reset(token)

    return step


def rematerialized(function: Callable[..., Any]) -> Callable[..., Any]:
    """A network's function of rows as a step of `computing_again` computes it."""
    if not _ON.get():
        return function
    return jax.checkpoint(function, policy=jax.checkpoint_policies.save_only_these_names(KEPT))
