"""Metrics that count how much each dimension of a code tells about each factor.

The mutual information is that of the sample's histogram, each dimension cut into bins of equal
width. Such an estimate lies too high, by about ``(bins - 1)(values - 1) / (2 n)`` nats where code
and factor are independent and all bins are in use.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float64, Int64

from jaxgan.evaluation.disentanglement.samples import Codes, Factors, Sample, checked
from jaxgan.evaluation.statistics.intervals import Estimate, bootstrap

BINS = 20
"""Bins of a dimension, as in disentanglement_lib (Locatello et al. 2019)."""


def discretize(codes: Float64[np.ndarray, "n d"], bins: int = BINS) -> Int64[np.ndarray, "n d"]:
    """Numbers of equally wide bins from each dimension's smallest to its largest code.

    A code between two bins belongs to the upper one. All codes of a constant dimension share a bin.

    Raises:
        ValueError: there are fewer than two bins.
    """
    if bins < 2:
        raise ValueError(f"codes must be cut into at least 2 bins, not {bins}")
    edges = np.linspace(codes.min(axis=0), codes.max(axis=0), bins + 1)[1:-1]
    columns = [np.searchsorted(e, c, side="right") for e, c in zip(edges.T, codes.T, strict=True)]
    return np.stack(columns, axis=1).astype(np.int64)


def mutual_information(
    binned: Int64[np.ndarray, "n d"], factors: Int64[np.ndarray, "n factors"]
) -> Float64[np.ndarray, "d factors"]:
    """Mutual information of every dimension with every factor, in nats.

    Args:
        binned: small numbers from 0, as `discretize` returns them.
        factors: small numbers from 0.
    """
    (n, d), height, width = binned.shape, int(binned.max()) + 1, int(factors.max()) + 1
    # All tables in one count: the cell of every point, dimension and factor.
    tables = np.arange(d * factors.shape[1]).reshape(d, -1) * (height * width)
    cells = tables + binned[:, :, None] * width + factors[:, None, :]
    counts = np.bincount(cells.ravel(), minlength=tables.size * height * width)
    joint = counts.reshape(*tables.shape, height * width) / n
    table = joint.reshape(*tables.shape, height, width)
    apart = _negative_entropy(table.sum(axis=3)) + _negative_entropy(table.sum(axis=2))
    # Not below 0, where rounding of the sums would bring it.
    return np.maximum(_negative_entropy(joint) - apart, 0.0)


def entropy(factors: Int64[np.ndarray, "n factors"]) -> Float64[np.ndarray, "factors"]:
    """Entropy of each factor in the sample, in nats."""
    return np.array([float(-_negative_entropy(np.bincount(c) / len(c))) for c in factors.T])


def _negative_entropy(shares: Float64[np.ndarray, "*shape values"]) -> np.ndarray:
    logs = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
    return np.asarray((shares * logs).sum(axis=-1))


def gap(
    information: Float64[np.ndarray, "d factors"], entropies: Float64[np.ndarray, "factors"]
) -> float:
    """The mutual information gap: mean over factors of (largest - second) / entropy.

    With a single dimension, the second is 0, as that of a further constant dimension would be.
    A factor without entropy (in a resampled set) counts as having no gap.
    """
    padded = np.concatenate([np.zeros_like(information[:1]), information])
    second, first = np.sort(padded, axis=0)[-2:]
    known = entropies > 0
    shares = np.divide(first - second, entropies, out=np.zeros_like(first), where=known)
    return float(shares.mean())


def modularity_of(information: Float64[np.ndarray, "d factors"]) -> float:
    """Mean over dimensions of ``1 - sum_{others} I^2 / (I_max^2 (factors - 1))``.

    A dimension that tells nothing about any factor counts as 0. With a single factor, any other
    counts as 1.
    """
    squared = np.square(information)
    largest = squared.max(axis=1)
    others = squared.sum(axis=1) - largest
    limit = largest * max(information.shape[1] - 1, 1)
    deviation = np.divide(others, limit, out=np.ones_like(largest), where=largest > 0)
    return float(np.mean(1 - deviation))


def mig(
    codes: Codes, factors: Factors, *, bins: int = BINS, replicates: int = 200, seed: int = 0
) -> Estimate:
    """Mutual information gap of "Isolating sources of disentanglement" (Chen et al. 2018), eq. 6.

    For each factor, how much more the dimension that tells most about it does so than the one that
    tells second most, as a share of the factor's entropy; averaged over factors. 1 needs bins that
    tell all values of a factor apart: where a factor has more values than there are ``bins``, as
    three of the sprites' factors do, even the factor itself has a gap of only
    ``H(bins) / H(values)``.

    Args:
        codes: representations; a row for each point.
        factors: of the same points.
        bins: of equal width into which each dimension is cut.
        replicates: of the bootstrap.
        seed: of the bootstrap.

    Returns:
        The gap, in [0, 1] (apart from an end of the interval), and an interval over the drawing of
        the points, by the bootstrap; bins stay where they are.

    Raises:
        ValueError: as `jaxgan.evaluation.disentanglement.samples.checked`; or ``bins`` < 2.
    """

    def statistic(binned: np.ndarray, factors: np.ndarray) -> float:
        return gap(mutual_information(binned, factors), entropy(factors))

    return _over_points(statistic, checked(codes, factors), bins, replicates, seed)


def modularity(
    codes: Codes, factors: Factors, *, bins: int = BINS, replicates: int = 200, seed: int = 0
) -> Estimate:
    """Modularity of "Learning deep disentangled embeddings" (Ridgeway and Mozer 2018), section 2.

    Whether each dimension tells about one factor at most. It does not ask whether another
    dimension tells the same, nor whether all factors are told of. Noise does not score 0: its
    mutual information is the bias of the estimate, which grows with a factor's number of values.
    Dimensions that are constant count as 0, as in disentanglement_lib.

    Args:
        codes: representations; a row for each point.
        factors: of the same points.
        bins: of equal width into which each dimension is cut.
        replicates: of the bootstrap.
        seed: of the bootstrap.

    Returns:
        The modularity, in [0, 1] (apart from an end of the interval), and an interval over the
        drawing of the points, by the bootstrap; bins stay where they are.

    Raises:
        ValueError: as `jaxgan.evaluation.disentanglement.samples.checked`; or ``bins`` < 2.
    """

    def statistic(binned: np.ndarray, factors: np.ndarray) -> float:
        return modularity_of(mutual_information(binned, factors))

    return _over_points(statistic, checked(codes, factors), bins, replicates, seed)


def _over_points(
    statistic: Callable[[np.ndarray, np.ndarray], float],
    sample: Sample,
    bins: int,
    replicates: int,
    seed: int,
) -> Estimate:
    binned = discretize(sample.codes, bins)

    def of_rows(rows: np.ndarray) -> float:
        return statistic(binned[rows], sample.factors[rows])

    return bootstrap(of_rows, np.arange(len(binned)), replicates=replicates, seed=seed)
