"""Scales and ticks for hand-made charts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from jaxgan.visualization.report.text import MINUS, compact

LOG_RATIO = 30.0
"""Positive values must differ by this factor to be shown on a logarithmic scale."""


@dataclass(frozen=True)
class Scale:
    """An axis.

    Attributes:
        low: value at its start.
        high: value at its end.
        log: whether it is logarithmic (both ends are then positive).
        ticks: values to mark, rising.
        cut: whether values lie beyond its ends.
    """

    low: float
    high: float
    log: bool = False
    ticks: tuple[float, ...] = ()
    cut: bool = False

    def __call__(self, value: float) -> float:
        """Place of a value: 0 at the start, 1 at the end."""
        if self.log:
            floor = math.log(self.low)
            return (math.log(max(value, 1e-300)) - floor) / (math.log(self.high) - floor)
        return (value - self.low) / (self.high - self.low)

    def label(self, tick: float) -> str:
        """A tick in words, with the decimals that the distance of the ticks asks for."""
        if abs(tick) >= 1000:
            return compact(tick)
        if tick == 0:
            return "0"
        if self.log or len(self.ticks) < 2:
            return f"{tick:.3g}".replace("-", MINUS)
        gap = min(b - a for a, b in zip(self.ticks, self.ticks[1:], strict=False))
        decimals = max(0, -math.floor(math.log10(gap) + 1e-9))
        return f"{tick:.{decimals}f}".replace("-", MINUS)


def linear_ticks(low: float, high: float, count: int) -> tuple[float, ...]:
    """At most ``count + 1`` multiples of 1, 2 or 5 times a power of ten within an interval."""
    raw = (high - low) / max(count, 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return tuple(float(index * step) for index in range(first, last + 1))


def log_ticks(low: float, high: float, count: int) -> tuple[float, ...]:
    """Powers of ten within an interval, with 2 and 5 times them if at most ``count`` come out."""
    powers = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 1)
    for factors in ((1, 2, 5), (1, 3), (1,)):
        ticks = [factor * 10.0**power for power in powers for factor in factors]
        inside = [tick for tick in ticks if low <= tick <= high]
        if len(inside) <= count:
            return tuple(inside)
    return tuple(inside[:: math.ceil(len(inside) / count)])


def linear(low: float, high: float, count: int, *, cut: bool = False) -> Scale:
    """A linear scale over an interval that is not empty."""
    return Scale(low, high, ticks=linear_ticks(low, high, count), cut=cut)


def fitted(
    values: Sequence[float], *, count: int = 5, margin: float = 0.05, late: Sequence[float] = ()
) -> Scale:
    """A scale that suits finite values: logarithmic where a few of them would dwarf the rest.

    That is where all are positive and far apart, and half of them would share the lowest quarter
    of a linear scale (as a falling loss does, but not a recall that rises from nearly 0).

    Args:
        values: at least one.
        count: about how many ticks.
        margin: room left at each end, as a share of the scale.
        late: the values that matter. If all values span more than six times what these do, as a
            loss that falls from far away does, a linear scale is fitted to these alone.
    """
    low, high = min(values), max(values)
    middle = sorted(values)[(len(values) - 1) // 2]
    if low > 0 and high / low >= LOG_RATIO and middle - low <= 0.25 * (high - low):
        room = (high / low) ** margin
        low, high = low / room, high * room
        return Scale(low, high, log=True, ticks=log_ticks(low, high, count + 2))
    cut = False
    if late and max(late) > min(late) and high - low > 6 * (max(late) - min(late)):
        room = 0.3 * (max(late) - min(late))
        start, end = max(low, min(late) - room), min(high, max(late) + room)
        cut = (start, end) != (low, high)
        low, high = start, end
    room = margin * (high - low) or 0.1 * abs(high) or 0.5
    # A quantity that is never negative gets no negative ticks.
    start = 0.0 if low >= 0 > low - room else low - room
    return linear(start, high + room, count, cut=cut)
