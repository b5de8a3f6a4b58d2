"""Normalization layers."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import flax.linen as nn
from jaxtyping import Array, Float

from jaxgan.networks.layers.options import unit_init
from jaxgan.networks.layers.virtual_norm import VirtualBatchNorm

Norm: TypeAlias = Literal["layer", "instance", "virtual_batch"]
"""Normalizations in place of `BatchNorm`, under which no example depends on others of its batch."""


def norm_layer(batch_norm: bool, norm: Norm | None) -> type[nn.Module] | None:
    """The layer that a network's fields ask for; None: none."""
    if batch_norm:
        return BatchNorm
    layers = {"layer": LayerNorm, "instance": InstanceNorm, "virtual_batch": VirtualBatchNorm}
    return None if norm is None else layers[norm]


class BatchNorm(nn.Module):
    """Batch normalization over all axes but the last (Ioffe and Szegedy 2015).

    Its variables are those of `flax.linen.BatchNorm`: ``scale`` and ``bias`` in ``params``, running
    ``mean`` and ``var`` (the biased one) in ``batch_stats``. The variance is the mean square of
    deviations from the mean: flax's own ``E[x^2] - E[x]^2`` loses it where the mean is a few
    thousand standard deviations away.
    """

    momentum: float = 0.9
    """Share of the running averages that one step keeps."""
    epsilon: float = 1e-5
    """Added to the variance."""
    scale_std: float = 0.02
    """Scales start from a normal distribution around 1 of this width, as DCGAN's do."""
    dtype: Any = None
    """Type of the result; None: that of input and parameters. Statistics are always float32."""

    @nn.compact
    def __call__(
        self, inputs: Float[Array, "*shape"], *, train: bool, axis_name: str | None = None
    ) -> Float[Array, "*shape"]:
        """The inputs normalized.

        Args:
            inputs: channels last.
            train: normalize with statistics of this batch and fold them into the running averages
                (``batch_stats`` must be mutable); otherwise use the running averages.
            axis_name: mapped axis over which the batch is sharded. Statistics are then those of the
                whole batch, on every device.
        """
        norm = nn.BatchNorm(
            momentum=self.momentum,
            epsilon=self.epsilon,
            dtype=self.dtype,
            scale_init=unit_init(self.scale_std),
            axis_name=axis_name,
            use_fast_variance=False,
        )
        # One level in the tree of variables, not two.
        nn.share_scope(self, norm)
        return norm(inputs, use_running_average=not train)


class LayerNorm(nn.Module):
    """Normalization of each example over all that it has, with a scale and a bias a channel.

    References:
        Ba, Kiros and Hinton, Layer Normalization, 2016. Over height, width and channels as in
        WGAN-GP (Gulrajani et al. 2017, section 4), whose penalty it allows.
    """

    epsilon: float = 1e-5
    """Added to the variance."""
    dtype: Any = None
    """Type of the result; None: that of input and parameters. Statistics are always float32."""

    @nn.compact
    def __call__(
        self, inputs: Float[Array, "batch *shape"], *, train: bool, axis_name: str | None = None
    ) -> Float[Array, "batch *shape"]:
        """The inputs normalized, in training and outside alike."""
        del train, axis_name
        norm = nn.LayerNorm(
            epsilon=self.epsilon,
            dtype=self.dtype,
            reduction_axes=tuple(range(1, inputs.ndim)),
            feature_axes=-1,
            use_fast_variance=False,  # as in `BatchNorm`
        )
        nn.share_scope(self, norm)
        return norm(inputs)


class InstanceNorm(nn.Module):
    """Normalization of each channel of each example, with a scale and a bias a channel.

    References:
        Ulyanov, Vedaldi and Lempitsky, Instance Normalization, 2016.
    """

    epsilon: float = 1e-5
    """Added to the variance."""
    dtype: Any = None
    """Type of the result; None: that of input and parameters. Statistics are always float32."""

    @nn.compact
    def __call__(
        self, inputs: Float[Array, "batch *shape"], *, train: bool, axis_name: str | None = None
    ) -> Float[Array, "batch *shape"]:
        """The inputs normalized, in training and outside alike.

        Raises:
            ValueError: a channel has one value, which is nothing to average over.
        """
        del train, axis_name
        if inputs.ndim < 3:
            raise ValueError(
                "instance norm wants several values a channel, which vectors have not: use layer"
            )
        norm = nn.LayerNorm(
            epsilon=self.epsilon,
            dtype=self.dtype,
            reduction_axes=tuple(range(1, inputs.ndim - 1)),
            feature_axes=-1,
            use_fast_variance=False,  # as in `BatchNorm`
        )
        nn.share_scope(self, norm)
        return norm(inputs)
