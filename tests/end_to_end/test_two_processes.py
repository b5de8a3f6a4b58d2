"""Two processes of four devices give what one process of eight gives."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from jaxgan.measurement import runs

ROOT = Path(__file__).parents[2]
FILE = """
import dataclasses
import sys

sys.path.insert(0, {tests!r})
import tiny
from jaxgan.config import Evaluation

experiment = dataclasses.replace(
    tiny.{name}(steps=12), name="tiny", evaluation=Evaluation(samples=100, backbone="pixels")
)
"""

pytestmark = pytest.mark.slow


def start(folder: Path, words: list[str], devices: int, **extra: str) -> subprocess.Popen[str]:
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": f"--xla_force_host_platform_device_count={devices}",
        # Not the user's own folder of compiled programs.
        "JAX_COMPILATION_CACHE_DIR": str(folder.parent / "programs"),
        # What the compiler makes of a program is not what is compared here.
        "JAX_DISABLE_MOST_OPTIMIZATIONS": "true",
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        **extra,
    }
    return subprocess.Popen(
        [sys.executable, "-m", "jaxgan", *words],
        cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def finish(processes: list[subprocess.Popen[str]], code: int = 0) -> list[str]:
    try:
        said = ["".join(process.communicate(timeout=240)) for process in processes]
    finally:
        for process in processes:
            process.kill()
    assert [process.returncode for process in processes] == [code] * len(processes), said
    return said


def free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return server.getsockname()[1]


def start_two(folder: Path, words: list[str]) -> list[subprocess.Popen[str]]:
    address = f"127.0.0.1:{free_port()}"
    return [
        start(folder, words, 4, JAX_COORDINATOR_ADDRESS=address, JAX_NUM_PROCESSES="2",
              JAX_PROCESS_ID=str(index))
        for index in range(2)
    ]  # fmt: skip


def train_in_two(folder: Path, words: list[str]) -> list[str]:
    return finish(start_two(folder, words))


def result(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "result.json").read_text())


@pytest.mark.parametrize(
    ("name", "mode", "streaming"),
    [("gan", "pmap", "never"), ("dcgan", "shard_map", "always")],
    ids=["pmap-resident", "shard_map-grain"],
)
def test_two_processes_equal_one(tmp_path: Path, name: str, mode: str, streaming: str):
    (tmp_path / "file.py").write_text(FILE.format(tests=str(ROOT / "tests"), name=name))
    words = ["train", "file.py", "--parallel", mode, "--data.streaming", streaming,
             "--checkpoint-every", "5"]  # fmt: skip
    finish([start(tmp_path, [*words, "--workdir", "one"], 8)])
    said = train_in_two(tmp_path, [*words, "--workdir", "two"])
    assert "2 x" not in said[1], "only the first process reports"
    assert said[0].count("fid[") == 1
    assert "fid[" not in said[1]

    one, two = (runs.load(tmp_path / run) for run in ("one", "two"))
    assert one.step == two.step == 12
    for a, b in zip(jax.tree.leaves(one.state), jax.tree.leaves(two.state), strict=True):
        np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=1e-4, atol=1e-6)
    first, second = (result(tmp_path / run) for run in ("one", "two"))
    assert second["hardware"]["processes"] == "2"
    assert first["metrics"].keys() == second["metrics"].keys()
    for metric, value in first["metrics"].items():
        assert second["metrics"][metric] == pytest.approx(value, rel=1e-2, abs=1e-2), metric


def test_a_signal_to_one_process_stops_both_and_both_resume(tmp_path: Path):
    (tmp_path / "file.py").write_text(FILE.format(tests=str(ROOT / "tests"), name="gan"))
    # Long enough to be stopped on the way; the processes agree on a signal at every log line.
    words = ["train", "file.py", "--steps", "60", "--log-every", "1", "--images-every", "0"]
    processes = start_two(tmp_path, [*words, "--workdir", "run"])
    log = tmp_path / "run" / "metrics.jsonl"
    end = time.monotonic() + 120
    while not (log.exists() and log.stat().st_size) and time.monotonic() < end:
        time.sleep(0.05)
    processes[1].send_signal(signal.SIGTERM)
    said = finish(processes, 143)
    saved = [re.search(r"SIGTERM: saved at step (\d+) of 60; go on by", text) for text in said]
    assert saved[0] is not None
    assert saved[1] is not None
    step = int(saved[0][1])
    assert int(saved[1][1]) == step < 60
    assert [path.name for path in (tmp_path / "run" / "checkpoints").iterdir()] == [str(step)]

    train_in_two(tmp_path, ["resume", "run"])
    steps = [json.loads(line)["step"] for line in log.read_text().splitlines()]
    # The last line is what was measured at the end.
    assert steps == [*range(1, 61), 60]
    # The folder holds a run now. Nobody waits for the process that says so.
    said = finish(start_two(tmp_path, [*words, "--workdir", "run"]), 2)
    assert "run already holds a run: go on with it by `jaxgan resume run`" in said[0]
    assert "error: the main process cannot go on; it says why" in said[1]

    train_in_two(tmp_path, [*words, "--workdir", "undisturbed"])
    assert result(tmp_path / "run")["digest"] == result(tmp_path / "undisturbed")["digest"]
