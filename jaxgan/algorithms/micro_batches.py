"""Large batches in little memory: networks see a batch in parts, one part after the other.

Everything else of a step stays as it is. Losses, penalties and controllers read the verdicts, codes
and images of the whole batch, and each player makes one update, so that the gradient is that of the
whole batch, whatever the loss compares. A part's activations are not kept: when its gradient is
due, the part is computed again, and the gradients of all parts are summed up. That costs one more
forward pass.

What a network itself computes from several examples of a batch, it computes from those of a part:
statistics of batch normalization, and minibatch discrimination or standard deviation. A run then is
another one than that of the whole batch, and says so (`warnings`).
"""

from __future__ import annotations

import contextlib
import contextvars
import functools
import math
from collections.abc import Callable, Iterator
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgan import rng
from jaxgan.algorithms.rematerialization import rematerialized
from jaxgan.algorithms.state import State
from jaxgan.config import ConfigError, Experiment, config_fields
from jaxgan.typing import Params

_PARTS: contextvars.ContextVar[int] = contextvars.ContextVar("micro_batches", default=1)


def in_parts(train_step: Callable[..., Any], parts: int) -> Callable[..., Any]:
    """A train step whose networks see each device's batch in so many parts.

    With one part, the step itself.
    """
    if parts == 1:
        return train_step

    @functools.wraps(train_step)
    def step(*arguments: Any) -> Any:
        with _in_force(parts):
            return train_step(*arguments)

    return step


def check(experiment: Experiment, devices: int = 1) -> None:
    """Refuses parts that a batch has not.

    Args:
        experiment: whose batch it is.
        devices: that share it evenly.

    Raises:
        ConfigError: a device's images cannot be divided so, or a network takes its reference from a
            whole batch.
    """
    parts, count = experiment.micro_batches, experiment.batch_size // devices
    if count % parts:
        nearest = max(n for n in range(1, parts) if count % n == 0)
        of = f"the {count} images of a device" if devices > 1 else f"the batch of {count} images"
        raise ConfigError(
            f"micro_batches = {parts} does not divide {of}: parts are of one size; set"
            f" --micro-batches {nearest}, or another --batch-size"
        )
    for name, network in _networks(experiment.model):
        if parts > 1 and getattr(network, "norm", None) == "virtual_batch":
            raise ConfigError(
                f"the {name}, {type(network).__name__}, is normalized by the first batch as a"
                f" whole, which micro_batches = {parts} takes apart: set --micro-batches 1, or"
                " another norm"
            )


def warnings(experiment: Experiment, state: State) -> tuple[str, ...]:
    """What parts of a batch change, on one line; empty where they change nothing.

    Args:
        experiment: that is trained.
        state: its first, of which the structure is looked at.
    """
    if experiment.micro_batches == 1:
        return ()
    normalized = [n for n, player in state.players.items() if player.model_state.get("batch_stats")]
    compared = [
        name
        for name, network in _networks(experiment.model)
        if getattr(network, "minibatch", None) is not None
    ]
    found = {"batch normalization": normalized, "minibatch features": compared}
    said = [f"{what} of the {' and the '.join(who)}" for what, who in found.items() if who]
    if not said:
        return ()
    size = experiment.batch_size // experiment.micro_batches
    return (
        f"{' and '.join(said)} see {size} images at a time, and not the {experiment.batch_size} of"
        f" a batch (--micro-batches {experiment.micro_batches}): a run without is another one",
    )


def _networks(owner: Any, name: str = "") -> Iterator[tuple[str, nn.Module]]:
    """The networks in a value's fields, and in theirs, by the name of the first field."""
    for field in config_fields(owner):
        value = getattr(owner, field.name)
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, nn.Module):
                yield name or field.name, one
                yield from _networks(one, name or field.name)


def by_parts(function: Callable[..., tuple[Any, Params]], *rows: Any) -> tuple[Any, Params]:
    """``function(*rows)``, within a step of `in_parts` computed in parts.

    Each part is computed as `jaxgan.algorithms.rematerialization` says, where a step does.

    What is drawn for an example within it (`jaxgan.rng.per_example`) does not depend on the parts.
    Where the rows cannot be divided into as many parts, there are as many as divide both.

    Args:
        function: of rows, to rows, and to collections such as batch statistics; those that come
            with the parts are averaged.
        rows: pytrees of arrays, all with the same number of rows along axis 0.
    """
    leaves = jax.tree.leaves(rows)
    parts = math.gcd(_PARTS.get(), leaves[0].shape[0]) if leaves else 1
    function = rematerialized(function)
    if parts == 1:
        return function(*rows)

    @jax.checkpoint
    def one(index: Any, own: Any) -> tuple[Any, Params]:
        with rng.part(index, parts), _in_force(1):
            return function(*own)

    def step(_: None, given: Any) -> tuple[None, tuple[Any, Params]]:
        return None, one(*given)

    apart = jax.tree.map(lambda leaf: leaf.reshape(parts, -1, *leaf.shape[1:]), rows)
    _, (made, changed) = jax.lax.scan(step, None, (jnp.arange(parts), apart))
    together = jax.tree.map(lambda leaf: leaf.reshape(parts * leaf.shape[1], *leaf.shape[2:]), made)
    return together, jax.tree.map(_averaged, changed)


@contextlib.contextmanager
def _in_force(parts: int) -> Iterator[None]:
    token = _PARTS.set(parts)
    try:
        yield
    finally:
        _PARTS.reset(token)


def _averaged(each: Any) -> Any:
    """The mean of what the parts made of an array; what is no float, from the last of them."""
    if not jnp.issubdtype(each.dtype, jnp.inexact):
        return each[-1]
    # What is the same in all parts stays so to the last bit.
    return each[0] + jnp.mean(each - each[0], axis=0)
