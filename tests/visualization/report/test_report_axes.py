import pytest

from jaxgan.visualization.report.axes import Scale, fitted, linear, linear_ticks, log_ticks


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.0, 100.0, [0, 20, 40, 60, 80, 100]),
        (0.9, 4.6, [1, 2, 3, 4]),
        (-16.2, -13.8, [-16, -15.5, -15, -14.5, -14]),
        (0.0, 320_000.0, [0, 100_000, 200_000, 300_000]),
    ],
)
def test_linear_ticks_are_round_and_inside(low, high, expected):
    assert linear_ticks(low, high, 5) == pytest.approx(expected)


def test_log_ticks_thin_out():
    assert log_ticks(4.0, 250.0, 7) == pytest.approx([5, 10, 20, 50, 100, 200])
    assert log_ticks(4.0, 2500.0, 7) == pytest.approx([10, 30, 100, 300, 1000])
    assert log_ticks(1e-9, 1e3, 7) == pytest.approx([1e-9, 1e-7, 1e-5, 1e-3, 1e-1, 10, 1000])


def test_scales_map_their_ends():
    scale = Scale(-2.0, 6.0)
    assert [scale(-2.0), scale(0.0), scale(6.0)] == [0.0, 0.25, 1.0]
    scale = Scale(1.0, 10_000.0, log=True)
    assert [scale(1.0), scale(10.0), scale(10_000.0)] == pytest.approx([0.0, 0.25, 1.0])
    assert scale(0.0) < 0


def test_far_apart_positive_values_ask_for_a_log_scale():
    scale = fitted([4.0, 200.0])
    assert scale.log
    assert scale.low < 4.0 < 200.0 < scale.high
    assert not fitted([4.0, 100.0]).log
    assert not fitted([-4.0, 200.0]).log
    assert fitted([200.0, 9.0, 6.0, 5.0, 4.0]).log
    assert not fitted([0.01, 0.5, 0.7, 0.8]).log


def test_a_scale_keeps_room_but_no_negative_side_of_a_positive_metric():
    scale = fitted([0.4, 10.4], margin=0.05)
    assert (scale.low, scale.high) == pytest.approx((0.0, 10.9))
    assert fitted([-1.0, 9.0], margin=0.1).low == pytest.approx(-2.0)


@pytest.mark.parametrize("value", [0.0, 5.0, -5.0])
def test_one_value_makes_a_scale(value):
    scale = fitted([value, value])
    assert 0 <= scale(value) < 1
    assert scale.ticks


def test_a_scale_is_fitted_to_the_late_values_where_early_ones_dwarf_them():
    late = [-100.0, -90.0]
    scale = fitted([-5000.0, *late], late=late)
    assert scale.cut
    assert -110 < scale.low < -100
    assert -90 < scale.high < -85
    assert not fitted([-150.0, *late], late=late).cut


def test_labels_have_the_decimals_that_tell_ticks_apart():
    scale = linear(0.0, 0.1, 5)
    assert [scale.label(tick) for tick in scale.ticks] == [
        "0",
        "0.02",
        "0.04",
        "0.06",
        "0.08",
        "0.10",
    ]
    scale = linear(-1.0, 0.0, 2)
    assert [scale.label(tick) for tick in scale.ticks] == [
        "\N{MINUS SIGN}1.0",
        "\N{MINUS SIGN}0.5",
        "0",
    ]
    scale = linear(0.0, 2.5e6, 2)
    assert [scale.label(tick) for tick in scale.ticks] == ["0", "2M"]
