"""Populations whose members are runs."""

import os
import signal
from dataclasses import replace

import jax
import numpy as np
import pytest
import tiny
from two_phases import two_phases

from jaxgan.config import ConfigError, EarlyStopping, Evaluation, Run
from jaxgan.data.pipeline import Data
from jaxgan.measurement import runs
from jaxgan.run import failure, lock, restore, workdir
from jaxgan.run.logs import read_jsonl
from jaxgan.run.restore import digest
from jaxgan.training import loop, members, varied
from jaxgan.training.membership import Members
from jaxgan.training.one_member import Member

FEW = Evaluation(samples=20, backbone="pixels")
RATE = "model.optimizer.learning_rate"


def experiments(*rates, **changes):
    first = tiny.vae(**{"steps": 8, "evaluation": FEW, **changes})
    return [
        replace(varied.replaced(first, {RATE: rate}), name=f"vae{place}", seed=place)
        for place, rate in enumerate(rates)
    ]


def run_of(folder, **changes):
    settings = {"parallel": "none", "quiet": True, "tensorboard": False, "log_every": 3}
    return Run(**{**settings, "workdir": str(folder), **changes})


def train(folder, those, *, resume=False, **changes):
    made = [run_of(folder / one.name, **changes) for one in those]
    return members.train(those, made, resume=resume)


@pytest.mark.slow
def test_members_are_runs(tmp_path):
    those = experiments(1e-3, 3e-3)
    ends = train(tmp_path, those)
    assert [end.failed for end in ends] == ["", ""]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["vae0", "vae1"]
    for one, end in zip(those, ends, strict=True):
        assert workdir.read_result(tmp_path / one.name) == end.result
        trained = runs.load(tmp_path / one.name)
        assert (trained.step, trained.experiment) == (8, one)
        assert digest(jax.device_get(trained.state)) == end.result["digest"]
    assert ends[0].result["digest"] != ends[1].result["digest"]
    one, end, folder, alone = those[1], ends[1], tmp_path / "vae1", tmp_path / "alone"
    expected = loop.train(one, run_of(alone))
    assert end.result.keys() == expected.keys()
    assert end.result["metrics"] == pytest.approx(expected["metrics"], rel=1e-4)
    log, other = (read_jsonl(path / "metrics.jsonl") for path in (folder, alone))
    # The last line is of what was measured.
    assert [line["step"] for line in log] == [line["step"] for line in other] == [3, 6, 8, 8]
    for mine, theirs in zip(log, other, strict=True):
        timed = {"time", "steps_per_second"}
        assert mine.keys() - timed == theirs.keys() - timed
        for name in theirs.keys() - timed:
            assert mine[name] == pytest.approx(theirs[name], rel=1e-4, abs=1e-6), name
    shown = [sorted(path.name for path in (of / "pictures").iterdir()) for of in (folder, alone)]
    assert shown[0] == shown[1]
    # It is finished: nothing is done again.
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert train(tmp_path, those, resume=True) == ends
    changed = {path for path, at in before.items() if path.stat().st_mtime_ns != at}
    assert not {path for path in changed if path.is_file()}


@pytest.mark.slow
def test_one_that_diverges_stops_nobody_else(tmp_path):
    those = experiments(1e-3, 1e30, 3e-3)
    ends = train(tmp_path / "with", those)
    assert [end.result is None for end in ends] == [False, True, False]
    # After one update the parameters are huge, and the next loss is not finite.
    folder = tmp_path / "with" / "vae1"
    assert "nan at step 2: training has diverged; the last good checkpoint is step 1." in (
        ends[1].failed
    )
    assert failure.read(folder) == ends[1].failed
    assert workdir.read_result(folder) is None
    kept = runs.load(folder)
    assert kept.step == 1
    alone, _ = tiny.train(those[1], "none", 1)
    huge = np.concatenate([np.ravel(x) for x in jax.tree.leaves(alone.parameters)])
    found = np.concatenate([np.ravel(x) for x in jax.tree.leaves(kept.state.parameters)])
    np.testing.assert_allclose(found, huge, rtol=1e-4, atol=1e-6 * np.abs(huge).max())
    # To the others it is as if it had not.
    without = train(tmp_path / "without", experiments(1e-3, 2e-3, 3e-3))
    for place in (0, 2):
        assert ends[place].result["digest"] == without[place].result["digest"]
        assert ends[place].result["metrics"] == without[place].result["metrics"]
    # Asked again, it says so again, and nothing is trained.
    assert train(tmp_path / "with", those, resume=True) == ends


