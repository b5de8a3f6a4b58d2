"""How fast a run is: steps a second, over time in which the device has done them."""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Callable, Iterator

LEAST = 0.1
"""Seconds that a rate is taken over, at least."""


class Pace:
    """Counts steps when they have been computed, not when they were asked for.

    Neither the time to compile counts (`begin`) nor that of measurements, pictures and checkpoints
    (`paused`).

    Args:
        clock: seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._paused = 0.0
        # (seconds, steps) at which rates may start and end, `LEAST` apart.
        self._marks: deque[tuple[float, int]] = deque(maxlen=20)

    def begin(self, step: int) -> None:
        """The first call of a compiled program has been computed, up to ``step``."""
        self._marks.clear()
        self._marks.append((self._clock() - self._paused, step))

    def reached(self, step: int) -> float | None:
        """All steps up to ``step`` have been computed.

        Returns:
            Steps a second since the last mark; None where that is too short ago, which is then
            counted with what comes.
        """
        now = self._clock() - self._paused
        if not self._marks or step <= self._marks[-1][1] or now - self._marks[-1][0] < LEAST:
            return None
        then, before = self._marks[-1]
        self._marks.append((now, step))
        return (step - before) / (now - then)

    @property
    def recent(self) -> float | None:
        """Steps a second over the last marks, twenty at most; None before there are two."""
        if len(self._marks) < 2:
            return None
        (then, before), (now, step) = self._marks[0], self._marks[-1]
        return (step - before) / (now - then)

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Time in which the device does no steps; all that were asked for are done before."""
        started = self._clock()
        try:
            yield
        finally:
            self._paused += self._clock() - started
