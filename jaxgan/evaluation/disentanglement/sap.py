"""Separated attribute predictability (SAP) of Kumar, Sattigeri and Balakrishnan (2018), section 3.

How much better the best single dimension predicts a factor than the second best one does. Of the
paper's two ways to score a prediction, a factor with an order takes the squared correlation, and
one without an order a linear classifier.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

from jaxgan.evaluation.disentanglement.samples import Codes, Factors, checked, checked_pair
from jaxgan.evaluation.statistics.intervals import Estimate, bootstrap

REGULARIZATION = 0.01
"""``C`` of the support vector machine, as in disentanglement_lib."""


def squared_correlation(
    codes: Float64[np.ndarray, "n d"], factors: Float64[np.ndarray, "n factors"]
) -> Float64[np.ndarray, "d factors"]:
    """R^2 of every factor's linear regression on every single dimension; 0 for constant ones."""
    a, b = (x - x.mean(axis=0) for x in (codes, factors))
    # Before squaring: codes may be so small that their squares would be no normal numbers.
    a, b = (_divided(x, abs(x).max(axis=0)) for x in (a, b))
    limit = np.outer(np.square(a).sum(axis=0), np.square(b).sum(axis=0))
    return _divided(np.square(a.T @ b), limit)


def _divided(a: Float64[np.ndarray, "n m"], b: Float64[np.ndarray, "*shape"]) -> np.ndarray:
    """``a / b``, and 0 where ``b`` is."""
    return np.divide(a, b, out=np.zeros_like(a), where=b > 0)


def gap(scores: Float64[np.ndarray, "d factors"]) -> float:
    """Mean over factors of the best dimension's score less the second best one's."""
    second, first = np.sort(scores, axis=0)[-2:]
    return float(np.mean(first - second))


def sap(codes: Codes, factors: Factors, *, replicates: int = 200, seed: int = 0) -> Estimate:
    """SAP by squared correlation: every factor counts as a number.

    A code equal to the factors scores 1 (less the chance correlation of independent factors).

    Args:
        codes: representations; a row for each point.
        factors: of the same points; values in their order.
        replicates: of the bootstrap.
        seed: of the bootstrap.

    Returns:
        The score, in [0, 1] (apart from an end of the interval), and an interval over the drawing
        of the points, by the bootstrap.

    Raises:
        ValueError: as `jaxgan.evaluation.disentanglement.samples.checked`.
    """
    sample = checked(codes, factors)
    numbers = np.asarray(factors, np.float64)
    numbers = numbers[:, np.ptp(numbers, axis=0) > 0]
    # A lone dimension is compared with a constant one, which explains nothing.
    padded = np.pad(sample.codes, ((0, 0), (0, 1)))

    def statistic(rows: np.ndarray) -> float:
        return gap(squared_correlation(padded[rows], numbers[rows]))

    return bootstrap(statistic, np.arange(len(padded)), replicates=replicates, seed=seed)


def sap_svm(
    train: tuple[Codes, Factors],
    test: tuple[Codes, Factors],
    *,
    replicates: int = 200,
    seed: int = 0,
) -> Estimate:
    """SAP by the test accuracy of a linear classifier: every factor counts as categories.

    As disentanglement_lib has it: one support vector machine against the rest for each value of a
    factor, on one dimension, ``C = 0.01``, squared hinge loss, classes balanced. On a single
    dimension such a classifier finds hardly more than the two outermost values, so that the score
    is small for factors of many values, even where the code is the factor; compare it only with
    scores of the same data set.

    Args:
        train: codes and factors to fit the classifiers to.
        test: codes and factors to measure their accuracy on.
        replicates: of the bootstrap.
        seed: of the bootstrap.

    Returns:
        The score, in [0, 1] (apart from an end of the interval), and an interval over the drawing
        of the test points, by the bootstrap; the classifiers stay as they are.

    Raises:
        ValueError: as `jaxgan.evaluation.disentanglement.samples.checked`; or a factor has a single
            value in ``train``.
    """
    from sklearn.svm import LinearSVC

    fitted, held = checked_pair(train, test)
    # A lone dimension is compared with a constant one, as in `sap`.
    extra = ((0, 0), (0, int(fitted.codes.shape[1] == 1)))
    x_train, x_test = (np.pad(sample.codes, extra) for sample in (fitted, held))
    right = np.empty((len(x_test), x_train.shape[1], fitted.factors.shape[1]), bool)
    for j, y in enumerate(fitted.factors.T):
        if np.ptp(y) == 0:
            raise ValueError(f"factor {j} has a single value among the points to fit to")
        for i in range(x_train.shape[1]):
            model = LinearSVC(C=REGULARIZATION, class_weight="balanced", dual="auto")
            model.fit(x_train[:, [i]], y)
            right[:, i, j] = model.predict(x_test[:, [i]]) == held.factors[:, j]

    def statistic(rows: np.ndarray) -> float:
        return gap(right[rows].mean(axis=0))

    return bootstrap(statistic, np.arange(len(right)), replicates=replicates, seed=seed)
