"""Layers by which a discriminator sees how much the examples of a batch differ.

Both look at the whole global batch, whatever the number of devices. Real and generated images are
batches of their own, as `jaxgan.algorithms.gan` judges them.
"""

from __future__ import annotations

import math
from typing import Literal, TypeAlias

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgan.rng import gathered_indices

Minibatch: TypeAlias = Literal["discrimination", "stddev"]
"""What the last layer gets besides features of single examples."""


def beside_features(
    kind: Minibatch | None, features: Float[Array, "batch features"], axis_name: str | None
) -> Float[Array, "batch all_features"]:
    """Features, and what `Minibatch` adds to them; called inside a module's ``__call__``."""
    if kind == "discrimination":
        return MinibatchDiscrimination()(features, axis_name=axis_name)
    if kind == "stddev":
        return MinibatchStddev()(features, axis_name=axis_name)
    return features


class MinibatchDiscrimination(nn.Module):
    """How near the other examples are, by several trained measures.

    With ``M_i`` the matrix ``(kernels, size)`` that a trained tensor makes of example i's features,
    appends the ``kernels`` values

        o(x_i)_b = bias_b + sum over j != i of exp(-|M_ib - M_jb|_1)

    References:
        Salimans et al., Improved Techniques for Training GANs, 2016, section 3.2. Number, size and
        first weights are those of their code for CIFAR-10.
    """

    kernels: int = 100
    """Values appended."""
    size: int = 5
    """Length of the rows that distances are between."""

    @nn.compact
    def __call__(
        self, features: Float[Array, "batch features"], *, axis_name: str | None = None
    ) -> Float[Array, "batch all_features"]:
        """Features and nearness, float32.

        Args:
            features: one vector an example.
            axis_name: mapped axis over which the batch is sharded in contiguous blocks.
        """
        features = features.astype(jnp.float32)
        shape = (features.shape[-1], self.kernels * self.size)
        kernel = self.param("kernel", nn.initializers.normal(0.05), shape, jnp.float32)
        bias = self.param("bias", nn.initializers.constant(-1.0), (self.kernels,), jnp.float32)
        own = (features @ kernel).reshape(-1, self.kernels, self.size)
        every = _gathered(own, axis_name)
        distances = jnp.zeros((own.shape[0], every.shape[0], self.kernels))
        for place in range(self.size):  # never all differences at once: they are many
            distances += jnp.abs(own[:, None, :, place] - every[None, :, :, place])
        others = gathered_indices(own.shape[0], axis_name)[:, None] != jnp.arange(every.shape[0])
        near = jnp.sum(jnp.exp(-distances) * others[:, :, None], axis=1)
        return jnp.concatenate([features, near + bias], axis=-1)


class MinibatchStddev(nn.Module):
    """One more channel: by how much the examples of a group differ, a value for all of them.

    Of a batch of N in groups of G, the group of example n are those with its remainder of ``n /
    (N / G)``, as in StyleGAN2: neighbors are in different groups. The value is the mean over all
    places and channels of ``sqrt(variance within the group + 1e-8)``.

    References:
        Karras et al., Progressive Growing of GANs, 2018, section 3. Karras et al., Analyzing and
        Improving the Image Quality of StyleGAN, 2020 (groups of 4).
    """

    group: int = 4
    """Examples of a group. A batch that cannot be divided so has groups of the largest size below
    that divides it."""

    @nn.compact
    def __call__(
        self, inputs: Float[Array, "batch *shape channels"], *, axis_name: str | None = None
    ) -> Float[Array, "batch *shape more_channels"]:
        """The inputs with one more channel, in their type.

        Args:
            inputs: feature maps or vectors, channels last.
            axis_name: mapped axis over which the batch is sharded in contiguous blocks.
        """
        own = inputs.shape[0]
        values = _gathered(inputs, axis_name).astype(jnp.float32)
        count = values.shape[0]
        size = max(n for n in range(1, self.group + 1) if count % n == 0)
        groups = values.reshape(size, count // size, math.prod(inputs.shape[1:]))
        stddev = jnp.mean(jnp.sqrt(jnp.var(groups, axis=0) + 1e-8), axis=-1)
        of_own = stddev[gathered_indices(own, axis_name) % (count // size)]
        channel = of_own.astype(inputs.dtype).reshape(own, *(1,) * (inputs.ndim - 1))
        channel = jnp.broadcast_to(channel, (*inputs.shape[:-1], 1))
        return jnp.concatenate([inputs, channel], axis=-1)


def _gathered(values: Array, axis_name: str | None) -> Array:
    """Those of all devices."""
    return values if axis_name is None else jax.lax.all_gather(values, axis_name, tiled=True)
