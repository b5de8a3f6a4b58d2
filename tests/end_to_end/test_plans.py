"""Plans by processes: killed and started again, they leave what one process leaves."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import tiny_study

from jaxgan import cli

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow

STUDY = """
from pathlib import Path
from jaxgan.study.comparison import Entry, Study

HERE = Path(__file__).parent
entries = (
    Entry(str(HERE / "gan.py")),
    Entry(str(HERE / "vae.py")),
    Entry(str(HERE / "vae.py"), ("--name", "bad", "--model.optimizer.learning-rate", "1e30")),
)
study = Study("six", "Six runs", entries, (0, 1), 640, 2)
"""


def jaxgan(place, *words, **others):
    """A process, compiled as for users."""
    environment = {
        **os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}", "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": "", "XDG_CACHE_HOME": str(place.parent / "cache"),
    }  # fmt: skip
    environment.pop("JAX_COMPILATION_CACHE_DIR", None)
    return subprocess.Popen(
        [sys.executable, "-m", "jaxgan", *words], cwd=place, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, **others,
    )  # fmt: skip


def ended(process, *codes):
    out, err = process.communicate(timeout=600)
    assert process.returncode in codes, out + err
    return out


def wait_for(condition, process=None, seconds=300.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        assert process is None or process.poll() is None, process.communicate()
        time.sleep(0.02)


def planned(place, study, name, *words):
    tiny_study.write(place)
    (place / "study.py").write_text(study)
    ended(jaxgan(place, "plan", "study.py", "--population", *words), 0)
    return place / "runs" / name


def documents(folder):
    """What the runs have come to, without times."""
    found = {}
    for path in sorted(folder.glob("runs/*/result.json")):
        result = json.loads(path.read_text())
        found[path.parent.name] = (result["digest"], json.dumps(result["metrics"]))
    for path in sorted(folder.glob("runs/*/failed.json")):
        found[path.parent.name] = path.read_text()
    return found


def without_times(document):
    if isinstance(document, dict):
        times = ("created", "seconds", "Time")
        return {k: without_times(v) for k, v in document.items() if k not in times}
    return [*map(without_times, document)] if isinstance(document, list) else document


def report(place, folder):
    ended(jaxgan(place, "report", str(folder.relative_to(place))), 0)
    return without_times(json.loads((folder / "results.json").read_text()))


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    """A plan that one process has done."""
    place = tmp_path_factory.mktemp("plans") / "one"
    place.mkdir()
    folder = planned(place, STUDY, "six", "never")
    out = ended(jaxgan(place, "run", "--plan", "plan.jsonl", "--all"), 1)
    assert [line.split(": ")[0] for line in out.splitlines()] == [
        f"[{n}/6] {row}, seed {seed}"
        for n, (row, seed) in enumerate(((r, s) for r in ("gan", "vae", "bad") for s in (0, 1)), 1)
    ]
    return place, folder


def test_workers_of_which_some_are_killed_leave_what_one_process_does(one, tmp_path_factory):
    place = tmp_path_factory.mktemp("workers") / "many"
    shutil.copytree(one[0], place, ignore=shutil.ignore_patterns("runs", "plan.jsonl"))
    folder = planned(place, STUDY, "six", "never")
    words = ("run", "--plan", "plan.jsonl", "--all")
    first, second = jaxgan(place, *words), jaxgan(place, *words)
    wait_for(lambda: list(folder.glob("runs/*/metrics.jsonl")), first)
    first.kill()
    wait_for(lambda: list(folder.glob("runs/*/result.json")), second)
    second.kill()
    first.communicate()
    second.communicate()
    missing = ended(jaxgan(place, "run", "--plan", "plan.jsonl", "--missing"), 0)
    assert missing != ""
    # As `xargs -P 2` starts them.
    for worker in [jaxgan(place, *words) for _ in range(2)]:
        ended(worker, 1)
    assert ended(jaxgan(place, "run", "--plan", "plan.jsonl", "--missing"), 0) == ""
    assert documents(folder) == documents(one[1])
    assert len(documents(folder)) == 6
    assert report(place, folder) == report(*one)


POPULATION = """
from pathlib import Path
from jaxgan.study.comparison import Entry, Study

HERE = Path(__file__).parent
study = Study("pair", "A pair", (Entry(str(HERE / "vae.py")),), (0, 1), 40_000, 2)
"""


def logs(folder):
    """By the name of a run, the bytes of its log."""
    return {path.parent.name: path.read_bytes() for path in folder.glob("runs/*/metrics.jsonl")}


def values(log, after):
    """The lines of a log after a step, without their times."""
    lines = map(json.loads, log.splitlines())
    times = {"time", "steps_per_second"}
    return [{name: line[name] for name in line.keys() - times} for line in lines
            if line["step"] > after]  # fmt: skip


def test_a_population_that_gets_notice_of_its_end_saves_and_goes_on(tmp_path, monkeypatch):
    """As SLURM gives it before a limit. Both members end as if nothing had been."""
    place, other = tmp_path / "noticed", tmp_path / "undisturbed"
    place.mkdir()
    tiny_study.write(place)
    (place / "study.py").write_text(POPULATION)
    with monkeypatch.context() as patch:
        patch.chdir(place)
        patch.setenv("JAX_COMPILATION_CACHE_DIR", "unused")
        patch.setattr("sys.unraisablehook", sys.unraisablehook)
        cli.main(["plan", "study.py", "--population", "always"])
    folder = place / "runs" / "pair"
    shutil.copytree(place, other)
    words = ("run", "--plan", "plan.jsonl", "--index", "0")
    process = jaxgan(place, *words)
    wait_for(lambda: len(logs(folder)) == 2 and all(logs(folder).values()), process)
    process.send_signal(signal.SIGUSR1)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 75, out + err
    told = re.search(r"SIGUSR1: 2 runs saved at step (\d+) of 5000", err)
    assert told is not None, err
    assert 0 < int(told[1]) < 5000
    assert documents(folder) == {}
    before = logs(folder)
    assert ended(jaxgan(place, *words), 0).startswith("index 0: vae, seed 0 and 1 more: 2 finished")
    after = logs(folder)
    # It went on: what had been logged is still there, its times included.
    assert before.keys() == after.keys()
    assert all(after[name].startswith(log) for name, log in before.items())
    ended(jaxgan(other, *words), 0)
    mine, undisturbed = folder, other / folder.relative_to(place)
    assert len(documents(mine)) == 2
    assert documents(mine) == documents(undisturbed)
    # The line that was logged at the stop takes its steps from the mean of the next one.
    common = int(told[1]) + 50
    for name, log in logs(undisturbed).items():
        assert len(values(log, common)) > 10
        assert values(after[name], common) == values(log, common)
    for left in (mine, undisturbed):
        assert not list(left.glob("runs/population-*"))
