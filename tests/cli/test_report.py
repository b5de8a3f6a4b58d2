"""`jaxgan report`: from folders of runs to a page, and what it refuses."""

import dataclasses
import json

import finished_runs
import numpy as np
import pytest
import tiny
from scipy import stats

from jaxgan.cli.report import report
from jaxgan.config import ConfigError
from jaxgan.run import workdir
from jaxgan.run.workdir import RunError
from jaxgan.study.folder import REAL, REAL_PICTURE
from jaxgan.visualization.grid import encode_png

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A study of a GAN with three seeds and a VAE with other three, two of them the same."""
    monkeypatch.chdir(tmp_path)
    for name, seeds, values in (
        ("gan", (0, 1, 2), (1.0, 2.0, 4.0)),
        ("vae", (3, 2, 1), (9.0, 6.0, 5.0)),
    ):
        for seed, value in zip(seeds, values, strict=True):
            experiment = getattr(tiny, name)(name=name, seed=seed)
            folder = tmp_path / "study" / "runs" / f"{name}-seed{seed}"
            finished_runs.write(folder, experiment, fid=value, kid=value / 10, recall=1 / value)
    return tmp_path


def results(place, folder="runs/report"):
    return json.loads((place / folder / "results.json").read_text())


def before_and_after(place):
    return {path: path.stat().st_mtime_ns for path in sorted((place / "study").rglob("*"))}


def test_a_report_of_runs_that_are_only_read(place, capsys):
    before = before_and_after(place)
    report(["study", "--title", "Mine"])
    assert before_and_after(place) == before
    found = results(place)
    rows = {row["name"]: row for row in found["rows"]}
    assert (found["title"], found["rank_by"]) == ("Mine", "fid")
    assert found["budget"] == "320 real images a run"
    assert rows["gan"]["metrics"]["fid"]["per_seed"] == [1.0, 2.0, 4.0]
    assert rows["vae"]["seeds"] == [1, 2, 3]
    assert rows["gan"]["runs"][0] == "../../study/runs/gan-seed0"
    assert found["environment"] == {"devices": "1 x pen", "commit": "abc"}
    assert found["floor"] is None
    # Only seeds 1 and 2 are shared, and two pairs are too few.
    assert rows["vae"]["metrics"]["fid"]["p_value"] is None
    out = capsys.readouterr().out
    assert "report: runs/report/index.html" in out
    assert "gan has the lowest Fréchet distance" in out
    page = (place / "runs" / "report" / "index.html").read_text()
    assert '<a href="./../../study/runs/vae-seed3">' in page


def test_seeds_are_paired_by_their_numbers(place):
    finished_runs.write(
        place / "study" / "runs" / "vae-seed0", tiny.vae(name="vae", seed=0), fid=5.5, kid=0.1,
        recall=0.2,
    )  # fmt: skip
    report(["study", "--out", "page", "--rank-by", "fid"])
    rows = {row["name"]: row for row in results(place, "page")["rows"]}
    expected = stats.ttest_rel([5.5, 5.0, 6.0], [1.0, 2.0, 4.0]).pvalue
    assert rows["vae"]["metrics"]["fid"]["p_value"] == pytest.approx(expected, rel=1e-9)


def test_real_images_are_shown_where_the_study_measured_them(place):
    document = {
        "split": "test", "images": 297, "samples": 1500, "compared_with": "train1500",
        "metrics": {"fid": 0.25, "swd": 0.1},
    }  # fmt: skip
    (place / "study" / REAL).write_text(json.dumps(document))
    (place / "study" / REAL_PICTURE).write_text("no picture")
    report(["study"])
    assert results(place)["floor"] is None
    (place / "study" / REAL_PICTURE).write_bytes(encode_png(np.zeros((8, 8, 1), np.uint8)))
    report(["study"])
    floor = results(place)["floor"]
    assert {name: value["mean"] for name, value in floor["metrics"].items()} == {"fid": 0.25}
    assert "fewer than the 1,500 samples" in floor["explanation"]
    # Runs from two places share no study.
    other = finished_runs.write(place / "else" / "x" / "y", tiny.gan(name="z"), fid=3.0)
    report(["study", str(other)])
    assert results(place)["floor"] is None


def test_unfinished_runs_are_named_and_their_row_is_not_ranked(place, capsys):
    stopped = place / "study" / "runs" / "gan-seed7"
    finished_runs.write(stopped, tiny.gan(name="gan", seed=7))
    report(["study"])
    assert "not finished: study/runs/gan-seed7" in capsys.readouterr().out
    rows = {row["name"]: row for row in results(place)["rows"]}
    assert (rows["gan"]["standing"], rows["vae"]["rank"]) == ("failed", 1)


def test_hostile_documents_become_text(place, capsys):
    experiment = tiny.gan(name="h", seed=0)
    folder = finished_runs.write(place / HOSTILE.replace("/", "_"), experiment, fid=1.0)
    config = json.loads((folder / workdir.CONFIG).read_text())
    config["command"] = f"\x1b[31m{HOSTILE}"
    config["experiment"]["name"] = f"\x1b]0;x\x07{HOSTILE}\n| \\end{{table}}"
    config["experiment"]["model"] = {"type": f"file:{HOSTILE}", "loss": {"type": HOSTILE}}
    (folder / workdir.CONFIG).write_text(json.dumps(config))
    (folder / workdir.PICTURES).mkdir()
    (folder / workdir.PICTURES / "samples.png").write_text(HOSTILE)
    report([str(folder), "--title", HOSTILE])
    page = (place / "runs" / "report" / "index.html").read_text()
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "\x1b" not in page + capsys.readouterr().out
    assert (place / "runs" / "report" / "table.tex").read_text().count("\n\\end{table}") == 1
    assert "<script" not in (place / "runs" / "report" / "table.md").read_text()


def test_runs_measured_otherwise_are_refused_in_one_line(place):
    less = dataclasses.replace(finished_runs.PROTOCOL, sample_count=10)
    other = finished_runs.write(place / "other", tiny.gan(name="x"), less, fid=1.0)
    with pytest.raises(ConfigError, match=r"cannot be compared by fid.*sample_count") as raised:
        report(["study", str(other)])
    assert "\n" not in str(raised.value)
    assert not (place / "runs").exists()


@pytest.mark.parametrize("words", [["study", "--rank-by", "kl"], ["study", "--rank-by", "nothing"]])
def test_what_cannot_rank_is_refused(place, words):
    with pytest.raises(ConfigError, match=f"ranked by {words[-1]!r}; the runs have fid, kid and"):
        report(words)


def test_what_is_no_run_is_refused(place):
    with pytest.raises(RunError, match="nowhere holds no run"):
        report(["nowhere"])
    with pytest.raises(ConfigError, match=r"(?i)runs"):
        report([])


def test_another_report_is_replaced_and_nothing_else_is(place):
    report(["study"])
    report(["study", "--rank-by", "recall"])
    assert results(place)["rank_by"] == "recall"
    for made in ("file", "folder", "study/runs/gan-seed0"):
        path = place / made
        if made == "file":
            path.write_text("mine")
        elif made == "folder":
            path.mkdir()
            (path / "results.json").write_text("{}")
            (path / "index.html").write_text("mine")
        before = before_and_after(place)
        with pytest.raises(ConfigError, match="neither empty nor the folder of a report"):
            report(["study", "--out", made])
        assert before_and_after(place) == before
    assert (place / "folder" / "index.html").read_text() == "mine"
    (place / "empty").mkdir()
    report(["study", "--out", "empty"])
    assert (place / "empty" / "index.html").exists()


def test_a_damaged_log_is_said(place):
    (place / "study" / "runs" / "gan-seed0" / workdir.METRICS).write_text("{}\n{}\n")
    with pytest.raises(Exception, match=workdir.METRICS) as raised:
        report(["study"])
    assert "\n" not in str(raised.value)
