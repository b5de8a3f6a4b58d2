"""Settings searched by Optuna: what it is asked and told, alone and by two workers at once."""

import builtins
import os
import subprocess
import sys
from pathlib import Path

import optuna
import pytest
import tiny_study

from jaxgan.cli.options import read_entry
from jaxgan.config import ConfigError
from jaxgan.run import workdir
from jaxgan.study import one_run, optuna_search
from jaxgan.study.comparison import Entry, Study
from jaxgan.study.optuna_search import search, suggested
from jaxgan.study.rows import Outcome
from jaxgan.study.spaces import Choice, LogUniform, Uniform

RATE = "model.optimizer.learning-rate"
ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "experiments" / "search_optuna.py"


def journal(path):
    backend = optuna.storages.journal.JournalFileBackend(str(path))
    (name,) = optuna.get_all_study_names(optuna.storages.JournalStorage(backend))
    return optuna.load_study(study_name=name, storage=optuna.storages.JournalStorage(backend))


def study_of(files, **changes):
    entry = Entry(str(files / "vae.py"), ("--data.validation", "100"))
    space = {RATE: LogUniform(1e-5, 1e-1), "model.latent-size": Choice((2, 4, 8))}
    settings = {"space": space, "images": 16, "curve_points": 0, **changes}
    return Study("searched", "S", (entry,), **settings)


@pytest.fixture
def files(tmp_path):
    return tiny_study.write(tmp_path)


@pytest.fixture
def untrained(monkeypatch):
    """Trains nothing: validation says that rates are best near 1e-3, and 1e-1 fails."""
    asked = []

    def trained(experiment, folder, parallel, *, file=None):
        rate = experiment.model.optimizer.learning_rate
        asked.append((rate, experiment.model.latent_size))
        if rate > 0.03:
            return Outcome(0, folder, None, "diverged")
        document = {
            "metrics": {"fid[x]": -rate}, "validation": {"fid": abs(rate - 1e-3)},
            "seconds": {"training": 1.0},
        }  # fmt: skip
        return Outcome(0, folder, document, None)

    monkeypatch.setattr(one_run, "trained", trained)
    return asked


def test_the_best_on_validation_is_found_and_failures_are_told(tmp_path, files, untrained):
    study, storage, lines = study_of(files), tmp_path / "s.log", []
    best = search(study, study.entries[0], storage, 15, tmp_path, read=read_entry, say=lines.append)
    assert len(untrained) == len(lines) == 15
    worked = [one for one in untrained if one[0] <= 0.03]
    assert 0 < len(worked) < 15
    rate, size = min(worked, key=lambda one: abs(one[0] - 1e-3))
    assert best == (f"--{RATE}", repr(rate), "--model.latent-size", str(size))
    told = journal(storage)
    assert told.study_name == "searched: vae"
    states = [trial.state.name for trial in told.trials]
    assert states.count("FAIL") == 15 - len(worked)
    assert set(states) == {"FAIL", "COMPLETE"}
    assert [trial.params[RATE] for trial in told.trials] == [rate for rate, _ in untrained]
    # More trials go on from there, and no more are none.
    again = search(study, study.entries[0], storage, 15, tmp_path, read=read_entry)
    assert (again, len(untrained)) == (best, 15)


def test_the_same_seed_asks_the_same(tmp_path, files, untrained):
    asked = []
    for place, seed in enumerate((0, 0, 1)):
        study = study_of(files, search_seed=seed)
        search(study, study.entries[0], tmp_path / f"{place}", 4, tmp_path, read=read_entry)
        asked.append([*untrained])
        untrained.clear()
    assert asked[0] == asked[1]
    assert not {*asked[0]} & {*asked[2]}


