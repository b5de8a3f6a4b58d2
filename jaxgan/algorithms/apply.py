"""What algorithms do with networks and batches: calls, reductions, ranges of pixels."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Num

from jaxgan import rng
from jaxgan.algorithms.micro_batches import by_parts
from jaxgan.config import ConfigError
from jaxgan.typing import Batch, Params, PerExample, PRNGKey, Sums, Variables


def call(
    role: str,
    module: nn.Module,
    variables: Variables,
    *inputs: Any,
    train: bool,
    axis_name: str | None = None,
    key: PRNGKey | None = None,
    method: Callable[..., Any] | None = None,
    **settings: Any,
) -> tuple[Any, Params]:
    """Applies a network.

    Args:
        role: how messages call it, such as ``generator``.
        module: the network.
        variables: ``params`` and any other collections, whatever they are called; in training all
            the others may change.
        inputs: what it is called with; axis 0 of every array is the example.
        train: whether it is trained (batch statistics, dropout).
        axis_name: mapped axis over which the batch is sharded; not used where ``train`` is false.
        key: of dropout; None: there is none.
        method: of the module; None: its ``__call__``.
        settings: static arguments, such as ``image_shape``.

    Returns:
        What the network returns, and the collections other than ``params``, as they are afterwards
        ({} where it is not trained).

    Raises:
        ConfigError: the network does not take one of the arguments.
    """
    given = {**settings, "train": train, "axis_name": axis_name if train else None}
    if method is None:
        check_arguments(role, module, len(inputs), given)

    def applied(*rows: Any) -> tuple[Any, Params]:
        if not train:
            return module.apply(variables, *rows, **given, method=method), {}
        return module.apply(
            variables, *rows, **given, method=method,
            mutable=[name for name in variables if name != "params"],
            rngs={} if key is None else {"dropout": key},
        )  # fmt: skip

    return by_parts(applied, *inputs)


def initial(
    role: str, module: nn.Module, key: PRNGKey, *inputs: Any, prefix: str = "", **settings: Any
) -> Variables:
    """First variables of a network.

    Args:
        role: as in `call`.
        module: the network.
        key: of the initialization.
        inputs: examples, of which only shapes are used.
        prefix: of the roles of its random keys, so that several networks draw different ones.
        settings: static arguments.

    Raises:
        ConfigError: the network does not take one of the arguments.
    """
    given = {**settings, "train": False}
    check_arguments(role, module, len(inputs), {**given, "axis_name": None})
    keys = {name: rng.role_key(key, f"{prefix}{name}") for name in ("params", "dropout")}
    return dict(module.init(keys, *inputs, **given))


def check_arguments(role: str, module: nn.Module, inputs: int, given: Mapping[str, Any]) -> None:
    """Refuses a network that cannot be called as algorithms call it.

    Raises:
        ConfigError: names the network, and the argument that it lacks.
    """
    signature = inspect.signature(type(module).__call__)
    try:
        signature.bind(module, *[None] * inputs, **given)
    except TypeError as error:
        names = ", ".join(given)
        raise ConfigError(
            f"the {role}, {type(module).__name__}, cannot be called with {inputs} input(s) and the"
            f" arguments {names}: its __call__{signature} says {error}"
        ) from None


def check_shape(role: str, module: nn.Module, found: Any, wanted: tuple[Any, ...]) -> None:
    """Refuses a network whose result has not the shape that it should have.

    Args:
        role: as in `call`.
        module: the network.
        found: what it returned.
        wanted: the shape; the first axis is the batch.

    Raises:
        ConfigError: names the network, what it returned, and what is wanted.
    """
    shape = getattr(found, "shape", None)
    if shape != wanted:
        what = f"an array of shape {shape}" if shape is not None else f"a {type(found).__name__}"
        raise ConfigError(
            f"the {role}, {type(module).__name__}, returns {what} for a batch of {wanted[0]};"
            f" wanted is {wanted}"
        )


class Reduce(NamedTuple):
    """Reductions over the devices that share a batch; on one device they change nothing.

    Attributes:
        mean: of values that each device has of its own rows; whole numbers, which count alike on
            all devices, stay as they are.
        total: their sum, as counts need it.
        gather: all rows, in the order of the global batch, of arrays of this device's rows.
        own: this device's rows of arrays of all rows.
        rows: positions of this device's rows in the global batch, from their number.
    """

    mean: Callable[[Any], Any]
    total: Callable[[Any], Any]
    gather: Callable[[Any], Any]
    own: Callable[[Any], Any]
    rows: Callable[[int], Array]


def reduce(axis_name: str | None) -> Reduce:
    """The reductions over a mapped axis; None: one device."""

    def same(tree: Any) -> Any:
        return tree

    def rows(count: int) -> Array:
        return rng.gathered_indices(count, axis_name)

    def mean(leaf: Any) -> Any:
        floating = jnp.issubdtype(jnp.result_type(leaf), jnp.inexact)
        return jax.lax.pmean(leaf, axis_name) if floating else leaf

    def own(leaf: Any) -> Any:
        count = leaf.shape[0] // jax.lax.psum(1, axis_name)
        return jax.lax.dynamic_slice_in_dim(leaf, jax.lax.axis_index(axis_name) * count, count)

    if axis_name is None:
        return Reduce(same, same, same, same, rows)
    return Reduce(
        lambda tree: jax.tree.map(mean, tree),
        lambda tree: jax.lax.psum(tree, axis_name),
        lambda tree: jax.lax.all_gather(tree, axis_name, axis=0, tiled=True),
        lambda tree: jax.tree.map(own, tree),
        rows,
    )


def gradient_norm(player: str, gradients: Params) -> dict[str, Float[Array, ""]]:
    """The global L2 norm of a player's gradients, as a metric of its update.

    Args:
        player: by its name in the state.
        gradients: averaged over the devices; what the optimizer gets, before any clipping.
    """
    return {f"{player}_grad_norm": optax.tree.norm(gradients)}


def batch_statistics(
    apply: Callable[[dict[str, Any]], tuple[Any, Mapping[str, Any]]], variables: Mapping[str, Any]
) -> tuple[Any, Params]:
    """What a network makes of a batch in train mode, and the statistics that it normalized with.

    A network folds a batch's statistics ``b`` into running averages, ``new = m old + (1 - m) b``,
    with momenta of its own. Two values of ``old`` give ``m`` and ``b``; the outputs do not depend
    on them, so that compiled code makes the outputs once.

    Args:
        apply: from variables to outputs and changed collections, in train mode.
        variables: of the network.

    Returns:
        The outputs, and a tree like ``batch_stats`` ({} where there is none); what ``apply`` does
        not normalize with is as it was.
    """
    before = variables.get("batch_stats", {})

    def after(old: Any) -> tuple[Any, Any]:
        outputs, changed = apply({**variables, "batch_stats": old})
        return outputs, changed.get("batch_stats", {})

    outputs, from_zero = after(jax.tree.map(jnp.zeros_like, before))
    # As large as the statistics themselves, so that few digits of m are lost.
    other = jax.tree.map(lambda leaf: 1.0 + 10.0 * jnp.abs(leaf), from_zero)
    _, from_other = after(other)

    def statistic(old: Array, zero: Array, start: Array, end: Array) -> Array:
        kept = (end - zero) / start
        return jnp.where(kept < 1.0, zero / jnp.where(kept < 1.0, 1.0 - kept, 1.0), old)

    return outputs, jax.tree.map(statistic, before, from_zero, other, from_other)


def masked_sum(
    values: Float[Array, "batch"], batch: Batch
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """``(sum, count)`` of per-example values, without the examples that ``mask`` excludes."""
    mask = batch.get("mask")
    weights = jnp.ones_like(values) if mask is None else jnp.asarray(mask, values.dtype)
    return jnp.sum(values * weights), jnp.sum(weights)


def sums_with_squares(values: Mapping[str, PerExample], batch: Batch) -> Sums:
    """What ``evaluate`` returns of per-example values; squares give their means' standard errors.

    Args:
        values: by name.
        batch: of the examples, whose ``mask`` applies.
    """
    squares = {f"{name}_squared": jnp.square(value) for name, value in values.items()}
    return {name: masked_sum(value, batch) for name, value in {**values, **squares}.items()}


def sums_of_shares(
    values: Mapping[str, PerExample], batch: Batch, trials: Mapping[str, int]
) -> Sums:
    """What ``evaluate`` returns of per-example shares of decisions that were right.

    Args:
        values: by name, from 0 to 1.
        batch: of the examples, whose ``mask`` applies.
        trials: decisions that each example's share is of, by name; 1 where it is not there.
    """
    counts = {
        f"{name}_trials": jnp.full_like(value, trials.get(name, 1))
        for name, value in values.items()
    }
    return {name: masked_sum(value, batch) for name, value in {**values, **counts}.items()}


def to_symmetric(images: Num[Array, "..."]) -> Float[Array, "..."]:
    """uint8 images to floats in [-1, 1]; points (floats) unchanged."""
    if images.dtype == jnp.uint8:
        return images.astype(jnp.float32) / 127.5 - 1.0
    return images


def to_unit(pixels: Float[Array, "..."]) -> Float[Array, "..."]:
    """Floats in [-1, 1] to [0, 1]; values outside are clipped."""
    return jnp.clip((pixels + 1.0) / 2.0, 0.0, 1.0)


def quantized(pixels: Float[Array, "..."]) -> Num[Array, "..."]:
    """Floats in [0, 1] to the nearest uint8; values outside are clipped."""
    return jnp.round(jnp.clip(pixels, 0.0, 1.0) * 255.0).astype(jnp.uint8)
