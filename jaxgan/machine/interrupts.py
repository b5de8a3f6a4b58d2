"""Ctrl-C, SIGTERM and SIGUSR1: a question that the loop asks between steps, or an end at once."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
"""What people and schedulers send: SLURM gives notice of its limit by SIGUSR1, if so asked."""


class Stopped(KeyboardInterrupt):
    """A signal that ends what is going on; raised while `raising` is active.

    Attributes:
        signal: one of `SIGNALS`.
    """

    def __init__(self, number: int) -> None:
        self.signal = signal.Signals(number)
        super().__init__(self.signal.name)


def signal_of(stop: KeyboardInterrupt) -> signal.Signals:
    """The signal behind a `KeyboardInterrupt`."""
    return stop.signal if isinstance(stop, Stopped) else signal.SIGINT


class Interrupts:
    """While active, the first of `SIGNALS` is remembered instead of ending the process.

    The second one acts as it always did, so that nobody is trapped. Outside the main thread, where
    Python cannot handle signals, nothing changes.
    """

    def __init__(self) -> None:
        self.received: signal.Signals | None = None
        self._previous: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Interrupts:
        self._previous = _handled(self._handle)
        return self

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self.received = signal.Signals(number)
        self.release()

    def release(self) -> None:
        """From now on signals act as they did before."""
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        self._previous = {}

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self.release()


@contextlib.contextmanager
def raising() -> Iterator[None]:
    """While active, `SIGNALS` raise `Stopped`; a second one ends the process silently."""

    def handle(number: int, frame: FrameType | None) -> None:
        # Whatever else comes meanwhile, such as in the functions that Python calls at its end.
        _handled(signal.SIG_DFL)
        raise Stopped(number)

    previous = _handled(handle)
    stopped = False
    try:
        yield
    except Stopped:
        stopped = True
        raise
    finally:
        if not stopped:
            for number, handler in previous.items():
                signal.signal(number, handler)


@contextlib.contextmanager
def ending(message: str, code: int | None = None) -> Iterator[None]:
    """While active, `SIGNALS` end the process at once, with one line.

    For imports: in the midst of one an exception may be lost, or become another.

    Args:
        message: follows the signal's name on standard error.
        code: of the exit; None: 128 and the signal's number.
    """

    def handle(number: int, frame: FrameType | None) -> None:
        os.write(2, f"{signal.Signals(number).name}: {message}\n".encode())
        os._exit(128 + number if code is None else code)

    previous = _handled(handle)
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _handled(
    handler: Callable[[int, FrameType | None], Any] | signal.Handlers,
) -> dict[signal.Signals, Any]:
    """Has the signals handled, where Python can; returns the handlers before."""
    if threading.current_thread() is not threading.main_thread():
        return {}
    return {number: signal.signal(number, handler) for number in SIGNALS}
