"""Multilayer perceptrons of gated units: encoder and decoder of the VampPrior's paper."""

from __future__ import annotations

import flax.linen as nn
from jaxtyping import Array, Float

from jaxgan.networks.hidden import to_images
from jaxgan.networks.layers.dense import Dense
from jaxgan.networks.layers.heads import GaussianHead
from jaxgan.networks.layers.options import Precision, check, compute_dtype, kernel_init
from jaxgan.typing import ImageShape, Latents, Pixels


class GatedLayers(nn.Module):
    """Dense layers without a nonlinearity, each multiplied by the sigmoid of another one.

    References:
        Dauphin, Fan, Auli and Grangier, Language Modeling with Gated Convolutional Networks, 2017,
        eq. 1.
    """

    widths: tuple[int, ...]
    """Units of each layer."""
    init_std: float | None = None
    """Standard deviation of the first weights; None: scaled by fan-in."""
    dtype: Precision | None = None
    """Number format of the arithmetic; None: the experiment's (float32 when used alone)."""

    @nn.compact
    def __call__(self, values: Float[Array, "batch inputs"]) -> Float[Array, "batch features"]:
        """The last layer's values."""
        for level, width in enumerate(self.widths):
            made, gate = (
                Dense(
                    width,
                    dtype=compute_dtype(self.dtype),
                    kernel_init=kernel_init(self.init_std),
                    name=f"{name}_{level}",
                )(values)
                for name in ("values", "gate")
            )
            values = made * nn.sigmoid(gate)
        return values


class GatedEncoder(nn.Module):
    """Images or points to the mean and log variance of their codes.

    References:
        Tomczak and Welling, VAE with a VampPrior, 2018, section 4.1 (two layers of 300 units).
    """

    widths: tuple[int, ...] = (300, 300)
    """Units of each hidden layer."""
    init_std: float | None = None
    """Standard deviation of the first weights; None: scaled by fan-in."""
    dtype: Precision | None = None
    """Number format of the arithmetic; None: the experiment's (float32 when used alone)."""

    def __post_init__(self) -> None:
        check(self)
        super().__post_init__()

    @nn.compact
    def __call__(
        self, images: Pixels, *, latent_size: int, train: bool, axis_name: str | None = None
    ) -> tuple[Latents, Latents]:
        """Mean and log variance, each float32 ``(batch, latent_size)``."""
        del train, axis_name
        flat = images.reshape(images.shape[0], -1)
        hidden = GatedLayers(self.widths, self.init_std, self.dtype)(flat)
        return GaussianHead(latent_size, self.init_std)(hidden)


class GatedDecoder(nn.Module):
    """Codes to the parameters of a likelihood, such as logits.

    References:
        Tomczak and Welling, VAE with a VampPrior, 2018, section 4.1 (two layers of 300 units).
    """

    widths: tuple[int, ...] = (300, 300)
    """Units of each hidden layer."""
    init_std: float | None = None
    """Standard deviation of the first weights; None: scaled by fan-in."""
    dtype: Precision | None = None
    """Number format of the arithmetic; None: the experiment's (float32 when used alone)."""

    def __post_init__(self) -> None:
        check(self)
        super().__post_init__()

    @nn.compact
    def __call__(
        self,
        latent: Latents,
        *,
        image_shape: ImageShape,
        train: bool,
        axis_name: str | None = None,
    ) -> Pixels:
        """Unbounded values ``(batch, *image_shape)``, float32."""
        del train, axis_name
        hidden = GatedLayers(self.widths, self.init_std, self.dtype)(latent)
        return to_images(hidden, image_shape, self.init_std, self.dtype)
