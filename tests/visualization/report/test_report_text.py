import doctest
import math

import pytest

from jaxgan.visualization.report import text
from jaxgan.visualization.report.text import (
    compact,
    duration,
    first_line,
    joined,
    number,
    shortened,
    spread,
)


def test_examples_in_docstrings_hold():
    assert doctest.testmod(text) == (0, 5)


@pytest.mark.parametrize(
    ("value", "digits", "expected"),
    [
        (1234.567, 2, "1,234.57"),
        (-88.125, 2, "\N{MINUS SIGN}88.12"),
        (0.0, 3, "0.000"),
        (-0.0, 1, "0.0"),
        (0.0004, 2, "4.00e\N{MINUS SIGN}4"),
        (0.005, 2, "0.01"),
        (-2.5e8, 2, "\N{MINUS SIGN}2.50e8"),
        (math.nan, 2, "not a number"),
        (math.inf, 2, "∞"),
        (-math.inf, 2, "\N{MINUS SIGN}∞"),
    ],
)
def test_numbers(value, digits, expected):
    assert number(value, digits) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (999, "999"),
        (999.6, "1k"),
        (1000, "1k"),
        (64_000, "64k"),
        (2.5e9, "2.5B"),
        (-1500, "\N{MINUS SIGN}1.5k"),
    ],
)
def test_compact_numbers(value, expected):
    assert compact(value) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (3599.6, "1 h 0 min"),
        (90_061.0, "25 h 1 min"),
        (math.nan, "\N{EN DASH}"),
    ],
)
def test_durations(seconds, expected):
    assert duration(seconds) == expected


def test_words():
    assert joined(["a"]) == "a"
    assert joined(["a", "b"]) == "a and b"
    assert shortened("abcdef", 6) == "abcdef"
    assert shortened("abc def", 5) == "abc…"
    assert first_line("\n one \n two") == "one"


def test_half_widths_are_shown_for_symmetric_intervals_only():
    assert spread(10.0, (9.5, 10.5), 2) == "± 0.50"
    assert spread(10.0, (9.5, 11.5), 2) == ""
    assert spread(10.0, None, 2) == ""
