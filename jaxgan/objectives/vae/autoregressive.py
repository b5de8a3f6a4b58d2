"""A network whose every output depends on the inputs before it alone, and on a context."""

from __future__ import annotations

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxgan import rng
from jaxgan.typing import Codes, Params, PRNGKey


class Masks(NamedTuple):
    """Which weights there are.

    Attributes:
        inputs: of the hidden layer, ``(size, hidden)``.
        outputs: of the layer after it, ``(hidden, size)``.
    """

    inputs: np.ndarray
    outputs: np.ndarray


@functools.cache
def masks(size: int, hidden: int) -> Masks:
    """Hidden units see inputs up to one of them, and outputs the units that see only earlier ones.

    Units take turns in how much they see; one in ``size`` of them sees the context alone, as the
    first output does.

    >>> masks(2, 2).inputs.tolist(), masks(2, 2).outputs.tolist()
    ([[0.0, 1.0], [0.0, 0.0]], [[1.0, 1.0], [0.0, 1.0]])

    References:
        Germain et al., MADE: Masked Autoencoder for Distribution Estimation, 2015, eq. 8 and 9.
    """
    last_seen = np.arange(hidden) % size - 1
    places = np.arange(size)
    return Masks(
        (places[:, None] <= last_seen).astype(np.float32),
        (last_seen[:, None] < places).astype(np.float32),
    )


def init(key: PRNGKey, *, size: int, hidden: int, context: int) -> Params:
    """First weights, scaled by the number of inputs that they have.

    Args:
        key: of the weights.
        size: numbers of a code.
        hidden: units of the one hidden layer.
        context: numbers of the context; 0: there is none.
    """

    def weights(role: str, rows: int, columns: int, fan_in: int) -> Float[Array, "rows columns"]:
        drawn = jax.random.normal(rng.role_key(key, role), (rows, columns))
        return drawn / jnp.sqrt(float(max(fan_in, 1)))

    return {
        "codes": weights("codes", size, hidden, size + context),
        "context": weights("context", context, hidden, size + context),
        "hidden_bias": jnp.zeros(hidden),
        "shift": weights("shift", hidden, size, hidden),
        "shift_bias": jnp.zeros(size),
        "gate": weights("gate", hidden, size, hidden),
        "gate_bias": jnp.zeros(size),
    }


@jax.named_scope("autoregressive")
def apply(
    params: Params, codes: Codes, context: Float[Array, "batch context"]
) -> tuple[Codes, Codes]:
    """Two numbers for each number of a code, from the numbers before it and the context.

    Args:
        params: as `init` makes them.
        codes: what is read.
        context: what all outputs depend on.

    References:
        Kingma et al., Improving Variational Inference with Inverse Autoregressive Flow, 2016,
        section 4 (masked networks with a context, ELU).
    """
    kept = masks(codes.shape[-1], params["hidden_bias"].shape[0])
    hidden = codes @ (params["codes"] * kept.inputs) + context @ params["context"]
    hidden = jax.nn.elu(hidden + params["hidden_bias"])
    shift, gate = (
        hidden @ (params[name] * kept.outputs) + params[f"{name}_bias"]
        for name in ("shift", "gate")
    )
    return shift, gate
