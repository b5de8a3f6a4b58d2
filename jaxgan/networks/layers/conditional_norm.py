"""Normalization whose scales and biases depend on the class, or on a vector."""

from __future__ import annotations

from typing import Any

import flax.linen as nn
import jax.numpy as jnp
from jax.nn.initializers import Initializer
from jaxtyping import Array, Float

from jaxgan.networks.layers.dense import Dense
from jaxgan.networks.layers.labels import check_classes, rows
from jaxgan.networks.layers.weights import WeightNorm
from jaxgan.typing import Labels


class ConditionalBatchNorm(nn.Module):
    """Batch normalization with one scale and one bias a class and channel.

    Statistics are those of the whole batch, whatever its classes; only what follows differs:

        y = scale[class] (x - mean) / sqrt(var + epsilon) + bias[class]

    Its variables are ``scale`` and ``bias``, ``(classes, channels)``, in ``params``, which start at
    1 and 0 (so that at first the class makes no difference), and running ``mean`` and ``var`` in
    ``batch_stats``, as of `jaxgan.networks.layers.norm.BatchNorm`.

    References:
        Dumoulin, Shlens and Kudlur, A Learned Representation for Artistic Style, 2017 (there with
        the statistics of each instance). de Vries et al., Modulating Early Visual Processing
        by Language, 2017. Miyato and Koyama, cGANs with Projection Discriminator, 2018, section 5.
    """

    momentum: float = 0.9
    """Share of the running averages that one step keeps."""
    epsilon: float = 1e-5
    """Added to the variance."""
    dtype: Any = None
    """Type of the result; None: that of input and parameters. All before it is float32."""

    @nn.compact
    def __call__(
        self,
        inputs: Float[Array, "batch *shape"],
        *,
        labels: Labels,
        classes: int,
        train: bool,
        axis_name: str | None = None,
    ) -> Float[Array, "batch *shape"]:
        """The inputs normalized.

        Args:
            inputs: channels last.
            labels: class of each example, from 0 to ``classes - 1``; any other gives NaN.
            classes: their number.
            train: normalize with statistics of this batch and fold them into the running averages
                (``batch_stats`` must be mutable); otherwise use the running averages.
            axis_name: mapped axis over which the batch is sharded. Statistics are then those of the
                whole batch, on every device.

        Raises:
            ValueError: the number of classes is not known (0).
        """
        check_classes(classes)
        norm = _statistics(self, axis_name)
        shape = (classes, inputs.shape[-1])
        scale = self.param("scale", nn.initializers.ones_init(), shape, jnp.float32)
        bias = self.param("bias", nn.initializers.zeros_init(), shape, jnp.float32)

        def of_class(table: Array) -> Array:
            between = (1,) * (inputs.ndim - 2)
            return rows(table, labels).reshape(-1, *between, shape[1])

        values = norm(inputs, use_running_average=not train)
        values = of_class(scale) * values + of_class(bias)
        return values.astype(self.dtype or jnp.promote_types(inputs.dtype, jnp.float32))


class ModulatedBatchNorm(nn.Module):
    """Batch normalization whose scales and biases are linear in a vector that is given.

        y = (1 + A c) (x - mean) / sqrt(var + epsilon) + B c

    with the statistics of the whole batch. Its variables are ``scale/kernel`` and ``bias/kernel``,
    ``(size of c, channels)``, and running ``mean`` and ``var`` in ``batch_stats``, as of
    `jaxgan.networks.layers.norm.BatchNorm`. Classes that share an embedding need one vector each,
    and not a scale and a bias for each channel of each layer.

    References:
        Brock et al., Large Scale GAN Training for High Fidelity Natural Image Synthesis, 2019,
        section 3 and appendix B. Chen et al., On Self Modulation for Generative Adversarial
        Networks, 2019 (there of the latent).
    """

    momentum: float = 0.9
    """Share of the running averages that one step keeps."""
    epsilon: float = 1e-5
    """Added to the variance."""
    weight_norm: WeightNorm | None = None
    """What A and B are normalized by; None: nothing."""
    kernel_init: Initializer = nn.initializers.xavier_uniform()
    """Distribution of their first entries."""
    dtype: Any = None
    """Type of the result; None: that of input and parameters. All before it is float32."""

    @nn.compact
    def __call__(
        self,
        inputs: Float[Array, "batch *shape"],
        *,
        condition: Float[Array, "batch size"],
        train: bool,
        axis_name: str | None = None,
    ) -> Float[Array, "batch *shape"]:
        """The inputs normalized.

        Args:
            inputs: channels last.
            condition: vector of each example.
            train: normalize with statistics of this batch and fold them into the running averages
                (``batch_stats`` must be mutable); otherwise use the running averages.
            axis_name: mapped axis over which the batch is sharded. Statistics are then those of the
                whole batch, on every device.
        """
        norm = _statistics(self, axis_name)
        channels, between = inputs.shape[-1], (1,) * (inputs.ndim - 2)

        def linear(name: str) -> Array:
            dense = Dense(
                channels, use_bias=False, dtype=jnp.float32, name=name,
                kernel_init=self.kernel_init, weight_norm=self.weight_norm,
            )  # fmt: skip
            return dense(condition).reshape(-1, *between, channels)

        values = norm(inputs, use_running_average=not train)
        values = (1.0 + linear("scale")) * values + linear("bias")
        return values.astype(self.dtype or jnp.promote_types(inputs.dtype, jnp.float32))


def _statistics(layer: Any, axis_name: str | None) -> nn.BatchNorm:
    """What takes means away and divides by deviations; its averages are the layer's variables."""
    norm = nn.BatchNorm(
        momentum=layer.momentum,
        epsilon=layer.epsilon,
        dtype=jnp.float32,
        use_scale=False,
        use_bias=False,
        axis_name=axis_name,
        use_fast_variance=False,  # as in `jaxgan.networks.layers.norm.BatchNorm`
    )
    # One level in the tree of variables, not two.
    nn.share_scope(layer, norm)
    return norm
