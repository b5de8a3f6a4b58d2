"""Virtual batch normalization: statistics of a batch that is fixed once (Salimans et al. 2016).

A network keeps `REFERENCE` examples, those that it is first trained with, in a collection of its
own, ``reference``. They run through it in front of every batch, so that each layer has their
statistics under the weights of the day; what the layer then makes of another example depends on
that example and on the reference alone.

References:
    Salimans et al., Improved Techniques for Training GANs, 2016, section 3.4.
"""

from __future__ import annotations

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

REFERENCE = 64
"""Examples of the reference batch; a first batch of fewer is repeated."""


class VirtualBatchNorm(nn.Module):
    """Normalization of each example with its own statistics mixed into the reference's.

    Of B reference examples, mean and mean square of a channel are ``(own + B reference) / (B + 1)``
    for another example, and the reference's own for the reference. Own statistics are over the
    pixels of the example. Scales start at ``exp(N(0, 0.02))``, as in the authors' code.
    """

    epsilon: float = 1e-5
    """Added to the variance."""
    dtype: Any = None
    """Type of the result; None: that of the input. All before it is float32."""

    @nn.compact
    def __call__(
        self, inputs: Float[Array, "rows *shape"], *, train: bool, axis_name: str | None = None
    ) -> Float[Array, "rows *shape"]:
        """The inputs normalized.

        Args:
            inputs: the reference examples, and then those of this device; channels last.
            train: makes no difference here.
            axis_name: makes none.
        """
        del train, axis_name
        shape = inputs.shape[-1:]
        scale = self.param("scale", _near_one, shape)
        bias = self.param("bias", nn.initializers.zeros_init(), shape, jnp.float32)
        values = inputs.astype(jnp.float32)
        pixels = tuple(range(1, inputs.ndim - 1))
        ours = values[:REFERENCE]
        mean = jnp.mean(ours, axis=(0, *pixels))
        var = jnp.var(ours, axis=(0, *pixels))
        own_mean = jnp.mean(values[REFERENCE:], axis=pixels, keepdims=True)
        own_var = jnp.var(values[REFERENCE:], axis=pixels, keepdims=True)
        share = 1.0 / (REFERENCE + 1)
        mixed = share * own_mean + (1.0 - share) * mean
        # What mean squares give, without the digits that their difference to a mean would lose.
        spread = share * (own_var + jnp.square(own_mean - mixed))
        spread = spread + (1.0 - share) * (var + jnp.square(mean - mixed))
        normalized = [
            (ours - mean) * jax.lax.rsqrt(var + self.epsilon),
            (values[REFERENCE:] - mixed) * jax.lax.rsqrt(spread + self.epsilon),
        ]
        outputs = jnp.concatenate(normalized) * scale + bias
        return outputs.astype(self.dtype or inputs.dtype)


class Reference(nn.Module):
    """The reference examples of a network, and whether there are any yet."""

    @nn.compact
    def __call__(
        self, inputs: Float[Array, "batch *shape"], *, train: bool, axis_name: str | None
    ) -> Float[Array, "rows *shape"]:
        """The reference examples, and then the inputs.

        Args:
            inputs: of this device.
            train: whether the reference is these inputs, if there is none yet.
            axis_name: mapped axis over which the batch is sharded; the reference is taken from all
                of it, so that devices agree.
        """
        shape = (REFERENCE, *inputs.shape[1:])
        kept = self.variable("reference", "examples", jnp.zeros, shape, jnp.float32)
        there = self.variable("reference", "there", lambda: jnp.zeros((), jnp.bool_))
        examples = kept.value
        if train and not self.is_initializing():
            every = jax.lax.stop_gradient(inputs).astype(jnp.float32)
            if axis_name is not None:
                every = jax.lax.all_gather(every, axis_name, tiled=True)
            first = every[jnp.arange(REFERENCE) % every.shape[0]]
            examples = jnp.where(there.value, examples, first)
            if self.is_mutable_collection("reference"):
                kept.value, there.value = examples, jnp.ones((), jnp.bool_)
        return jnp.concatenate([examples.astype(inputs.dtype), inputs])


def with_reference(
    norm: Any, inputs: Float[Array, "batch *shape"], *, train: bool, axis_name: str | None
) -> Float[Array, "rows *shape"]:
    """What a network's layers run on; called inside a module's ``__call__``.

    Args:
        norm: the network's normalization layer; there is a reference for `VirtualBatchNorm`.
        inputs: of this device.
        train: as in `Reference`.
        axis_name: as in `Reference`.
    """
    if norm is not VirtualBatchNorm:
        return inputs
    return Reference()(inputs, train=train, axis_name=axis_name)


def without_reference(norm: Any, values: Float[Array, "rows *shape"]) -> Float[Array, "batch *s"]:
    """What the layers made of the inputs of `with_reference`."""
    return values[REFERENCE:] if norm is VirtualBatchNorm else values


def _near_one(key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    return jnp.exp(0.02 * jax.random.normal(key, shape))