@pytest.mark.parametrize("how", ["signal", pytest.param("crash", marks=pytest.mark.slow)])
def test_a_population_goes_on_bit_for_bit(tmp_path, monkeypatch, how):
    those = experiments(1e-3, 1e30, 3e-3)
    undisturbed = train(tmp_path / "undisturbed", those, checkpoint_every=4)
    tell, told = Members.tell, []

    def disturbed(self, held, *others):
        tell(self, held, *others)
        told.append(held[-1][0])
        if told[-1] == 6:
            if how == "crash":
                raise OSError("gone")
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(Members, "tell", disturbed)
    folder = tmp_path / "disturbed"
    error = OSError if how == "crash" else members.Interrupted
    with pytest.raises(error) as raised:
        # In images: four steps of 16.
        train(folder, those, checkpoint_every="0.064kimg", steps_per_dispatch=1)
    if how == "signal":
        assert raised.value.signal_number == signal.SIGTERM
        assert f"SIGTERM: 3 runs saved at step 7 of 8 in {folder};" in str(raised.value)
    (home,) = folder.glob("population-*")
    assert home == members.home_of([folder / one.name for one in those])
    assert restore.steps_in(home / "checkpoints") == ([4] if how == "crash" else [4, 7])
    assert not (folder / "vae0" / "result.json").exists()
    monkeypatch.undo()
    ends = train(folder, those, resume=True)
    assert not home.exists()
    assert ends[1] == undisturbed[1]
    for place in (0, 2):
        mine, other = ends[place].result, undisturbed[place].result
        assert mine["digest"] == other["digest"]
        assert mine["metrics"] == other["metrics"]
    logs = [
        {line["step"]: line["elbo"] for line in read_jsonl(path / "vae2" / "metrics.jsonl")[:-1]}
        for path in (folder, tmp_path / "undisturbed")
    ]
    # The signal's checkpoint has a line of its own, as in every run.
    assert [*logs[0]] == [3, 4, 6, *[7] * (how == "signal"), 8]
    assert logs[0] == logs[1] or how == "signal"


def test_what_is_trained_is_measured_later(tmp_path, monkeypatch):
    those = experiments(1e-3, 1e30, 3e-3)
    finish = Member.finish

    def interrupted(self):
        if self.index == 2:
            raise KeyboardInterrupt
        return finish(self)

    monkeypatch.setattr(Member, "finish", interrupted)
    with pytest.raises(members.Interrupted, match="trained to the end and saved, but not all"):
        train(tmp_path, those)
    monkeypatch.undo()
    # Each is a run of its own by now.
    assert sorted(path.name for path in tmp_path.iterdir()) == ["vae0", "vae1", "vae2"]
    first = tmp_path / "vae0" / "result.json"
    before = first.stat().st_mtime_ns
    assert not (tmp_path / "vae2" / "result.json").exists()
    # Neither trained again nor measured again.
    monkeypatch.setattr(members, "_train", None)
    ends = train(tmp_path, those, resume=True)
    assert first.stat().st_mtime_ns == before
    assert ends[2].result["steps"] == 8
    assert ends[2].result["digest"] == digest(jax.device_get(runs.load(tmp_path / "vae2").state))


