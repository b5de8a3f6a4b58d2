"""What a report says of a search: how many trials failed, and what a budget of trials gives."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Failures(NamedTuple):
    """How many of the runs, or trials, behind a row have failed."""

    failed: int
    of: int
    what: str = "runs"

    @property
    def text(self) -> str:
        """Such as ``3 of 24 trials failed``."""
        return f"{self.failed} of {self.of} {self.what} failed"

    @property
    def told(self) -> bool:
        """Whether there is something to tell: some failed, or settings were searched."""
        return self.failed > 0 or self.what != "runs"

    @property
    def share(self) -> str:
        """Such as ``3/24``."""
        return f"{self.failed}/{self.of}"


@dataclass(frozen=True)
class Band:
    """A line with a band around it, one of a plot.

    Attributes:
        row: name of the row.
        x: places along the horizontal axis, rising.
        mean: of the line there.
        low: lower end of the band there.
        high: upper end.
    """

    row: str
    x: tuple[float, ...]
    mean: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]

    def __post_init__(self) -> None:
        if len({len(self.x), len(self.mean), len(self.low), len(self.high)}) > 1 or not self.x:
            raise ValueError(f"{self.row}: a band needs as many values as places, and some")
        if not all(map(math.isfinite, (*self.mean, *self.low, *self.high))):
            raise ValueError(f"{self.row}: a band needs finite values")


@dataclass(frozen=True)
class BandPlot:
    """Lines of the rows, with their bands, in one plot.

    Attributes:
        title: of the figure.
        x_label: of the horizontal axis.
        y_label: of the vertical one, with its unit.
        bands: one a row.
        explanation: a few sentences below the title.
    """

    title: str
    x_label: str
    y_label: str
    bands: tuple[Band, ...]
    explanation: str = ""

    def __post_init__(self) -> None:
        if not self.bands:
            raise ValueError(f"{self.title}: a plot needs at least one line")


def check_rows(plots: Sequence[BandPlot], names: Sequence[str]) -> None:
    """Refuses lines of rows that there are not.

    Raises:
        ValueError: names the first.
    """
    for plot in plots:
        if strange := sorted({band.row for band in plot.bands}.difference(names)):
            raise ValueError(f"{plot.title}: there is no row {strange[0]!r}")
