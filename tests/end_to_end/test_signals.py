"""Signals at moments when only a process of its own can be asked: imports, and killed parents."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow

WORKERS = """
import sys
import numpy as np
from jaxgan.data.pipeline import Data
from jaxgan.data.source import ArraySplit
from jaxgan.data.stream import stream

if __name__ == "__main__":
    images = np.zeros((50, 1, 1, 1), np.uint8)
    split = ArraySplit(images, np.arange(50, dtype=np.int32))
    data = Data(streaming="always", workers=2, threads=1)
    batches = stream(split, seed=0, batch_size_global=4, data=data)
    next(batches)
    print("started", flush=True)
    sys.stdin.read()
"""


def start(*words: str, **others: object) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu", "XLA_FLAGS": ""}
    return subprocess.Popen(
        [sys.executable, *words], env=environment, text=True, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, **others,
    )  # fmt: skip


def wait_for(condition, seconds=120.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("seconds", [0.0, 0.5])
def test_imports_end_quietly(tmp_path, number, seconds):
    process = start("-m", "jaxgan", "train", "nothing.py", cwd=tmp_path)
    # From the moment on when JAX's library is being loaded, of which there are seconds to go.
    wait_for(lambda: "jaxlib" in Path(f"/proc/{process.pid}/maps").read_text())
    time.sleep(seconds)
    process.send_signal(number)
    out, err = process.communicate(timeout=120)
    assert out == ""
    assert err == f"{number.name}: stopped before anything was done\n"
    assert process.returncode == 128 + number


def descendants(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in map(int, (task / "children").read_text().split()):
            found += [child, *descendants(child)]
    return found


def is_there(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits for its parent does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_workers_end_with_a_parent_that_is_killed(tmp_path):
    (tmp_path / "workers.py").write_text(WORKERS)
    process = start(str(tmp_path / "workers.py"))
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"
    workers = descendants(process.pid)
    assert len(workers) >= 2
    assert all(map(is_there, workers))
    process.kill()
    process.wait()
    wait_for(lambda: not any(map(is_there, workers)), seconds=120)
    process.communicate()
