"""The shelf: what papers say beside what this code gives, and the rule by which they agree.

A reproduction is a function to a `Reproduction`; `run` makes a script of it, which prints the table
"published, ours, within?", writes it as JSON, and ends with exit code 1 if a line misses.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from jaxgan.cli.entry import guarded
from jaxgan.config import ConfigError
from jaxgan.machine.atomic import write_atomically
from jaxgan.run import provenance
from jaxgan.visualization.grid import save_png

RESULTS = Path(__file__).parents[1] / "results" / "reproductions"
VERSIONS = ("jaxgan", "python", "jax", "numpy")
Source = Literal["paper", "code", "derived"]
"""Where a value is from: the paper, its authors' code, or derived from the paper's equations."""


@dataclasses.dataclass(frozen=True)
class Row:
    """One quantity of a paper, and ours.

    ``ours`` is within if it is no further from ``published`` than ``tolerance`` plus two standard
    errors of the difference: exact quantities have a tolerance alone, random ones errors alone
    (and a tolerance for what rounds the published value, or cuts the series behind it). Where
    ``published`` is no measurement but a law, more than two errors may be allowed, since of twenty
    true laws one would miss.

    >>> Row("precision", 0.50, 0.53, error=0.01, published_error=0.012).within
    True
    >>> Row("precision", 0.50, 0.53, error=0.01).within
    False
    """

    quantity: str
    published: float
    ours: float
    tolerance: float = 0.0
    """Distance that no chance has to explain."""
    error: float = 0.0
    """Standard error of ours."""
    published_error: float = 0.0
    """Standard error of the published value, whatever its paper writes after its +-."""
    errors: float = 2.0
    """How many standard errors of the difference count as agreement."""
    source: Source = "paper"
    headline: bool = False
    """Whether the README's table shows it."""

    def __post_init__(self) -> None:
        for name in ("tolerance", "error", "published_error", "errors"):
            if getattr(self, name) < 0.0:
                raise ValueError(f"{self.quantity}: {name} must be at least 0")

    @property
    def allowed(self) -> float:
        """The largest distance that counts as agreement."""
        return self.tolerance + self.errors * math.hypot(self.error, self.published_error)

    @property
    def within(self) -> bool:
        """Whether the two agree; what is not a number agrees with nothing."""
        return bool(abs(self.ours - self.published) <= self.allowed)


@dataclasses.dataclass(frozen=True)
class Order:
    """A published ordering: ``larger`` is above ``smaller``.

    It holds if the 95% interval of our difference lies above 0, so that a tie is excluded.
    """

    larger: str
    smaller: str
    low: float
    """Of the interval of the difference, larger minus smaller."""
    high: float

    @property
    def holds(self) -> bool:
        """Whether ours says so too."""
        return bool(0.0 < self.low <= self.high)


class Reproduction(NamedTuple):
    """What a script found.

    Attributes:
        name: of its file, without the suffix.
        paper: authors, title, year.
        what: was looked at, in one line.
        rows: numbers.
        orders: orderings.
        left_open: which choice the paper's text leaves open, where ours may differ.
        settings: what the numbers depend on.
        picture: the paper's figure as it is here, uint8 ``(height, width, channels)``; None: there
            is none.
        reduction: what there is less of than in the paper, of which nothing is claimed then; empty:
            nothing.
        arguments: of the script's command line.
    """

    name: str
    paper: str
    what: str
    rows: tuple[Row, ...]
    orders: tuple[Order, ...] = ()
    left_open: str = ""
    settings: Mapping[str, Any] = {}
    picture: np.ndarray | None = None
    reduction: str = ""
    arguments: str = ""

    @property
    def holds(self) -> bool:
        """Whether every number is within and every ordering holds."""
        return all(row.within for row in self.rows) and all(one.holds for one in self.orders)


def verdict(
    rows: Sequence[Row], orders: Sequence[Order] = (), left_open: str = "", reduction: str = ""
) -> str:
    """What may be said of a reproduction.

    ``reproduced`` is said only if the published ordering holds with intervals that exclude a tie
    and all numbers are within two combined standard errors. What has an exact answer is ``exact``.

    >>> verdict([Row("root", 0.5, 0.5, tolerance=1e-12)])
    'exact to 1e-12'
    >>> verdict([Row("mean", 0.5, 0.8, error=0.1)], left_open="the batch size")
    'not reproduced: mean is off by 0.3, 0.2 allowed; left open: the batch size'

    Args:
        rows: numbers.
        orders: orderings.
        left_open: which choice the paper's text leaves open.
        reduction: what there is less of than in the paper; nothing else is said then.
    """
    if reduction:
        return f"reduction: {reduction}"
    misses = [
        f"{row.quantity} is off by {abs(row.ours - row.published):.2g}, {row.allowed:.2g} allowed"
        for row in rows
        if not row.within
    ]
    misses += [
        f"{one.larger} above {one.smaller} does not hold ({one.low:.2g} to {one.high:.2g})"
        for one in orders
        if not one.holds
    ]
    if misses:
        told = f"not reproduced: {'; '.join(misses)}"
        return f"{told}; left open: {left_open}" if left_open else told
    random = [row.errors for row in rows if row.error or row.published_error]
    if orders and random and max(random) <= 2.0:
        return "reproduced"
    exact = [row.tolerance for row in rows if not row.error and not row.published_error]
    told = ["the ordering holds"] if orders else []
    told += [f"exact to {max(exact):.1g}"] if exact else []
    told += [f"within {max(random):g} standard errors where it is random"] if random else []
    return ", ".join(told) if told else "nothing was compared"


