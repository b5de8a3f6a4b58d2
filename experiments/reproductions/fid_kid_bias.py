"""Bias of the Frechet distance, none of the kernel distance. Binkowski et al., Demystifying MMD
GANs, 2018. Chong and Forsyth, Effectively Unbiased FID and Inception Score and Where to Find Them,
2020.

    python experiments/reproductions/fid_kid_bias.py
    python experiments/reproductions/fid_kid_bias.py --draws 1000

Samples of ``N(0, I)`` in 64 dimensions against their own law, by the functions that measure runs:

- ``fid`` of N samples against exact moments is ``d/N + d(d+1)/(4N)`` on average, to first order in
  1/N, and twice that between two sets. The second order is derived too: with ``S`` the covariance,
  ``tr(S + I - 2 S^(1/2)) = tr(E^2)/4 - tr(E^3)/8 + 5 tr(E^4)/64 - ...``, ``E = S - I``, and the
  moments of Wishart matrices;
- ``fid_inf``, the line through 1/N, ends at 0;
- without samples, at 2,048 dimensions, ``relu(N(0, I))`` to ``relu(N(1, I))`` is 1123.04;
- ``kid`` with the kernel ``(x.y/d + 1)^3`` is 0 on average. With the kernel's
  diagonal left in it would be ``2 ((8 + 12/d + 8/d^2) - (1 + 3/d)) / m`` for two sets of m.

Nothing of this is a paper's own number: the laws are, and were derived; 1123.04 is exact. Ours are
means over draws, with their standard errors: `experiments/results/reproductions/fid_kid_bias.json`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import shelf

from jaxgan.evaluation.distances.fid import frechet_between, frechet_distance
from jaxgan.evaluation.distances.fid_infinity import fid_infinity
from jaxgan.evaluation.distances.kid import kernel_distance, self_sums
from jaxgan.evaluation.distances.moments import Moments

SIZE = 64
COUNTS = (2_000, 10_000)
Samples = np.ndarray
Distance = Callable[[Moments | Samples, Samples], float]


def exact_moments(size: int) -> Moments:
    """Of N(0, I): a mean and a covariance without an error."""
    return Moments(2, np.zeros(size), np.eye(size))


def first_order(size: int, count: int) -> float:
    """Mean of fid of ``count`` samples against their law, to first order in 1/count."""
    return size / count + size * (size + 1) / (4 * count)


def second_order(size: int, count: int) -> float:
    """The same to second order; covariances are divided by ``count - 1``.

    ``E tr E^2 = d(d+1)/n``, ``E tr E^3 = d(d^2+3d+4)/n^2`` and, to this order, ``E tr E^4 =
    d(2d^2+5d+5)/n^2`` for ``n = count - 1``.
    """
    d, n = size, count - 1
    square, cube = d * (d + 1) / n, d * (d**2 + 3 * d + 4) / n**2
    fourth = d * (2 * d**2 + 5 * d + 5) / n**2
    return d / count + square / 4 - cube / 8 + 5 * fourth / 64


def of_relus(size: int) -> float:
    """Frechet distance of relu(N(0, I)) to relu(N(1, I)), from the moments of both."""

    def moments(shift: float) -> tuple[float, float]:
        density = math.exp(-(shift**2) / 2) / math.sqrt(2 * math.pi)
        above = 0.5 * (1 + math.erf(shift / math.sqrt(2)))
        mean = density + shift * above
        return mean, (1 + shift**2) * above + shift * density - mean**2

    (mean_a, var_a), (mean_b, var_b) = moments(0.0), moments(1.0)
    one, eye = np.ones(size), np.eye(size)
    return frechet_distance(mean_a * one, var_a * eye, mean_b * one, var_b * eye)


def kernel_distances(x: Samples, y: Samples) -> tuple[float, float]:
    """kid of two sets of one length, and what it would be with the kernel's diagonals left in."""
    m, d = x.shape
    unbiased = kernel_distance(x, y).value
    kept = unbiased
    for points in (x, y):
        own = np.sum((np.square(points).sum(axis=1) / d + 1) ** 3)
        others = self_sums(points).sum()
        kept += (others + own) / m**2 - others / (m * (m - 1))
    return unbiased, float(kept)


