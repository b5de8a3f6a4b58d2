"""``failed.json``: a run of a study that has failed for good, and why. Imports nothing heavy."""

from __future__ import annotations

import json
from pathlib import Path

from jaxgan.machine.atomic import write_atomically

FAILED = "failed.json"


def write(folder: Path, why: str) -> None:
    """Writes down that a run would fail again, as one that has diverged does.

    Args:
        folder: of the run.
        why: one line for people.

    Raises:
        OSError: it cannot be written.
    """
    write_atomically(folder / FAILED, f"{json.dumps({'failed': why})}\n".encode())


def read(folder: Path) -> str | None:
    """Why a run has failed for good; None: it has not, as far as is known."""
    try:
        why = json.loads((folder / FAILED).read_text(encoding="utf-8"))["failed"]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return f"{folder / FAILED} is damaged"
    return " ".join(str(why).split())[:1000]


def clear(folder: Path) -> None:
    """The run is tried again."""
    (folder / FAILED).unlink(missing_ok=True)
