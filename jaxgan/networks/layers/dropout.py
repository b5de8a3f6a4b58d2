"""Dropout whose masks do not depend on the number of devices."""

from __future__ import annotations

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgan.networks.layers.options import check
from jaxgan.rng import per_example


class Dropout(nn.Module):
    """Sets values to 0 at random and scales the rest, so that means stay (Srivastava et al. 2014).

    The mask of an example follows from the key ``dropout`` and from the example's place in the
    global batch: eight devices draw what one device would.
    """

    dropout: float
    """Probability that a value is set to 0."""

    def __post_init__(self) -> None:
        check(self)
        super().__post_init__()

    @nn.compact
    def __call__(
        self, inputs: Float[Array, "*shape"], *, train: bool, axis_name: str | None = None
    ) -> Float[Array, "*shape"]:
        """The inputs with some values dropped; unchanged unless ``train``.

        Args:
            inputs: this device's examples, ``(batch, ...)``.
            train: whether to drop anything.
            axis_name: mapped axis over which the batch is sharded in contiguous blocks.
        """
        if not train or self.dropout == 0.0:
            return inputs
        keep = 1.0 - self.dropout
        mask = per_example(
            lambda key: jax.random.bernoulli(key, keep, inputs.shape[1:]),
            self.make_rng("dropout"),
            inputs.shape[0],
            # Shapes are worked out without devices.
            None if self.is_initializing() else axis_name,
        )
        return jnp.where(mask, inputs / keep, jnp.zeros_like(inputs))
