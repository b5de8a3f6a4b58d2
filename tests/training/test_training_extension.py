"""Runs that get more steps become the runs that had them from the start, or are refused."""

import dataclasses
import json
import shutil

import pytest
import tiny
from two_phases import TwoPhases, two_phases

from jaxgan.config import ConfigError, EarlyStopping, Evaluation, Run
from jaxgan.data.pipeline import Data
from jaxgan.optim import Schedule, Sgd
from jaxgan.run import workdir
from jaxgan.run.logs import read_jsonl
from jaxgan.training import extension, loop

FEW = Evaluation(samples=20, backbone="pixels")


def of(steps, **changes):
    return tiny.vae(steps=steps, evaluation=FEW, **changes)


def run(folder, **changes):
    settings = {"parallel": "none", "quiet": True, "tensorboard": False, "images_every": 0}
    return Run(workdir=str(folder), log_every=3, **{**settings, **changes})


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Finished runs of 6 and of 15 steps; each test copies the short one."""
    folder = tmp_path_factory.mktemp("extension")
    loop.train(of(6), run(folder / "short"))
    loop.train(of(15), run(folder / "long"))
    return folder


@pytest.fixture
def short(place, tmp_path):
    shutil.copytree(place / "short", tmp_path / "run")
    return tmp_path / "run"


def numbers(folder):
    """What must not depend on how a run came to its steps."""
    result = workdir.read_result(folder)
    log = [
        {k: v for k, v in record.items() if k not in ("time", "steps_per_second")}
        for record in read_jsonl(folder / "metrics.jsonl")
        if "loss/autoencoder" in record
    ]
    return {name: result[name] for name in ("digest", "metrics", "steps", "images_seen")}, log


def test_an_extended_run_is_the_long_run(place, short, capsys):
    before = workdir.read_result(short)
    loop.train(of(15), run(short, quiet=False), resume=True, extends=of(6))
    assert numbers(short) == numbers(place / "long")
    # And not by standing still.
    assert numbers(short)[0]["digest"] != before["digest"]
    assert json.loads((short / "result-6.json").read_text()) == before
    document = workdir.read_config(short)
    assert document["experiment"] == workdir.read_config(place / "long")["experiment"]
    (entry,) = document["extended"]
    assert {name: entry[name] for name in ("from_steps", "to_steps", "at_step")} == {
        "from_steps": 6, "to_steps": 15, "at_step": 6
    }  # fmt: skip
    said = capsys.readouterr().out
    assert f"{short} now has 15 steps instead of 6; the result so far is in result-6.json\n" in said
    assert f"going on with {short} from step 6\n" in said
    # The folder is now a run of 15 steps like any other.
    again = loop.train(of(15), run(short), resume=True)
    assert again["digest"] == numbers(place / "long")[0]["digest"]


def test_an_extension_that_is_killed_goes_on_as_any_run_does(place, short, monkeypatch):
    class Killed(BaseException):
        pass

    def killed(*_):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(loop, "open_feed", killed)
        with pytest.raises(Killed):
            loop.train(of(15), run(short), resume=True, extends=of(6))
    assert workdir.read_result(short) is None
    loop.train(of(15), run(short), resume=True)
    assert numbers(short) == numbers(place / "long")


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(28, "No space left on device")])
def test_a_configuration_that_cannot_be_written_leaves_the_short_run(
    place, short, monkeypatch, error
):
    write_json = workdir.write_json

    def cut(path, data):
        if path.name == "config.json":
            raise error
        write_json(path, data)

    with monkeypatch.context() as patch:
        patch.setattr(workdir, "write_json", cut)
        with pytest.raises((KeyboardInterrupt, workdir.RunError)) as raised:
            loop.train(of(15), run(short), resume=True, extends=of(6))
    if isinstance(error, OSError):
        assert str(raised.value) == f"cannot write to {short}: No space left on device"
        assert workdir.read_result(short) == workdir.read_result(place / "short")
    else:
        # Finished once more, with the same numbers.
        assert workdir.read_experiment(short) == of(6)
        loop.train(of(6), run(short), resume=True)
        assert numbers(short)[0] == numbers(place / "short")[0]


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def refused(folder, experiment, extends):
    before = contents(folder)
    with pytest.raises(ConfigError) as raised:
        loop.train(experiment, run(folder), resume=True, extends=extends)
    assert contents(folder) == before
    return str(raised.value)


def test_fewer_steps_and_other_settings_are_refused(short):
    assert refused(short, of(5), of(6)) == (
        f"steps = 5: {short} is a run of 6 steps, 6 of which are done, and can only be given more"
    )
    message = refused(short, of(15, batch_size=8, seed=1), of(6))
    assert [line.strip() for line in message.splitlines()[1:-1]] == [
        "batch_size: 16 -> 8", "seed: 0 -> 1"
    ]  # fmt: skip


def with_schedule(steps, schedule):
    optimizer = Sgd(learning_rate=1e-3, schedule=schedule)
    return of(steps, model=dataclasses.replace(of(1).model, optimizer=optimizer))


def test_a_schedule_over_the_whole_run_is_named(tmp_path):
    short, long = (with_schedule(steps, Schedule("cosine")) for steps in (4, 9))
    folder = tmp_path / "run"
    workdir.create(folder, short, run(folder), file=None, command="")
    (folder / "checkpoints" / "3").mkdir(parents=True)
    # The beginning of a decay over 4 steps is none of one over 9.
    with pytest.raises(ConfigError) as raised:
        extension.extend(folder, short, long)
    assert str(raised.value) == (
        f"{folder} has done 3 steps that are not those of a run of 9: model.optimizer.schedule is"
        " cosine, over all 4 steps; start such a run anew, or one from these weights:"
        f" --init-from {folder}"
    )
    assert "extended" not in workdir.read_config(folder)
    # Before the first checkpoint nothing has been done that could differ.
    (folder / "checkpoints" / "3").rmdir()
    extension.extend(folder, short, long)
    assert workdir.read_experiment(folder) == long
    assert workdir.read_config(folder)["extended"][0]["at_step"] == 0


def test_a_run_that_stopped_early_would_have_stopped_anyway(short):
    result = {**workdir.read_result(short), "stopped_early": True, "steps": 4}
    workdir.write_json(short / "result.json", result)
    before = tiny.vae(
        steps=6,
        data=Data(validation=50),
        evaluation=Evaluation(every=2),
        early_stopping=EarlyStopping(metric="elbo"),
    )
    with pytest.raises(ConfigError) as raised:
        extension.extend(short, before, dataclasses.replace(before, steps=9))
    assert str(raised.value) == (
        f"{short} stopped early, at step 4, because elbo no longer improved: with 9 steps it would"
        " have stopped there as well"
    )


class TestSameSoFar:
    def test_rates_that_do_not_know_the_end(self):
        for schedule in (Schedule(), Schedule(warmup_steps=3)):
            pair = with_schedule(5, schedule), with_schedule(9, schedule)
            assert extension.same_so_far(*pair, 5)

    @pytest.mark.parametrize("kind", ["linear", "cosine"])
    def test_rates_that_do(self, kind):
        schedule = Schedule(kind, warmup_steps=3)
        assert not extension.same_so_far(with_schedule(5, schedule), with_schedule(9, schedule), 5)

    def test_other_settings(self):
        # Not only numbers of steps: two programs are compared.
        other = with_schedule(5, Schedule())
        model = dataclasses.replace(other.model, optimizer=Sgd(learning_rate=2e-3))
        assert not extension.same_so_far(other, dataclasses.replace(other, model=model), 5)

    def test_phases_that_have_begun(self):
        before = two_phases(TwoPhases(ends=(7, 12)))
        late, early = (
            two_phases(TwoPhases(ends=ends), steps=20) for ends in ((7, 20), (8, 20))
        )  # fmt: skip
        assert extension.same_so_far(before, late, 12)
        assert not extension.same_so_far(before, early, 12)
        assert not extension.same_so_far(before, early, 8)
        # Neither has left its first phase.
        assert extension.same_so_far(before, early, 7)
        kept = two_phases(TwoPhases(ends=(7, 20), renew=False), steps=20)
        assert not extension.same_so_far(before, kept, 12)
