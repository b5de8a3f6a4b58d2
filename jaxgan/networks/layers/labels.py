"""Class labels as values that a network can compute with.

A label that is no class gives NaN. Indexing would take the nearest class instead, and
`jax.nn.one_hot` no class at all, both without a word; NaN ends a run with a message. Reading a
table is a matrix product, because the gradient of a gather is a sum whose order GPUs do not keep.
"""

from __future__ import annotations

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax.nn.initializers import Initializer
from jaxtyping import Array, Float

from jaxgan.networks.layers.weights import WeightNorm, normalized
from jaxgan.typing import Labels


def check_classes(classes: int) -> None:
    """Raises ValueError where the number of classes is not known (0)."""
    if classes < 1:
        raise ValueError(
            f"classes = {classes}: a network that is given labels must know their number"
        )


def one_hot(labels: Labels, classes: int) -> Float[Array, "batch classes"]:
    """A 1 in the column of each example's class, 0 elsewhere; float32.

    >>> one_hot(jnp.array([2, 0]), 3)
    Array([[0., 0., 1.],
           [1., 0., 0.]], dtype=float32)

    Args:
        labels: from 0 to ``classes - 1``; the row of any other is NaN.
        classes: their number.

    Raises:
        ValueError: the number of classes is not known (0).
    """
    check_classes(classes)
    known = (labels >= 0) & (labels < classes)
    return jnp.where(known[:, None], jax.nn.one_hot(labels, classes, dtype=jnp.float32), jnp.nan)


def rows(table: Float[Array, "classes features"], labels: Labels) -> Float[Array, "batch features"]:
    """The row of each example's class; NaN for a label that is none."""
    # All digits of the table, which accelerators would round in a product.
    return jnp.matmul(one_hot(labels, table.shape[0]), table, precision=jax.lax.Precision.HIGHEST)


class ClassEmbedding(nn.Module):
    """A vector for each class."""

    features: int
    """Length of a vector."""
    table_init: Initializer = nn.initializers.normal(1.0)
    """Distribution of the first vectors, a ``(classes, features)`` table; by default their entries
    are as large as those of the noise that they stand beside."""
    weight_norm: WeightNorm | None = None
    """What the table is normalized by; None: nothing."""

    @nn.compact
    def __call__(self, labels: Labels, *, classes: int) -> Float[Array, "batch features"]:
        """The vectors of the labels, float32.

        Raises:
            ValueError: the number of classes is not known (0).
        """
        check_classes(classes)
        table = self.param("table", self.table_init, (classes, self.features), jnp.float32)
        return rows(normalized(self, "table", table, self.weight_norm), labels)
