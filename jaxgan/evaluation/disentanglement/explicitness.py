"""Explicitness of "Learning deep disentangled embeddings" (Ridgeway and Mozer 2018), section 2.

Whether all values of a factor can be read from the whole code by a simple classifier: the area
under its ROC curve, averaged over the values of a factor, and over factors.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float64

from jaxgan.evaluation.disentanglement.samples import Codes, Factors, checked_pair
from jaxgan.evaluation.statistics.intervals import Estimate, normal_estimate


def areas(
    scores: Float64[np.ndarray, "n values"], truth: Bool[np.ndarray, "n values"]
) -> tuple[Float64[np.ndarray, " values"], Float64[np.ndarray, "n values"]]:
    """Area under the ROC curve of every column, and each point's influence on it.

    The area is the probability that a positive scores above a negative, ties counting half. The
    influences, of mean 0, are the structural components of DeLong, DeLong and Clarke-Pearson
    (1988) over the share of their class: the variance of an area is about the mean square of its
    influences over ``n``, and that of a mean of areas likewise, from the mean of their influences.

    Args:
        scores: any numbers that are larger for likely positives.
        truth: which points are positive; every column has both sorts.
    """
    from scipy.stats import rankdata

    positives = truth.sum(axis=0)
    negatives = len(truth) - positives
    ranks = rankdata(scores, axis=0)
    components = np.empty_like(ranks)
    for k, is_positive in enumerate(truth.T):
        # Its rank among all less that among its own sort counts the others below (ties half).
        for own, others in ((is_positive, negatives[k]), (~is_positive, positives[k])):
            components[own, k] = (ranks[own, k] - rankdata(scores[own, k])) / others
    values = np.where(truth, components, 0).sum(axis=0) / positives
    share = positives / len(truth)
    influence = np.where(
        truth, (components - values) / share, (1 - components - values) / (1 - share)
    )
    return values, influence


def explicitness(train: tuple[Codes, Factors], test: tuple[Codes, Factors]) -> Estimate:
    """Mean area under the ROC curve of a logistic regression for each value of each factor.

    As disentanglement_lib has it: dimensions standardized by the training points (constant ones
    become 0), one multinomial logistic regression a factor with scikit-learn's default
    regularization, the area on the test points not rescaled, so that a code which tells nothing
    scores 0.5. The classifier is linear, but among several values it still finds those in the
    middle: the probability of a value may be a bump along a dimension.

    Args:
        train: codes and factors to fit the classifiers to.
        test: codes and factors to measure on; values that all or none of these points have are
            left out, and so are factors without any other.

    Returns:
        The area, in [0, 1] (apart from an end of the interval), and an interval over the drawing of
        the test points, by DeLong's variance; the classifiers stay as they are.

    Raises:
        ValueError: as `jaxgan.evaluation.disentanglement.samples.checked`; or a factor has a single
            value in ``train``; or no value can be measured in ``test``.
    """
    from sklearn.linear_model import LogisticRegression

    fitted, held = checked_pair(train, test)
    mean, spread = fitted.codes.mean(axis=0), fitted.codes.std(axis=0)
    spread[spread == 0] = 1.0
    x_train, x_test = ((sample.codes - mean) / spread for sample in (fitted, held))
    means, influences = [], []
    for j, y in enumerate(fitted.factors.T):
        if np.ptp(y) == 0:
            raise ValueError(f"factor {j} has a single value among the points to fit to")
        model = LogisticRegression(max_iter=1000).fit(x_train, y)
        truth = held.factors[:, j, None] == model.classes_
        usable = truth.any(axis=0) & ~truth.all(axis=0)
        if not usable.any():
            continue
        scores = np.asarray(model.predict_proba(x_test), np.float64)[:, usable]
        values, influence = areas(scores, truth[:, usable])
        means.append(values.mean())
        influences.append(influence.mean(axis=1))
    if not means:
        raise ValueError("every factor has a single value among the points to measure on")
    error = np.sqrt(np.mean(np.square(np.mean(influences, axis=0))) / len(x_test))
    return normal_estimate(float(np.mean(means)), float(error))
