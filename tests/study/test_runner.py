"""Studies: everything is trained once, and the report says what the runs say."""

import csv
import dataclasses
import json
import re
import shlex
import shutil

import numpy as np
import pytest
import tiny
import tiny_study
from scipy import special, stats
from tiny_study import BAD, planned, run

from jaxgan.cli.options import read_entry
from jaxgan.cli.train import train
from jaxgan.config import ConfigError
from jaxgan.evaluation.protocol import from_document
from jaxgan.run import workdir
from jaxgan.study import runner
from jaxgan.study.comparison import Entry, command_of
from jaxgan.study.rows import value_of
from jaxgan.study.runner import StudyOptions
from jaxgan.training import loop

# Nine runs are trained; a study of two is in test_own_model.
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A GAN and a VAE, in files."""
    return tiny_study.write(tmp_path_factory.mktemp("experiments"))


@pytest.fixture(scope="module")
def finished(files, tmp_path_factory):
    """The folder of a study of which one experiment diverges."""
    folder = tmp_path_factory.mktemp("studies") / "study"
    run(planned(files, Entry(str(files / "vae.py"), BAD)), folder)
    return folder


@pytest.fixture
def copied(finished, tmp_path):
    """The same, to be changed."""
    return shutil.copytree(finished, tmp_path / "study")


@pytest.fixture
def trained(monkeypatch):
    """The folders of runs that are trained from now on."""
    names = []
    train = loop.train

    def counted(experiment, settings, **others):
        names.append(f"{experiment.name}-seed{experiment.seed}")
        return train(experiment, settings, **others)

    monkeypatch.setattr(loop, "train", counted)
    return names


def rows(folder):
    return {row["name"]: row for row in json.loads((folder / "results.json").read_text())["rows"]}


def test_the_report_is_there(finished):
    assert {path.name for path in finished.iterdir()} == {
        "index.html",
        "results.csv",
        "results.json",
        "table.tex",
        "table.md",
        "real.json",
        "real.png",
        "runs",
    }
    page = (finished / "index.html").read_text()
    assert "Tiny ones" in page
    assert "160 real images a run" in page
    assert sorted(path.name for path in (finished / "runs").iterdir()) == [
        f"{name}-seed{seed}" for name in ("bad", "gan", "vae") for seed in (0, 1, 4)
    ]


@pytest.mark.parametrize(
    ("name", "metric"),
    [("gan", "fid"), ("gan", "discriminator_accuracy"), ("vae", "kid"), ("vae", "elbo")],
)
def test_numbers_are_means_with_student_intervals_of_the_runs(finished, name, metric):
    row = rows(finished)[name]
    values = []
    for seed in (0, 1, 4):
        result = json.loads((finished / "runs" / f"{name}-seed{seed}" / "result.json").read_text())
        (value,) = (v for key, v in result["metrics"].items() if key.startswith(f"{metric}["))
        values.append(value)
    found = row["metrics"][metric]
    assert found["per_seed"] == values
    assert len(set(values)) == 3
    assert found["mean"] == pytest.approx(np.mean(values), rel=1e-12)
    mean, half = np.mean(values), stats.t.ppf(0.975, 2) * stats.sem(values)
    # A distance is never negative, an accuracy at most 1: by the logarithm and the log odds.
    low, high = {
        "fid": lambda: mean * np.exp([-half / mean, half / mean]),
        "discriminator_accuracy": lambda: special.expit(
            special.logit(mean) + np.array([-1, 1]) * half / (mean * (1 - mean))
        ),
    }.get(metric, lambda: (mean - half, mean + half))()
    assert found["low"] == pytest.approx(low, rel=1e-9)
    assert found["high"] == pytest.approx(high, rel=1e-9)


def test_the_table_for_programs_says_the_same(finished):
    with open(finished / "results.csv", newline="") as file:
        table = {line["name"]: line for line in csv.DictReader(file)}
    for name, row in rows(finished).items():
        for metric, value in row["metrics"].items():
            assert float(table[name][metric]) == value["mean"]
            assert float(table[name][f"{metric}_seed_4"]) == value["per_seed"][2]
    assert table["bad"]["fid"] == ""


def test_all_see_as_many_images(finished):
    # 160 images are 10 steps of two batches of 8, or 20 steps of one.
    assert (rows(finished)["gan"]["steps"], rows(finished)["vae"]["steps"]) == (10, 20)
    for name, every in (("gan", 5), ("vae", 10)):
        result = workdir.read_result(finished / "runs" / f"{name}-seed1")
        assert result["images_seen"] == 160
        log = (finished / "runs" / f"{name}-seed1" / "metrics.jsonl").read_text().splitlines()
        measured = [json.loads(line) for line in log if '"fid[' in line]
        assert [record["step"] for record in measured] == [every, 2 * every]
        curve = rows(finished)[name]["curves"]
        (full,) = (key for key in curve if key.startswith("fid"))
        assert len(curve[full]) == 3  # one curve a seed


def test_rows_say_what_they_are(finished):
    row = rows(finished)["gan"]
    assert row["description"] == "A tiny gan."
    assert row["family"] == "GAN"
    assert row["objective"] == "NonSaturating(), 2 critic updates a step"
    assert row["seeds"] == [0, 1, 4]
    assert row["failed"] is None
    # A dense layer of n inputs and m units has (n + 1) m parameters.
    assert row["parameters"] == (9 * 16 + 17 * 64) + (65 * 16 + 17)


def test_an_experiment_that_diverges_is_shown_and_stops_nobody(finished):
    row = rows(finished)["bad"]
    assert row["metrics"] == {}
    for seed in (0, 1, 4):
        assert re.search(
            rf"seed {seed}: \S+ is (nan|-?inf) at step \d+: training has", row["failed"]
        )
    page = (finished / "index.html").read_text()
    assert "training has diverged" in page
    assert json.loads((finished / "results.json").read_text())["rows"][-1]["name"] == "bad"


def test_a_second_start_trains_nothing_and_says_the_same(files, copied, trained, capsys):
    before = rows(copied)
    run(planned(files), copied)
    assert trained == []
    said = capsys.readouterr().out
    assert re.search(r"^\[6/6\] vae, seed 4: fid \d+\.\d+ after \d+\.\d s$", said, re.MULTILINE)
    assert f"report: {copied / 'index.html'}" in said
    after = rows(copied)
    assert set(after) == {"gan", "vae"}
    for name, row in after.items():
        assert row["metrics"] == before[name]["metrics"]
        assert row["curves"] == before[name]["curves"]
        assert row["seconds"] == before[name]["seconds"]


def test_what_is_missing_is_completed(files, copied, trained):
    before = rows(copied)
    shutil.rmtree(copied / "runs" / "gan-seed1")
    # A run that was killed before it had written its result.
    (copied / "runs" / "vae-seed0" / "result.json").unlink()
    shutil.rmtree(copied / "runs" / "vae-seed0" / "checkpoints")
    run(planned(files), copied)
    assert trained == ["gan-seed1", "vae-seed0"]
    for name in ("gan", "vae"):
        assert rows(copied)[name]["metrics"] == before[name]["metrics"]


def test_runs_of_another_budget_are_refused(files, copied, trained):
    with pytest.raises(ConfigError, match=r"gan-seed0 was started with another") as raised:
        run(planned(files, images=320), copied)
    assert "  steps: 10 -> 20" in str(raised.value).splitlines()
    assert trained == []


def test_its_commands_train_the_same_runs_by_themselves(files, finished, tmp_path):
    row = rows(finished)["vae"]
    command = row["command"].splitlines()[1]
    words = shlex.split(command)
    assert words[-4:] == ["--steps", "20", "--seed", "1"]
    folder = tmp_path / "alone"
    train(
        [str(files / "vae.py"), *words[2:], "--workdir", str(folder), "--parallel", "none",
         "--quiet", "--no-tensorboard"]
    )  # fmt: skip
    alone, within = (
        workdir.read_result(path) for path in (folder, finished / "runs" / "vae-seed1")
    )
    assert alone["digest"] == within["digest"]
    assert alone["metrics"] == within["metrics"]


def test_commands_have_the_arguments_of_the_row(files):
    entry = Entry(str(files / "vae.py"), ("--name", "a b"))
    row = runner.Trained(entry, tiny.vae(steps=7), "", ())
    first, second, _ = command_of(row, planned(files)).splitlines()
    assert first.endswith("vae.py --name 'a b' --steps 7 --seed 0")
    assert second.endswith("--seed 1")


def test_a_mean_leaves_out_seeds_without_a_value():
    value = value_of("elbo", [2.0, None, float("nan"), 4.0, 6.0], [None] * 5)
    assert value.mean == 4.0
    assert value.per_seed == (2.0, None, None, 4.0, 6.0)
    low, high = stats.t.interval(0.95, df=2, loc=4.0, scale=2 / np.sqrt(3))
    assert (value.low, value.high) == (pytest.approx(low), pytest.approx(high))
    one = value_of("elbo", [None, 5.0], [None, None])
    assert (one.mean, one.low, one.high) == (5.0, None, None)
    assert value_of("elbo", [None, float("nan")], [None, (1.0, 2.0)]) is None


def test_metrics_are_measured_of_whom_they_can_be(files, tmp_path, capsys):
    settings = StudyOptions(
        seeds=(0,), images=16, metrics=("fid", "prdc", "likelihood"), rank_by="recall",
        workdir=str(tmp_path / "study"), parallel="none",
    )  # fmt: skip
    runner.run(
        planned(files, curve_points=0), settings, read=read_entry, command="python tiny_study.py"
    )
    found = rows(tmp_path / "study")
    of_samples = {"fid", "precision", "recall", "density", "coverage"}
    assert of_samples <= found["gan"]["metrics"].keys()
    assert "likelihood" not in found["gan"]["metrics"]
    assert of_samples | {"likelihood", "elbo"} <= found["vae"]["metrics"].keys()
    assert "kid" not in found["vae"]["metrics"]
    # One seed: the intervals are those over samples, which the run has recorded.
    result = workdir.read_result(tmp_path / "study" / "runs" / "vae-seed0")
    (ends,) = (v for key, v in result["intervals"].items() if key.startswith("recall["))
    recall = found["vae"]["metrics"]["recall"]
    assert ([recall["low"], recall["high"]], recall["over"]) == (ends, "samples")
    said = capsys.readouterr().out
    assert "† interval over the drawing of samples" in said
    assert "significance cannot be judged" in said
    page = (tmp_path / "study" / "index.html").read_text()
    for title in ("Precision and recall", "Density and coverage", "Rate and distortion"):
        assert page.count(f"<figcaption>{title}</figcaption>") == 1
    assert "--evaluation.metrics fid prdc likelihood" in found["vae"]["command"]
    assert "--evaluation.metrics fid prdc --steps" in found["gan"]["command"]


def test_runs_measured_under_another_protocol_are_refused_by_the_field(files, copied):
    path = copied / "runs" / "vae-seed1" / "result.json"
    result = json.loads(path.read_text())
    for name, document in result["protocols"].items():
        if document["sample_count"]:
            changed = dataclasses.replace(from_document(document), real_digest="another")
            result["protocols"][name] = changed.document()
    path.write_text(json.dumps(result))
    with pytest.raises(
        ConfigError,
        match=r"and vae-seed1 cannot be compared by fid.* real_digest: \w+ and another$",
    ):
        run(planned(files), copied)
