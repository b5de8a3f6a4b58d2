"""Studies: equal budgets, intervals over seeds, resumable, robust against a run that diverges."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from scipy import stats

from jaxgan import study
from jaxgan.comparison import Entry, Study
from jaxgan.config import ConfigError
from jaxgan.study import StudyOptions

FILE = '''
"""{title}. A paper."""

from jaxgan.algorithms.gan import Gan
from jaxgan.config import Evaluation, Experiment
from jaxgan.data.pipeline import Data
from jaxgan.networks.mlp import MlpDiscriminator, MlpGenerator
from jaxgan.optim import Adam

experiment = Experiment(
    name="{name}",
    model=Gan(
        MlpGenerator(widths=(8,)),
        MlpDiscriminator(widths=(8,)),
        generator_optimizer=Adam({rate}),
        discriminator_optimizer=Adam({rate}),
        latent_size=4,
        n_critic={critic},
    ),
    data=Data(),
    batch_size=10,
    evaluation=Evaluation(samples=60),
)
'''


def write(folder: Path, name: str, *, rate: float = 1e-3, critic: int = 1) -> Entry:
    path = folder / f"{name}.py"
    path.write_text(FILE.format(title=name.title(), name=name, rate=rate, critic=critic))
    return Entry(str(path))


def results(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "results.json").read_text())


@pytest.fixture
def plan(tmp_path: Path) -> Study:
    entries = (write(tmp_path, "plain"), write(tmp_path, "critic", critic=3))
    return Study("tiny", "Tiny", entries, seeds=(0, 4, 9), images=300, curve_points=2)


def run(plan: Study, folder: Path, **changes: Any) -> Path:
    settings = StudyOptions(workdir=str(folder), parallel="none", **changes)
    return study.run(plan, settings, command="python tiny.py")


def test_the_report_holds_the_runs_means_and_t_intervals(
    plan: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    folder = tmp_path / "out"
    page = run(plan, folder)
    said = capsys.readouterr().out
    assert page == folder / "index.html"
    assert str(page) in said
    rows = {row["name"]: row for row in results(folder)["rows"]}
    assert rows.keys() == {"plain", "critic"}
    # 300 images are 30 steps of one batch of ten, or 10 steps of three.
    assert rows["plain"]["steps"] == 30
    assert rows["critic"]["steps"] == 10
    for name, row in rows.items():
        assert name in said
        documents = [
            json.loads((folder / "runs" / f"{name}-seed{s}" / "result.json").read_text())
            for s in (0, 4, 9)
        ]
        assert all(d["images_seen"] == 300 for d in documents)
        values = [
            next(v for k, v in d["metrics"].items() if k.startswith("fd[")) for d in documents
        ]
        found = row["metrics"]["fd"]
        assert found["per_seed"] == values
        assert found["mean"] == pytest.approx(sum(values) / 3)
        low, high = stats.t.interval(0.95, 2, sum(values) / 3, stats.sem(values))
        assert (found["low"], found["high"]) == pytest.approx((low, high))
        assert f"--steps {row['steps']} --seed 9" in row["command"]
    with open(folder / "results.csv", newline="") as file:
        table = list(csv.DictReader(file))
    assert {line["name"]: float(line["fd"]) for line in table} == pytest.approx(
        {name: row["metrics"]["fd"]["mean"] for name, row in rows.items()}
    )


def test_a_second_time_nothing_is_trained_and_a_missing_run_is(plan: Study, tmp_path: Path):
    folder = tmp_path / "out"
    run(plan, folder)
    before = results(folder)["rows"]
    files = sorted(folder.glob("runs/*/result.json"))
    written = {f: f.stat().st_mtime_ns for f in files}
    # As a process that was killed after training, but before it wrote its result.
    files[1].unlink()
    run(plan, folder)
    after = results(folder)["rows"]
    assert [r["metrics"] for r in after] == [r["metrics"] for r in before]
    again = {f: f.stat().st_mtime_ns for f in files}
    assert [f for f in files if again[f] != written[f]] == [files[1]]


def test_one_that_diverges_is_reported_and_stops_no_other(tmp_path: Path):
    entries = (write(tmp_path, "wild", rate=1e38), write(tmp_path, "tame"))
    plan = Study("tiny", "Tiny", entries, seeds=(0, 1), images=300, curve_points=0)
    run(plan, tmp_path / "out")
    rows = {row["name"]: row for row in results(tmp_path / "out")["rows"]}
    assert "diverged" in rows["wild"]["failed"]
    assert rows["tame"]["failed"] is None
    assert rows["tame"]["rank"] == 1


def test_what_cannot_be_compared_is_refused(plan: Study, tmp_path: Path):
    first, second = plan.entries
    other = Entry(second.file, ("--data.validation", "100"))
    for entries, message in (
        ((first, first), "two experiments are called plain"),
        ((first, other), "plain and critic have different data"),
        ((), "at least one experiment"),
    ):
        with pytest.raises(ConfigError, match=message):
            run(Study("tiny", "Tiny", entries, images=300), tmp_path / "out")
    with pytest.raises(ConfigError, match="less than one step of critic"):
        run(plan, tmp_path / "out", images=20)
    with pytest.raises(ConfigError, match="is there twice"):
        run(plan, tmp_path / "out", seeds=(1, 1))


def test_another_budget_in_the_same_folder_is_refused(plan: Study, tmp_path: Path):
    run(plan, tmp_path / "out")
    with pytest.raises(ConfigError, match="steps: 30 -> 60"):
        run(plan, tmp_path / "out", images=600)
