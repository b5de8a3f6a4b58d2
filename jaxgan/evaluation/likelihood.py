"""Per-image means out of mergeable sums: ELBO, KL, reconstruction, discriminator accuracy.

An algorithm's ``evaluate`` returns, for each quantity, its sum over a batch and how many images
that was. Batches merge by addition, on the host in float64: a float32 sum over 60,000 images of
some hundred nats each would already drop the last image's decimals.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import SupportsFloat, TypeAlias

AnySums: TypeAlias = Mapping[str, tuple[SupportsFloat, SupportsFloat]]
"""name -> (sum, count), as device scalars (`jaxgan.typing.Sums`) or as plain numbers."""

HostSums: TypeAlias = dict[str, tuple[float, float]]
"""The same as plain numbers."""

SQUARED = "_squared"
"""``elbo_squared`` holds the sum of the squares of what ``elbo`` holds the sum of."""


def merge(a: AnySums, b: AnySums) -> HostSums:
    """Adds two results entry by entry.

    Raises:
        ValueError: one has a quantity that the other lacks.
    """
    if a.keys() != b.keys():
        odd = ", ".join(sorted(a.keys() ^ b.keys()))
        raise ValueError(f"only one of the two sums to merge has: {odd}")
    return {
        name: (float(a[name][0]) + float(b[name][0]), float(a[name][1]) + float(b[name][1]))
        for name in a
    }


def merge_all(parts: Iterable[AnySums]) -> HostSums:
    """Adds the results of all batches of a data set.

    Raises:
        ValueError: there is none, or they do not all have the same quantities.
    """
    total: AnySums | None = None
    for part in parts:
        total = part if total is None else merge(total, part)
    if total is None:
        raise ValueError("no batch was evaluated, there is nothing to sum up")
    return {name: (float(value), float(count)) for name, (value, count) in total.items()}


def finalize(sums: AnySums) -> dict[str, float]:
    """Means per image and, where sums of squares are there, their standard errors.

    For a quantity ``elbo`` that comes with ``elbo_squared``, the result has ``elbo`` and
    ``elbo_se``: the standard deviation over images (divided by ``count - 1``) over ``sqrt(count)``;
    NaN for one image. Entries that hold squares are used up by this.

    Raises:
        ValueError: a count is not positive, or a quantity and its squares differ in their counts.
    """
    means: dict[str, float] = {}
    for name, (value, count) in sums.items():
        total, n = float(value), float(count)
        if not n > 0:
            raise ValueError(f"{name}: summed over {n:g} images, a mean needs at least one")
        if name.endswith(SQUARED) and name.removesuffix(SQUARED) in sums:
            continue
        means[name] = total / n
        if name + SQUARED in sums:
            squares, squares_count = (float(part) for part in sums[name + SQUARED])
            if squares_count != n:
                raise ValueError(f"{name}: {n:g} images, but {squares_count:g} in {name}{SQUARED}")
            means[f"{name}_se"] = _standard_error(total, squares, n)
    return means


def _standard_error(total: float, squares: float, n: float) -> float:
    if n <= 1:
        return math.nan
    # Equal values may leave a rounding error of either sign.
    variance = max(squares - total * total / n, 0.0) / (n - 1)
    return math.sqrt(variance / n)
