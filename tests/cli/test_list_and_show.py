"""`jaxgan list` and `jaxgan show`: what they print of runs, from files of data alone."""

import dataclasses
import json
import os
import re
import shutil
import time

import pytest
import tiny
from untrained import RESULT, write_run

from jaxgan.cli.list import list as list_runs
from jaxgan.cli.show import settings, show, written
from jaxgan.cli.tables import age
from jaxgan.config import ConfigError, Evaluation
from jaxgan.objectives.gan.losses import Hinge
from jaxgan.optim import Adam
from jaxgan.run import lock
from jaxgan.run.config_json import to_json
from jaxgan.run.workdir import RunError


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    return write_run(tmp_path_factory.mktemp("list") / "run", tiny.vae(seed=4), step=3)


@pytest.fixture
def place(original, tmp_path, monkeypatch):
    """Runs that are finished, stopped and damaged, in the folder where they usually are."""
    for name in ("done", "stopped", "broken"):
        shutil.copytree(original, tmp_path / "runs" / name)
    (tmp_path / "runs" / "done" / "result.json").write_text(json.dumps(RESULT))
    (tmp_path / "runs" / "broken" / "config.json").write_text("{")
    then = time.time() - 3 * 3600
    for name in ("config.json", "result.json"):
        os.utime(tmp_path / "runs" / "done" / name, (then, then))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "runs"


def test_runs_in_a_table(place, capsys):
    list_runs([])
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split() == ["folder", "name", "seed", "step", "state", "metric", "value", "age"]
    assert [re.split(r" {2,}", row) for row in rows[:3]] == [
        ["runs/broken", "–", "–", "–", "damaged", "–", "–", "0 min"],
        ["runs/done", "tiny", "4", "5/6", "finished", "fid", "3.50", "3 h"],
        ["runs/stopped", "tiny", "4", "3/6", "stopped", "–", "–", "0 min"],
    ]
    assert rows[3:] == [
        "runs/broken is damaged: runs/broken/config.json is damaged: it is not the configuration of"
        " a run"
    ]


def test_a_run_in_training_and_who_writes_it(place, capsys):
    with lock.held(place / "stopped"):
        list_runs(["runs/stopped"])
    *_, row, line = capsys.readouterr().out.splitlines()
    assert re.split(r" {2,}", row)[4] == "running"
    assert line.startswith(f"runs/stopped is running: process {os.getpid()} on ")


def test_the_list_as_json(place, capsys):
    list_runs(["--json", "runs"])
    broken, done, stopped = json.loads(capsys.readouterr().out)
    assert (broken["state"], done["state"], stopped["state"]) == ("damaged", "finished", "stopped")
    assert done["metrics"] == RESULT["metrics"]
    assert (stopped["step"], stopped["steps"], stopped["checkpoints"]) == (3, 6, [3])


def test_folders_without_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    list_runs([])
    assert capsys.readouterr().out == "there are no runs in runs\n"
    list_runs(["."])
    assert capsys.readouterr().out == "there are no runs in .\n"
    with pytest.raises(ConfigError, match=r"^nowhere: there is no such folder$"):
        list_runs(["nowhere"])


def test_a_run_shown(place, capsys):
    (place / "done" / "pictures").mkdir()
    (place / "done" / "pictures" / "samples.png").write_bytes(b"x" * 1000)
    show(["runs/done"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == [
        "runs/done: finished, step 5 of 6, trained for 1 min 15 s",
        "started by: jaxgan train untrained.py",
    ]
    assert lines[2].startswith("versions: jaxgan ")
    told = {line.split("  ")[0]: line for line in lines}
    assert told["seed"].split() == ["seed", "4"]
    assert "Vae(encoder=MlpEncoder(widths=[16]), decoder=" in told["model"]
    assert "precision" not in told  # it is as usual
    assert re.split(r" {2,}", told["fid ↓"]) == ["fid ↓", "3.50", "3.00 to 4.25"]
    assert "elbo: b" in lines
    assert "picture: runs/done/pictures/samples.png" in lines
    (checkpoint,) = (line for line in lines if line.startswith("checkpoint: "))
    assert re.fullmatch(r"checkpoint: step 3, 0\.\d+ MB", checkpoint)
    assert re.fullmatch(r"all files: 0\.\d+ MB", lines[-1])


def test_what_is_shown_of_runs_that_are_not_finished(place, capsys):
    show(["runs/stopped"])
    assert capsys.readouterr().out.startswith("runs/stopped: stopped, step 3 of 6\n")
    show(["runs/broken"])
    assert capsys.readouterr().out.startswith("runs/broken: damaged, step 0 (runs/broken/config")
    show(["runs/done", "--json"])
    document = json.loads(capsys.readouterr().out)
    assert document["config"] == json.loads((place / "done" / "config.json").read_text())
    assert document["metrics"] == RESULT["metrics"]
    with pytest.raises(RunError, match=r"^runs holds no run: there is no runs/config\.json$"):
        show(["runs"])


def test_nothing_of_a_run_is_executed_and_nothing_speaks_to_the_terminal(place, capsys):
    path = place / "done" / "config.json"
    config = json.loads(path.read_text())
    (place.parent / "trap.py").write_text("raise SystemExit('executed')\n")
    config["experiment"]["model"] = {"type": "trap:Trap", "depth": 3, "note": "\x1b[2J"}
    config["command"] = "jaxgan \x1b]0;owned\x07"
    config["experiment"]["name"] = "a\nb"
    path.write_text(json.dumps(config))
    show(["runs/done"])
    list_runs([])
    out = capsys.readouterr().out
    assert "Trap(depth=3, note='\\x1b[2J')" in out
    assert "\x1b" not in out
    assert "\x07" not in out
    assert "a\\nb" in out


def test_settings_are_what_differs_from_the_defaults():
    model = dataclasses.replace(tiny.gan().model, loss=Hinge(), generator_optimizer=Adam(b1=0.1))
    experiment = tiny.gan(model=model, evaluation=Evaluation(samples=7))
    shown = written(to_json(experiment.model))
    # The prior of the experiment is named, and its size; a default of the class is not.
    assert "prior=Normal(size=8)" in shown
    assert "loss=Hinge()" in shown
    assert "generator_optimizer=Adam(b1=0.1)" in shown
    assert "conditional" not in shown
    lines = settings(to_json(experiment))
    assert [line.split("  ")[0].strip() for line in lines] == [
        "name", "model", "data", "steps", "batch_size", "evaluation"
    ]  # fmt: skip
    assert lines[-1] == "evaluation  Evaluation(samples=7)"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-5, "0 min"), (89, "1 min"), (7100, "118 min"), (7200, "2 h"), (86_400 * 3, "3 days")],
)
def test_ages(seconds, text):
    assert age(seconds) == text


def test_deep_configurations_are_refused(place):
    deep = json.loads("[" * 400 + "]" * 400)
    path = place / "done" / "config.json"
    config = json.loads(path.read_text())
    config["experiment"]["model"] = deep
    path.write_text(json.dumps(config))
    with pytest.raises(RunError, match=r"is damaged: it has too many levels$"):
        show(["runs/done"])
