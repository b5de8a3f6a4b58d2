import dataclasses
import math

import numpy as np
import pytest

from jaxgan.visualization.report.data import Curve, MetricColumn, MetricValue, Plot, PlotPoint, Row


def test_intervals_must_hold_their_mean():
    MetricValue(1.0, 1.0, 1.0)
    for low, high in ((1.5, 2.0), (0.0, 0.5), (2.0, 0.0)):
        with pytest.raises(ValueError, match="lies outside its interval"):
            MetricValue(1.0, low, high)
    with pytest.raises(ValueError, match="both ends or none"):
        MetricValue(1.0, 0.5)


def test_what_is_not_finite_is_no_interval():
    assert MetricValue(math.nan, math.nan, math.nan).interval is None
    assert MetricValue(1.0, -math.inf, math.inf).interval is None
    assert MetricValue(1.0, 0.5, 2.0).interval == (0.5, 2.0)
    assert MetricValue(1.0).interval is None


def test_numbers_of_any_kind_are_kept_as_floats(report):
    value = MetricValue(2, 1, 3, (1, 2, np.float64(3)))
    kept = (value.mean, value.low, value.high, *value.per_seed)
    kept += (
        Curve((1, 2), (3, 4)).images_seen
        + dataclasses.replace(report.rows[0], seconds=(5,)).seconds
    )
    assert kept == (2.0, 1.0, 3.0, 1.0, 2.0, 3.0, 1.0, 2.0, 5.0)
    assert {type(number) for number in kept} == {float}


def test_curves_must_rise():
    with pytest.raises(ValueError, match="must rise"):
        Curve((0.0, 2.0, 2.0), (1.0, 1.0, 1.0))
    with pytest.raises(ValueError, match="2 places for 1 values"):
        Curve((0.0, 2.0), (1.0,))


def test_rows_are_checked(report):
    row = report.rows[0]
    assert isinstance(row, Row)
    with pytest.raises(ValueError, match="middling: 2 values of fid for 3 seeds"):
        dataclasses.replace(row, metrics={"fid": MetricValue(1.0, per_seed=(1.0, 1.0))})
    with pytest.raises(ValueError, match="the picture of samples is not a PNG"):
        dataclasses.replace(row, pictures={"samples": b"GIF89a"})


def test_reports_are_checked(report):
    with pytest.raises(ValueError, match=r"cannot rank by 'kid': the metrics are \['recall'"):
        dataclasses.replace(report, rank_by="kid")
    with pytest.raises(ValueError, match="names of their own"):
        dataclasses.replace(report, rows=report.rows[:1] * 2)
    with pytest.raises(ValueError, match="names of their own"):
        dataclasses.replace(report, metrics=report.metrics + report.metrics[:1])
    with pytest.raises(ValueError, match=r"middling: no column for \['recall'\]"):
        dataclasses.replace(report, metrics=report.metrics[1:])
    assert report.ranking_column.label == "FID"


def test_titles_have_units():
    assert MetricColumn("elbo", "ELBO", False, "nats").title == "ELBO (nats)"
    assert MetricColumn("fid", "FID", True).title == "FID"


@pytest.mark.parametrize(
    ("p_value", "expected"), [(None, False), (0.049, False), (0.05, True), (1, True)]
)
def test_what_is_like_the_best_is_what_alpha_leaves(p_value, expected):
    assert MetricValue(1.0, p_value=p_value).like_best is expected


def test_nothing_is_ranked_by_what_has_no_direction(report):
    columns = tuple(dataclasses.replace(one, lower_is_better=None) for one in report.metrics)
    with pytest.raises(ValueError, match="cannot rank by 'fid': neither direction"):
        dataclasses.replace(report, metrics=columns)


def test_plots_are_checked(report):
    point = PlotPoint("middling", MetricValue(1.0), MetricValue(2.0))
    dataclasses.replace(report, plots=(Plot("A", "x", "y", (point,)),))
    with pytest.raises(ValueError, match="A: there is no row 'nobody'"):
        dataclasses.replace(
            report, plots=(Plot("A", "x", "y", (dataclasses.replace(point, row="nobody"),)),)
        )
    with pytest.raises(ValueError, match="A: a plot needs at least one point"):
        Plot("A", "x", "y", ())
    with pytest.raises(ValueError, match="A: the point of middling is not finite"):
        Plot("A", "x", "y", (dataclasses.replace(point, x=MetricValue(math.nan)),))
