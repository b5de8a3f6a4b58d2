import dataclasses
import math

import numpy as np
import pytest

from jaxgan.visualization.report.data import Curve
from jaxgan.visualization.report.series import MOST_POINTS, collect, curve_names, gather


def _row(report, *curves):
    return dataclasses.replace(report.rows[0], curves={"fid": curves})


def test_names_come_in_the_order_of_the_table(report):
    assert curve_names(report) == ("fid", "elbo", "g_loss")


def test_mean_and_band_by_hand(report):
    one = Curve((0.0, 10.0), (1.0, 5.0))
    other = Curve((0.0, 10.0), (3.0, 4.0))
    series = gather(_row(report, one, other), 3, "fid")
    assert (series.name, series.color, series.seeds) == ("middling", 3, 2)
    assert series.x == (0.0, 10.0)
    assert series.mean == (2.0, 4.5)
    assert series.low == (1.0, 4.0)
    assert series.high == (3.0, 5.0)


def test_seeds_are_compared_where_all_were_measured(report):
    long = Curve((0.0, 10.0, 20.0, 30.0), (0.0, 10.0, 20.0, 30.0))
    short = Curve((5.0, 15.0), (100.0, 200.0))
    series = gather(_row(report, long, short), 0, "fid")
    assert series.x == (5.0, 10.0, 15.0)
    assert series.low == (5.0, 10.0, 15.0)
    assert series.high == (100.0, 150.0, 200.0)


def test_points_that_are_not_finite_are_left_out(report):
    curve = Curve((0.0, 1.0, 2.0, 3.0), (1.0, math.nan, 3.0, math.inf))
    assert gather(_row(report, curve), 0, "fid").mean == (1.0, 3.0)
    assert gather(_row(report, Curve((1.0,), (math.nan,))), 0, "fid") is None
    apart = (Curve((0.0,), (1.0,)), Curve((1.0,), (1.0,)))
    assert gather(_row(report, *apart), 0, "fid") is None
    assert gather(_row(report), 0, "kid") is None


def test_long_curves_are_grouped_and_keep_their_extremes(report):
    x = np.arange(4000.0)
    y = np.sin(x / 300)
    y[1234] = 9.0
    series = gather(_row(report, Curve(tuple(x.tolist()), tuple(y.tolist()))), 0, "fid")
    assert len(series.x) == MOST_POINTS
    assert max(series.high) == 9.0
    assert min(series.low) == pytest.approx(-1.0, abs=1e-4)
    # 4000 / 160 = 25 points a group: the first one holds 0 to 24.
    assert series.x[0] == 12.0
    assert series.mean[0] == pytest.approx(np.sin(np.arange(25) / 300).mean())


def test_series_keep_the_color_of_their_row(report):
    assert [(one.name, one.color) for one in collect(report, "fid")] == [
        ("middling", 0),
        ("leading", 1),
    ]
    assert [(one.name, one.color) for one in collect(report, "elbo")] == [("code", 4)]
