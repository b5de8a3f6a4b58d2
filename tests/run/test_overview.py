"""Runs at a glance: what is found, and that nothing of them is executed or changed."""

import json
import os
import shutil

import pytest
import tiny
from untrained import RESULT, write_run

from jaxgan.run import lock, overview


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    return write_run(tmp_path_factory.mktemp("overview") / "run", tiny.vae(seed=4), step=3)


@pytest.fixture
def run(original, tmp_path):
    """A run that was stopped after its third step of six."""
    folder = shutil.copytree(original, tmp_path / "runs" / "deep" / "run")
    record = '{{"step": {}, "images_seen": 16, "time": 1.0, "loss": 2.0}}\n'
    (folder / "metrics.jsonl").write_text("".join(map(record.format, range(1, 6))) + '{"step": 6')
    return folder


def test_a_run_that_was_stopped(run):
    found = overview.look(run)
    assert (found.status, found.why) == ("stopped", "")
    assert (found.name, found.seed, found.step, found.steps) == ("tiny", 4, 5, 6)
    assert found.checkpoints == (3,)
    assert found.headline is None
    assert found.changed == max((run / n).stat().st_mtime for n in ("config.json", "metrics.jsonl"))


def test_a_finished_run_leads_with_the_first_metric_asked_for(run):
    (run / "result.json").write_text(json.dumps(RESULT))
    found = overview.look(run)
    assert (found.status, found.step) == ("finished", 5)  # it may have ended early
    assert found.headline == ("fid[a]", 3.5)  # of fid and kid, in the order of the settings
    config = json.loads((run / "config.json").read_text())
    config["experiment"]["evaluation"]["metrics"] = ["elbo"]
    (run / "config.json").write_text(json.dumps(config))
    assert overview.look(run).headline == ("elbo[b]", -80.0)
    config["experiment"]["evaluation"]["metrics"] = ["prdc"]  # which gives others
    (run / "config.json").write_text(json.dumps(config))
    assert overview.look(run).headline == ("kid[a]", 0.25)


def test_a_run_in_training_tells_who_writes_it(run):
    with lock.held(run):
        found = overview.look(run)
    assert found.status == "running"
    assert f"process {os.getpid()} on " in found.why
    assert overview.look(run).status == "stopped"


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("config.json", "{", "config.json is damaged: it is not the configuration of a run"),
        ("config.json", "[" * 100_000, "config.json is damaged: it is not the configuration"),
        ("config.json", '{"experiment": {"name": 3}}', "is damaged: it lacks name, seed or steps"),
        ("result.json", "{", "result.json is damaged: delete it"),
        ("result.json", "[3]", "result.json is damaged: delete it"),
        ("result.json", '{"metrics": 3}', "result.json is damaged: delete it"),
    ],
)
def test_damage_is_told_and_never_raised(run, name, text, why):
    (run / name).write_text(text)
    found = overview.look(run)
    assert found.status == "damaged"
    assert why in found.why
    assert "\n" not in found.why
    assert found.checkpoints == (3,)


def test_what_is_left_of_a_run(run):
    (run / "config.json").unlink()
    assert [*overview.find([run.parent])] == [run]
    assert overview.look(run).why == f"{run} holds no run: there is no {run / 'config.json'}"


def test_nothing_is_imported_or_changed(run, monkeypatch):
    config = json.loads((run / "config.json").read_text())
    config["experiment"]["model"]["type"] = "nowhere:Missing"
    (run / "config.json").write_text(json.dumps(config))
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*")}
    assert overview.look(run).status == "stopped"
    assert {path: path.stat().st_mtime_ns for path in run.rglob("*")} == before


def test_runs_are_found_at_any_depth_and_nothing_else_is(run, tmp_path):
    first = shutil.copytree(run, tmp_path / "runs" / "a")
    # A run inside of a run is its own business; other programs have such files too.
    shutil.copytree(run, first / "damaged" / "b")
    (tmp_path / "runs" / "else").mkdir()
    (tmp_path / "runs" / "else" / "config.json").write_text('{"model_type": "bert"}')
    (tmp_path / "runs" / "again").symlink_to(first)
    assert [*overview.find([tmp_path / "runs"])] == [first, run]
    assert [*overview.find([run, tmp_path / "nowhere"])] == [run]


def test_of_a_long_log_the_end_is_read(run, monkeypatch):
    monkeypatch.setattr(overview, "TAIL", 200)
    assert overview.look(run).step == 5
    (run / "metrics.jsonl").write_text("no record\n" * 50)
    assert overview.look(run).step == 3  # the checkpoint's
