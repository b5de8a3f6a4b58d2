"""The sizes that a convolution has along one axis, and zeros around and between pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array


class Axis(NamedTuple):
    """The sizes of a convolution along height, or along width."""

    pixels: int
    """Length of x."""
    results: int
    """Length of y."""
    taps: int
    """Length of the kernel."""
    stride: int
    """Pixels from one window to the next."""
    before: int
    """Zeros before the first pixel; negative: pixels before the first window."""

    @property
    def pads(self) -> tuple[int, int]:
        """Zeros before and after the pixels, such that the last window ends with the last."""
        seen = (self.results - 1) * self.stride + self.taps
        return self.before, seen - self.pixels - self.before


Axes: TypeAlias = tuple[Axis, Axis]


def fit(
    array: Array,
    edges: Sequence[tuple[int, int]],
    *,
    first: int = 1,
    between: Sequence[int] | None = None,
) -> Array:
    """Zeros around neighboring axes of an array, and between their entries; negative edges cut off.

    Args:
        array: whatever.
        edges: entries to add before and after, for each of the axes.
        first: position of the first of the axes.
        between: zeros to put between entries, for each of the axes; None: none.
    """
    apart = between or (0,) * len(edges)
    if not any(map(any, edges)) and not any(apart):
        return array
    settings = [(0, 0, 0)] * array.ndim
    settings[first : first + len(edges)] = [
        (*edge, n) for edge, n in zip(edges, apart, strict=True)
    ]
    return lax.pad(array, jnp.zeros((), array.dtype), settings)
