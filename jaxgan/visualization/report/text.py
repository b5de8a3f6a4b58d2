"""Numbers, times and lists, as people read them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from jaxgan.visualization.report.data import MetricValue

MISSING = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"


def number(value: float, digits: int) -> str:
    """A number with a fixed count of decimals; very large or small ones in powers of ten.

    >>> number(1234.5678, 2), number(1.5e9, 2)
    ('1,234.57', '1.50e9')
    """
    if not math.isfinite(value):
        return "not a number" if math.isnan(value) else (MINUS if value < 0 else "") + "∞"
    if abs(value) >= 1e7 or 0 < abs(value) < 0.5 * 10.0**-digits:
        mantissa, _, power = f"{value:.2e}".partition("e")
        text = f"{mantissa}e{int(power)}"
    else:
        text = f"{value:,.{digits}f}"
        if float(text.replace(",", "")) == 0.0:
            text = text.lstrip("-")
    return text.replace("-", MINUS)


def chance(p_value: float) -> str:
    """A p-value.

    >>> chance(0.04321), chance(2e-5)
    ('p = 0.043', 'p < 0.001')
    """
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.2g}"


def compact(value: float | int) -> str:
    """A count with a metric suffix.

    >>> compact(1234567), compact(640000), compact(12)
    ('1.23M', '640k', '12')
    """
    for size, suffix in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size * 0.9995:
            return f"{value / size:.3g}{suffix}".replace("-", MINUS)
    return f"{value:.3g}".replace("-", MINUS)


def duration(seconds: float) -> str:
    """A time with its two largest units.

    >>> duration(0.84), duration(75.0), duration(7384.0)
    ('0.8 s', '1 min 15 s', '2 h 3 min')
    """
    if not math.isfinite(seconds):
        return MISSING
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60} min"


def joined(names: Sequence[str]) -> str:
    """A list in words.

    >>> joined(["a", "b", "c"])
    'a, b and c'
    """
    *start, last = names
    return f"{', '.join(start)} and {last}" if start else last


def shortened(text: str, length: int) -> str:
    """At most ``length`` characters; what is cut is marked by an ellipsis."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def first_line(text: str) -> str:
    """What stands before the first line break."""
    return text.strip().partition("\n")[0].rstrip()


def seed_points(value: MetricValue, digits: int) -> tuple[str, ...]:
    """The values of two seeds, of which there is no interval; of other numbers of seeds none."""
    if value.interval is not None or len(value.defined) != 2:
        return ()
    return tuple(number(one, digits) for one in value.defined)


def spread(mean: float, interval: tuple[float, float] | None, digits: int) -> str:
    """Half the width of an interval, such as ``± 0.12``; empty if the mean is not its middle."""
    if interval is None:
        return ""
    half = (interval[1] - interval[0]) / 2
    symmetric = abs(mean - sum(interval) / 2) <= 0.01 * half + 1e-9 * abs(mean)
    return f"± {number(half, digits)}" if symmetric else ""
