"""The driving side of `side_by_side.worker`."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from side_by_side.steps import Size

FOLDER = Path(__file__).resolve().parents[1]


class WorkerError(RuntimeError):
    """A worker has ended before its time; the message has the last line that it wrote."""


@dataclasses.dataclass(frozen=True)
class Task:
    """What one worker is for."""

    implementation: str
    step: str
    precision: str
    size: Size
    reference: Path

    def to_json(self) -> str:
        """The worker's argument."""
        return json.dumps({**dataclasses.asdict(self), "reference": str(self.reference)})


class Worker:
    """One process, from its start to `close`; blocked on its pipe unless it is asked something."""

    def __init__(self, task: Task, python: str, log: Path) -> None:
        self.task = task
        self._log = log
        with open(log, "wb") as file:
            # A group of its own, so that Ctrl-C reaches it by way of `close`, helpers included.
            self._process = subprocess.Popen(
                [python, "-m", "side_by_side.worker", task.to_json()],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
                env=_environment(python),
                start_new_session=True,
                text=True,
            )

    def ask(self, do: str, **arguments: Any) -> dict[str, Any]:
        """Has the worker do something, and waits for the answer.

        Raises:
            WorkerError: it ended instead.
        """
        process = self._process
        assert process.stdin
        assert process.stdout
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
            process.stdin.flush()
        if line := process.stdout.readline():
            return json.loads(line)
        raise WorkerError(last_line(self._log.read_text(errors="replace")))

    def close(self) -> None:
        """Ends the process and all that it has started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(BrokenPipeError):
                if pipe:
                    pipe.close()


def last_line(text: str) -> str:
    """The last line that says something: of a traceback, the error."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    # JAX appends a hint about hidden frames, below a rule.
    rules = [number for number, line in enumerate(lines) if set(line) == {"-"}]
    lines = lines[: rules[-1]] if rules else lines
    return lines[-1] if lines else "it wrote nothing"


def lacks(python: str, modules: Sequence[str]) -> str | None:
    """What keeps an interpreter from importing some modules, in one line; None if nothing does."""
    command = [python, "-c", "; ".join(f"import {name}" for name in modules)]
    try:
        found = subprocess.run(command, capture_output=True, text=True, env=_environment(python))
    except OSError as error:
        return f"{python}: {error.strerror}"
    return None if found.returncode == 0 else last_line(found.stderr)


def _environment(python: str) -> dict[str, str]:
    """The environment with this folder's modules; another Python must not see this one's."""
    paths = [str(FOLDER)]
    if python == sys.executable and (given := os.environ.get("PYTHONPATH")):
        paths.append(given)
    # Compilation in the worker itself: a pool of processes would stay in memory.
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        "TORCHINDUCTOR_COMPILE_THREADS": "1",
    }
