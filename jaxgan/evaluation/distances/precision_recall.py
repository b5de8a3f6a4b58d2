"""Quality and variety apart: precision and recall of manifolds, density and coverage.

Both kinds take the union of balls about the samples of a set, each reaching to its sample's k-th
nearest neighbor within the set, for where that set's distribution lives.

- Improved precision and recall (Kynkaanniemi et al. 2019, equations 1 and 2; ``k = 3``): the share
  of generated samples within the real balls, and of real samples within the generated ones.
- Density and coverage (Naeem et al. 2020, equations 3 and 4; ``k = 5``): how many real balls a
  generated sample lies in, over ``k``; and the share of real balls with a generated sample in them.

Precision and recall count a sample at a ball's surface, as equation 1 says; density and coverage do
not, as the authors' code has it. Both matter for samples that are copies only: without surfaces,
copies of the real set have a density of exactly 1 (unless the real set has its own copies).

At given sample sizes, density has expectation 1 and coverage a closed form if both sets are drawn
from one distribution (`expected_coverage`); recall and precision have none, and grow with the
number of samples, so that they must be compared at equal counts.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Array, Bool, Float, Float64, Int

from jaxgan.evaluation.distances import pairwise
from jaxgan.evaluation.distances.pairwise import Bounds
from jaxgan.evaluation.statistics.intervals import Estimate, bootstrap_each, normal_estimate
from jaxgan.evaluation.statistics.proportions import share
from jaxgan.evaluation.statistics.ranges import POSITIVE, around

MANIFOLD_K = 3
"""Of precision and recall, as in the paper."""

DENSITY_K = 5
"""Of density and coverage, as in the paper."""


class Indicators(NamedTuple):
    """What each single sample contributes; the metrics are the means."""

    precision: Bool[np.ndarray, "generated"]
    """Whether a generated sample lies within the real manifold."""
    recall: Bool[np.ndarray, "real"]
    """Whether a real sample lies within the generated manifold."""
    density: Float64[np.ndarray, "generated"]
    """Real balls about a generated sample, over ``density_k``."""
    coverage: Bool[np.ndarray, "real"]
    """Whether there is a generated sample in the ball of a real one."""


class Neighborhoods(NamedTuple):
    """The four metrics, each with its interval."""

    precision: Estimate
    recall: Estimate
    density: Estimate
    coverage: Estimate


def prdc(
    real: Float[np.ndarray | Array, "m d_real"],
    generated: Float[np.ndarray | Array, "n d_generated"],
    *,
    manifold_k: int = MANIFOLD_K,
    density_k: int = DENSITY_K,
    real_radii: Float64[np.ndarray, "_radii k"] | None = None,
    replicates: int = 0,
    seed: int = 0,
) -> Neighborhoods:
    """Precision, recall, density and coverage of generated samples, with 95% intervals.

    As they come, the intervals take the balls as given and let the samples that are looked up in
    them vary: Wilson's for the three shares, the normal one for density. They cover the drawing of
    the generated samples (precision, density) or of the real ones (recall, coverage), but not that
    of the other set, whose balls all samples share: with both sets of 500 normal samples drawn
    anew, 78 to 90 % of them held the expectation. With ``replicates``, both sets are halved at
    random that often (`jaxgan.evaluation.statistics.intervals.bootstrap`, without replacement, for
    the nearest neighbor of a repeated sample would be its own repetition). Those cover the drawing
    of both (88 to 96 % in the same trial) and cost a quarter of the metrics' time for each
    replicate. No interval covers training seeds.

    Args:
        real: features of real images.
        generated: features of generated ones.
        manifold_k: which neighbor the balls of precision and recall reach to.
        density_k: the same for density and coverage.
        real_radii: `radii` of ``real`` for at least the larger ``k``, where they were computed
            before.
        replicates: random halves for intervals that cover both sets; 0 for those of given balls,
            40 are enough otherwise.
        seed: of the halves.

    Raises:
        ValueError: a set (or its half, with ``replicates``) has too few samples for ``k``
            neighbors, or features that are not finite;
            the two have different dimensions; or ``real_radii`` are of something else.
    """
    found = indicators(
        real, generated, manifold_k=manifold_k, density_k=density_k, real_radii=real_radii
    )
    counts = found.density
    # The variance of one count is unknown: NaN ends, not an interval without width.
    error = float(counts.std(ddof=1) / np.sqrt(len(counts))) if len(counts) > 1 else float("nan")
    result = Neighborhoods(
        precision=share(found.precision),
        recall=share(found.recall),
        density=around(float(counts.mean()), normal_estimate(0.0, error).high, POSITIVE),
        coverage=share(found.coverage),
    )
    if not replicates:
        return result

    def values(
        real: Float[np.ndarray, "m d"], generated: Float[np.ndarray, "n d"]
    ) -> dict[str, float]:
        each = indicators(real, generated, manifold_k=manifold_k, density_k=density_k)
        return {name: float(holds.mean()) for name, holds in each._asdict().items()}

    halved = bootstrap_each(
        values, real, generated, replicates=replicates, seed=seed, replace=False
    )
    # Where a share is 0 or 1 in all halves, they alone would give an interval without width.
    return Neighborhoods(
        **{
            name: Estimate(
                given.value,
                max(min(given.low, halved[name].low), 0.0),
                min(max(given.high, halved[name].high), math.inf if name == "density" else 1.0),
            )
            for name, given in result._asdict().items()
        }
    )


def indicators(
    real: Float[np.ndarray | Array, "m d_real"],
    generated: Float[np.ndarray | Array, "n d_generated"],
    *,
    manifold_k: int = MANIFOLD_K,
    density_k: int = DENSITY_K,
    real_radii: Float64[np.ndarray, "_radii k"] | None = None,
) -> Indicators:
    """What each sample contributes to `prdc`, from one pass over the pairs of the two sets.

    Arguments are as in `prdc`.

    Raises:
        ValueError: as `prdc`.
    """
    reals, samples = pairwise.prepare("precision and recall", real=real, generated=generated)
    most = max(manifold_k, density_k)
    for points, name, k in ((reals, "real", most), (samples, "generated", manifold_k)):
        if min(manifold_k, density_k) < 1 or len(points) <= k:
            raise ValueError(
                f"precision and recall: {k} nearest neighbors need k >= 1 and more than {k} "
                f"samples, the {name} set has {len(points)} (k is {manifold_k} for precision "
                f"and recall, {density_k} for density and coverage)"
            )
    if real_radii is None:
        real_radii = pairwise.nearest(reals, reals, most, itself=True).squared
    elif len(real_radii) != len(reals) or real_radii.shape[1] < most:
        raise ValueError(
            f"precision and recall: radii of {real_radii.shape[0]} samples and "
            f"{real_radii.shape[1]} neighbors do not fit {len(reals)} real samples and k {most}"
        )
    limits = _Limits(
        real_closed=real_radii[:, manifold_k - 1],
        real_open=real_radii[:, density_k - 1],
        generated_closed=pairwise.nearest(samples, samples, manifold_k, itself=True).squared[:, -1],
    )
    within_real = np.zeros(len(samples), bool)
    within_generated = np.zeros(len(reals), bool)
    counts = np.zeros(len(samples), np.int64)
    covered = np.zeros(len(reals), bool)
    for part, bounds in pairwise.blocks(reals, samples):
        count = part.stop - part.start
        scaled = _scaled(limits, part, reals.scale, bounds.lower.shape[0])
        sure = _decide(bounds, scaled)
        i, j = _undecided(sure, count)
        if pairwise.too_many(len(i), count):
            bounds = pairwise.float64_bounds(reals, part, samples)
            sure = _verdicts(bounds, _scaled(limits, part, reals.scale, count, np.float64))
            i, j = _undecided(sure, count)
        within_real |= np.asarray(sure.within_real)
        within_generated[part] |= np.asarray(sure.within_generated)[:count]
        counts += np.asarray(sure.balls)
        covered[part] |= np.asarray(sure.covered)[:count]

        i = i + part.start
        squared = pairwise.squared_distances(reals, samples, i, j)
        within_real[j[squared <= limits.real_closed[i]]] = True
        within_generated[i[squared <= limits.generated_closed[j]]] = True
        inside = squared < limits.real_open[i]
        np.add.at(counts, j[inside], 1)
        covered[i[inside]] = True
    return Indicators(within_real, within_generated, counts / density_k, covered)


def radii(
    features: Float[np.ndarray | Array, "n d"], k: int = DENSITY_K
) -> Float64[np.ndarray, "n k"]:
    """Squared distances of each sample to its ``k`` nearest neighbors within the set.

    Raises:
        ValueError: there are not more than ``k`` samples, or features are not finite.
    """
    (points,) = pairwise.prepare("radii", real=features)
    return pairwise.nearest(points, points, k, itself=True).squared


def expected_coverage(real: int, generated: int, k: int = DENSITY_K) -> float:
    """Coverage to expect if both sets are drawn from one continuous distribution.

    A ball has no generated sample in it if, of the other real samples and the generated ones in
    order of their distance, the first ``k`` are all real: ``1 - prod_{j=1..k} (m-j)/(m+n-j)``
    (Naeem et al. 2020, equation 7, where ``m`` and ``n`` are equal).

    >>> round(expected_coverage(10_000, 10_000), 4)
    0.9688

    Args:
        real: how many real samples, more than ``k``.
        generated: how many generated ones.
        k: which neighbor the balls reach to.
    """
    ranks = np.arange(1, k + 1)
    return 1.0 - float(np.prod((real - ranks) / (real + generated - ranks)))


class _Limits(NamedTuple):
    """Squared radii."""

    real_closed: Float[np.ndarray | Array, "real"]
    real_open: Float[np.ndarray | Array, "real"]
    generated_closed: Float[np.ndarray | Array, "generated"]


class _Verdicts(NamedTuple):
    """What is certain from bounds, and which pairs are not."""

    within_real: Bool[np.ndarray | Array, "generated"]
    within_generated: Bool[np.ndarray | Array, "real"]
    balls: Int[np.ndarray | Array, "generated"]
    covered: Bool[np.ndarray | Array, "real"]
    undecided: Bool[np.ndarray | Array, "real generated"]


def _scaled(
    limits: _Limits, part: slice, scale: float, size: int, dtype: type = np.float32
) -> _Limits:
    """The limits of a block, in the units of its bounds; nothing is within those past the end."""
    count = part.stop - part.start

    def rows(values: Float64[np.ndarray, "real"]) -> Float[np.ndarray, "rows"]:
        scaled = pairwise.padded(values[part] * scale**2, size)
        scaled[count:] = -1.0
        return scaled.astype(dtype)

    return _Limits(
        rows(np.asarray(limits.real_closed)),
        rows(np.asarray(limits.real_open)),
        (np.asarray(limits.generated_closed) * scale**2).astype(dtype),
    )


def _verdicts(bounds: Bounds, limits: _Limits) -> _Verdicts:
    """Judges a block; with arrays of NumPy or of JAX."""
    lower: Any = bounds.lower
    upper: Any = bounds.upper
    closed, opened = limits.real_closed[:, None], limits.real_open[:, None]
    own = limits.generated_closed
    in_closed, in_open, in_own = upper < closed, upper < opened, upper < own
    undecided = (
        ~(in_closed | (lower > closed)) | ~(in_open | (lower > opened)) | ~(in_own | (lower > own))
    )
    # Such a pair is computed exactly for all questions at once, so none of them counts it here.
    in_closed, in_open, in_own = in_closed & ~undecided, in_open & ~undecided, in_own & ~undecided
    return _Verdicts(
        within_real=in_closed.any(axis=0),
        within_generated=in_own.any(axis=1),
        balls=in_open.sum(axis=0),
        covered=in_open.any(axis=1),
        undecided=undecided,
    )


_decide = jax.jit(_verdicts)


def _undecided(
    sure: _Verdicts, count: int
) -> tuple[Int[np.ndarray, "pairs"], Int[np.ndarray, "pairs"]]:
    """Rows within the block and columns of the pairs that bounds leave open."""
    open_pairs = np.asarray(sure.undecided)[:count]
    i, j = np.divmod(np.flatnonzero(open_pairs), open_pairs.shape[1])
    return i, j
