"""Class-conditional FID: how far the samples of each class are from the real images of that class.

The mean over classes of the Frechet distance within each (the "intra FID" of Miyato and Koyama
2018, section 4). Unlike FID, it sees samples of the wrong class, and classes without variety where
the whole has it. A covariance of few samples raises each distance, so that it lies above FID and is
to be compared at equal counts a class.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Array, Float, Float64, Int

from jaxgan.evaluation.distances.fid import frechet_between
from jaxgan.evaluation.distances.moments import from_features
from jaxgan.evaluation.statistics.intervals import Estimate, bootstrap_each


class ClassDistances(NamedTuple):
    """The mean over classes, and what it is the mean of."""

    value: Estimate
    classes: Mapping[int, Estimate]
    counts: Mapping[int, tuple[int, int]]
    """Real and generated samples of each class."""


def class_conditional_fid(
    real: Float[np.ndarray | Array, "m d_real"],
    real_labels: Int[np.ndarray | Array, "_real_labels"],
    generated: Float[np.ndarray | Array, "n d_generated"],
    generated_labels: Int[np.ndarray | Array, "_generated_labels"],
    *,
    replicates: int = 50,
    seed: int = 0,
    metric: str = "cfid",
) -> ClassDistances:
    """Mean over classes of the Frechet distance between real and generated features of a class.

    Args:
        real: features of real images.
        real_labels: their classes.
        generated: features of generated images.
        generated_labels: the classes that they were asked for.
        replicates: of the bootstrap, each as costly as the distance itself; 0 for no interval.
        seed: of the bootstrap.
        metric: what error messages call the number.

    Returns:
        Every class counts alike in the mean. The intervals are the bootstrap's over the drawing of
        both sets within each class (`jaxgan.evaluation.statistics.intervals.bootstrap`), for the
        expectation at these counts; their ends are NaN without replicates.

    Raises:
        ValueError: classes differ between the two sets, a class has fewer than two samples in one
            of them, labels are not as many as features, features have values that are not finite or
            different dimensions, or ``replicates`` is 1 or negative.
    """
    if replicates < 0 or replicates == 1:
        raise ValueError(f"{metric}: needs 0 replicates or at least 2, got {replicates}")
    x, a = _checked(real, real_labels, metric, "real")
    y, b = _checked(generated, generated_labels, metric, "generated")
    classes, found = np.unique(a), np.unique(b)
    if len(classes) == 0:
        raise ValueError(f"{metric}: the real set is empty")
    if not np.array_equal(classes, found):
        missing = sorted({*classes.tolist()} ^ {*found.tolist()})
        raise ValueError(f"{metric}: only one of the two sets has samples of the classes {missing}")
    members = [x[a == label] for label in classes] + [y[b == label] for label in classes]

    def statistic(*sets: Float64[np.ndarray, "_n d"]) -> dict[str, float]:
        distances = {
            str(label): frechet_between(
                from_features(of_real),
                from_features(of_generated),
                metric=metric,
                names=(f"real class {label}", f"generated class {label}"),
            )
            for label, of_real, of_generated in zip(
                classes, sets[: len(classes)], sets[len(classes) :], strict=True
            )
        }
        return {"mean": float(np.mean(list(distances.values()))), **distances}

    if replicates:
        estimates = bootstrap_each(statistic, *members, replicates=replicates, seed=seed)
    else:
        nan = float("nan")
        estimates = {name: Estimate(v, nan, nan) for name, v in statistic(*members).items()}
    return ClassDistances(
        value=estimates["mean"],
        classes={int(label): estimates[str(label)] for label in classes},
        counts={
            int(label): (int((a == label).sum()), int((b == label).sum())) for label in classes
        },
    )


def _checked(
    features: Float[np.ndarray | Array, "n d"],
    labels: Int[np.ndarray | Array, "_labels"],
    metric: str,
    name: str,
) -> tuple[Float64[np.ndarray, "n d"], Int[np.ndarray, "n"]]:
    if len(labels) != len(features):
        raise ValueError(
            f"{metric}: the {name} set has {len(labels)} labels for {len(features)} samples"
        )
    return np.asarray(features, np.float64), np.asarray(labels)
