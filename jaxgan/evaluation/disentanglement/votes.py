"""Metrics that hold one factor still and ask which one it was: beta-VAE's and FactorVAE's."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Bool, Float64, Int64

from jaxgan.evaluation.disentanglement.interventions import Interventions
from jaxgan.evaluation.statistics.intervals import Estimate
from jaxgan.evaluation.statistics.proportions import wilson

BATCH = 64
"""Points (or pairs of points) a vote, as in disentanglement_lib (Locatello et al. 2019)."""

VOTES = (10_000, 5_000)
"""Votes to fit the classifier to, and votes to test it on, as there."""

PRUNED = 0.05
"""Dimensions of a smaller standard deviation take no part in FactorVAE's metric, as there."""

# Votes that are made together: this many of 64 pairs with 10 dimensions take 10 MB.
_TOGETHER = 1000


def differences(
    interventions: Interventions, votes: int, *, batch: int, generator: np.random.Generator
) -> tuple[Float64[np.ndarray, "votes d"], Int64[np.ndarray, " votes"]]:
    """beta-VAE's features: mean absolute difference of the codes of pairs; and the factor held."""
    held = generator.integers(interventions.factors, size=votes)
    features = []
    for part in np.array_split(held, -(-votes // _TOGETHER)):
        first, second = interventions.pairs(generator, part, batch)
        features.append(np.abs(first - second).mean(axis=1))
    return np.concatenate(features), held


def steadiest(
    interventions: Interventions,
    active: Bool[np.ndarray, " d"],
    scale: Float64[np.ndarray, " d"],
    votes: int,
    *,
    batch: int,
    generator: np.random.Generator,
) -> Int64[np.ndarray, "factors d"]:
    """FactorVAE's votes: how often each dimension varied least, for each factor held.

    Args:
        interventions: where batches come from.
        active: dimensions that may win.
        scale: variances to measure variances by.
        votes: number of batches.
        batch: points of each.
        generator: of the drawing.
    """
    held = generator.integers(interventions.factors, size=votes)
    dimensions = np.flatnonzero(active)
    counts = np.zeros((interventions.factors, len(active)), np.int64)
    for part in np.array_split(held, -(-votes // _TOGETHER)):
        codes = interventions.batches(generator, part, batch)[..., dimensions]
        least = np.argmin(np.var(codes, axis=1, ddof=1) / scale[dimensions], axis=1)
        np.add.at(counts, (part, dimensions[least]), 1)
    return counts


def majority_accuracy(
    train: Int64[np.ndarray, "factors d"], test: Int64[np.ndarray, "factors d"]
) -> float:
    """Share of test votes that fall on the factor most voted for, in training, by a dimension."""
    guess = train.argmax(axis=0)
    return float(test[guess, np.arange(test.shape[1])].sum() / test.sum())


def beta_vae_metric(
    train: Interventions,
    test: Interventions,
    *,
    batch: int = BATCH,
    votes: tuple[int, int] = VOTES,
    seed: int = 0,
) -> Estimate:
    """The metric of "beta-VAE" (Higgins et al. 2017), section 3.

    A factor is chosen; pairs of images that agree in it are drawn; a linear classifier guesses the
    factor from the mean absolute difference of the pairs' codes. The classifier is scikit-learn's
    logistic regression with its default regularization, as in disentanglement_lib.

    Args:
        train: batches to fit the classifier to.
        test: batches to test it on; may be the same where they are drawn anew each time.
        batch: pairs a vote.
        votes: how many to fit to and to test on.
        seed: of the drawing.

    Returns:
        Test accuracy: 1 at best; one over the number of factors for a code that tells nothing; the
        same for one that is the factors, all scaled alike, turned such that every dimension has an
        equal share of each. The interval is Wilson's, over the drawing of the test batches.

    Raises:
        ValueError: fewer than one vote or pair.
    """
    _check_counts(votes, batch, least=1)
    from sklearn.linear_model import LogisticRegression

    generator = np.random.default_rng(seed)
    features, held = differences(train, votes[0], batch=batch, generator=generator)
    tested, answers = differences(test, votes[1], batch=batch, generator=generator)
    if np.ptp(held) == 0:
        # One factor alone, or so few votes that it looks so: there is one answer.
        return wilson(float(np.mean(answers == held[0])), votes[1])
    model = LogisticRegression(max_iter=1000).fit(features, held)
    return wilson(float(np.mean(model.predict(tested) == answers)), votes[1])


def factor_vae_metric(
    train: Interventions,
    test: Interventions,
    *,
    batch: int = BATCH,
    votes: tuple[int, int] = VOTES,
    pruned: float = PRUNED,
    seed: int = 0,
) -> Estimate:
    """The metric of "Disentangling by factorising" (Kim and Mnih 2018), section 4.

    A factor is chosen; images that agree in it are drawn; the dimension whose variance, relative to
    that over all images, is least votes for the factor. Every dimension then stands for the factor
    that it voted for most, and new votes are counted.

    Args:
        train: batches for the votes that decide what a dimension stands for; their variances scale
            all others.
        test: batches to test on; may be the same where they are drawn anew each time.
        batch: points a vote.
        votes: how many to decide by and to test on.
        pruned: dimensions whose standard deviation over all images is smaller take no part; in the
            units of the codes, which the default supposes to be means of posteriors under a
            standard normal prior.
        seed: of the drawing.

    Returns:
        Test accuracy: 1 at best; one over the number of factors for a code that tells nothing; 0
        where no dimension is left. The interval is Wilson's, over the drawing of the test batches.

    Raises:
        ValueError: fewer than one vote, or than two points a vote.
    """
    _check_counts(votes, batch, least=2)
    generator = np.random.default_rng(seed)
    # A constant dimension is never active, whatever the limit.
    active = (np.sqrt(train.variances) >= pruned) & (train.variances > 0)
    if not active.any():
        return Estimate(0.0, math.nan, math.nan)
    decided, tested = (
        steadiest(source, active, train.variances, count, batch=batch, generator=generator)
        for source, count in zip((train, test), votes, strict=True)
    )
    return wilson(majority_accuracy(decided, tested), votes[1])


def _check_counts(votes: tuple[int, int], batch: int, *, least: int) -> None:
    if min(votes) < 1 or batch < least:
        raise ValueError(
            f"at least one vote of at least {least} is needed for fitting and for testing; got "
            f"{votes} votes of {batch}"
        )
