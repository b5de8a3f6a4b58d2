"""TensorBoard's event files: scalars, images, and the run's configuration as text."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from jaxgan.run.log_error import explained


class TensorBoard:
    """Writes a TensorBoard event file; all methods raise `LogError` if it cannot be written.

    Events are written from the calling thread. tensorboardX's own ``SummaryWriter`` hands them to a
    thread that dies of a full disk, after which the run waits forever for room in its queue.

    Args:
        folder: where the event files go; each writer makes a new one.
        purge_step: TensorBoard is told to forget events from this step on; None on a fresh run.
        config: the run's configuration, shown as text; empty: none.
    """

    def __init__(
        self, folder: str | Path, *, purge_step: int | None = None, config: str = ""
    ) -> None:
        self._folder, self._purge, self._config = Path(folder), purge_step, config
        self._writer: Any = None
        self._flushed = time.monotonic()
        with explained("write", self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)

    def _write(self, step: int, seconds: float, content: Any) -> None:
        # Imported with the first event, not before the first step: it may bring PyTorch with it.
        from tensorboardX import summary
        from tensorboardX.event_file_writer import EventsWriter
        from tensorboardX.proto import event_pb2

        pb: Any = event_pb2  # its messages are made out of sight of type checkers
        with explained("write", self._folder):
            if self._writer is None:
                # The library's names differ by the second only, and the same name empties the file.
                self._writer = EventsWriter(str(self._folder / "events"), f".{time.time_ns()}")
                if self._purge is not None:
                    forget = {"status": "START"}
                    self._writer.write_event(pb.Event(step=self._purge, session_log=forget))
                if self._config:
                    shown = summary.text("config", f"```\n{self._config}\n```")
                    self._writer.write_event(pb.Event(step=0, wall_time=seconds, summary=shown))
            self._writer.write_event(pb.Event(step=step, wall_time=seconds, summary=content))
            if time.monotonic() - self._flushed >= 10.0:  # seconds an event may stay in memory
                self._writer.flush()
                self._flushed = time.monotonic()

    def scalars(self, step: int, seconds: float, values: Mapping[str, float]) -> None:
        """Writes named numbers."""
        points = [{"tag": name, "simple_value": number} for name, number in values.items()]
        self._write(step, seconds, {"value": points})

    def image(
        self, step: int, seconds: float, name: str, image: UInt8[np.ndarray, "h w c"]
    ) -> None:
        """Writes one picture of 1 or 3 channels."""
        from tensorboardX import summary

        self._write(step, seconds, summary.image(name, image, dataformats="HWC"))

    def close(self) -> None:
        """Writes what is left and closes the file."""
        with explained("write", self._folder):
            if self._writer is not None:
                self._writer.close()
