"""`jaxgan plan`, `run` and `report` of a plan, around runs that nobody has trained."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import finished_runs
import pytest
import tiny_study

from jaxgan import cli
from jaxgan.cli.options import read_entry
from jaxgan.cli.run import ranges
from jaxgan.run import failure, lock, workdir
from jaxgan.study import plan, worker

STUDY = """
from pathlib import Path
from jaxgan.study.comparison import Entry, Study

HERE = Path(__file__).parent
entries = (Entry(str(HERE / "gan.py")), Entry(str(HERE / "vae.py")))
study = Study("two", "Two of them", entries, (0, 1, 2), 160, 2, metrics=("fid", "kid"))
"""
WHY = "loss is nan at step 3: training has diverged"


@pytest.fixture
def jaxgan(monkeypatch, capfd):
    """Runs a command line; returns the exit code, standard output and standard error."""
    monkeypatch.setattr("sys.unraisablehook", sys.unraisablehook)
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", "unused")
    for name in ("SLURM_ARRAY_TASK_ID", "JOB_COMPLETION_INDEX"):
        monkeypatch.delenv(name, raising=False)

    def run(line):
        code = 0
        try:
            cli.main(line.split())
        except SystemExit as stopped:
            code = stopped.code
        return code, *capfd.readouterr()

    return run


@pytest.fixture(scope="module")
def planned(tmp_path_factory):
    """A study's file, and its plan of six lines."""
    place = tiny_study.write(tmp_path_factory.mktemp("plans"))
    (place / "study.py").write_text(STUDY)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        patch.setenv("JAX_COMPILATION_CACHE_DIR", "unused")
        patch.setattr("sys.unraisablehook", sys.unraisablehook)
        cli.main(["plan", "study.py", "--out", "plans/p.jsonl", "--population", "never"])
    return place


@pytest.fixture
def place(planned, tmp_path, monkeypatch):
    """Another folder with the same, in which lines may have ended."""
    shutil.copytree(planned, tmp_path / "here")
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


def finish(place, *indices):
    """Lines that are finished; fid is one more than the line's place, kid a tenth of it."""
    for line in plan.read(place / "plans" / "p.jsonl"):
        if line.index in indices:
            (experiment,) = worker.experiments_of(line, read_entry)
            fid = line.index + 1.0
            finished_runs.write(line.folder(line.members[0]), experiment, fid=fid, kid=fid / 10)


def fail(place, index):
    line = plan.read_line(place / "plans" / "p.jsonl", index)
    folder = line.folder(line.members[0])
    folder.mkdir(parents=True)
    failure.write(folder, WHY)
    return folder


def test_a_plan_is_written_twice_and_says_the_same_in_both_places(planned):
    out, copy = planned / "plans" / "p.jsonl", planned / "runs" / "two" / "plan.jsonl"
    lines = plan.read(out)
    assert plan.read(copy) == lines
    assert [(line.members[0].row, line.members[0].seed) for line in lines] == [
        (row, seed) for row in ("gan", "vae") for seed in (0, 1, 2)
    ]
    assert json.loads(out.read_text().splitlines()[0])["members"][0]["file"] == "../gan.py"
    assert json.loads(copy.read_text().splitlines()[0])["members"][0]["file"] == "../../gan.py"


@pytest.mark.slow
def test_a_plan_is_not_written_over_unless_it_is_the_same(place, jaxgan):
    before = (place / "plans" / "p.jsonl").read_bytes()
    code, out, _ = jaxgan("plan study.py --out plans/p.jsonl --population never")
    assert (code, out.splitlines()[0]) == (0, "plans/p.jsonl: 6 lines (3 gan, 3 vae)")
    assert (place / "plans" / "p.jsonl").read_bytes() == before
    code, _, err = jaxgan("plan study.py --out plans/p.jsonl --images 320")
    assert (code, err) == (
        2, "error: runs/two/plan.jsonl exists and is another plan: --overwrite replaces it\n",
    )  # fmt: skip
    code, _, err = jaxgan("plan study.py --out plans/p.jsonl --images 320 --workdir runs/other")
    assert (code, err) == (
        2, "error: plans/p.jsonl exists and is another plan: --overwrite replaces it\n",
    )  # fmt: skip
    assert not (place / "runs" / "other").exists()
    assert (place / "plans" / "p.jsonl").read_bytes() == before
    assert jaxgan("plan study.py --out plans/p.jsonl --images 320 --overwrite --seeds 7")[0] == 0
    (first, second) = plan.read(place / "plans" / "p.jsonl")
    assert (first.study.images, first.members[0].seed, second.members[0].row) == (320, 7, "vae")


