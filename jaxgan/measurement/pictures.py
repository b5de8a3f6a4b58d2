"""What is shown of a trained state."""

from __future__ import annotations

import jax
import numpy as np

from jaxgan import rng
from jaxgan.algorithms.state import State
from jaxgan.config import Experiment
from jaxgan.data.pipeline import Data
from jaxgan.data.splits import held_out_batches, images_of
from jaxgan.evaluation.distances.neighbors import nearest_neighbors
from jaxgan.measurement.sampling import SEED
from jaxgan.program import Program
from jaxgan.typing import Latents, PRNGKey
from jaxgan.visualization.grid import image_grid, pairs_grid, scatter

SAMPLES = 64
"""Images of the grid of samples."""

PAIRS = 16
"""Images shown beside their nearest neighbors, reconstructions or translations."""


def parameter_counts(state: State) -> dict[str, int]:
    """Trained parameters of each player."""
    return {
        name: sum(int(leaf.size) for leaf in jax.tree.leaves(params))
        for name, params in state.parameters.items()
    }


def sample_picture(program: Program, state: State, experiment: Experiment) -> np.ndarray | None:
    """A grid of samples, from latents that never change; uint8 ``(height, width, channels)``.

    None for a model that draws none.
    """
    if program.prior is None:
        return None
    latents = program.prior(_picture_key("samples"), SAMPLES)
    return picture(experiment.data, _images(program, state, latents), 8)


def pictures(program: Program, state: State, experiment: Experiment) -> dict[str, np.ndarray]:
    """All pictures of a state, uint8 ``(height, width, channels)`` by name.

    Returns:
        Where the model draws samples, ``samples`` and its sheets, such as ``interpolation`` or
        ``classes``; for images also ``neighbors`` (samples above the training images nearest to
        them in pixels). Where there is an encoder, ``reconstructions`` (test images above what the
        decoder makes of them). For each direction of a translation, its name: test images above
        what they become.
    """
    data, shown = experiment.data, {}
    if program.prior is not None and program.algorithm.generation is not None:
        latents = program.prior(_picture_key("samples"), SAMPLES)
        samples = _images(program, state, latents)
        shown["samples"] = picture(data, samples, 8)
        if data.dtype == "uint8":
            sheets = program.algorithm.generation.sheets(_picture_key("sheets"))
            for name, sheet in sheets.items():
                found = _images(program, state, sheet.latents)
                shown[name] = picture(data, found, sheet.columns)
            own = samples[:PAIRS]
            shown["neighbors"] = _pairs(data, own, _nearest_images(data, own))
    if data.dtype == "uint8" and (program.reconstruct or program.translations):
        batch, _ = next(held_out_batches(data, "test", PAIRS))
        if program.reconstruct is not None:
            decoded = np.asarray(program.reconstruct(state, batch))
            shown["reconstructions"] = _pairs(data, batch["image"], decoded, batch["mask"])
        for name, translate in program.translations.items():
            source = batch[program.algorithm.translations[name].source]
            made = np.asarray(translate(state, batch, _picture_key("translation")))
            shown[name] = _pairs(data, source, made)
    return shown


def _images(program: Program, state: State, latents: Latents) -> np.ndarray:
    """Images of latents, `SAMPLES` a call, so that pictures of any size share one program."""
    assert program.generate is not None
    count = jax.tree.leaves(latents)[0].shape[0]
    parts = []
    for start in range(0, count, SAMPLES):
        rows = np.arange(start, start + SAMPLES) % count
        part = jax.tree.map(lambda leaf, rows=rows: leaf[rows], latents)
        parts.append(np.asarray(program.generate(state, part)))
    return np.concatenate(parts)[:count]


def _nearest_images(data: Data, samples: np.ndarray) -> np.ndarray:
    """The training image nearest to each sample, looked for in one part of the split at a time."""
    best = np.full(len(samples), np.inf)
    nearest = np.zeros_like(samples)
    for images in images_of(data, "train"):
        found = nearest_neighbors(samples, images)
        distances, rows = np.asarray(found.distances)[:, 0], np.asarray(found.indices)[:, 0]
        closer = distances < best
        best[closer], nearest[closer] = distances[closer], images[rows[closer]]
    return nearest


def _pairs(
    data: Data, above: np.ndarray, below: np.ndarray, mask: np.ndarray | None = None
) -> np.ndarray:
    rows = slice(None) if mask is None else mask > 0
    return pairs_grid(above[rows], below[rows], columns=8, scale=scale(data))


def picture(data: Data, images: np.ndarray, columns: int) -> np.ndarray:
    """Images as one grid, or points as one scatter plot; uint8 ``(height, width, channels)``."""
    if data.dtype == "uint8":
        return image_grid(images, columns=columns, scale=scale(data))
    modes = data.source.modes if "mixture" in data.source.info().knows else None
    return scatter(images.reshape(-1, data.channels), modes)


def tile_size(data: Data) -> tuple[int, int]:
    """Height and width of one image in a grid, with the line beside it."""
    height, width, _ = data.image_shape
    return height * scale(data) + 1, width * scale(data) + 1


def scale(data: Data) -> int:
    """Screen pixels an image pixel, so that small images can be seen."""
    return max(1, 48 // data.image_size)


def _picture_key(role: str) -> PRNGKey:
    return rng.role_key(rng.base_key(SEED), role)
