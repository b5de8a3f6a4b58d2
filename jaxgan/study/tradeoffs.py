"""Plots of what models have to trade: precision for recall, rate for distortion."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from jaxgan.evaluation.likelihood.rate_distortion import lower_hull
from jaxgan.study.subject import Subject
from jaxgan.visualization.report.data import MetricValue, Plot, PlotPoint, Row


def tradeoffs(rows: Sequence[Row], subjects: Sequence[Subject]) -> tuple[Plot, ...]:
    """All plots of which something was measured.

    Args:
        rows: of the report; those of which a seed failed are left out.
        subjects: theirs, in the same order.
    """
    done = [
        (row, subject) for row, subject in zip(rows, subjects, strict=True) if row.failed is None
    ]
    shown = [row for row, _ in done]
    plots = [
        _samples(
            shown, "recall", "precision", "Precision and recall",
            "Few kinds of good images lie at the upper left, many kinds of poor ones at the lower"
            " right; the upper right corner is best.",
        ),
        _samples(
            shown, "coverage", "density", "Density and coverage",
            "Like precision and recall, less sensitive to outliers; real images have a density of"
            " about 1.",
        ),
    ]  # fmt: skip
    return (*(plot for plot in plots if plot is not None), *_rate_distortion(done))


def _samples(rows: Sequence[Row], x: str, y: str, title: str, explanation: str) -> Plot | None:
    points = tuple(
        PlotPoint(row.name, row.metrics[x], row.metrics[y])
        for row in rows
        if _finite(row, x) and _finite(row, y)
    )
    if not points:
        return None
    return Plot(title, f"{x} (share of real images)", _SAMPLES[y], points, explanation)


_SAMPLES = {"precision": "precision (share of samples)", "density": "density"}


def _rate_distortion(done: Sequence[tuple[Row, Subject]]) -> Iterator[Plot]:
    """One plot for each kind of likelihood: nats of a density and of a probability do not mix."""
    groups: dict[str, list[PlotPoint]] = {}
    for row, subject in done:
        likelihood = subject.likelihood
        if not (likelihood and _finite(row, "kl") and _finite(row, "reconstruction")):
            continue
        distortion = negated(row.metrics["reconstruction"])
        point = PlotPoint(row.name, row.metrics["kl"], distortion, subject.mark)
        groups.setdefault(likelihood, []).append(point)
    for likelihood, points in groups.items():
        means = np.array([[point.x.mean, point.y.mean] for point in points])
        hull = means[lower_hull(means)].tolist() if len(points) > 1 else []
        yield Plot(
            "Rate and distortion" + (f", {likelihood} likelihood" if len(groups) > 1 else ""),
            "rate: KL (nats/image)",
            "distortion (nats/image)",
            tuple(points),
            "What held-out images cost to encode, and what is then lost of them: the negative"
            " reconstruction term. The ELBO is minus the sum. Mixing two models gives all between"
            " them, so those above the line are beaten.",
            tuple((float(x), float(y)) for x, y in hull) if len(hull) > 1 else (),
            "lower convex hull",
        )


def negated(value: MetricValue) -> MetricValue:
    """A metric with its sign changed; its interval's ends change places."""
    ends = (None, None) if value.low is None or value.high is None else (-value.high, -value.low)
    per_seed = tuple(None if one is None else -one for one in value.per_seed)
    return MetricValue(-value.mean, *ends, per_seed, value.over, value.p_value)


def _finite(row: Row, metric: str) -> bool:
    return metric in row.metrics and math.isfinite(row.metrics[metric].mean)