@pytest.mark.slow
def test_what_is_measured_on_the_way_is_the_members_own(tmp_path):
    those = experiments(1e-3, 3e-3, data=Data(validation=50), evaluation=replace(FEW, every=4))
    ends = train(tmp_path, those)
    for one, end in zip(those, ends, strict=True):
        log = read_jsonl(tmp_path / one.name / "metrics.jsonl")
        (name,) = {key for line in log for key in line if key.startswith("elbo[validation50")}
        assert [line["step"] for line in log if name in line] == [4, 8]
        assert end.result["validation"]["elbo"] == log[-2][name]
    # Each has half of the time in the loop that was not for measurements.
    first, second = (end.result["seconds"]["training"] for end in ends)
    assert first != second


def test_time_is_shared_but_for_measurements():
    of = Members({}, 2, None)
    of.spent[:] = 1.0, 3.0
    # 10 seconds in all, 6 of them of training.
    assert (of.share(0, 10.0), of.share(1, 10.0)) == (4.0, 6.0)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"init_from": "runs/other"}, "init_from is set"),
        ({"data": Data(streaming="always")}, "its data does not lie on the device"),
        (
            {
                "data": Data(validation=50),
                "evaluation": replace(FEW, every=2),
                "early_stopping": EarlyStopping("elbo"),
            },
            "early_stopping.metric is set",
        ),
    ],
)
def test_what_no_population_can_do_is_refused(tmp_path, changes, words):
    those = [replace(one, **changes) for one in experiments(1e-3, 3e-3)]
    with pytest.raises(ConfigError, match=f"vae0 cannot be a member of a population: {words}"):
        train(tmp_path, those)
    assert not list(tmp_path.iterdir())


def test_runs_must_fit_each_other(tmp_path):
    one, other = experiments(1e-3, 3e-3)
    with pytest.raises(ConfigError, match="the same folder"):
        members.train([one, other], [run_of(tmp_path / "x")] * 2)
    with pytest.raises(ConfigError, match="differ in how they are executed"):
        members.train([one, other], [run_of(tmp_path / "x"), run_of(tmp_path / "y", log_every=7)])
    wide = replace(other, batch_size=8)
    with pytest.raises(ConfigError, match=r"vae1 and vae0 cannot .* batch_size is 8 and 16"):
        train(tmp_path, [one, wide])
    (tmp_path / "vae1").mkdir()
    with lock.held(tmp_path / "vae1"), pytest.raises(lock.Busy, match="vae1 is being written by"):
        train(tmp_path, [one, other])
    # Nothing is left of a population that has not begun.
    assert [path.name for path in tmp_path.iterdir()] == ["vae1"]


@pytest.mark.slow
def test_phases_are_those_of_single_runs(tmp_path, monkeypatch):
    those = [replace(two_phases(), name=f"two{seed}", seed=seed) for seed in (0, 5)]
    ends = train(tmp_path, those)
    alone = loop.train(those[1], run_of(tmp_path / "alone"))
    assert ends[1].result["metrics"] == pytest.approx(alone["metrics"], rel=1e-4)
    logs = [read_jsonl(tmp_path / name / "metrics.jsonl") for name in ("two5", "alone")]
    for mine, theirs in zip(*logs, strict=True):
        assert mine.keys() ^ theirs.keys() <= {"steps_per_second"}
        assert mine.get("noise", 0.0) == pytest.approx(theirs.get("noise", 0.0), rel=1e-4)
    # Stopped where the second phase begins, which is entered once all the same.
    again = tmp_path / "again"
    tell = Members.tell

    def disturbed(self, held, *others):
        tell(self, held, *others)
        if held[-1][0] == 9:
            raise OSError("gone")

    monkeypatch.setattr(Members, "tell", disturbed)
    with pytest.raises(OSError, match="gone"):
        train(again, those, checkpoint_every=7)
    monkeypatch.undo()
    resumed = train(again, those, resume=True, checkpoint_every=7)
    assert [end.result["digest"] for end in resumed] == [end.result["digest"] for end in ends]
