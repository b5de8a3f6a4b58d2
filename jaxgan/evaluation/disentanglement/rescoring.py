"""What changes in images when their latents move: re-scoring.

Latents are moved along directions, images are made before and after, and something that reads
factors off images scores both. What a direction is for shows in one factor's large change, and that
it is for nothing else in the others' small ones.

References:
    Shen et al., Interpreting the Latent Space of GANs for Semantic Face Editing, 2020 (re-scoring
    analysis). Shen and Zhou, Closed-Form Factorization of Latent Semantics in GANs, 2021.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float64

from jaxgan.evaluation.disentanglement.dci import completeness_of, disentanglement_of

Read = Callable[[np.ndarray], np.ndarray]
"""From latents ``(n, units)`` to what is read off their images, ``(n, factors)``: numbers, whose
differences mean something."""


class Rescoring(NamedTuple):
    """Changes of factors by directions, in standard deviations of the factor over all latents."""

    absolute: Float64[np.ndarray, "directions factors"]
    """Mean size of the change from one step back to one step forward."""
    signed: Float64[np.ndarray, "directions factors"]
    """Mean change; of the size of ``absolute`` where all images change the same way."""

    @property
    def disentanglement(self) -> float:
        """Whether every direction changes one factor: that of DCI, with changes as importances."""
        return disentanglement_of(self.absolute)

    @property
    def completeness(self) -> float:
        """Whether every factor is changed by one direction: that of DCI, likewise."""
        return completeness_of(self.absolute)

    @property
    def leakage(self) -> Float64[np.ndarray, " factors"]:
        """Of the direction that changes a factor most, the largest change of another factor, as a
        share of its own; NaN for a factor that nothing changes, and with a single factor."""
        found = np.full(self.absolute.shape[1], np.nan)
        for factor, row in enumerate(self.absolute[self.absolute.argmax(axis=0)]):
            others = np.delete(row, factor)
            if row[factor] > 0 and others.size:
                found[factor] = others.max() / row[factor]
        return found


def rescore(
    read: Read, latents: Float[np.ndarray, "n units"], steps: Float[np.ndarray, "directions units"]
) -> Rescoring:
    """Moves all latents one step back and one step forward along each direction.

    Args:
        read: makes images of latents, and reads factors off them.
        latents: of the prior; they also tell the factors' standard deviations.
        steps: directions times the length of a step.

    Raises:
        ValueError: there are fewer than two latents, or what was read is not finite.
    """
    if len(latents) < 2:
        raise ValueError(f"re-scoring needs at least two latents, not {len(latents)}")
    before = _checked(read, latents)
    scale = before.std(axis=0, ddof=1)
    scale = np.where(scale > 0, scale, np.inf)  # what never changes is not changed
    changes = [
        (_checked(read, latents + step) - _checked(read, latents - step)) / scale for step in steps
    ]
    absolute = np.stack([np.abs(change).mean(axis=0) for change in changes])
    return Rescoring(absolute, np.stack([change.mean(axis=0) for change in changes]))


def _checked(read: Read, latents: np.ndarray) -> Float64[np.ndarray, "n factors"]:
    found = np.asarray(read(latents), np.float64)
    if not np.isfinite(found).all():
        raise ValueError("what is read off the images is not finite")
    return found
