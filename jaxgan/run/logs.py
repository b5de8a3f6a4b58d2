"""What a run says while it trains: scalars and images to JSON Lines, TensorBoard and the terminal.

``metrics.jsonl`` in the run's folder is the record that studies read: one strict-JSON object a
line, ``{"step": 200, "images_seen": 12800, "time": 1700000000.0, "d_loss": 0.69}``. ``time`` is in
seconds since 1970. JSON has no number for what is not finite, so such values are written as the
strings ``"nan"``, ``"inf"`` and ``"-inf"``, which `read_jsonl` turns back into floats.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import math
import os
import time
from collections.abc import Callable, Mapping
from io import StringIO
from pathlib import Path
from typing import Any, SupportsFloat, TextIO

import numpy as np
from jaxtyping import UInt8

from jaxgan.run.log_error import LogError, explained
from jaxgan.run.progress import Terminal
from jaxgan.run.tensorboard import TensorBoard

__all__ = ["JsonLines", "LogError", "Logger", "read_jsonl", "truncate_after"]

_COUNTS = ("step", "images_seen")
_RESERVED = frozenset({*_COUNTS, "time"})


def _parse(line: bytes) -> dict[str, Any]:
    record = json.loads(line.decode("ascii"))
    if not isinstance(record, dict) or any(not isinstance(record.get(key), int) for key in _COUNTS):
        raise ValueError("no record of a step")
    return {key: value if key in _COUNTS else float(value) for key, value in record.items()}


def _records(path: Path) -> list[tuple[bytes, dict[str, Any]]]:
    with explained("read", path):
        lines = path.read_bytes().split(b"\n")
    records = []
    for number, line in enumerate(lines[:-1], start=1):  # after the last newline: half a line
        try:
            records.append((line + b"\n", _parse(line)))
        except (ValueError, TypeError):
            raise LogError(f"{path}, line {number}: not a log record; remove the line") from None
    return records


def read_jsonl(path: str | Path) -> list[dict[str, Any]]:
    """The records of a log, in order; a half-written last line is left out.

    ``step`` and ``images_seen`` are ints, all else is floats.

    Raises:
        LogError: the file cannot be read, or a line within it is damaged.
    """
    return [record for _, record in _records(Path(path))]


def truncate_after(path: str | Path, step: int) -> int:
    """Drops the records of steps after ``step`` and a half-written last line.

    The file is replaced as a whole or not at all. A file that is not there has nothing to drop.

    Args:
        step: the last step to keep; -1 keeps nothing.

    Returns:
        How many records were dropped (a half-written line not counted).

    Raises:
        LogError: the file cannot be read or written, or a line within it is damaged.
    """
    if not (path := Path(path)).exists():
        return 0
    records = _records(path)
    kept = [line for line, record in records if record["step"] <= step]
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with explained("write", path):
        try:
            with open(temporary, "wb") as file:
                file.writelines(kept)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    return len(records) - len(kept)


class JsonLines:
    """Appends records to a JSON Lines file, each whole or not at all."""

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        with explained("open", self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)

    def write(
        self, step: int, images_seen: int, seconds: float, values: Mapping[str, float]
    ) -> None:
        """Appends one record and hands it to the operating system.

        Raises:
            LogError: the disk is full, say. The file is then as it was before the call.
        """
        record: dict[str, Any] = {"step": step, "images_seen": images_seen}
        for name, value in {"time": round(seconds, 3), **values}.items():
            record[name] = value if math.isfinite(value) else str(value)
        line = memoryview(json.dumps(record, allow_nan=False).encode("ascii") + b"\n")
        with explained("write", self._path):
            before = os.fstat(self._descriptor).st_size
            try:
                while line:
                    line = line[os.write(self._descriptor, line) :]
            except OSError:
                os.ftruncate(self._descriptor, before)  # no half line for the next one to run into
                raise

    def close(self) -> None:
        """Closes the file."""
        os.close(self._descriptor)


class Logger:
    """Where a run reports: ``metrics.jsonl`` and ``tensorboard/`` in its folder, and the terminal.

    A context manager. All methods raise `LogError` if something cannot be written.

    Args:
        folder: the run's folder; made if it is not there.
        total_steps: where the run ends.
        resume_step: the step of the checkpoint that the run goes on from: what was logged after it
            is dropped, so that a log reads as if the run had never stopped. -1 drops everything.
            None starts a log and refuses a folder that has one.
        enabled: False on all processes but the first: writes and prints nothing.
        quiet: True prints nothing; the files are written all the same.
        tensorboard: False writes no event files.
        config: the run's configuration, which TensorBoard shows as text.
        stream: what stands in for standard output.
        clock: seconds since 1970.

    Raises:
        LogError: a log cannot be opened, or there is one already.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        total_steps: int,
        resume_step: int | None = None,
        enabled: bool = True,
        quiet: bool = False,
        tensorboard: bool = True,
        config: str = "",
        stream: TextIO | StringIO | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._clock = clock
        self._jsonl: JsonLines | None = None
        self._tensorboard: TensorBoard | None = None
        self._terminal: Terminal | None = None
        if not enabled:
            return
        path = Path(folder) / "metrics.jsonl"
        if resume_step is not None:
            truncate_after(path, resume_step)
        elif path.exists() and path.stat().st_size:
            raise LogError(f"{path} is the log of another run; resume it or choose another folder")
        self._jsonl = JsonLines(path)
        if tensorboard:
            purge = None if resume_step is None else resume_step + 1
            self._tensorboard = TensorBoard(
                path.parent / "tensorboard", purge_step=purge, config=config
            )
        if not quiet:
            self._terminal = Terminal(total_steps, stream=stream)

    def progress(self, step: int, images_seen: int) -> None:
        """Moves the live bar between two calls of `scalars`; prints no line where there is none."""
        if self._terminal is not None:
            with explained("write", "standard output"):
                self._terminal.update(step, images_seen)

    def scalars(
        self,
        step: int,
        images_seen: int,
        values: Mapping[str, SupportsFloat],
        *,
        beside: Mapping[str, SupportsFloat] | None = None,
        speed: float | None = None,
    ) -> None:
        """Reports named numbers of one step everywhere.

        Args:
            step: generator (or autoencoder) updates so far.
            images_seen: real images seen so far.
            values: anything that ``float`` takes; a device array is waited for.
            beside: the same, for the files alone.
            speed: steps a second, for the terminal alone; None: not known.

        Raises:
            ValueError: a value is called ``step``, ``images_seen`` or ``time``.
        """
        shown, values = len(values), {**values, **(beside or {})}
        if taken := sorted(_RESERVED & values.keys()):
            raise ValueError(f"a logged value cannot be called {taken[0]!r}: every record has one")
        if self._jsonl is None:
            return
        numbers, now = {name: float(value) for name, value in values.items()}, self._clock()
        self._jsonl.write(step, images_seen, now, numbers)
        if self._tensorboard is not None:
            self._tensorboard.scalars(step, now, {**numbers, "images_seen": float(images_seen)})
        if self._terminal is not None:
            first = dict(itertools.islice(numbers.items(), shown))
            with explained("write", "standard output"):
                self._terminal.update(step, images_seen, first or None, speed)

    def image(self, step: int, name: str, image: UInt8[np.ndarray, "h w c"]) -> None:
        """Shows a picture of 1 or 3 channels in TensorBoard."""
        if self._tensorboard is not None:
            self._tensorboard.image(step, self._clock(), name, image)

    def status(self, text: str) -> None:
        """Says what takes time now: under the live bar, or on a line."""
        if self._terminal is not None:
            with explained("write", "standard output"):
                self._terminal.status(text)

    def message(self, text: str) -> None:
        """Prints a line to the terminal, above the live bar if there is one."""
        if self._terminal is not None:
            with explained("write", "standard output"):
                self._terminal.message(text)

    def close(self) -> None:
        """Writes what is left and closes everything, whatever fails; a second call does nothing."""
        terminal, tensorboard, jsonl = self._terminal, self._tensorboard, self._jsonl
        self._terminal = self._tensorboard = self._jsonl = None
        with explained("write", "standard output"), contextlib.ExitStack() as stack:
            for sink in (jsonl, tensorboard, terminal):
                if sink is not None:
                    stack.callback(sink.close)

    def __enter__(self) -> Logger:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        # A run that already fails says why it does, not that its log could not be closed either.
        with contextlib.suppress(LogError) if kind is not None else contextlib.nullcontext():
            self.close()
