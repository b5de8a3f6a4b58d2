"""The plan's file: what it says, what is refused of it, and how far its lines are."""

import json
import os
import subprocess
import sys
from pathlib import Path

import disk
import pytest

from jaxgan.run import failure
from jaxgan.study import plan
from jaxgan.study.plan import Budget, Line, PlanError, Trial

STUDY = Budget("tiny", "Tiny ones", "fid", "not tuned", 640, ("fid", "kid"), ("float32",))
SUBJECT = {
    "name": "gan", "objective": "Hinge()", "family": "GAN", "steps": 40, "likelihood": "",
    "mark": "β = 2", "data": "Data()", "weights": "raw", "selection": "none",
}  # fmt: skip


def trial(place, number, **changes):
    made = Trial(
        "gan", place / "experiments" / "gan.py", "ab" * 32, ("--steps", "40"), number,
        f"runs/gan-000000000{number}", None, SUBJECT, "A GAN.",
    )  # fmt: skip
    return made._replace(**changes)


@pytest.fixture
def lines(tmp_path):
    """A line of one member, and one of two."""
    work = tmp_path / "work"
    return (
        Line(0, work, STUDY, (trial(tmp_path, 0),)),
        Line(1, work, STUDY, (trial(tmp_path, 1), trial(tmp_path, 2, setting=3))),
    )


def test_a_line_says_all_that_is_needed_relative_to_the_file(lines, tmp_path):
    plan.write(tmp_path / "plans" / "plan.jsonl", lines)
    first, second = (tmp_path / "plans" / "plan.jsonl").read_text().splitlines()
    assert json.loads(first) == {
        "plan": 1,
        "workdir": "../work",
        "study": {
            "name": "tiny", "title": "Tiny ones", "rank_by": "fid", "tuning": "not tuned",
            "images": 640, "metrics": ["fid", "kid"], "precisions": ["float32"], "trials": 0,
            "search_seed": 0,
        },
        "members": [
            {
                "row": "gan", "file": "../experiments/gan.py", "sha256": "ab" * 32,
                "arguments": ["--steps", "40"], "seed": 0, "folder": "runs/gan-0000000000",
                "setting": None, "subject": SUBJECT, "description": "A GAN.",
            }
        ],
    }  # fmt: skip
    assert [one["seed"] for one in json.loads(second)["members"]] == [1, 2]


def test_what_is_written_comes_back_from_wherever_it_is_read(lines, tmp_path, monkeypatch):
    path = tmp_path / "plans" / "plan.jsonl"
    plan.write(path, lines)
    assert plan.read(path) == lines
    assert [plan.read_line(path, index) for index in (0, 1)] == [*lines]
    # From here, paths are short.
    monkeypatch.chdir(tmp_path)
    second = plan.read_line(Path("plans/plan.jsonl"), 1)
    assert second.members[0].file == Path("experiments/gan.py")
    assert second.folder(second.members[1]) == Path("work/runs/gan-0000000002")
    assert second.told == "gan, seed 1 and 1 more"
    assert second.members[1].words == ("--steps", "40", "--seed", "2")


def test_a_copy_in_the_folder_of_the_runs_is_the_same_plan(lines, tmp_path):
    plan.write(tmp_path / "work" / "plan.jsonl", lines)
    assert (
        json.loads((tmp_path / "work" / "plan.jsonl").read_text().splitlines()[0])["workdir"] == "."
    )
    assert plan.read(tmp_path / "work" / "plan.jsonl") == lines


def spoiled(**changes):
    def change(document):
        document.update(changes)

    return change


def member(**changes):
    def change(document):
        document["members"][0].update(changes)

    return change


