"""A run's data, and what is shown of a trained state: pictures."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from jaxgan import rng
from jaxgan.algorithms.base import State
from jaxgan.config import Experiment
from jaxgan.data.pipeline import Data
from jaxgan.data.splits import images_of
from jaxgan.evaluation.distances.neighbors import nearest_neighbors
from jaxgan.measurement.sampling import SEED
from jaxgan.program import Program
from jaxgan.typing import PRNGKey
from jaxgan.visualization.grid import image_grid, pairs_grid, scatter
from jaxgan.visualization.paths import interpolation_latents


def parameter_counts(program: Program, state: State) -> dict[str, int]:
    """Trained parameters of each network."""
    return {
        name: sum(int(leaf.size) for leaf in jax.tree.leaves(params))
        for name, params in program.algorithm.parameters(state).items()
    }


# --- Pictures ------------------------------------------------------------------------------------


def sample_picture(program: Program, state: State, experiment: Experiment, count: int = 64) -> Any:
    """A grid of samples, from latents that never change; uint8 ``(height, width, channels)``."""
    latents = program.algorithm.prior(_picture_key("samples"), count)
    return picture(experiment.data, np.asarray(program.generate(state, latents)), 8)


def pictures(program: Program, state: State, experiment: Experiment) -> dict[str, np.ndarray]:
    """Samples, interpolations, reconstructions and nearest neighbors as uint8 pictures.

    Returns:
        ``samples``; for images also ``interpolation`` (great circles between latents),
        ``neighbors`` (samples above the training images nearest to them in pixels) and, where there
        is an encoder, ``reconstructions`` (test images above what the decoder makes of them).
    """
    data: Data = experiment.data
    shown = {"samples": sample_picture(program, state, experiment)}
    if data.dtype != "uint8":
        return shown
    latent_size = program.algorithm.prior(_picture_key("size"), 1).shape[-1]
    rows, steps = 8, 8
    path = interpolation_latents(_picture_key("interpolation"), rows, steps, latent_size)
    frames = program.generate(state, path.reshape(rows * steps, latent_size))
    shown["interpolation"] = picture(data, np.asarray(frames), steps)

    latents = program.algorithm.prior(_picture_key("samples"), 64)
    samples = np.asarray(program.generate(state, latents))[:16]
    train = np.concatenate(list(images_of(data, "train")))
    nearest = np.asarray(nearest_neighbors(samples, train).indices)[:, 0]
    shown["neighbors"] = pairs_grid(samples, train[nearest], columns=8, scale=_scale(data))

    if program.reconstruct is not None:
        test = next(images_of(data, "test"))[:16]
        decoded = np.asarray(program.reconstruct(state, {"image": test}))
        shown["reconstructions"] = pairs_grid(test, decoded, columns=8, scale=_scale(data))
    return shown


def picture(data: Data, images: np.ndarray, columns: int) -> np.ndarray:
    """Images as one grid, or points as one scatter plot; uint8 ``(height, width, channels)``."""
    if data.dtype == "uint8":
        return image_grid(images, columns=columns, scale=_scale(data))
    modes = getattr(data.source, "modes", None)
    return scatter(images.reshape(-1, data.channels), modes)


def _scale(data: Data) -> int:
    """Screen pixels an image pixel, so that small images can be seen."""
    return max(1, 48 // data.image_size)


def _picture_key(role: str) -> PRNGKey:
    return rng.role_key(rng.base_key(SEED), role)
