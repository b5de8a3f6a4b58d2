import re
import xml.etree.ElementTree as ElementTree

import pytest

from jaxgan.visualization.report.charts import (
    color_class,
    curve_chart,
    interval_plot,
    interval_scale,
    spaced,
    swatch,
)
from jaxgan.visualization.report.data import MetricValue
from jaxgan.visualization.report.series import Series

ONE = Series("one <b>", 1, (0.0, 100.0), (1.0, 2.0), (0.5, 1.5), (1.5, 2.5), 3)
TWO = Series("two", 9, (0.0, 100.0), (2.0, 1.0), (2.0, 1.0), (2.0, 1.0), 1)


def _find(drawing, name, attribute):
    return [node.get(attribute) for node in drawing.iter() if node.get("class") == name]


def _coordinates(path):
    return [(float(x), float(y)) for x, y in re.findall(r"(-?[\d.]+) (-?[\d.]+)", path)]


def test_intervals_are_drawn_to_scale():
    values = [MetricValue(2.0, 1.0, 3.0), MetricValue(5.0, 4.0, 9.0)]
    scale = interval_scale(values)
    drawing = ElementTree.fromstring(interval_plot(values[1], scale, 0, (1.0, 3.0)))
    (dot,) = _find(drawing, "dot", "cx")
    (whisker,) = _find(drawing, "whisker", "d")
    left, right = (float(x) for x in re.match(r"M([\d.]+) 7H([\d.]+)", whisker).groups())
    (band_left,), (band_width,) = (_find(drawing, "reference", a) for a in ("x", "width"))
    # On a linear scale distances on paper are in proportion to those of the values.
    per_unit = (right - left) / 5
    assert float(dot) - left == pytest.approx(per_unit * 1, abs=0.11)
    assert left - float(band_left) == pytest.approx(per_unit * 3, abs=0.11)
    assert float(band_width) == pytest.approx(per_unit * 2, abs=0.11)
    assert 4 <= float(band_left) < right <= 116


def test_a_value_without_an_interval_is_a_dot():
    scale = interval_scale([MetricValue(1.0), MetricValue(2.0)])
    drawing = ElementTree.fromstring(interval_plot(MetricValue(1.0), scale, 0, None))
    assert len(_find(drawing, "dot", "cx")) == 1
    assert _find(drawing, "whisker", "d") == []
    assert interval_scale([MetricValue(float("nan"))]) is None


def test_curves_rise_where_values_rise():
    drawing = ElementTree.fromstring(curve_chart([ONE, TWO], "FID", width=560, direct_labels=True))
    up, down = (_coordinates(path) for path in _find(drawing, "line", "d"))
    assert up[0][1] > up[1][1]
    assert down[0][1] < down[1][1]
    assert up[0] == (down[0][0], down[1][1])
    (band,) = (_coordinates(path) for path in _find(drawing, "band", "d"))
    assert len(band) == 4
    assert band[0][1] < up[0][1] < band[3][1]


def test_charts_carry_names_ticks_and_units():
    drawing = ElementTree.fromstring(
        curve_chart([ONE], "ELBO (nats)", width=560, direct_labels=True)
    )
    assert drawing.find("title").text == "ELBO (nats) by real images seen: one <b>"
    texts = [node.text for node in drawing.iter("text")]
    assert "real images seen" in texts
    assert texts[-1] == "one <b>"
    assert {"0", "20", "40", "60", "80", "100"} <= set(texts)
    narrow = curve_chart([ONE], "ELBO (nats)", width=320, direct_labels=False)
    assert "end-label" not in narrow


def test_values_far_apart_get_a_log_scale_that_is_said():
    values = (100.0, 10.0, 1.0)
    far = Series("far", 0, (0.0, 1.0, 2.0), values, values, values, 1)
    drawing = ElementTree.fromstring(curve_chart([far], "FID", width=560, direct_labels=False))
    assert "logarithmic scale" in drawing.find("title").text
    ((_, top), (_, middle), (_, bottom)) = _coordinates(_find(drawing, "line", "d")[0])
    assert middle - top == pytest.approx(bottom - middle, abs=0.11)


def test_one_point_and_short_curves_are_dots():
    point = Series("point", 0, (5.0,), (1.0,), (1.0,), (1.0,), 2)
    drawing = ElementTree.fromstring(curve_chart([point], "FID", width=560, direct_labels=True))
    assert len(_find(drawing, "dot", "cx")) == 1
    assert _find(drawing, "line", "d") == []


def test_the_ninth_series_is_dashed():
    assert color_class(0) == color_class(8) == "s0"
    assert "stroke-dasharray" not in swatch(7)
    assert "stroke-dasharray" in swatch(8)


def test_labels_keep_their_distance_and_their_order():
    levels = spaced([50.0, 52.0, 10.0, 51.0], 100.0, pitch=15.0)
    assert levels[2] == 10.0
    assert levels[0] < levels[3] < levels[1]
    assert sorted(levels) == [10.0, 50.0, 65.0, 80.0]
    assert spaced([100.0, 100.0], 100.0, pitch=15.0) == [85.0, 100.0]
    crowded = spaced([5.0] * 5, 40.0, pitch=15.0)
    assert crowded == [0.0, 10.0, 20.0, 30.0, 40.0]
    assert spaced([7.0], 40.0) == [7.0]