def law(
    quantity: str,
    published: float,
    ours: tuple[float, float],
    cut: float = 0.0,
    headline: bool = False,
) -> shelf.Row:
    """A line of a law: ours with its standard error, and what the law's series leaves out."""
    return shelf.Row(
        quantity, published, *(ours[0], cut, ours[1]), errors=3.0, source="derived",
        headline=headline,
    )  # fmt: skip


def frechet_rows(draws: int, distance: Distance, counts: Sequence[int]) -> list[shelf.Row]:
    """Means of fid against their expansions."""
    rows, exact = [], exact_moments(SIZE)
    for count in counts:
        random = np.random.default_rng(count)

        def normal(random: np.random.Generator = random, count: int = count) -> Samples:
            return random.standard_normal((count, SIZE))

        ours = shelf.mean_and_error([distance(exact, normal()) for _ in range(draws)])
        first, second = first_order(SIZE, count), second_order(SIZE, count)
        cut = 1.1 * abs(second - first)
        told = f"fid of {count:,} samples against"
        rows.append(
            law(f"{told} exact moments, first order", first, ours, cut, count == max(counts))
        )
        # Terms of the next order: d^4 / N^3 times less than 1.
        rest = SIZE**4 / count**3
        rows.append(law(f"{told} exact moments, second order", second, ours, rest))
        ours = shelf.mean_and_error(
            [distance(normal(), normal()) for _ in range(max(draws // 2, 2))]
        )
        # Of two sets the next order has, besides both second orders, the products of both errors.
        rows.append(law(f"{told} {count:,}, first order", 2 * first, ours, 4 * cut))
    return rows


def reproduce(
    draws: int = 100,
    *,
    size: int = 2048,
    counts: Sequence[int] = COUNTS,
    kernel_count: int = 1000,
    distance: Distance = frechet_between,
    kernel: Callable[[Samples, Samples], tuple[float, float]] = kernel_distances,
) -> shelf.Reproduction:
    """All lines; the distances may be replaced by wrong ones.

    Args:
        draws: sets of samples of each mean.
        size: dimensions of the distance without samples, which grows with them.
        counts: of samples, for fid.
        kernel_count: of samples, for kid.
        distance: fid of moments or samples and samples.
        kernel: kid, and with the diagonal.
    """
    rows = frechet_rows(draws, distance, counts)
    random, exact = np.random.default_rng(1), exact_moments(SIZE)
    count = max(counts)
    lines = [
        fid_infinity(exact, random.standard_normal((count, SIZE)), seed=seed).value
        for seed in range(max(draws // 4, 2))
    ]
    # The line has no second order, which is a hundredth of the first at the smallest subsets.
    cut, ours = first_order(SIZE, count) / 50, shelf.mean_and_error(lines)
    rows.append(law(f"fid_inf of {count:,} samples", 0.0, ours, cut, headline=True))
    relus = 1123.04 * size / 2048
    rows.append(
        shelf.Row(f"relu(N(0, I)) to relu(N(1, I)), {size:,} dimensions", relus, of_relus(size),
                  0.005, source="derived", headline=True)
    )  # fmt: skip
    sets = random.standard_normal((draws, 2, kernel_count, SIZE))
    pairs = np.array([kernel(x, y) for x, y in sets])
    told, ours = f"kid of {kernel_count:,} and {kernel_count:,} samples", pairs.T
    rows.append(law(told, 0.0, shelf.mean_and_error(ours[0]), headline=True))
    d = SIZE
    diagonal = 2 * ((8 + 12 / d + 8 / d**2) - (1 + 3 / d)) / kernel_count
    rows.append(law(f"{told}, diagonals left in", diagonal, shelf.mean_and_error(ours[1])))
    return shelf.Reproduction(
        name="fid_kid_bias",
        paper="Binkowski et al., Demystifying MMD GANs, 2018; Chong and Forsyth, Effectively"
        " Unbiased FID and Inception Score, 2020",
        what=f"bias of fid, none of kid, {SIZE} dimensions, equal laws",
        rows=tuple(rows),
        settings={"draws": draws, "size": size, "counts": list(counts)},
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints and writes the table."""
    shelf.run(reproduce, __doc__, arguments, draws=(100, "sets of samples of each mean"))


if __name__ == "__main__":
    main()
