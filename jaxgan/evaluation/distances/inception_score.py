"""Inception score: how sure a classifier is of each sample, and how varied its verdicts are.

``exp(mean KL(p(y|x) || p(y)))`` of Salimans et al. 2016 ("Improved Techniques for Training GANs",
section 4), over a classifier's classes: 1 at worst, the number of classes at best. It never sees
real images. With another classifier than Inception it is a different number, as its name says:
``is[digits-cnn,...]``.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Float, Float64

from jaxgan.evaluation.statistics.intervals import Estimate, mean_interval

SPLITS = 10
"""As published."""

SHUFFLE_SEED = 2020
"""The reference implementation's; with it the order of the samples, and so the split, is the
same."""


class InceptionScore(NamedTuple):
    """Scores of the splits, which are disjoint."""

    mean: float
    std: float
    """Over the splits, divided by their number (not less one), as is published."""
    interval: Estimate
    """Of the mean; NaN ends for a single split."""


def inception_score(
    logits: Float[np.ndarray | jax.Array, "n classes"],
    *,
    splits: int = SPLITS,
    seed: int | None = SHUFFLE_SEED,
    metric: str = "is",
) -> InceptionScore:
    """Inception score from a classifier's logits, as torch-fidelity computes it.

    The samples are shuffled and split; each split has a score against its own mean of
    probabilities. That mean is of few samples, and makes the score of a split lie below that of
    many samples; scores of different counts do not compare.

    The 95% interval is Student's over the splits, whose samples are distinct. It covers the
    expectation of the score of that many samples a split, over the drawing of samples.

    Args:
        logits: one row a sample, of any offset; float32 is taken to float64.
        splits: how many parts.
        seed: of the shuffling; without one, the order is kept.
        metric: what error messages call the number.

    Raises:
        ValueError: there are fewer samples than splits, no split or no class, or a logit is not
            finite.
    """
    values = _checked(logits, splits, metric, "logits")
    shifted = values - values.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return _score(np.exp(log_p), log_p, splits, seed)


def inception_score_of_probabilities(
    probabilities: Float[np.ndarray | jax.Array, "n classes"],
    *,
    splits: int = SPLITS,
    seed: int | None = SHUFFLE_SEED,
    metric: str = "is",
) -> InceptionScore:
    """`inception_score` from probabilities, which may be zero.

    Args:
        probabilities: one row a sample, each of sum 1 (to 1e-3, as float16 leaves it).
        splits: as in `inception_score`, like the rest.
        seed: see there.
        metric: see there.

    Raises:
        ValueError: as `inception_score`; or a row is not of probabilities.
    """
    p = _checked(probabilities, splits, metric, "probabilities")
    if (p < 0).any() or np.abs(p.sum(axis=1) - 1).max() > 1e-3:
        raise ValueError(f"{metric}: every row of probabilities must be >= 0 and of sum 1")
    p = p / p.sum(axis=1, keepdims=True)
    # A class of probability 0 adds nothing: p log p goes to 0 with p.
    return _score(p, np.log(np.where(p > 0, p, 1.0)), splits, seed)


def _score(
    p: Float64[np.ndarray, "n classes"],
    log_p: Float64[np.ndarray, "n classes"],
    splits: int,
    seed: int | None,
) -> InceptionScore:
    count = len(p)
    # The legacy generator, because the reference implementation's order comes from it.
    order = np.arange(count) if seed is None else np.random.RandomState(seed).permutation(count)
    scores = []
    for index in range(splits):
        rows = order[index * count // splits : (index + 1) * count // splits]
        mean = p[rows].mean(axis=0)
        # Where the mean underflows to zero, so do all of its terms.
        log_mean = np.log(np.where(mean > 0, mean, 1.0))
        divergence = (p[rows] * (log_p[rows] - log_mean)).sum(axis=1)
        scores.append(float(np.exp(divergence.mean())))
    interval = mean_interval(scores)
    return InceptionScore(
        mean=interval.mean,
        std=float(np.std(scores)),
        interval=Estimate(interval.mean, interval.low, interval.high),
    )


def _checked(
    rows: Float[np.ndarray | jax.Array, "n classes"], splits: int, metric: str, what: str
) -> Float64[np.ndarray, "n classes"]:
    values = np.asarray(rows, np.float64)
    if splits < 1 or len(values) < splits:
        raise ValueError(
            f"{metric}: {len(values)} samples cannot be split into {splits} parts; "
            "needs splits >= 1 and at least one sample a split"
        )
    if values.shape[1] == 0:
        raise ValueError(f"{metric}: there are no classes")
    if not np.isfinite(values).all():
        raise ValueError(f"{metric}: there are {what} that are NaN or infinite")
    return values