def test_missing_lines_are_listed_for_a_scheduler(place, jaxgan):
    finish(place, 1)
    folder = fail(place, 4)
    line = plan.read_line(Path("plans/p.jsonl"), 0)
    with lock.held(line.folder(line.members[0])):
        code, out, err = jaxgan("run --plan plans/p.jsonl --missing")
    assert (code, out) == (0, "2-3,5\n")
    first, *others = err.splitlines()
    assert first.startswith(f"index 0: gan, seed 0: in work (process {os.getpid()} on ")
    assert others == [
        "index 2: gan, seed 2: missing (not begun)",
        "index 3: vae, seed 0: missing (not begun)",
        f"index 4: vae, seed 1: failed ({WHY})",
        "index 5: vae, seed 2: missing (not begun)",
        "6 lines: 1 finished, 1 in work, 3 missing, 1 failed",
    ]
    # Nobody is at the first one any more, and what failed is to be tried again.
    assert jaxgan("run --plan plans/p.jsonl --missing --retry")[1] == "0,2-5\n"
    shutil.rmtree(folder)
    finish(place, 0, 2, 3, 4, 5)
    assert jaxgan("run --plan plans/p.jsonl --missing") == (0, "", "6 lines: 6 finished\n")


@pytest.mark.parametrize(
    ("indices", "expected"),
    [
        ([3, 7, 8, 9], "3,7-9"), ([0], "0"), ([0, 1], "0-1"), ([0, 2, 4], "0,2,4"),
        ([5, 6, 8, 10, 11, 12], "5-6,8,10-12"), ([], ""),
    ],
)  # fmt: skip
def test_ranges(indices, expected):
    assert ranges(indices) == expected


@pytest.mark.parametrize("name", ["SLURM_ARRAY_TASK_ID", "JOB_COMPLETION_INDEX"])
def test_schedulers_say_which_line_is_meant(place, jaxgan, monkeypatch, name):
    finish(place, 4)
    monkeypatch.setenv(name, "4")
    assert jaxgan("run --plan plans/p.jsonl") == (
        0, "index 4: vae, seed 1: finished before\n", ""
    )  # fmt: skip
    # What is said holds.
    fail(place, 2)
    code, _, err = jaxgan("run --plan plans/p.jsonl --index=2")
    assert (code, err) == (1, f"index 2: gan, seed 2: failed before: {WHY}\n")
    for text in ("4x", "-1", "1_0", "٣", " 4"):
        monkeypatch.setenv(name, text)
        code, _, err = jaxgan("run --plan plans/p.jsonl")
        assert (code, err) == (2, f"error: {name} is {text!r}, which is no index of a plan\n")


def test_an_index_beyond_the_plan_is_refused(place, jaxgan):
    code, _, err = jaxgan("run --plan plans/p.jsonl --index 6")
    assert (code, err) == (2, "error: plans/p.jsonl has no index 6; there are 0 to 5\n")


def test_all_says_a_line_of_each_and_ends_with_what_is_worst(place, jaxgan):
    finish(place, 0, 1, 2, 3, 5)
    fail(place, 4)
    code, out, err = jaxgan("run --plan plans/p.jsonl --all --parallel none")
    assert (code, err) == (1, "")
    assert out.splitlines()[3:5] == [
        "[4/6] vae, seed 0: finished before",
        f"[5/6] vae, seed 1: failed before: {WHY}",
    ]


