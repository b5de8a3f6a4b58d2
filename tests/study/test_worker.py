"""One line of a plan: done once, by one process, and found by all others."""

import dataclasses
import os
import shutil
import signal

import pytest
import tiny_study

from jaxgan.cli.options import read_entry
from jaxgan.config import ConfigError
from jaxgan.run import failure, lock, workdir
from jaxgan.run.logs import read_jsonl
from jaxgan.study import one_run, plan, worker
from jaxgan.study.comparison import Entry
from jaxgan.study.trials import drawn, lines_of
from jaxgan.training import loop
from jaxgan.training.interrupted import Interrupted
from jaxgan.training.recorder import Recorder


def lines(files, place, **changes):
    """The plan of a VAE and of what diverges."""
    entries = (Entry(str(files / "vae.py")), Entry(str(files / "vae.py"), tiny_study.BAD))
    study = tiny_study.planned(files, seeds=(0,), curve_points=0, images=80, metrics=("fid",))
    study = dataclasses.replace(study, **{"entries": entries, **changes})
    return lines_of(study, drawn(study, read_entry), place / "work")


def work(line, **others):
    return worker.work(line, read=read_entry, parallel="none", **others)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return tiny_study.write(tmp_path_factory.mktemp("experiments"))


@pytest.fixture(scope="module")
def finished(files, tmp_path_factory):
    """The plan of which all is done, and what was said of each line."""
    place = tmp_path_factory.mktemp("plan")
    return [(line, work(line)) for line in lines(files, place)]


@pytest.fixture
def trained(monkeypatch):
    """What is trained from now on."""
    names, train = [], loop.train

    def counted(experiment, run, **others):
        names.append(experiment.name)
        return train(experiment, run, **others)

    monkeypatch.setattr(loop, "train", counted)
    return names


def test_a_line_is_trained_into_the_folder_that_the_plan_names(files, finished):
    line, ended = finished[0]
    assert ended.status == "finished"
    assert ended.told.startswith("fid ")
    folder = line.folder(line.members[0])
    result = workdir.read_result(folder)
    assert (result["name"], result["steps"]) == ("vae", 10)
    # It can be resumed and looked at by itself.
    assert workdir.read_config(folder)["file"] == str((files / "vae.py").resolve())
    assert {path.name for path in line.workdir.iterdir()} == {"real.json", "real.png", "runs"}
    assert not list(line.workdir.rglob("lock"))


def test_what_diverges_is_written_down_and_not_trained_again(finished, trained):
    line, ended = finished[1]
    assert ended.status == "failed"
    why = failure.read(line.folder(line.members[0]))
    assert "training has diverged" in why
    assert ended.told == f"failed: {why}"
    for again in (work(line), work(finished[0][0])):
        assert again.told == (
            f"failed before: {why}" if again.status == "failed" else "finished before"
        )
    assert trained == []


def test_with_retry_it_is(files, tmp_path, finished, trained):
    shutil.copytree(finished[1][0].workdir, tmp_path / "work")
    line = lines(files, tmp_path)[1]
    assert work(line, retry=True).status == "failed"
    assert trained == ["bad"]
    # What is finished is finished.
    assert work(lines(files, tmp_path)[0], retry=True).told == "finished before"
    assert trained == ["bad"]


def test_another_process_is_at_it(files, tmp_path, trained):
    line = lines(files, tmp_path)[0]
    folder = line.folder(line.members[0])
    with lock.held(folder):
        ended = work(line)
    assert ended.status == "missing"
    assert f"{folder} is being written by process {os.getpid()}" in ended.told
    assert plan.state(line) == ("missing", "")
    assert not (folder / workdir.CONFIG).exists()


def test_a_signal_saves_and_the_line_run_again_gives_the_same_run(
    files, tmp_path, finished, monkeypatch
):
    line, log, sent = lines(files, tmp_path)[0], Recorder.log, []

    def log_and_send(self):
        log(self)
        sent.append(1)
        if len(sent) == 4:
            os.kill(os.getpid(), signal.SIGUSR1)

    with monkeypatch.context() as patch:
        patch.setattr(Recorder, "log", log_and_send)
        with pytest.raises(Interrupted, match=r"SIGUSR1: saved at step [4-9] of 10"):
            work(line)
    assert plan.state(line) == ("missing", "")
    assert work(line).status == "finished"
    folders = [one.folder(one.members[0]) for one in (line, finished[0][0])]
    first, second = (workdir.read_result(folder) for folder in folders)
    assert first["digest"] == second["digest"]
    assert first["metrics"] == second["metrics"]
    logs = [read_jsonl(folder / workdir.METRICS) for folder in folders]
    assert [[one["step"] for one in log] for log in logs] == [[*range(1, 11), 10]] * 2


@pytest.fixture
def own(tmp_path):
    """An experiment's file, and its plan."""
    files = tiny_study.write(tmp_path)
    (line,) = lines(files, tmp_path, entries=(Entry(str(files / "vae.py")),))
    return files / "vae.py", line


def test_a_file_that_has_changed_is_not_run(own, tmp_path, monkeypatch):
    path, line = own
    path.write_text(f"{path.read_text()}\nraise RuntimeError\n")
    monkeypatch.setattr(loop, "train", None)
    with pytest.raises(ConfigError) as raised:
        work(line)
    assert str(raised.value).startswith(f"{path} has changed since the plan was drawn: draw it")
    path.unlink()
    with pytest.raises(ConfigError, match=r"vae.py is not there since the plan was drawn"):
        worker.check([line], read_entry)
    assert not (tmp_path / "work").exists()


def test_another_configuration_of_the_same_file_is_refused(own):
    _, line = own

    def read(entry):
        experiment, about = read_entry(entry)
        return dataclasses.replace(experiment, batch_size=9), about

    with pytest.raises(ConfigError, match=r"although the file is the same"):
        worker.experiments_of(line, read)
    (experiment,) = worker.experiments_of(line, read, changed_files=True)
    assert experiment.batch_size == 9


def test_a_folder_of_another_run_is_found_before_anything_is_trained(own):
    _, line = own
    (experiment,) = worker.experiments_of(line, read_entry)
    other = dataclasses.replace(experiment, steps=11)
    run = one_run.settings(other, line.folder(line.members[0]), "none")
    workdir.create(line.folder(line.members[0]), other, run, file=None, command="")
    with pytest.raises(ConfigError, match="was started with another configuration"):
        worker.check([line], read_entry)


def test_a_killed_run_loses_a_minute_at_most(own):
    (experiment,) = worker.experiments_of(own[1], read_entry)
    run = one_run.settings(dataclasses.replace(experiment, steps=5000), own[0], "none")
    assert (run.checkpoint_seconds, run.log_every, run.keep) == (60.0, 50, 1)
