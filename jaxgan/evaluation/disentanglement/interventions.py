"""Batches of points that agree in one factor, which two of the metrics ask for.

beta-VAE's and FactorVAE's metrics (`jaxgan.evaluation.disentanglement.votes`) need many small
ones. `pooled` takes them from a set of points encoded once: 15,000 images instead of the nearly
three million that 15,000 votes of either take as published. `rendered` draws and encodes new images
for each batch, as published. A pool gives the same batches in expectation; what it adds is the
pool's own chance deviations, which are smaller than a batch's as long as each value of a factor has
several times more points than a batch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64

from jaxgan.evaluation.disentanglement.samples import (
    Codes,
    Factors,
    FactorSource,
    Represent,
    checked,
    draw,
    draw_factors,
    encode,
)

LEAST_POINTS = 10
"""What every value of every factor must have in a pool."""


class Interventions(NamedTuple):
    """Batches of codes whose images agree in one factor."""

    factors: int
    """How many factors there are that vary."""
    variances: Float64[np.ndarray, " d"]
    """Of each dimension over all points, unbiased."""
    pairs: Callable[[np.random.Generator, np.ndarray, int], tuple[np.ndarray, np.ndarray]]
    """From a generator, the number of the factor to hold ``(m,)`` and a number of pairs to two
    arrays of codes, ``(m, pairs, d)``: each pair agrees in a value of the factor of its own."""
    batches: Callable[[np.random.Generator, np.ndarray, int], np.ndarray]
    """From a generator, the number of the factor to hold ``(m,)`` and a number of points to codes
    ``(m, points, d)``: all points of a batch agree in one value of the factor."""


def pooled(codes: Codes, factors: Factors) -> Interventions:
    """Takes batches, with replacement, from points that are encoded already.

    The two points of a pair are never the same one.

    Args:
        codes: representations; a row for each point.
        factors: of the same points.

    Raises:
        ValueError: as `jaxgan.evaluation.disentanglement.samples.checked`; or a value of a factor
            has fewer than `LEAST_POINTS` points.
    """
    sample = checked(codes, factors)
    counts = [np.bincount(column) for column in sample.factors.T]
    for j, column in enumerate(counts):
        if column.min() < LEAST_POINTS:
            raise ValueError(
                f"too few points: value {int(column.argmin())} of factor {j} (of those that vary) "
                f"has {column.min()}, but needs at least {LEAST_POINTS}"
            )
    # Points in the order of the value of each factor; where each value starts; which place each
    # point takes.
    orders = [np.argsort(column, kind="stable") for column in sample.factors.T]
    starts = [np.cumsum(column) - column for column in counts]
    places = [np.argsort(order) for order in orders]

    def partner(generator: np.random.Generator, factor: int, first: np.ndarray) -> np.ndarray:
        """Another point with the same value as each of ``first``."""
        value = sample.factors[first, factor]
        start, count = starts[factor][value], counts[factor][value]
        step = 1 + generator.integers(count - 1)
        return orders[factor][start + (places[factor][first] - start + step) % count]

    def mates(generator: np.random.Generator, factor: int, first: np.ndarray, size: int):
        """``size`` points with the same value as each of ``first``, which may be among them."""
        value = sample.factors[first, factor][:, None]
        start, count = starts[factor][value], counts[factor][value]
        return orders[factor][start + generator.integers(count, size=(len(first), size))]

    def pairs(generator: np.random.Generator, held: np.ndarray, size: int):
        first = generator.integers(len(sample.codes), size=(len(held), size))
        second = np.empty_like(first)
        for factor in range(sample.factors.shape[1]):
            rows = held == factor
            second[rows] = partner(generator, factor, first[rows])
        return sample.codes[first], sample.codes[second]

    def batches(generator: np.random.Generator, held: np.ndarray, size: int) -> np.ndarray:
        first = generator.integers(len(sample.codes), size=len(held))
        points = np.empty((len(held), size), np.int64)
        for factor in range(sample.factors.shape[1]):
            rows = held == factor
            points[rows] = mates(generator, factor, first[rows], size)
        return sample.codes[points]

    return Interventions(
        sample.factors.shape[1], np.var(sample.codes, axis=0, ddof=1), pairs, batches
    )


def rendered(
    represent: Represent, source: FactorSource, *, count: int = 10_000, seed: int = 0
) -> Interventions:
    """Draws and encodes new images for every batch.

    Args:
        represent: from images to codes.
        source: of the images.
        count: points from which the variances are estimated.
        seed: of those points.

    Raises:
        ValueError: as `jaxgan.evaluation.disentanglement.samples.draw`; or no factor varies.
    """
    sizes = source.factor_sizes
    varied = np.flatnonzero(np.array(sizes) > 1)
    if not len(varied):
        raise ValueError("no factor varies: every one has a single value")

    def codes_of(factors: np.ndarray) -> np.ndarray:
        flat = encode(represent, source, factors.reshape(-1, len(sizes)))
        return flat.reshape(*factors.shape[:-1], -1)

    def drawn(generator: np.random.Generator, batches: int, size: int) -> np.ndarray:
        return draw_factors(sizes, batches * size, generator).reshape(batches, size, -1)

    def pairs(generator: np.random.Generator, held: np.ndarray, size: int):
        first, second = (drawn(generator, len(held), size) for _ in range(2))
        rows, columns = np.arange(len(held)), varied[held]
        second[rows, :, columns] = first[rows, :, columns]
        return codes_of(first), codes_of(second)

    def batches(generator: np.random.Generator, held: np.ndarray, size: int) -> np.ndarray:
        factors = drawn(generator, len(held), size)
        rows, columns = np.arange(len(held)), varied[held]
        factors[rows, :, columns] = factors[rows, :1, columns]
        return codes_of(factors)

    codes, _ = draw(represent, source, count, seed=seed)
    return Interventions(len(varied), np.var(codes, axis=0, ddof=1), pairs, batches)