def test_lines_that_another_is_at_come_again_at_the_end(place, jaxgan, monkeypatch):
    finish(place, 1, 2, 3, 4, 5)
    line = plan.read_line(Path("plans/p.jsonl"), 0)
    monkeypatch.setattr(worker, "kept_floor", lambda *arguments: None)
    with lock.held(line.folder(line.members[0])):
        code, out, _ = jaxgan("run --plan plans/p.jsonl --all --parallel none")
        one = jaxgan("run --plan plans/p.jsonl --index 0 --parallel none")
    assert code == one[0] == 75
    told = out.splitlines()
    assert len(told) == 7
    for text in (told[0], told[6], one[1]):
        assert f"is being written by process {os.getpid()} on " in text


def test_a_file_that_has_changed_stops_all_before_anything_is_trained(place, jaxgan):
    (place / "vae.py").write_text("raise RuntimeError\n")
    code, out, err = jaxgan("run --plan plans/p.jsonl --all")
    assert (code, out) == (2, "")
    assert err.startswith("error: vae.py has changed since the plan was drawn: draw it again, or")
    assert not (place / "runs" / "two" / "runs").exists()


def test_a_finished_line_imports_nothing(place):
    finish(place, 3)
    code = (
        "import sys\nfrom jaxgan import cli\n"
        "try:\n    cli.main(['run', '--plan', 'plans/p.jsonl', '--index', '3'])\n"
        "except SystemExit as end:\n    print(end.code, {'jax', 'numpy', 'tyro'} & {*sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "index 3: vae, seed 0: finished before\n0 set()\n"


def results(place, folder="runs/two"):
    return json.loads((place / folder / "results.json").read_text())


def test_a_report_of_whatever_is_finished(place, jaxgan):
    finish(place, 0, 1, 2, 3)
    fail(place, 4)
    code, out, err = jaxgan("report runs/two")
    assert (code, err) == (0, "")
    assert out.splitlines()[-3:] == [
        f"failed: index 4 (vae, seed 1): {WHY}",
        "not finished: index 5 of runs/two/plan.jsonl",
        "report: runs/two/index.html",
    ]
    found = results(place)
    assert (found["title"], found["rank_by"]) == ("Two of them", "fid")
    assert found["budget"] == "160 real images a run"
    gan, vae = (next(row for row in found["rows"] if row["name"] == n) for n in ("gan", "vae"))
    assert gan["metrics"]["fid"]["per_seed"] == [1.0, 2.0, 3.0]
    assert gan["description"] == "A tiny gan."
    # Seed 2 has not ended, so it has not failed: it is named below the table.
    assert vae["failed"] == f"seed 1: {WHY}"
    assert (gan["rank"], vae["standing"]) == (1, "failed")
    # By the command of a row the run of its plan is trained again.
    assert vae["command"].splitlines() == [
        f"python vae.py --evaluation.every 10 --evaluation.metrics fid kid --steps 20 --seed {seed}"
        for seed in (0, 1)
    ]
    # It is written again when there is more, and elsewhere if so asked.
    finish(place, 5)
    assert jaxgan("report runs/two --out page --rank-by kid --title Mine")[0] == 0
    assert (results(place, "page")["title"], results(place, "page")["rank_by"]) == ("Mine", "kid")
    assert results(place, "page")["rows"][0]["runs"][0].startswith("../runs/two/runs/gan-")


def test_no_report_of_nothing(place, jaxgan):
    code, _, err = jaxgan("report runs/two")
    assert code == 2
    assert err == (
        "error: no run is finished: `jaxgan run --plan runs/two/plan.jsonl --all` trains them\n"
    )
    (place / "runs" / "two" / "plan.jsonl").write_text("{")
    assert jaxgan("report runs/two")[0] == 2


def test_a_result_that_is_damaged_is_named(place, jaxgan):
    finish(place, 0, 1)
    line = plan.read_line(Path("plans/p.jsonl"), 0)
    folder = line.folder(line.members[0])
    (folder / workdir.RESULT).write_text("{")
    for command in ("report runs/two", "run --plan plans/p.jsonl --missing"):
        code, out, err = jaxgan(command)
        assert f"{folder / 'result.json'} is damaged: delete it and" in err
        assert "Traceback" not in err + out
        assert code == (2 if command.startswith("report") else 0)