def without(record, name):
    def change(document):
        del (document["members"][0] if record == "members" else document[record])[name]

    return change


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (spoiled(plan=2), "this is no plan of this version of jaxgan: draw it again"),
        (spoiled(members=[]), "does not say what is trained, and where"),
        (spoiled(members={"row": 1}), "does not say what is trained, and where"),
        (spoiled(workdir=3), "does not say what is trained, and where"),
        (spoiled(study=[]), "study is damaged"),
        (spoiled(members=[3]), "member 0 is damaged"),
        (without("study", "rank_by"), "study is damaged: rank_by is missing, unknown, or of an"),
        (without("members", "sha256"), "member 0 is damaged: sha256 is missing, unknown, or of"),
        (member(seed=True), "member 0 is damaged: seed is"),
        (member(seed=-1), "member 0 is damaged: seed is"),
        (member(setting="3"), "member 0 is damaged: setting is"),
        (member(arguments=["--steps", 4]), "member 0 is damaged: arguments is"),
        (member(subject=["x"]), "member 0 is damaged: subject is"),
        (member(subject={**SUBJECT, "mark": 3}), "subject of member 0 is damaged: mark is"),
        (member(subject={**SUBJECT, "steps": "3"}), "subject of member 0 is damaged: steps is"),
        (member(more=1), "member 0 is damaged: more is"),
        *(
            (member(folder=folder), "member 0 is damaged: folder is")
            for folder in (
                "../other",
                "runs/../..",
                "runs/a/b",
                "/tmp/x",
                "runs/",
                "runs/.x",
                "runs",
            )
        ),
    ],
)
def test_damaged_lines_are_named(lines, tmp_path, change, line):
    path = tmp_path / "plan.jsonl"
    plan.write(path, lines)
    first, second = path.read_text().splitlines()
    document = json.loads(second)
    change(document)
    path.write_text(f"{first}\n{json.dumps(document)}\n")
    assert plan.read_line(path, 0) == lines[0]
    for read in (lambda: plan.read(path), lambda: plan.read_line(path, 1)):
        with pytest.raises(PlanError) as raised:
            read()
        assert str(raised.value).startswith(f"{path}, index 1")
        assert line in str(raised.value)
        assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "content", [b"\n", b"{", b"[]", b"3", b"\xff\xfe", b"[" * 100_000, b'{"plan": 1}\x00']
)
def test_what_is_no_line_is_named(tmp_path, content):
    path = tmp_path / "plan.jsonl"
    path.write_bytes(content)
    with pytest.raises(PlanError, match="index 0"):
        plan.read(path)


def test_files_and_lines_that_are_not_there(lines, tmp_path):
    with pytest.raises(PlanError, match=r"cannot read the plan .*nothing.*: No such file"):
        plan.read(tmp_path / "nothing")
    with pytest.raises(PlanError, match=r"cannot read the plan .*: Is a directory"):
        plan.read_line(tmp_path, 0)
    path = tmp_path / "plan.jsonl"
    plan.write(path, lines)
    with pytest.raises(PlanError, match=r"plan.jsonl has no index 2; there are 0 to 1$"):
        plan.read_line(path, 2)
    path.write_text("")
    with pytest.raises(PlanError, match="is empty"):
        plan.read(path)
    with pytest.raises(PlanError, match=r"has no index 0; there are none$"):
        plan.read_line(path, 0)


def test_a_full_disk_leaves_the_plan_that_was_there(lines, tmp_path):
    path = tmp_path / "plan.jsonl"
    plan.write(path, lines[:1])
    before = path.read_bytes()
    with disk.largest_file(100), pytest.raises(OSError, match=r"plan\.jsonl"):
        plan.write(path, lines)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["plan.jsonl"]
    with disk.largest_file(100), pytest.raises(OSError, match=r"other\.jsonl"):
        plan.write(tmp_path / "other.jsonl", lines)
    assert os.listdir(tmp_path) == ["plan.jsonl"]


def test_a_line_has_ended_when_all_its_members_have(lines):
    def write(number, name, content):
        folder = lines[0].workdir / "runs" / f"gan-000000000{number}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)

    both = lines[1]
    assert [plan.state(one) for one in lines] == [("missing", "")] * 2
    write(1, "result.json", '{"metrics": {}}')
    assert plan.state(both) == ("missing", "")
    failure.write(both.folder(both.members[1]), "loss is nan at step 3")
    assert plan.state(both) == ("failed", "loss is nan at step 3")
    # A result counts, whatever was before.
    write(2, "result.json", '{"metrics": {}}')
    assert plan.state(both) == ("finished", "")
    write(1, "result.json", '{"metrics": ')
    status, why = plan.state(both)
    assert (status, "result.json is damaged: delete it" in why) == ("failed", True)


def test_nothing_heavy_is_imported():
    code = "import jaxgan.study.plan, sys; print({'jax', 'numpy', 'tyro'} & {*sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "set()\n"
