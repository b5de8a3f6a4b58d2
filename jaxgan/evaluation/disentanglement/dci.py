"""Disentanglement, completeness and informativeness (DCI) of Eastwood and Williams (2018).

A model predicts each factor from all dimensions; how important a dimension is to it makes a matrix
of dimensions by factors. Disentangled: every dimension matters to one factor. Complete: every
factor needs one dimension. Informative: the predictions are right.
"""

from __future__ import annotations

import math
from typing import Any, Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, Float64

from jaxgan.evaluation.disentanglement.samples import Codes, Factors, Sample, checked_pair
from jaxgan.evaluation.statistics.intervals import Estimate, bootstrap, normal_estimate

Predictor = Literal["forest", "boosting"]
"""What predicts a factor, as a category:

* ``forest``: a random forest, one of the paper's two (section 4): 20 trees of up to 8 splits in a
  row, with every dimension tried at every split, for otherwise a tree would sometimes have to split
  by one that does not matter. Deeper trees would spread importance over noise.
* ``boosting``: scikit-learn's gradient boosted trees as they come, which disentanglement_lib takes
  (Locatello et al. 2019): a hundred times slower for the sprites, as they grow 100 trees for each
  value of a factor.

Scores by the two are not comparable.
"""

TREES = 20
"""Trees of the forest."""

DEPTH = 8
"""Splits in a row in a tree of the forest; up to 256 values can be told apart."""


class Dci(NamedTuple):
    """The three scores, each 1 at best."""

    disentanglement: Estimate
    """Weighted mean over dimensions of 1 less the normalized entropy of its row."""
    completeness: Estimate
    """Weighted mean over factors of 1 less the normalized entropy of its column."""
    informativeness: Estimate
    """Accuracy on the test points, averaged over factors: higher is better, as in
    disentanglement_lib; the paper has an error."""


def disentanglement_of(importance: Float64[np.ndarray, "d factors"]) -> float:
    """``sum_i rho_i (1 - H(P_i))`` of the paper's section 2.

    ``P_i`` is row ``i``, divided by its sum; ``H`` its entropy to the base of the number of
    factors; ``rho_i`` the row's share of everything. With one factor, a row has no entropy. If
    nothing is important, the score is 0.
    """
    return _certainty(importance)


def completeness_of(importance: Float64[np.ndarray, "d factors"]) -> float:
    """`disentanglement_of` with columns for rows: to the base of the number of dimensions.

    disentanglement_lib weights the columns by their sums, as is done here.
    """
    return _certainty(importance.T)


def _certainty(rows: Float64[np.ndarray, "n m"]) -> float:
    weights = rows.sum(axis=1)
    if not weights.sum() > 0:
        return 0.0
    rows, weights = rows[weights > 0], weights[weights > 0]
    shares = rows / weights[:, None]
    logs = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
    entropies = -(shares * logs).sum(axis=1) / math.log(max(rows.shape[1], 2))
    return float((weights * (1 - entropies)).sum() / weights.sum())


def dci(
    train: tuple[Codes, Factors],
    test: tuple[Codes, Factors],
    *,
    predictor: Predictor = "forest",
    replicates: int = 200,
    seed: int = 0,
) -> Dci:
    """The three scores of a representation.

    Args:
        train: codes and factors to fit the predictors to.
        test: codes and factors to measure their accuracy on.
        predictor: what predicts; the importance of a dimension is by how much the splits along it
            lower the impurity.
        replicates: of the bootstrap.
        seed: of the trees and of the bootstrap.

    Returns:
        The scores. Intervals of the first two are over the drawing of the training points: plus and
        minus 1.96 standard deviations of the score of single trees, each of which was grown on
        another resampling of the points (all factors' trees on the same). They are wide, since a
        forest varies less than a tree, and boosting has none (NaN). That of informativeness is over
        the drawing of the test points, by the bootstrap; the predictors stay as they are.

    Raises:
        ValueError: as `jaxgan.evaluation.disentanglement.samples.checked`; or a factor has a single
            value in ``train``.
    """
    fitted, held = checked_pair(train, test)
    importance, by_tree, right = _predict(fitted, held, predictor, seed)
    informativeness = bootstrap(
        lambda rows: float(right[rows].mean()),
        np.arange(len(right)),
        replicates=replicates,
        seed=seed,
    )

    def estimate(score: Any) -> Estimate:
        value = score(importance)
        if by_tree is None:
            return Estimate(value, math.nan, math.nan)
        return normal_estimate(value, float(np.std([score(one) for one in by_tree], ddof=1)))

    return Dci(estimate(disentanglement_of), estimate(completeness_of), informativeness)


def _predict(
    fitted: Sample, held: Sample, predictor: Predictor, seed: int
) -> tuple[
    Float64[np.ndarray, "d factors"],
    Float64[np.ndarray, "trees d factors"] | None,
    Bool[np.ndarray, "n factors"],
]:
    """Importances, those by each tree of forests, and which test points are predicted right."""
    from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier

    # One seed for all factors, so that their forests resample the points alike.
    settings: dict[str, Any] = {
        "max_depth": DEPTH, "max_features": None, "n_jobs": -1, "random_state": seed,
    }  # fmt: skip
    columns, trees, right = [], [], []
    for j, y in enumerate(fitted.factors.T):
        if np.ptp(y) == 0:
            raise ValueError(f"factor {j} has a single value among the points to fit to")
        if predictor == "boosting":
            model = GradientBoostingClassifier(random_state=seed)
        else:
            model = RandomForestClassifier(TREES, **settings)
        model.fit(fitted.codes, y)
        columns.append(np.abs(model.feature_importances_))
        if isinstance(model, RandomForestClassifier):
            trees.append([tree.feature_importances_ for tree in model.estimators_])
        right.append(model.predict(held.codes) == held.factors[:, j])
    by_tree = np.moveaxis(np.asarray(trees), 0, -1) if trees else None
    return np.stack(columns, axis=1), by_tree, np.stack(right, axis=1)
