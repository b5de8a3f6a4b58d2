"""Progress of a run for whoever watches: a live bar on a terminal, plain lines in a file."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from io import StringIO
from typing import TextIO

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TextColumn
from rich.text import Text


class _Bar(Progress):
    """A progress bar with a line of losses under it."""

    losses = Text()

    def get_renderables(self) -> Iterable[RenderableType]:
        yield from super().get_renderables()
        if self.losses.plain:
            yield self.losses


class Terminal:
    """Shows step, images, rate, time left, losses: live on a terminal, else as a line now and then.

    Args:
        total_steps: the step at which the run ends.
        stream: where to write; standard output by default.
        every_seconds: the least time between two plain lines; the first and the last always come.
        clock: seconds.
    """

    def __init__(
        self,
        total_steps: int,
        *,
        stream: TextIO | StringIO | None = None,
        every_seconds: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._total = total_steps
        self._stream = sys.stdout if stream is None else stream
        self._every = every_seconds
        self._clock = clock
        self._printed = -math.inf
        self._unprinted = ""
        self._bar: _Bar | None = None
        console = Console(file=self._stream)
        if self._stream.isatty() and not console.is_dumb_terminal:
            count, rate = (TextColumn(f"{{task.fields[{name}]}}") for name in ("count", "rate"))
            self._bar = _Bar(count, BarColumn(None), rate, console=console, expand=True)
            self._task = self._bar.add_task(
                "", total=total_steps, count=f"step 0/{total_steps:,}", rate="compiling"
            )
            self._bar.start()

    def update(
        self,
        step: int,
        images_seen: int,
        values: Mapping[str, float] | None = None,
        speed: float | None = None,
    ) -> None:
        """Moves on to ``step``; without ``values`` the live bar moves and no line is printed.

        Args:
            step: steps done.
            images_seen: real images seen.
            values: what to show beside it, by name.
            speed: steps a second; None: not known.
        """
        now = self._clock()
        rate = self._rate(speed, step, images_seen)
        losses = "  ".join(f"{name} {value:.4g}" for name, value in (values or {}).items())
        count, seen = f"step {step:,}/{self._total:,}", f"{_thousands(images_seen / 1000)} kimg"
        if self._bar is not None:
            if values is not None:
                self._bar.losses = Text(losses)
            self._bar.update(
                self._task, completed=step, count=count, rate=f"{seen}  {rate}".rstrip()
            )
        elif values is not None:
            percent = f"({step / max(self._total, 1):.0%})"
            line = "  ".join(part for part in (f"{count} {percent}", seen, rate, losses) if part)
            if step >= self._total or now - self._printed >= self._every:
                self._print(line)
                self._printed, self._unprinted = now, ""
            else:
                self._unprinted = line

    def _rate(self, speed: float | None, step: int, images_seen: int) -> str:
        if not speed or not step:
            return ""
        images = speed * images_seen / step
        left = timedelta(seconds=round(max(self._total - step, 0) / speed))
        return f"{_thousands(speed)} steps/s  {_thousands(images)} images/s  {left} left"

    def status(self, text: str) -> None:
        """Says what takes time now: under the live bar until the next values, or on a line."""
        if self._bar is not None:
            self._bar.losses = Text(text)
            self._bar.refresh()
        else:
            self._print(text)

    def message(self, text: str) -> None:
        """Prints a line, above the live bar if there is one."""
        if self._bar is not None:
            self._bar.console.print(Text(text))
        else:
            self._print(text)

    def _print(self, line: str) -> None:
        print(line, file=self._stream, flush=True)

    def close(self) -> None:
        """Leaves the last state on the screen and gives the terminal back."""
        if self._bar is not None:
            self._bar.stop()
        elif self._unprinted:
            self._print(self._unprinted)
            self._unprinted = ""


def _thousands(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
