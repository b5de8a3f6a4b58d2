"""Orthogonal regularization: the filters of a layer are pulled apart."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgan.objectives.gan.penalties import View, check_settings
from jaxgan.typing import Params


def overlaps(params: Params) -> Float[Array, ""]:
    """``1/2 |(W W^T) o (1 - I)|^2``, summed over all kernels of a network.

    ``W`` is a kernel as a matrix with one row an output channel, ``(out, height width in)``. Its
    rows may have any length; only what two of them have in common counts. Parameters that are
    called anything else than ``kernel`` are spared: biases, scales, and the tables of embeddings.

    The gradient is ``2 ((W W^T) o (1 - I)) W``, which is what the published code of BigGAN adds to
    the gradients without computing the value. The square without the half would give twice that.

    >>> rows = jnp.array([[1.0, 0.0], [2.0, 1.0]])  # their product is 2
    >>> float(overlaps({"layer": {"kernel": rows.T, "bias": jnp.ones(2)}}))
    4.0

    References:
        Brock et al., Large Scale GAN Training for High Fidelity Natural Image Synthesis, 2019,
        section 3.1. Brock et al., Neural Photo Editing with Introspective Adversarial Networks,
        2017, which wants rows of length 1 as well.
    """
    total = jnp.zeros((), jnp.float32)
    for path, kernel in jax.tree_util.tree_leaves_with_path(params):
        if jax.tree_util.keystr(path[-1:], simple=True) == "kernel" and kernel.ndim >= 2:
            columns = kernel.reshape(-1, kernel.shape[-1])
            products = columns.T @ columns
            apart = products * (1.0 - jnp.eye(len(products), dtype=products.dtype))
            total = total + 0.5 * jnp.sum(jnp.square(apart))
    return total


@dataclasses.dataclass(frozen=True)
class Orthogonal:
    """``weight`` times `overlaps` of the discriminator's kernels.

    >>> Orthogonal(weight=1e-3)
    Orthogonal(weight=0.001, every=1)

    Raises:
        ValueError: for a weight that is not positive and finite, or ``every`` below 1.

    References:
        Brock et al., Large Scale GAN Training for High Fidelity Natural Image Synthesis, 2019,
        section 3.1.
    """

    name: ClassVar[str] = "orthogonal"
    per_example: ClassVar[bool] = False

    weight: float = 1e-4
    """Factor of the penalty (beta); 1e-4 in the paper, for the generator."""
    every: int = 1
    """Discriminator updates from one penalty to the next."""

    def __post_init__(self) -> None:
        check_settings(self.weight, self.every)

    def init(self) -> tuple[()]:
        """No state."""
        return ()

    def __call__(self, view: View, state: Any) -> tuple[Float[Array, ""], Any]:
        """One number for the whole batch."""
        return self.weight * overlaps(view.critic_params), state
