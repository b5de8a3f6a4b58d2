import math
import re
import xml.etree.ElementTree as ElementTree

import pytest

from jaxgan.visualization.report.charts import COLORS
from jaxgan.visualization.report.data import MetricValue, Plot, PlotPoint
from jaxgan.visualization.report.scatter import SHAPES, line_swatch, marker_swatch, scatter_chart

PLOT = Plot(
    "Precision & recall",
    "recall (share)",
    "precision (share)",
    (
        PlotPoint("one <b>", MetricValue(0.2, 0.1, 0.3), MetricValue(0.8, 0.7, 0.9)),
        PlotPoint("two", MetricValue(0.6), MetricValue(0.4, 0.3, 0.6), "β = 2"),
        PlotPoint("three", MetricValue(0.6), MetricValue(0.4)),
    ),
    line=((0.2, 0.8), (0.6, 0.4)),
    line_label="hull",
)
INDICES = {"one <b>": 0, "two": 9, "three": 2}


def _drawn(width=560, plot=PLOT):
    return ElementTree.fromstring(scatter_chart(plot, INDICES, width=width))


def _all(drawing, name):
    return [node for node in drawing.iter() if node.get("class") == name]


def _place(marker):
    found = re.fullmatch(r"translate\((-?[\d.]+) (-?[\d.]+)\)", marker.get("transform"))
    return tuple(map(float, found.groups()))


@pytest.mark.parametrize("width", [560, 320])
def test_every_row_has_one_marker_inside_of_the_drawing(width):
    places = [_place(marker) for marker in _all(_drawn(width), "marker")]
    assert len(places) == 3
    assert all(0 < x < width and 0 < y < 320 for x, y in places)


def test_points_lie_where_their_values_are():
    first, second, third = (_place(marker) for marker in _all(_drawn(), "marker"))
    assert first[0] < second[0]
    assert first[1] < second[1]  # higher values are further up
    assert second == third
    # On linear axes whiskers are in proportion: recall 0.1 to 0.3 is half of 0.2 to 0.6.
    (whisker,) = re.findall(r"M([\d.]+) [\d.]+H([\d.]+)", _all(_drawn(), "whisker")[0].get("d"))
    left, right = map(float, whisker)
    assert right - left == pytest.approx((second[0] - first[0]) / 2, abs=0.2)
    assert (left + right) / 2 == pytest.approx(first[0], abs=0.1)
    (whisker,) = re.findall(r"M[\d.]+ ([\d.]+)V([\d.]+)", _all(_drawn(), "whisker")[1].get("d"))
    lower, upper = map(float, whisker)
    assert lower > second[1] > upper
    assert lower - second[1] == pytest.approx((second[1] - upper) / 2, abs=0.2)  # 0.1 and 0.2


def test_whiskers_are_drawn_only_where_there_are_intervals():
    both, one = (node.get("d") for node in _all(_drawn(), "whisker"))
    assert ("H" in both, "V" in both) == (True, True)
    assert ("H" in one, "V" in one) == (False, True)


def test_the_line_joins_its_places():
    (line,) = _all(_drawn(), "hull")
    assert line.find("title").text == "hull"
    ends = [tuple(map(float, pair.split())) for pair in line.get("d")[1:].split("L")]
    first, second, _ = (_place(marker) for marker in _all(_drawn(), "marker"))
    assert ends == [first, second]
    bare = Plot("a", "b", "c", PLOT.points)
    assert _all(_drawn(plot=bare), "hull") == []


def test_it_says_what_it_shows():
    drawing = _drawn()
    assert drawing.get("role") == "img"
    assert drawing.find("title").text == (
        "Precision & recall: precision (share) by recall (share) of one <b>, two, three"
    )
    assert drawing.find("desc").text.split("; ")[:2] == [
        "one <b>: recall (share) 0.200 (0.100 to 0.300), precision (share) 0.800 (0.700 to 0.900)",
        "two, β = 2: recall (share) 0.600, precision (share) 0.400 (0.300 to 0.600)",
    ]
    labels = [node.text for node in _all(drawing, "axis-label")]
    assert labels == ["recall (share)", "precision (share)"]
    assert [node.text for node in _all(drawing, "end-label")] == ["β = 2"]
    ticks = {node.text for node in _all(drawing, "tick")}
    assert {"0.2", "0.4", "0.6", "0.8"} <= ticks


def test_rows_differ_in_shape_or_color():
    looks = {(index % len(SHAPES), index % COLORS) for index in range(56)}
    assert len(looks) == 56
    assert len(set(SHAPES)) == len(SHAPES)
    shapes = [marker.get("d") for marker in _all(_drawn(), "marker")]
    assert shapes == [SHAPES[0], SHAPES[2], SHAPES[2]]
    colors = [node.get("class") for node in _drawn().iter("g")]
    assert colors == ["series s0", "series s1", "series s2"]


def test_swatches_are_drawings():
    swatch = ElementTree.fromstring(marker_swatch(9))
    assert swatch.find("path").get("d") == SHAPES[2]
    assert swatch.get("class") == "swatch s1"
    assert _all(ElementTree.fromstring(line_swatch()), "hull")


def test_a_single_point_without_spread_is_drawn():
    one = Plot("a", "b", "c", (PlotPoint("two", MetricValue(0.0), MetricValue(5.0)),))
    (marker,) = _all(_drawn(plot=one), "marker")
    assert all(math.isfinite(value) for value in _place(marker))