def test_what_a_worker_has_left_is_gone_on_with(tmp_path, files, untrained, monkeypatch):
    study, storage = study_of(files), tmp_path / "s.log"
    trained = one_run.trained

    def killed(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(one_run, "trained", killed)
    with pytest.raises(KeyboardInterrupt):
        search(study, study.entries[0], storage, 3, tmp_path, read=read_entry)
    (left,) = journal(storage).trials
    assert left.state.name == "RUNNING"
    monkeypatch.setattr(one_run, "trained", trained)
    # Not while another process is at it.
    monkeypatch.setattr(optuna_search.lock, "holder", lambda folder: "somebody")
    with pytest.raises(ConfigError, match="no trial of vae has a value of fid so far"):
        search(study, study.entries[0], storage, 1, tmp_path, read=read_entry)
    assert untrained == []
    monkeypatch.setattr(optuna_search.lock, "holder", lambda folder: None)
    search(study, study.entries[0], storage, 3, tmp_path, read=read_entry)
    assert [rate for rate, _ in untrained][-1] == left.params[RATE]
    assert {trial.state.name for trial in journal(storage).trials} <= {"COMPLETE", "FAIL"}


def test_distributions_are_asked_for_as_they_are():
    class Square:
        def at(self, share):
            return share**2

    space = {"u": Uniform(-1, 2), "l": LogUniform(1e-3, 1.0), "c": Choice(("a", (1, 2))),
             "s": Square()}  # fmt: skip
    shared = optuna.create_study()
    for _ in range(8):
        trial = shared.ask()
        found = {flag: suggested(trial, flag, one) for flag, one in space.items()}
        assert -1 <= found["u"] <= 2
        assert 1e-3 <= found["l"] <= 1
        assert found["c"] in ("a", (1, 2))
        assert found["s"] == trial.params["s"] ** 2
        shared.tell(trial, 0.0)
    assert trial.distributions["l"].log
    assert not trial.distributions["u"].log


def test_refusals(tmp_path, files, monkeypatch):
    study = study_of(files, space={})
    options = {"read": read_entry}
    with pytest.raises(ConfigError, match="has no space to draw settings from"):
        search(study, study.entries[0], tmp_path / "s", 1, tmp_path, **options)
    study = study_of(files)
    bare = Entry(study.entries[0].file)
    with pytest.raises(ConfigError, match="sets no validation images aside"):
        search(study, bare, tmp_path / "s", 1, tmp_path, **options)
    real = builtins.__import__

    def without(name, *arguments):
        if name == "optuna":
            raise ImportError
        return real(name, *arguments)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ConfigError, match=r"^optuna is not installed: pip install 'jaxgan\[sear"):
        search(study, study.entries[0], tmp_path / "s", 1, tmp_path, **options)


@pytest.mark.slow
def test_two_workers_share_a_search(tmp_path, files):
    (tmp_path / "study.py").write_text(
        "from jaxgan.study.comparison import Entry, Study\n"
        "from jaxgan.study.spaces import LogUniform\n"
        "entry = Entry('vae.py', ('--data.validation', '100', '--parallel', 'none'))\n"
        f"space = {{{RATE!r}: LogUniform(1e-5, 1e-2)}}\n"
        "study = Study('searched', 'S', (entry,), images=160, curve_points=0, space=space)\n"
    )
    command = [sys.executable, str(SCRIPT), "study.py", "--storage", "s.log", "--trials", "4"]
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    environment = {**os.environ, "PYTHONPATH": paths}
    workers = [
        subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True)
        for _ in "ab"
    ]
    said = [worker.communicate(timeout=800)[0] for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0]
    told = journal(tmp_path / "s.log")
    kept = [trial for trial in told.trials if optuna_search.ARGUMENTS in trial.user_attrs]
    assert [trial.number for trial in kept] == [0, 1, 2, 3]
    assert {trial.state.name for trial in kept} == {"COMPLETE"}
    assert len({trial.params[RATE] for trial in kept}) == 4
    runs = sorted((tmp_path / "runs" / "searched" / "runs").iterdir())
    results = [workdir.read_result(run) for run in runs]
    assert sorted(one["validation"]["fid"] for one in results) == sorted(t.value for t in kept)
    # Each trial was done by one of them.
    done = [[line for line in text.splitlines() if ", trial " in line] for text in said]
    assert sum(map(len, done)) == 4
    last = said[0].splitlines()[-1]
    assert last.startswith("best: python vae.py --data.validation 100")
