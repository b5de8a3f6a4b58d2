"""A population that is killed goes on, and ends as one that was not; its members too."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow

WORK = """
import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, {tests!r})
import tiny
from jaxgan.config import Evaluation, Run
from jaxgan.training import members, varied

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    first = tiny.vae(steps=2000, evaluation=Evaluation(samples=20, backbone="pixels"))
    those = [
        replace(varied.replaced(first, {{"model.optimizer.learning_rate": rate}}), name=name)
        for name, rate in (("a", 1e-3), ("b", 1e30), ("c", 3e-3))
    ]
    runs = [
        Run(workdir=str(folder / one.name), checkpoint_every=100, log_every=50, quiet=True,
            tensorboard=False)
        for one in those
    ]
    members.train(those, runs, resume=True)
"""


def start(script: Path, folder: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu"}
    return subprocess.Popen([sys.executable, str(script), str(folder)], env=environment)


def test_killed_members_end_as_undisturbed_ones(tmp_path):
    script = tmp_path / "work.py"
    script.write_text(WORK.format(tests=str(ROOT / "tests")))
    assert start(script, tmp_path / "undisturbed").wait(timeout=300) == 0
    folder = tmp_path / "killed"
    for checkpoints in (1, 2):
        process = start(script, folder)
        end = time.monotonic() + 200
        saved: set[str] = set()
        while len(saved) < checkpoints and process.poll() is None and time.monotonic() < end:
            saved |= {path.name for path in folder.glob("population-*/checkpoints/[0-9]*")}
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        assert process.wait(timeout=60) == -signal.SIGKILL, "it was done before it was killed"
    assert start(script, folder).wait(timeout=300) == 0
    assert sorted(path.name for path in folder.iterdir()) == ["a", "b", "c"]
    for name in ("a", "c"):
        mine, other = (
            json.loads((tmp_path / where / name / "result.json").read_text())
            for where in ("killed", "undisturbed")
        )
        assert (mine["steps"], mine["digest"]) == (2000, other["digest"])
        assert mine["metrics"] == other["metrics"]
    told = [(tmp_path / w / "b" / "failed.json").read_text() for w in ("killed", "undisturbed")]
    assert told[0] == told[1]
    assert "nan at step 2" in told[0]
