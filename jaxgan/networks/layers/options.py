"""What the string and number fields of the networks stand for, and the checks of their values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax.nn.initializers import Initializer
from jaxtyping import Array, Float

Precision: TypeAlias = Literal["float32", "bfloat16"]
"""Number format of a network's arithmetic; parameters and results are float32 in both."""

Activation: TypeAlias = Literal["relu", "leaky_relu", "tanh"]
"""Nonlinearity of hidden layers."""

_PRECISIONS = {"float32": jnp.float32, "bfloat16": jnp.bfloat16}


def activate(
    name: str, values: Float[Array, "*shape"], slope: float = 0.2
) -> Float[Array, "*shape"]:
    """The nonlinearity called ``name``.

    Args:
        name: one of `Activation`.
        values: what to apply it to.
        slope: of leaky_relu for negative values.
    """
    functions: dict[str, Callable[[Array], Array]] = {
        "relu": nn.relu,
        "leaky_relu": lambda x: nn.leaky_relu(x, slope),
        "tanh": jnp.tanh,
    }
    return functions[name](values)


def kernel_init(std: float | None, orthogonal: bool = False) -> Initializer:
    """Normal weights of a given standard deviation; None: scaled by fan-in (LeCun et al. 1998).

    Orthogonal ones instead make orthonormal rows or columns of weights as a matrix of ``(outputs,
    inputs)``, a convolution's as ``(channels out, taps times channels in)``, whichever are fewer
    (Saxe, McClelland and Ganguli 2014).
    """
    if orthogonal:
        return nn.initializers.orthogonal()
    return nn.initializers.lecun_normal() if std is None else nn.initializers.normal(std)


def unit_init(std: float) -> Callable[..., jax.Array]:
    """Weights drawn from ``N(1, std)``, for the scales of normalization layers."""

    def init(key: jax.Array, shape: Any, dtype: Any = jnp.float32) -> jax.Array:
        return 1.0 + std * jax.random.normal(key, shape, dtype)

    return init


def compute_dtype(name: Precision | None) -> Any:
    """The JAX type called ``name``; float32 for None, which nobody has filled in."""
    return _PRECISIONS[name or "float32"]


def check(module: nn.Module) -> None:
    """Raises ValueError when a field that the networks share has a value that cannot work."""
    if getattr(module, "batch_norm", False) and getattr(module, "norm", None):
        raise ValueError(
            f"{type(module).__name__}.norm = {getattr(module, 'norm')!r}, and batch_norm is on: one"  # noqa: B009
            " layer has one normalization, so switch batch_norm off (no-batch-norm)"
        )
    if getattr(module, "norm", None) == "virtual_batch" and getattr(module, "dropout", 0.0):
        raise ValueError(
            f"{type(module).__name__}.norm = 'virtual_batch' with dropout, which would drop units"
            " of the reference: set dropout to 0"
        )
    if getattr(module, "norm", None) == "instance" and hasattr(module, "widths"):
        raise ValueError(
            f"{type(module).__name__}.norm = 'instance': it wants several values a channel, which"
            " units of dense layers have not; layer would do"
        )
    for name, is_valid, rule in _RULES:
        if hasattr(module, name) and not is_valid(value := getattr(module, name)):
            raise ValueError(f"{type(module).__name__}.{name} = {value!r}: {rule}")


_RULES: tuple[tuple[str, Callable[[Any], bool], str], ...] = (
    ("widths", lambda v: all(w >= 1 for w in v), "units of each hidden layer, all at least 1"),
    ("width", lambda v: v >= 1, "must be at least 1"),
    ("code_size", lambda v: v >= 1, "must be at least 1"),
    ("embedding_size", lambda v: v >= 1, "must be at least 1"),
    ("exponent", lambda v: v in (1, 2), "1 (absolute errors) or 2 (squares)"),
    ("units", lambda v: v >= 1, "must be at least 1"),
    ("max_multiple", lambda v: v >= 1, "must be at least 1"),
    ("pieces", lambda v: v >= 1, "must be at least 1 (1: no maxout)"),
    ("dropout", lambda v: 0 <= v < 1, "a probability, at least 0 and below 1"),
    ("input_dropout", lambda v: 0 <= v < 1, "a probability, at least 0 and below 1"),
    ("embedding", lambda v: v >= 0, "must be at least 0 (0: one-hot labels)"),
    ("init_std", lambda v: v is None or v > 0, "must be positive, or None"),
    ("activation", lambda v: v in ("relu", "leaky_relu", "tanh"), "relu, leaky_relu or tanh"),
    (
        "norm",
        lambda v: v in (None, "layer", "instance", "virtual_batch"),
        "layer, instance, virtual_batch, or None",
    ),
    ("weight_norm", lambda v: v in (None, "spectral", "weight"), "spectral, weight, or None"),
    (
        "minibatch",
        lambda v: v in (None, "discrimination", "stddev"),
        "discrimination, stddev, or None",
    ),
    ("dtype", lambda v: v is None or v in _PRECISIONS, "float32, bfloat16, or None"),
)
