"""A share of samples, with an interval that holds for shares near 0 and 1 too."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Bool

from jaxgan.evaluation.statistics.intervals import Estimate


def wilson(share: float, count: float | int, confidence: float = 0.95) -> Estimate:
    """A share of independent successes, and Wilson's interval of their probability.

    ``(p + z^2/2n +- z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n)`` (Wilson 1927; Brown, Cai and
    DasGupta 2001, equation 4). A share of 0 or 1 has an interval of positive width too, which
    resampling would not give it.

    Args:
        share: of successes.
        count: of trials. Of trials whose probabilities differ, the interval is the wider.
        confidence: probability that the interval covers the probability.

    Raises:
        ValueError: there is no trial, or ``confidence`` is not between 0 and 1.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, got {confidence}")
    if not count > 0:
        raise ValueError("no samples to take a share of")
    # Imported here because it takes as long as all of optax, and training does without.
    from scipy import special

    z, p = float(special.ndtri((1 + confidence) / 2)), share
    middle = (p + z * z / (2 * count)) / (1 + z * z / count)
    spread = math.sqrt(max(p * (1 - p), 0.0) / count + z * z / (4 * count * count))
    half = z * spread / (1 + z * z / count)
    # The ends reach 0 and 1 exactly where the share does, but for rounding.
    return Estimate(p, min(max(middle - half, 0.0), p), max(min(middle + half, 1.0), p))


def share(holds: Bool[np.ndarray, "n"], confidence: float = 0.95) -> Estimate:
    """The share of samples for which something holds, with the interval of `wilson`.

    >>> share(np.array([True] * 10)).low.__round__(3)
    0.722

    Args:
        holds: one truth value a sample, drawn independently.
        confidence: probability that the interval covers the probability.

    Raises:
        ValueError: there is no sample, or ``confidence`` is not between 0 and 1.
    """
    return wilson(float(np.mean(holds)) if len(holds) else math.nan, len(holds), confidence)
