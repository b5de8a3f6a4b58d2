"""What a comparison report is made from: plain values, checked when they are made."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from jaxgan.visualization.report.search import BandPlot, Failures, check_rows

ALPHA = 0.05
"""Rows whose p-value is below differ significantly from the best of a column."""

Number: TypeAlias = float | int
"""What may be given; it is kept as a Python float, whatever NumPy type it came as."""


def _floats(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_floats(one) for one in value)
    return None if value is None else float(value)


@dataclass(frozen=True)
class MetricColumn:
    """A metric of the table.

    Attributes:
        name: key into `Row.metrics` and `Row.curves`.
        label: what the page calls it.
        lower_is_better: the direction of the ranking and of the best value of the column; None if
            neither direction is better by itself, so that there is no best.
        unit: written behind the label, such as ``nats``.
        digits: decimals shown (`results.csv` and `results.json` have all).
        explanation: one or two sentences: what was measured, by which protocol.
    """

    name: str
    label: str
    lower_is_better: bool | None
    unit: str = ""
    digits: int = 2
    explanation: str = ""

    @property
    def title(self) -> str:
        """Label and unit."""
        return f"{self.label} ({self.unit})" if self.unit else self.label


@dataclass(frozen=True)
class MetricValue:
    """A metric of one row over its seeds.

    Attributes:
        mean: over the seeds.
        low: lower end of the interval; None (as is ``high``) where there is none.
        high: upper end.
        per_seed: one value a seed, in the order of `Row.seeds`; None for a seed without. A row with
            such a seed is not ranked by the others.
        over: what the interval is over: seeds or, of a single one, the drawing of samples.
        p_value: chance of so large a difference from the column's best row if there is none,
            corrected for the number of rows; None for that row, and where it cannot be judged.
    """

    mean: Number
    low: Number | None = None
    high: Number | None = None
    per_seed: tuple[Number | None, ...] = ()
    over: Literal["seeds", "samples"] = "seeds"
    p_value: Number | None = None

    def __post_init__(self) -> None:
        for name in ("mean", "low", "high", "per_seed", "p_value"):
            object.__setattr__(self, name, _floats(getattr(self, name)))
        if (self.low is None) != (self.high is None):
            raise ValueError("an interval has both ends or none")
        if self.interval is not None and not self.interval[0] <= self.mean <= self.interval[1]:
            raise ValueError(f"the mean {self.mean} lies outside its interval {self.interval}")

    @property
    def defined(self) -> tuple[float, ...]:
        """The finite values of the seeds."""
        return tuple(one for one in self.per_seed if one is not None and math.isfinite(one))

    @property
    def missing(self) -> int:
        """Seeds without a value: it was undefined there, or not measured."""
        return sum(one is None or math.isnan(one) for one in self.per_seed)

    @property
    def like_best(self) -> bool:
        """Whether it was compared with the column's best, and is not significantly different."""
        return self.p_value is not None and self.p_value >= ALPHA

    @property
    def interval(self) -> tuple[float, float] | None:
        """Both ends, where there are finite ones."""
        if self.low is None or self.high is None:
            return None
        return (self.low, self.high) if math.isfinite(self.high - self.low) else None


@dataclass(frozen=True)
class Curve:
    """A metric of one seed while it trained.

    Attributes:
        images_seen: real images seen, rising.
        values: the metric there.
    """

    images_seen: tuple[Number, ...]
    values: tuple[Number, ...]

    def __post_init__(self) -> None:
        for name in ("images_seen", "values"):
            object.__setattr__(self, name, _floats(getattr(self, name)))
        if len(self.images_seen) != len(self.values):
            raise ValueError(f"{len(self.images_seen)} places for {len(self.values)} values")
        if any(b <= a for a, b in zip(self.images_seen, self.images_seen[1:], strict=False)):
            raise ValueError("the images seen must rise along a curve")


@dataclass(frozen=True)
class Row:
    """One objective, trained with several seeds.

    Attributes:
        name: short, unique in the report.
        objective: the loss in words, such as "hinge, spectral normalization".
        family: "GAN", "VAE" or another.
        description: a few sentences, such as an experiment's docstring.
        command: reproduces the row.
        parameters: trained numbers, all networks together.
        steps: generator (or autoencoder) updates.
        seconds: training time of each seed.
        seeds: the training seeds.
        metrics: by the name of their column; one that the objective does not have is left out.
        curves: by the name of a metric or loss, one curve a seed.
        pictures: PNG files by kind; what `PICTURE_KINDS` does not know is shown under its name.
        pictured: the seed that they are of, where it is known.
        runs: the runs' folders relative to the page's, one a seed; empty: they are not told.
        failed: why the row has no result, or only some seeds have one; such a row is not ranked.
        failures: how many of its runs failed, or of the trials of its search.
    """

    name: str
    objective: str
    family: str
    description: str
    command: str
    parameters: int
    steps: int
    seconds: tuple[Number, ...]
    seeds: tuple[int, ...]
    metrics: Mapping[str, MetricValue] = field(default_factory=dict)
    curves: Mapping[str, tuple[Curve, ...]] = field(default_factory=dict)
    pictures: Mapping[str, bytes] = field(default_factory=dict)
    failed: str | None = None
    pictured: int | None = None
    runs: tuple[str, ...] = ()
    failures: Failures | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "seconds", _floats(self.seconds))
        for name, value in self.metrics.items():
            if value.per_seed and len(value.per_seed) != len(self.seeds):
                raise ValueError(
                    f"{self.name}: {len(value.per_seed)} values of {name} for"
                    f" {len(self.seeds)} seeds"
                )
        if self.runs and len(self.runs) != len(self.seeds):
            raise ValueError(f"{self.name}: {len(self.runs)} folders for {len(self.seeds)} seeds")
        for kind, picture in self.pictures.items():
            if not picture.startswith(b"\x89PNG\r\n\x1a\n"):
                raise ValueError(f"{self.name}: the picture of {kind} is not a PNG file")


