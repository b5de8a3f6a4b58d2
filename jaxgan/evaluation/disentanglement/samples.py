"""Codes of images whose factors of variation are known: drawing, encoding and checking them.

What is common to all metrics of this folder: the codes are real numbers, one row a point; the
factors are categories, one column a factor. A factor that takes one value only, such as dSprites'
color, says nothing about a representation and is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol, TypeAlias, runtime_checkable

import jax
import numpy as np
from jaxtyping import Float64, Int64, Integer, Real, Shaped, UInt8

Codes: TypeAlias = Real[np.ndarray | jax.Array, "_ _"]
"""Representations ``(n, d)``, one row a point."""

Factors: TypeAlias = Real[np.ndarray | jax.Array, "_ _"]
"""The number, or the value, of each factor of each point, ``(n, factors)``."""

Represent: TypeAlias = Callable[[np.ndarray], Shaped[np.ndarray | jax.Array, "..."]]
"""From images, uint8 ``(n, height, width, channels)``, to their codes. What is customary for a VAE
is the mean of the posterior."""

ENCODED_TOGETHER = 500
"""Images that a representation gets in one call, always as many."""


@runtime_checkable
class FactorSource(Protocol):
    """Where images with known factors come from, such as `jaxgan.data.sources.sprites.Sprites`."""

    @property
    def factor_sizes(self) -> tuple[int, ...]:
        """How many values each factor has; all combinations are equally likely."""
        ...

    def images(self, factors: Integer[np.ndarray, "n factors"]) -> UInt8[np.ndarray, "n h w c"]:
        """Draws one image for each row of numbers of values."""
        ...


class Sample(NamedTuple):
    """Points whose factors and codes are known, checked."""

    codes: Float64[np.ndarray, "n d"]
    factors: Int64[np.ndarray, "n factors"]
    """Values numbered from 0 without gaps; at least two in every column."""


def draw_factors(
    sizes: tuple[int, ...], count: int, generator: np.random.Generator
) -> Int64[np.ndarray, "n factors"]:
    """Draws numbers of values, each factor independently and uniformly."""
    return generator.integers(np.zeros(len(sizes), np.int64), sizes, size=(count, len(sizes)))


def encode(
    represent: Represent, source: FactorSource, factors: Integer[np.ndarray, "n factors"]
) -> Float64[np.ndarray, "n d"]:
    """Codes of the images with some factors, `ENCODED_TOGETHER` at a time.

    Every call gets as many images, the last ones filled up with copies, so that a compiled
    representation is compiled once.

    Raises:
        ValueError: the representation does not give one row of finite codes for each image.
    """
    rows = []
    for start in range(0, len(factors), ENCODED_TOGETHER):
        part = factors[start : start + ENCODED_TOGETHER]
        padded = np.resize(part, (ENCODED_TOGETHER, factors.shape[1]))
        codes = np.asarray(represent(source.images(padded)), np.float64)
        if codes.ndim != 2 or len(codes) != ENCODED_TOGETHER:
            raise ValueError(
                f"a representation must give codes of shape ({ENCODED_TOGETHER}, d) for "
                f"{ENCODED_TOGETHER} images; this one gave {codes.shape}"
            )
        rows.append(codes[: len(part)])
    codes = np.concatenate(rows)
    _check_finite(codes)
    return codes


def draw(
    represent: Represent, source: FactorSource, count: int, *, seed: int = 0
) -> tuple[Float64[np.ndarray, "n d"], Int64[np.ndarray, "n factors"]]:
    """Draws points from all combinations of the factors and encodes them.

    Args:
        represent: from images to codes.
        source: of the images.
        count: how many points.
        seed: of the drawing.

    Returns:
        Codes and factors.

    Raises:
        ValueError: as `encode`; or ``count`` is not positive.
    """
    if count < 1:
        raise ValueError(f"at least one point must be drawn, not {count}")
    factors = draw_factors(source.factor_sizes, count, np.random.default_rng(seed))
    return encode(represent, source, factors), factors


def checked(codes: Codes, factors: Factors) -> Sample:
    """Checks codes and factors, numbers the values, and leaves out factors of a single value.

    Args:
        codes: ``(n, d)``, real and finite.
        factors: ``(n, factors)``, categories: equal numbers are the same value.

    Raises:
        ValueError: there are no points or no codes, numbers differ or are not finite, no factor
            varies, or a factor has so many values that it is no category.
    """
    return checked_pair((codes, factors))[0]


def checked_pair(*sets: tuple[Codes, Factors]) -> tuple[Sample, ...]:
    """`checked` for several sets whose values are numbered alike, such as train and test.

    Raises:
        ValueError: as `checked`; or the sets have different columns.
    """
    arrays = [(np.asarray(c, np.float64), np.asarray(f, np.float64)) for c, f in sets]
    for codes, factors in arrays:
        if len(codes) != len(factors):
            raise ValueError(
                f"every code needs its factors: got {len(codes)} codes and {len(factors)} rows of "
                "factors"
            )
        if len(codes) < 2 or codes.shape[1] < 1 or factors.shape[1] < 1:
            raise ValueError(
                "at least two points, one dimension and one factor are needed; got codes of shape "
                f"{codes.shape} and factors of shape {factors.shape}"
            )
        _check_finite(codes)
        if not np.isfinite(factors).all():
            raise ValueError("factors must be finite numbers")
    if len({(codes.shape[1], factors.shape[1]) for codes, factors in arrays}) > 1:
        raise ValueError("all sets must have the same dimensions and factors")
    columns = []
    for j, column in enumerate(np.concatenate([factors for _, factors in arrays]).T):
        values, numbers = np.unique(column, return_inverse=True)
        if len(values) > max(2, len(column) // 2):
            raise ValueError(
                f"factor {j} has {len(values)} values among {len(column)} points: draw more "
                "points, or group its values into categories"
            )
        if len(values) > 1:
            columns.append(numbers)
    if not columns:
        raise ValueError("no factor varies: every one has the same value at all points")
    numbered = np.stack(columns, axis=1).astype(np.int64)
    ends = np.cumsum([len(codes) for codes, _ in arrays])[:-1]
    parts = np.split(numbered, ends)
    return tuple(Sample(codes, part) for (codes, _), part in zip(arrays, parts, strict=True))


def _check_finite(codes: Float64[np.ndarray, "n d"]) -> None:
    bad = np.flatnonzero(~np.isfinite(codes).all(axis=1))
    if len(bad):
        raise ValueError(
            f"codes must be finite; {len(bad)} of {len(codes)} rows are not, the first of them "
            f"row {bad[0]}"
        )
