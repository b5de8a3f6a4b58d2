"""Rates count steps that have been computed, over time in which steps were computed."""

import pytest

from jaxgan.training.pace import Pace


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def pace(clock):
    return Pace(clock)


def test_the_first_call_counts_neither_in_steps_nor_in_seconds(clock, pace):
    assert pace.reached(5) is None
    clock.now += 30.0  # compiling
    pace.begin(5)
    clock.now += 4.0
    assert pace.reached(25) == 5.0
    assert pace.recent == 5.0


def test_what_is_too_short_counts_with_what_comes(clock, pace):
    """Two intervals that are found computed at once are no 20,000 steps a second."""
    pace.begin(5)
    clock.now += 0.09
    assert pace.reached(50) is None
    assert pace.recent is None
    clock.now += 0.91
    assert pace.reached(105) == pytest.approx(100.0)


def test_pauses_do_not_count(clock, pace):
    pace.begin(0)
    clock.now += 1.0
    with pace.paused():
        clock.now += 1000.0
    clock.now += 1.0
    assert pace.reached(20) == pytest.approx(10.0)


def test_a_new_phase_starts_anew(clock, pace):
    pace.begin(0)
    clock.now += 1.0
    assert pace.reached(10) == pytest.approx(10.0)
    clock.now += 60.0
    pace.begin(15)
    # An interval that ended before it is written after it.
    clock.now += 1.0
    assert pace.reached(12) is None
    assert pace.reached(16) == pytest.approx(1.0)
    assert pace.recent == pytest.approx(1.0)


def test_the_recent_rate_is_over_twenty_marks(clock, pace):
    pace.begin(0)
    for step in range(1, 41):
        clock.now += 1.0 if step <= 21 else 0.5
        pace.reached(step)
    # Marks 21 to 40: 19 steps of half a second.
    assert pace.recent == pytest.approx(2.0)