@dataclass(frozen=True)
class Floor:
    """Real images that no model was trained on, measured as samples are: what to compare with.

    Attributes:
        name: such as "real test images".
        explanation: how many there are, and what they are compared with.
        metrics: by the name of their column.
        picture: PNG file of some of them.
    """

    name: str
    explanation: str
    metrics: Mapping[str, MetricValue] = field(default_factory=dict)
    picture: bytes | None = None


@dataclass(frozen=True)
class PlotPoint:
    """A row's place in a plot of two metrics.

    Attributes:
        row: name of the row.
        x: value, with its interval, on the horizontal axis.
        y: the same on the vertical one.
        label: written beside the marker, such as a setting; the legend has the row's name.
    """

    row: str
    x: MetricValue
    y: MetricValue
    label: str = ""


@dataclass(frozen=True)
class Plot:
    """Two metrics of the rows against each other.

    Attributes:
        title: of the figure.
        x_label: of the horizontal axis, with its unit.
        y_label: of the vertical one.
        points: one a row.
        explanation: a sentence or two below the title.
        line: places ``(x, y)`` that are joined by straight lines, if any; ``line_label`` names it.
    """

    title: str
    x_label: str
    y_label: str
    points: tuple[PlotPoint, ...]
    explanation: str = ""
    line: tuple[tuple[Number, Number], ...] = ()
    line_label: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "line", _floats(self.line))
        if not self.points:
            raise ValueError(f"{self.title}: a plot needs at least one point")
        if bad := [p.row for p in self.points if not math.isfinite(p.x.mean + p.y.mean)]:
            raise ValueError(f"{self.title}: the point of {bad[0]} is not finite")


@dataclass(frozen=True)
class Report:
    """A comparison of several rows under one protocol.

    Attributes:
        title: of the page.
        command: makes this report.
        created: date and time, as text (nothing in the report reads a clock).
        budget: what each row was given, such as "5,000 steps of 64 images".
        protocol: how was trained and measured, by topic.
        environment: versions and hardware, by name.
        rows: in any order; colors follow this order.
        rank_by: name of the metric that ranks.
        metrics: the columns of the table.
        interval: what the intervals are, such as "95% t interval over training seeds".
        notes: further paragraphs, shown after the table.
        plots: of two metrics against each other.
        floor: real images, measured as the samples of the rows are.
        budgets: what the best of k trials gives, of studies that search settings.
    """

    title: str
    command: str
    created: str
    budget: str
    protocol: Mapping[str, str]
    environment: Mapping[str, str]
    rows: tuple[Row, ...]
    rank_by: str
    metrics: tuple[MetricColumn, ...]
    interval: str = "95% confidence interval over training seeds"
    notes: tuple[str, ...] = ()
    plots: tuple[Plot, ...] = ()
    floor: Floor | None = None
    budgets: tuple[BandPlot, ...] = ()

    def __post_init__(self) -> None:
        columns = [column.name for column in self.metrics]
        names = [row.name for row in self.rows]
        if len(set(columns)) < len(columns) or len(set(names)) < len(names):
            raise ValueError("rows, and metrics, need names of their own")
        if self.rank_by not in columns:
            raise ValueError(f"cannot rank by {self.rank_by!r}: the metrics are {columns}")
        if self.ranking_column.lower_is_better is None:
            raise ValueError(f"cannot rank by {self.rank_by!r}: neither direction of it is better")
        for plot in self.plots:
            if strange := sorted({point.row for point in plot.points} - set(names)):
                raise ValueError(f"{plot.title}: there is no row {strange[0]!r}")
        check_rows(self.budgets, names)
        for row in (*self.rows, *([self.floor] if self.floor else [])):
            if unknown := sorted(set(row.metrics) - set(columns)):
                raise ValueError(f"{row.name}: no column for {unknown}: the metrics are {columns}")

    @property
    def ranking_column(self) -> MetricColumn:
        """The column that ranks."""
        return next(column for column in self.metrics if column.name == self.rank_by)
