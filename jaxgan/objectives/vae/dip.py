"""DIP-VAE: the covariance of codes over images is pulled towards the identity.

References:
    Kumar, Sattigeri and Balakrishnan, Variational Inference of Disentangled Latent Concepts from
    Unlabeled Observations, 2018, section 3.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any, ClassVar

import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgan.objectives.vae.regularizers import CodeView, check_gaussian, check_pairs
from jaxgan.typing import Codes, PerExample, Scalar


def covariance(means: Codes) -> Float[Array, "latent latent"]:
    """``E[m m'] - E[m] E[m]'`` over a batch.

    >>> covariance(jnp.array([[0.0, 1.0], [2.0, 5.0]])).tolist()
    [[1.0, 2.0], [2.0, 4.0]]
    """
    centered = means - jnp.mean(means, axis=0)
    # A sum over products, not a matrix product, which accelerators round.
    return jnp.mean(centered[:, :, None] * centered[:, None, :], axis=0)


def distance_from_identity(
    matrix: Float[Array, "latent latent"], off_diagonal: float | Scalar, diagonal: float | Scalar
) -> Scalar:
    """``off_diagonal sum_{i != j} C_ij^2 + diagonal sum_i (C_ii - 1)^2``.

    >>> float(distance_from_identity(jnp.array([[3.0, 2.0], [2.0, 1.0]]), 10.0, 0.5))
    82.0
    """
    size = matrix.shape[0]
    others = jnp.where(jnp.eye(size, dtype=bool), 0.0, matrix)
    squares = jnp.sum(jnp.square(jnp.diagonal(matrix) - 1.0))
    return off_diagonal * jnp.sum(jnp.square(others)) + diagonal * squares


@dataclasses.dataclass(frozen=True)
class _Dip:
    """What both variants have in common."""

    off_diagonal: float = 5.0
    """Weight of the squares of the entries off the diagonal; the paper's lambda_od."""

    def __post_init__(self) -> None:
        for name in ("off_diagonal", "diagonal"):
            if not 0.0 <= (value := getattr(self, name)) < math.inf:
                raise ValueError(f"{name} = {value}: must be at least 0 and finite")

    def check(self, model: Any, batch_size: int) -> None:
        """Refuses batches of one, which have no covariance, and posteriors that are not Gaussian.

        Raises:
            ConfigError: one of them.
        """
        check_gaussian(self, model)
        check_pairs(self, batch_size)


@dataclasses.dataclass(frozen=True)
class DipI(_Dip):
    """Of ``Cov[mean]``, the covariance of posterior means."""

    regularizes: ClassVar[str] = "dip_i"

    diagonal: float = 50.0
    """Weight of the squared distances of the diagonal from 1; the paper's lambda_d, there ten times
    lambda_od."""

    def __call__(self, view: CodeView) -> PerExample:
        """The same for all images of the batch."""
        found = covariance(view.gather(view.encoded.mean))
        value = distance_from_identity(found, self.off_diagonal, self.diagonal)
        return jnp.full(len(view.codes), value)


@dataclasses.dataclass(frozen=True)
class DipII(_Dip):
    """Of ``Cov[mean] + E[diag(variance)]``, the covariance of codes."""

    regularizes: ClassVar[str] = "dip_ii"

    diagonal: float = 5.0
    """Weight of the squared distances of the diagonal from 1; the paper's lambda_d, there
    lambda_od."""

    def __call__(self, view: CodeView) -> PerExample:
        """The same for all images of the batch."""
        encoded = view.gather(view.encoded)
        spread = jnp.mean(jnp.exp(encoded.log_variance), axis=0)
        found = covariance(encoded.mean) + jnp.diag(spread)
        value = distance_from_identity(found, self.off_diagonal, self.diagonal)
        return jnp.full(len(view.codes), value)
