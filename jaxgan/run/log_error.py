"""What a log says that cannot be read or written."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator


class LogError(RuntimeError):
    """A log cannot be read or written. The message is one line for people."""


@contextlib.contextmanager
def explained(action: str, target: object) -> Iterator[None]:
    """Turns errors of the operating system into one line that says what could not be done."""
    try:
        yield
    except OSError as error:
        raise LogError(f"cannot {action} {target}: {error.strerror or error}") from error
