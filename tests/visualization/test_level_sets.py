import doctest

import numpy as np
import pytest

from jaxgan.visualization import level_sets as module
from jaxgan.visualization.level_sets import level_sets, lines, plane

LINE, POINT = (68, 68, 68), (213, 94, 0)


def drawn(picture, color):
    return (picture == color).all(axis=-1)


def test_examples():
    assert doctest.testmod(module).failed == 0


def test_level_sets_of_a_cone_are_circles():
    """``r``, from 0.005 to sqrt 2: eight levels, whose lines are those pixels that are near one."""
    size, levels = 201, 8
    nothing = np.zeros((0, 2))
    picture = level_sets(lambda p: np.hypot(*p.T), nothing, extent=1.0, size=size, levels=levels)
    radius = np.hypot(*plane(1.0, size).T).reshape(size, size)
    radii = radius.min() + (radius.max() - radius.min()) * np.arange(1, levels + 1) / (levels + 1)
    away = np.abs(radius[..., None] - radii).min(axis=-1)
    is_line = drawn(picture, LINE)
    pixel = 2.0 / size
    assert (away[is_line] < np.sqrt(2) * pixel).all()
    # A line is on one side of the level at most a pixel away: no pixel on both sides is left out.
    closest = away < 0.3 * pixel
    assert is_line[closest].mean() > 0.5
    # As many lines as there are levels, on the way from the middle to the upper right corner.
    diagonal = is_line[::-1][np.arange(101, 201), np.arange(101, 201)]
    starts = np.diff(diagonal.astype(int), prepend=0) == 1
    assert starts.sum() == levels


def test_shades_rise_with_the_function_and_up_is_up():
    """``x + 2 y``: darkest in the lower left corner, brightest in the upper right one."""
    picture = level_sets(lambda p: p @ [1.0, 2.0], np.zeros((0, 2)), extent=3.0, size=40, levels=1)
    bright = picture.astype(int).sum(axis=-1)
    assert bright[-1, 0] == 94 + 120 + 168
    assert bright[0, -1] == 252 + 250 + 240
    # Twice as steep upwards as to the right.
    gained = bright[5, 35] - bright[5, 30], bright[5, 30] - bright[10, 30]
    assert gained[1] == pytest.approx(2 * gained[0], abs=3)


def test_scale_and_offset_of_a_function_change_nothing():
    def function(p):
        return np.sin(2 * p[:, 0]) * p[:, 1]

    pictures = [
        level_sets(lambda p, a=a, b=b: a * function(p) + b, np.zeros((0, 2)), extent=2.0, size=32)
        for a, b in ((1.0, 0.0), (1024.0, 0.0), (0.25, 64.0))
    ]
    np.testing.assert_array_equal(pictures[1], pictures[0])
    assert (pictures[2] == pictures[0]).all(axis=-1).mean() > 0.99


def test_points_lie_where_they_are():
    """Of a picture of 4x4 pixels from -2 to 2: (1.5, 0.5) is in the last column, second row."""
    points = np.array([[1.5, 0.5], [-1.9, -1.9], [2.5, 0.0], [0.0, -9.0]])
    picture = level_sets(lambda p: p[:, 0], points, extent=2.0, size=4)
    assert np.argwhere(drawn(picture, POINT)).tolist() == [[1, 3], [3, 0]]


def test_a_constant_has_no_lines():
    picture = level_sets(lambda p: np.full(len(p), 7.0), np.zeros((0, 2)), extent=1.0, size=8)
    assert not drawn(picture, LINE).any()
    assert not lines(np.zeros((3, 3)), 4).any()


@pytest.mark.parametrize(
    ("function", "levels", "told"),
    [
        (lambda p: np.full(len(p), np.nan), 3, "finite everywhere"),
        (lambda p: p[:, 0], 0, "levels = 0: must be at least 1"),
    ],
)
def test_what_cannot_be_drawn_is_refused(function, levels, told):
    with pytest.raises(ValueError, match=told):
        level_sets(function, np.zeros((0, 2)), extent=1.0, size=4, levels=levels)
