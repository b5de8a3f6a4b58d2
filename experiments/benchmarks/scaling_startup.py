"""From the start of a process to the result of its first train step, cold and warm.

Cold: no compiled program has been kept yet (an empty ``XDG_CACHE_HOME``). Warm: the same command
once more. The moment is that of the first record of ``metrics.jsonl``, with a record every step:
the metrics of the first step are then on the host.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from scaling_report import EXPERIMENTS, Row, environment

from jaxgan.run import workdir


class StartError(RuntimeError):
    """A run that ended before its first step; the message is what it said."""


def startup(rounds: int, name: str = "dcgan") -> list[Row]:
    """Seconds to the first step of an experiment's file: medians over the rounds."""
    cold, warm = [], []
    for turn in range(rounds + 1):
        with tempfile.TemporaryDirectory() as folder:
            times = [first_step(name, Path(folder), start) for start in ("cold", "warm")]
        # The first turn brings the files of libraries into memory.
        if turn:
            cold.append(times[0])
            warm.append(times[1])
    medians = {"cold": statistics.median(cold), "warm": statistics.median(warm)}
    return [
        {
            "measure": "startup",
            "experiment": name,
            "start": start,
            "seconds_to_first_step": seconds,
            "ratio_to_cold": seconds / medians["cold"],
        }
        for start, seconds in medians.items()
    ]


def first_step(name: str, folder: Path, run: str, seconds: float = 300.0) -> float:
    """Starts an experiment, waits for its first step and ends it.

    Args:
        name: of the experiment's file.
        folder: where its programs are kept, and the run.
        run: name of the run's folder.
        seconds: to wait at most.

    Returns:
        Seconds from the start of the process to the first record.

    Raises:
        StartError: there is no first step.
    """
    variables = environment(XDG_CACHE_HOME=str(folder))
    variables.pop("JAX_COMPILATION_CACHE_DIR", None)
    words = ["--workdir", str(folder / run), "--log-every", "1", "--quiet"]
    started = time.time()
    with subprocess.Popen(
        [sys.executable, str(EXPERIMENTS / f"{name}.py"), *words],
        env=variables,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        log = folder / run / workdir.METRICS
        try:
            while not (line := _first_line(log)):
                if process.poll() is not None:
                    said = process.stderr.read() if process.stderr else ""
                    raise StartError(f"{name} ended before its first step: {said.strip()}")
                if time.time() - started > seconds:
                    raise StartError(f"{name} has done no step within {seconds:.0f} s")
                time.sleep(0.01)
        finally:
            process.kill()
    return json.loads(line)["time"] - started


def _first_line(path: Path) -> str:
    """The first line of a file; empty while it is not there as a whole."""
    line, newline, _ = path.read_text().partition("\n") if path.exists() else ("", "", "")
    return line if newline else ""
