"""Encoder and decoder of the large study of disentanglement, for images of 64 pixels a side.

With one channel and codes of 10 they have 309,204 and 381,313 parameters. Images of other sizes
are halved as long as 4 pixels or more are left, so that smaller ones have fewer layers.
"""

from __future__ import annotations

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgan.networks.layers.conv import Conv, ConvTranspose
from jaxgan.networks.layers.dense import Dense
from jaxgan.networks.layers.heads import GaussianHead
from jaxgan.networks.layers.options import Precision, check, compute_dtype, kernel_init
from jaxgan.networks.trunk import pyramid
from jaxgan.typing import ImageShape, Latents, Pixels

FINE = 2
"""Layers of the finest levels that have fewer channels, and an encoder's larger kernels."""


def levels(image_shape: ImageShape, width: int) -> tuple[int, tuple[int, ...]]:
    """Pixels a side of the coarsest level, and channels after each halving, finest first.

    >>> levels((64, 64, 1), 32)
    (4, (32, 32, 64, 64))
    >>> levels((28, 28, 1), 32)
    (7, (32, 32))

    Raises:
        ValueError: for an image shape that `jaxgan.networks.trunk.pyramid` cannot build.
    """
    found = pyramid(image_shape, width, 1)
    count = len(found.channels)
    return found.base, tuple(width if level < FINE else 2 * width for level in range(count))


class DisentanglementEncoder(nn.Module):
    """Images to the mean and log variance of their codes, by strided convolutions and ReLUs.

    Two of 4x4 and 32 channels, then those of 2x2 and 64; then 256 units.

    References:
        Locatello et al., Challenging Common Assumptions in the Unsupervised Learning of
        Disentangled Representations, 2019, appendix (architecture), as in disentanglement_lib.
    """

    width: int = 32
    """Channels of the first two layers; the others have twice as many."""
    units: int = 256
    """Of the dense layer."""
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
        """Mean and log variance, each float32 ``(batch, latent_size)``.

        Raises:
            ValueError: for an image shape that `jaxgan.networks.trunk.pyramid` cannot build.
        """
        del train, axis_name
        _, height, width, channels = images.shape
        dtype, init = compute_dtype(self.dtype), kernel_init(self.init_std)
        values = images
        for level, made in enumerate(levels((height, width, channels), self.width)[1]):
            kernel = (4, 4) if level < FINE else (2, 2)
            values = nn.relu(Conv(made, kernel, (2, 2), dtype=dtype, kernel_init=init)(values))
        flat = values.reshape(values.shape[0], -1)
        hidden = nn.relu(Dense(self.units, dtype=dtype, kernel_init=init)(flat))
        return GaussianHead(latent_size, self.init_std)(hidden)


class DisentanglementDecoder(nn.Module):
    """Codes to the parameters of a likelihood, by ReLUs and transposed convolutions of 4x4.

    256 units, then as many as the coarsest level has values; then 64 and 32 channels, and the
    image's.

    References:
        Locatello et al., Challenging Common Assumptions in the Unsupervised Learning of
        Disentangled Representations, 2019, appendix (architecture), as in disentanglement_lib.
    """

    width: int = 32
    """Channels of the finest levels; the others have twice as many."""
    units: int = 256
    """Of the first dense layer."""
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
        """Unbounded values ``(batch, *image_shape)``, float32.

        Raises:
            ValueError: for an image shape that `jaxgan.networks.trunk.pyramid` cannot build.
        """
        del train, axis_name
        dtype, init = compute_dtype(self.dtype), kernel_init(self.init_std)
        base, channels = levels(image_shape, self.width)

        def dense(size: int, values: Float[Array, "batch inputs"]) -> Float[Array, "batch size"]:
            return nn.relu(Dense(size, dtype=dtype, kernel_init=init)(values))

        def doubled(size: int, values: Float[Array, "batch height width channels"]):
            layer = ConvTranspose(size, (4, 4), (2, 2), dtype=dtype, kernel_init=init)
            return layer(values)

        hidden = dense(base * base * channels[-1], dense(self.units, latent))
        values = hidden.reshape(-1, base, base, channels[-1])
        for made in reversed(channels[:-1]):
            values = nn.relu(doubled(made, values))
        return doubled(image_shape[2], values).astype(jnp.float32)
