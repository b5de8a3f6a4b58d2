"""Plots of what a budget of trials gives, of rows whose settings were searched."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from jaxgan.evaluation.statistics.budget import budget_curve, filled
from jaxgan.study.rows import Finished
from jaxgan.visualization.report.data import MetricColumn
from jaxgan.visualization.report.search import Band, BandPlot
from jaxgan.visualization.report.text import number


def budgets(
    rows: Sequence[Finished], column: MetricColumn, others: Sequence[MetricColumn] = ()
) -> tuple[BandPlot, ...]:
    """The expected best of k settings, one line a row.

    Of k settings the best is the one that the validation split selects, and what is shown of it is
    what is reported. See `jaxgan.evaluation.statistics.budget`.

    Args:
        rows: those without a search, or of which no setting has a value, are left out, and so are
            trials that have not ended.
        column: of the metric that selects and ranks.
        others: metrics of which the selected setting's value is shown too; one without a better
            direction is left out.

    Returns:
        One plot a metric; none where there is no such row.
    """
    sign = 1.0 if column.lower_is_better else -1.0
    columns = [one for one in (column, *others) if one.lower_is_better is not None]
    plots = [_plot(rows, (column.name, sign), one) for one in dict.fromkeys(columns)]
    return tuple(plot for plot in plots if plot is not None)


def _plot(
    rows: Sequence[Finished], selects: tuple[str, float], column: MetricColumn
) -> BandPlot | None:
    (metric, direction), sign = selects, 1.0 if column.lower_is_better else -1.0
    tried = {
        row.subject.name: [
            (one.mean(metric, validation=True), one.mean(column.name, validation=False))
            for one in row.settings
            if one.ended
        ]
        for row in rows
    }
    # A setting has both numbers or neither: what cannot be selected is not reported.
    kept = {
        name: [(None, None) if None in pair else pair for pair in pairs]
        for name, pairs in tried.items()
    }
    shown = {
        name: pairs for name, pairs in kept.items() if any(value is not None for _, value in pairs)
    }
    if not shown:
        return None
    finished = [value for pairs in shown.values() for _, value in pairs if value is not None]
    worst = max(finished, key=lambda value: sign * value)
    bands = []
    for name, pairs in shown.items():
        keys = [None if key is None else direction * key for key, _ in pairs]
        values = filled([value for _, value in pairs], worst)
        curve = budget_curve(values, filled(keys, np.inf))
        ks = tuple(float(k) for k in range(1, len(pairs) + 1))
        mean, low, high = (tuple(line.tolist()) for line in curve)
        bands.append(Band(name, ks, mean, low, high))
    by = "" if metric == column.name else f" by {metric}"
    return BandPlot(
        f"Expected best of k trials: {column.label}",
        "trials k",
        column.title,
        tuple(bands),
        f"Of k settings the validation split selects one{by}, whose score is shown: the mean over"
        " all sets of k of the settings that were tried. A failed trial counts as the worst"
        f" value of all ({number(worst, column.digits)}). Band: 95% of bootstrap draws of the"
        " trials; too narrow at the right end, where all hangs on the few best.",
    )
