"""ADA's filters, noise and cutout, which its usual pipeline leaves out.

References:
    Karras et al., Training Generative Adversarial Networks with Limited Data, 2020, appendix B.
    The ranges are those of the published code.
"""

from __future__ import annotations

import functools

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxgan.objectives.gan.ada_draws import Draws
from jaxgan.objectives.gan.wavelets import SYM2
from jaxgan.typing import Pixels

_POWER = np.array([10.0, 1.0, 1.0, 1.0], np.float32) / 13
"""Share of each band in the power of natural images, lowest frequencies first."""


def gains(draws: Draws, strength: Array) -> Float[Array, "bands"]:
    """What each band of frequencies is multiplied with.

    With probability ``strength`` a band is amplified by 2 to the power of N(0, 1), and all bands
    are then divided by one number, so that the power of natural images is kept.

    Args:
        draws: of one image.
        strength: probability.
    """
    found = jnp.ones(len(_POWER))
    for band, power in enumerate(_POWER):
        name = f"band {band}"
        factor = draws.gated(name, strength, jnp.exp2(draws.normals[name]), 1.0)
        found = found.at[band].multiply(factor) / jnp.sqrt(1 + power * (factor**2 - 1))
    return found


def filtered(images: Pixels, factors: Float[Array, "batch bands"]) -> Pixels:
    """Images with each band multiplied, along columns and along rows.

    Images are continued by reflection. The filter has 43 taps; where the published code refuses
    images of less than 22 pixels, smaller ones are reflected again and again. An image whose
    factors are all 1 is left as it is, exactly.

    Args:
        images: (batch, height, width, channels).
        factors: as `gains` gives them.
    """
    down, across = (
        jnp.einsum("bk,kij->bij", factors, _bands(n), precision="highest")
        for n in images.shape[1:3]
    )
    found = jnp.einsum("bih,bhwc,bjw->bijc", down, images, across, precision="highest")
    still = jnp.all(factors == 1, axis=1)
    return jnp.where(still[:, None, None, None], images, found)


def noise_scale(draws: Draws, strength: Array) -> Array:
    """Standard deviation of the noise of an image: |N(0, 0.1)| with probability ``strength``."""
    return draws.gated("noise", strength, 0.1 * jnp.abs(draws.normals["noise"]), 0.0)


def kept(draws: Draws, strength: Array, height: int, width: int) -> Array:
    """Which pixels remain, (height, width): a rectangle of half the size is cut out.

    Its middle is uniform in the image, not bound to pixels; it happens with probability
    ``strength``.

    Args:
        draws: of one image.
        strength: probability.
        height: of the image.
        width: of the image.
    """
    size = draws.gated("cutout", strength, jnp.asarray(0.5), 0.0)
    across, down = (
        jnp.abs((jnp.arange(length) + 0.5) / length - draws.uniforms[f"cutout {axis}"])
        for axis, length in (("x", width), ("y", height))
    )
    return (down[:, None] >= size / 2) | (across >= size / 2)


@functools.cache
def _bank() -> np.ndarray:
    """(4, 43): filters of four octaves, lowest first, that add up to leaving things alone.

    Each is the one before seen at half the size and made smoother, so that what is left over is an
    octave of its own.
    """
    low = np.array(SYM2)
    high = low * (-1.0) ** np.arange(len(low))
    smooth, rest = (np.convolve(one, one[::-1]) / 2 for one in (low, high))
    bank = np.eye(4, 1)
    for octave in range(1, 4):
        finer = np.zeros((4, 2 * bank.shape[1] - 1))
        finer[:, ::2] = bank
        bank = np.stack([np.convolve(row, smooth) for row in finer])
        start = (bank.shape[1] - len(rest)) // 2
        bank[octave, start : start + len(rest)] += rest
    return bank


@functools.cache
def _bands(length: int) -> np.ndarray:
    """(4, length, length): what each filter does to a row that is continued by reflection."""
    bank = _bank()
    reach = bank.shape[1] // 2
    continued = np.pad(np.eye(length), [(reach, reach), (0, 0)], mode="reflect")
    found = sum(
        bank[:, tap, None, None] * continued[tap : tap + length] for tap in range(bank.shape[1])
    )
    return np.asarray(found, np.float32)
