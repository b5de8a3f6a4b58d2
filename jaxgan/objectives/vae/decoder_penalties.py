"""What keeps a decoder smooth where no noise in the codes does: regularized autoencoders.

A regularized autoencoder has `jaxgan.objectives.vae.posteriors.Point`,
`jaxgan.objectives.vae.bounds.Reconstruction`, `jaxgan.objectives.vae.code_norm.CodeNorm` and one of
these, or a decoder with spectral normalization instead.

References:
    Ghosh, Sajjadi, Vergari, Black and Schoelkopf, From Variational to Deterministic Autoencoders,
    2020, section 3 (their L_REG).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgan import rng
from jaxgan.objectives.vae.regularizers import CodeView
from jaxgan.typing import Codes, PerExample


def _check_weight(weight: float) -> None:
    if not 0.0 < weight < math.inf:
        raise ValueError(f"weight = {weight}: must be above 0 and finite")


@dataclasses.dataclass(frozen=True)
class DecoderNorm:
    """``weight |theta|^2`` over all parameters of the decoder: Tikhonov regularization."""

    regularizes: ClassVar[str] = "decoder_norm"

    weight: float = 1e-4
    """Factor; the paper's lambda."""

    def __post_init__(self) -> None:
        _check_weight(self.weight)

    def __call__(self, view: CodeView) -> PerExample:
        """The same for all images."""
        squares = [jnp.sum(jnp.square(leaf)) for leaf in jax.tree.leaves(view.params["decoder"])]
        return jnp.full(len(view.codes), self.weight * sum(squares))


def squared_changes(
    decode: Callable[[Codes], Array], codes: Codes, directions: Codes
) -> PerExample:
    """``|J v|^2``: how much what is decoded from each code changes along a direction.

    Args:
        decode: from codes to what a decoder makes of each by itself.
        codes: where.
        directions: v of each code.
    """
    _, change = jax.jvp(decode, (codes,), (directions,))
    return jnp.sum(jnp.square(change), axis=tuple(range(1, change.ndim)))


@dataclasses.dataclass(frozen=True)
class DecoderSlope:
    """``weight |J|^2``, the sum of the squares of all slopes of the decoder's outputs by the code.

    Estimated along random directions of signs, whose mean is exact (Hutchinson 1990): all of the
    Jacobian would cost as many passes through the decoder as a code has dimensions. The outputs are
    what the likelihood takes, such as means or logits.
    """

    regularizes: ClassVar[str] = "decoder_slope"

    weight: float = 1e-4
    """Factor; the paper's lambda."""
    directions: int = 1
    """Directions for each code."""

    def __post_init__(self) -> None:
        _check_weight(self.weight)
        if self.directions < 1:
            raise ValueError(f"directions = {self.directions}: must be at least 1")

    def __call__(self, view: CodeView) -> PerExample:
        """See the class."""
        key, size = rng.role_key(view.key, "decoder_slope"), view.codes.shape[-1]

        def drawn(row: Any) -> Float[Array, "directions size"]:
            own = jax.random.fold_in(key, row)
            return jax.random.rademacher(own, (self.directions, size), view.codes.dtype)

        along = jnp.swapaxes(jax.vmap(drawn)(view.rows), 0, 1)
        found = jax.vmap(lambda one: squared_changes(view.decode, view.codes, one))(along)
        return self.weight * jnp.mean(found, axis=0)
