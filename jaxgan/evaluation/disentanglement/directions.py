"""Directions of a latent space along which images change in one respect, found without labels.

SeFa takes those along which the first weights that see a latent move most, GANSpace those along
which latents themselves vary most. Random ones are the floor for either.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float64


class Directions(NamedTuple):
    """Orthogonal directions, the most important first."""

    vectors: Float64[np.ndarray, "count units"]
    """Of length 1 each; the largest number in it is positive."""
    values: Float64[np.ndarray, " count"]
    """What they were ordered by."""


def sefa(affines: Sequence[Float[np.ndarray, "units _channels"]]) -> Directions:
    """Eigenvectors of ``sum_l A_l^T A_l``, with the eigenvalues.

    ``A_l`` maps latents to the style of layer ``l``; biases do not matter, since they are the same
    at both ends of a step. Every row of ``A_l``, which makes one channel's style, is divided by its
    length first, as in the authors' code (the paper does not say so). So scales do not matter.

    Args:
        affines: ``A_l`` transposed, of the layers that count; each of as many units.

    Raises:
        ValueError: there are none.

    References:
        Shen and Zhou, Closed-Form Factorization of Latent Semantics in GANs, 2021.
    """
    if not affines:
        raise ValueError("SeFa needs the weights of at least one layer")
    rows = np.concatenate([np.asarray(one, np.float64) for one in affines], axis=1)
    lengths = np.linalg.norm(rows, axis=0)
    rows = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)
    return _eigenvectors(rows @ rows.T)


def ganspace(mapped: Float[np.ndarray, "n units"]) -> Directions:
    """Principal components of mapped latents, with the variances along them.

    Args:
        mapped: w of latents of the prior; the authors take a million.

    Raises:
        ValueError: there are fewer than two.

    References:
        Haerkoenen et al., GANSpace: Discovering Interpretable GAN Controls, 2020.
    """
    if len(mapped) < 2:
        raise ValueError(f"GANSpace needs at least two mapped latents, not {len(mapped)}")
    w = np.asarray(mapped, np.float64)
    centered = w - w.mean(axis=0)
    return _eigenvectors(centered.T @ centered / (len(w) - 1))


def random_directions(units: int, seed: int = 0) -> Directions:
    """An orthogonal basis that is drawn uniformly; all values are 1."""
    drawn = np.random.default_rng(seed).normal(size=(units, units))
    basis, triangle = np.linalg.qr(drawn)
    # Without these signs the basis would depend on how it is computed.
    return Directions((basis * np.sign(np.diag(triangle))).T, np.ones(units))


def spreads(
    vectors: Float[np.ndarray, "count units"], mapped: Float[np.ndarray, "n units"]
) -> Float64[np.ndarray, " count"]:
    """Standard deviations of mapped latents along directions.

    A step of so much leads as far out, by the measure of what is drawn, along any direction.
    """
    return np.std(np.asarray(mapped, np.float64) @ vectors.T, axis=0, ddof=1)


def traversals(
    start: Float[np.ndarray, " units"],
    steps: Float[np.ndarray, "count units"],
    reach: float,
    n: int,
) -> Float64[np.ndarray, "count n units"]:
    """Straight lines through a latent, a row for each direction.

    Args:
        start: the latent in the middle.
        steps: directions times the length of a step.
        reach: how many steps the ends are away.
        n: latents a line, both ends included.
    """
    places = np.linspace(-reach, reach, n)
    return start + places[None, :, None] * np.asarray(steps, np.float64)[:, None]


def _eigenvectors(matrix: Float64[np.ndarray, "units units"]) -> Directions:
    values, columns = np.linalg.eigh(matrix)
    vectors = columns.T[::-1]
    # An eigenvector's sign means nothing, and would differ from one library to the next.
    largest = np.argmax(np.abs(vectors), axis=1)
    signs = np.sign(vectors[np.arange(len(vectors)), largest])
    return Directions(vectors * signs[:, None], values[::-1].copy())