def mean_and_error(values: Any) -> tuple[float, float]:
    """Mean of independent draws, and its standard error."""
    drawn = np.asarray(values, np.float64)
    return float(drawn.mean()), float(drawn.std(ddof=1) / math.sqrt(len(drawn)))


def number(value: float | None, error: float = 0.0) -> str:
    """``0.4772``, or ``0.4772 ± 0.0031`` with two digits of the standard error.

    >>> number(0.47723, 0.00312), number(9.5e-22), number(12.0), number(0.5, 1e-7)
    ('0.4772 ± 0.0031', '9.5e-22', '12', '0.5')
    """
    if value is None or not math.isfinite(value):
        return "no number"
    if error > 1e-5 * abs(value) and math.isfinite(error):
        digits = max(1 - math.floor(math.log10(error)), 0)
        return f"{value:.{digits}f} ± {error:.{digits}f}"
    return f"{value:.6g}"


def document(found: Reproduction) -> dict[str, Any]:
    """All of it as JSON; what is no number is null."""

    def ordered(one: Order) -> dict[str, Any]:
        ends = {"low": one.low, "high": one.high}
        ends = {name: end if math.isfinite(end) else None for name, end in ends.items()}
        return {**dataclasses.asdict(one), **ends, "holds": one.holds}

    def told(row: Row) -> dict[str, Any]:
        defaults = {one.name: one.default for one in dataclasses.fields(row)}
        kept = {n: v for n, v in dataclasses.asdict(row).items() if v != defaults[n]}
        ours = row.ours if math.isfinite(row.ours) else None
        # An error that is no number is left out, and is a miss all the same.
        kept = {n: v for n, v in kept.items() if not isinstance(v, float) or math.isfinite(v)}
        return {**kept, "published": row.published, "ours": ours, "within": row.within}

    versions = provenance.versions()
    return {
        "name": found.name,
        "paper": found.paper,
        "what": found.what,
        "command": f"python experiments/reproductions/{found.name}.py {found.arguments}".rstrip(),
        "verdict": verdict(found.rows, found.orders, found.left_open, found.reduction),
        "holds": found.holds,
        "settings": {**found.settings},
        "rows": [told(row) for row in found.rows],
        "orders": [ordered(one) for one in found.orders],
        "versions": {name: versions[name] for name in VERSIONS},
    }


def table(found: Reproduction) -> str:
    """``published, ours, within?``, a line a quantity; and the verdict."""
    lines = [("", "published", "ours", "within?")]
    for row in found.rows:
        is_within = "yes" if row.within else "NO"
        within = f"{is_within}, {abs(row.ours - row.published):.2g} of {row.allowed:.2g}"
        published = number(row.published, row.published_error)
        lines.append((row.quantity, published, number(row.ours, row.error), within))
    for one in found.orders:
        lines.append((
            f"{one.larger} above {one.smaller}", "yes", f"{one.low:.3g} to {one.high:.3g}",
            "yes" if one.holds else "NO",
        ))  # fmt: skip
    widths = [max(len(line[i]) for line in lines) for i in range(4)]
    body = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]
    told = verdict(found.rows, found.orders, found.left_open, found.reduction)
    return "\n".join([f"{found.paper}: {found.what}", *body, told]) + "\n"


def publish(found: Reproduction, results: Path = RESULTS) -> Path:
    """Prints the table and writes it as ``NAME.json``, and a picture as ``NAME.png``."""
    print(table(found), end="", flush=True)
    results.mkdir(parents=True, exist_ok=True)
    if found.picture is not None:
        save_png(results / f"{found.name}.png", found.picture)
    content = json.dumps(document(found), indent=1, allow_nan=False, ensure_ascii=False) + "\n"
    return write_atomically(results / f"{found.name}.json", content.encode())


def finish(found: Reproduction, results: Path) -> None:
    """Publishes, and ends the process with exit code 1 if anything misses that is claimed."""
    print(publish(found, results))
    if not found.holds and not found.reduction:
        sys.exit(1)


def run(
    reproduce: Callable[..., Reproduction],
    description: str | None,
    arguments: Sequence[str] | None = None,
    **counts: tuple[int, str],
) -> None:
    """Makes a script of a reproduction.

    Ends the process with exit code 1 if anything misses, 2 if the request cannot work.

    Args:
        reproduce: takes the counts by keyword.
        description: of ``--help``.
        arguments: of the command line; None: the process's own.
        counts: numbers that may be asked for by a flag: default and help.
    """

    def body() -> None:
        parser = argparse.ArgumentParser(
            description=description, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        for name, (default, told) in counts.items():
            parser.add_argument(f"--{name}", type=int, default=default, help=f"{told}; {default:,}")
        parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the JSON")
        chosen = vars(parser.parse_args(arguments))
        results = chosen.pop("results")
        for name, value in chosen.items():
            if value < 2:
                raise ConfigError(f"--{name} {value}: must be at least 2")
        finish(reproduce(**chosen), results)

    guarded(body)
