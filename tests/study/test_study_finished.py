"""Runs on disk become rows, and nothing of them is executed."""

import dataclasses
import json

import finished_runs
import pytest
import tiny

from jaxgan.config import ConfigError
from jaxgan.data.pipeline import Data
from jaxgan.objectives.vae.bounds import Beta
from jaxgan.run import workdir
from jaxgan.run.workdir import RunError
from jaxgan.study import finished


def beta(value, **changes):
    experiment = tiny.vae(**changes)
    model = dataclasses.replace(experiment.model, beta=Beta(value=value))
    return dataclasses.replace(experiment, model=model)


def read(*folders):
    return finished.rows_of(finished.read(folders))


def test_seeds_of_one_experiment_are_one_row_in_order(tmp_path):
    folders = [
        finished_runs.write(tmp_path / f"gan{seed}", tiny.gan(name="g", seed=seed), fid=float(seed))
        for seed in (4, 0, 2)
    ]
    folders.append(finished_runs.write(tmp_path / "v", beta(2.0, name="v"), fid=9.0))
    gan, vae = read(*folders)
    assert [(o.seed, o.folder.name) for o in gan.outcomes] == [
        (0, "gan0"), (2, "gan2"), (4, "gan4"),
    ]  # fmt: skip
    assert gan.command == "make g"
    assert (gan.subject.name, gan.subject.family, gan.subject.steps) == ("g", "GAN", 6)
    assert gan.subject.objective == "NonSaturating(), 2 critic updates a step"
    assert (vae.subject.likelihood, vae.subject.mark) == ("Bernoulli", "β = 2")
    assert finished.budget([gan, vae]) == "320 real images a run"


def test_a_study_stands_for_its_runs(tmp_path):
    for name in ("a", "b"):
        finished_runs.write(tmp_path / "study" / "runs" / name, tiny.gan(name=name), fid=1.0)
    assert [row.subject.name for row in read(tmp_path / "study")] == ["a", "b"]
    assert [row.subject.name for row in read(tmp_path / "study" / "runs")] == ["a", "b"]
    with pytest.raises(ConfigError, match="is named twice"):
        read(tmp_path / "study", tmp_path / "study" / "runs" / "a")


def test_experiments_of_one_name_are_told_apart_by_what_differs(tmp_path):
    folders = [
        finished_runs.write(tmp_path / str(value), beta(value, name="v"), fid=1.0)
        for value in (1.0, 4.0)
    ]
    names = [row.subject.name for row in read(*folders)]
    assert names == ["v (model.beta.value = 1.0)", "v (model.beta.value = 4.0)"]


def test_a_run_that_is_not_finished_is_a_failed_seed(tmp_path):
    done = finished_runs.write(tmp_path / "0", tiny.gan(seed=0), fid=1.0)
    stopped = finished_runs.write(tmp_path / "1", tiny.gan(seed=1))
    (row,) = read(done, stopped)
    assert [outcome.failed for outcome in row.outcomes] == [
        None, f"not finished: `jaxgan resume {stopped}`",
    ]  # fmt: skip
    with pytest.raises(RunError, match=f"no run is finished: `jaxgan resume {stopped}`"):
        read(stopped)


def test_what_cannot_be_compared_is_refused(tmp_path):
    one = finished_runs.write(tmp_path / "a", tiny.gan(name="a"), fid=1.0)
    same = finished_runs.write(tmp_path / "b", tiny.gan(name="a"), fid=2.0)
    with pytest.raises(ConfigError, match=r"a and .*b are the same experiment with seed 0"):
        read(one, same)
    other = finished_runs.write(tmp_path / "c", tiny.gan(data=Data(validation=100)), fid=1.0)
    with pytest.raises(ConfigError, match=r"a and .*c have different data.*: validation: 0 -> 100"):
        read(one, other)


def test_unequal_budgets_are_said(tmp_path):
    one = finished_runs.write(tmp_path / "a", tiny.gan(name="a"), fid=1.0)
    more = finished_runs.write(tmp_path / "b", tiny.gan(name="b"), images=1600, fid=1.0)
    assert finished.budget(read(one, more)) == "unequal budgets: 320 to 1,600 real images a run"


def test_a_run_of_foreign_code_is_told_by_its_documents_and_runs_none(tmp_path):
    """Its experiment's file would leave a mark."""
    mark, file = tmp_path / "mark", tmp_path / "own.py"
    file.write_text(f"open({str(mark)!r}, 'w')\n")
    folder = finished_runs.write(tmp_path / "run", beta(4.0, name="<b>"), fid=1.0)
    config = json.loads((folder / workdir.CONFIG).read_text())
    config["file"] = str(file)
    config["experiment"]["model"]["encoder"] = {"type": "file:Mine", "width": 3}
    (folder / workdir.CONFIG).write_text(json.dumps(config))
    (row,) = read(folder)
    assert (row.subject.name, row.subject.family) == ("<b>", "VAE")
    assert row.subject.objective.startswith("Vae: ")
    assert "likelihood Bernoulli" in row.subject.objective
    config["experiment"]["model"] = {"type": "os:system", "rate": 0.5, "loss": {"type": "file:My"}}
    (folder / workdir.CONFIG).write_text(json.dumps(config))
    (row,) = read(folder)
    assert (row.subject.family, row.subject.objective) == (
        "own model", "system: rate 0.5, loss My",
    )  # fmt: skip
    assert not mark.exists()


@pytest.mark.parametrize(
    ("name", "change"),
    [
        (workdir.CONFIG, lambda d: d["experiment"].update(name=3)),
        (workdir.CONFIG, lambda d: d["experiment"].update(seed="0")),
        (workdir.CONFIG, lambda d: d["experiment"].update(data=None)),
        (workdir.RESULT, lambda d: d.update(metrics=[])),
        (workdir.RESULT, lambda d: d.update(metrics={"fid[x]": "low"})),
        (workdir.RESULT, lambda d: d.update(seconds={})),
        (workdir.RESULT, lambda d: d.update(intervals={"fid[x]": [1.0]})),
        (workdir.RESULT, lambda d: d.update(intervals={"fid[x]": [1.0, "high"]})),
        (workdir.RESULT, lambda d: d.update(hardware=3)),
        (workdir.RESULT, lambda d: d.update(protocols={"x": 3})),
    ],
)
def test_damaged_documents_are_named(tmp_path, name, change):
    folder = finished_runs.write(tmp_path / "run", tiny.gan(), fid=1.0)
    document = json.loads((folder / name).read_text())
    change(document)
    (folder / name).write_text(json.dumps(document))
    with pytest.raises(RunError, match=f"{name} is damaged"):
        read(folder)
