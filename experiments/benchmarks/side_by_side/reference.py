"""The first weights, the images and the random draws that every implementation is checked on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from side_by_side.steps import BATCHES, CHECKED_STEPS, CLASSES, Size

_PARAMETER, _CARRIED = "parameter:", "carried:"


class Reference(NamedTuple):
    """What a step starts from.

    Attributes:
        parameters: by name, such as ``discriminator/Conv_1/kernel``, in the layout of Flax: kernels
            ``(height, width, in, out)``, matrices ``(in, out)``, features in the order of NHWC.
        images: uint8 ``(batches, batch, height, width, channels)``.
        fakes: likewise; what the ResNet takes for generated.
        latents: float32 ``(steps, batch, latent)``: a GAN's latents, or a VAE's noise.
        shares: float32 ``(steps, batch)``: where a gradient penalty looks, as the share of the real
            image.
        carried: what a network has beside its parameters, by name: maps of noise, and the vectors
            ``u`` of spectral normalization.
    """

    parameters: Mapping[str, np.ndarray]
    images: np.ndarray
    fakes: np.ndarray
    latents: np.ndarray
    shares: np.ndarray
    carried: Mapping[str, np.ndarray] = MappingProxyType({})


def images_of(size: Size, seed: int) -> np.ndarray:
    """Blobs of light at random places, uint8 ``(batches, batch, image, image, channels)``.

    Pictures with some structure, so that gradients are neither those of noise nor zero.
    """
    generator = np.random.default_rng(seed)
    shape = (BATCHES, size.batch, 1, 1, size.channels)
    places = np.linspace(0.0, 1.0, size.image)
    row, column = generator.uniform(0.2, 0.8, (2, *shape))
    spread = generator.uniform(0.05, 0.2, shape)
    distance = (places[:, None, None] - row) ** 2 + (places[None, :, None] - column) ** 2
    return np.round(255.0 * np.exp(-distance / (2.0 * spread**2))).astype(np.uint8)


def write(path: Path, reference: Reference) -> None:
    """Saves a reference as ``.npz``."""
    named = {_PARAMETER + name: value for name, value in reference.parameters.items()}
    named |= {_CARRIED + name: value for name, value in reference.carried.items()}
    rest = {k: v for k, v in reference._asdict().items() if k not in ("parameters", "carried")}
    np.savez(path, **named, **rest)


def read(path: Path) -> Reference:
    """The inverse of `write`."""
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}

    def named(prefix: str) -> dict[str, np.ndarray]:
        names = [name for name in arrays if name.startswith(prefix)]
        return {name.removeprefix(prefix): arrays.pop(name) for name in names}

    return Reference(parameters=named(_PARAMETER), carried=named(_CARRIED), **arrays)


def labels_of(count: int) -> np.ndarray:
    """Classes of so many of BigGAN's images, int32; the same in every batch."""
    return (np.arange(count) % CLASSES).astype(np.int32)


def no_draws(size: Size) -> tuple[np.ndarray, np.ndarray]:
    """Latents and shares of a step that has none."""
    latents = np.zeros((CHECKED_STEPS, size.batch, size.latent), np.float32)
    return latents, np.zeros((CHECKED_STEPS, size.batch), np.float32)
