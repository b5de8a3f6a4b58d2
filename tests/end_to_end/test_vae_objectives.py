"""The study of all objectives of autoencoders, and the table that is made of its numbers."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from jaxgan.cli import options
from jaxgan.config import ConfigError
from jaxgan.run import experiment_file

ROOT = Path(__file__).parents[2]
STUDY = experiment_file.load_file(ROOT / "experiments" / "vae_objectives.py")
TABLE = experiment_file.load_file(ROOT / "experiments" / "vae_objectives_table.py")

SCORES = {"kid": 0.02, "precision": 0.5, "recall": 0.4, "density": 0.6, "coverage": 0.7}
LIKELIHOODS = {"likelihood": -160.0, "elbo": -163.5, "kind": "DiscretizedLogistic"}
DOCUMENT = {
    "data": "digits", "width": 8, "latent_size": 3, "steps": 1000, "samples": 50, "draws": 20,
    "held_out": 30, "batch_size": 64, "seeds": [0, 1],
    "rows": [
        {"name": "rae", "objective": "x", "encoder": "ConvEncoder", "runs": [
            {"seed": 0, "fid": 20.0, **SCORES, "diverged": False},
            {"seed": 1, "diverged": True},
        ]},
        {"name": "vae", "objective": "x", "encoder": "MlpEncoder", "runs": [
            {"seed": 0, "fid": 1.0, **SCORES, **LIKELIHOODS, "bits_per_dim": 3.6,
             "active_units": 3.0, "diverged": False},
            {"seed": 1, "fid": 2.0, **SCORES, **LIKELIHOODS, "bits_per_dim": 3.7,
             "active_units": 2.0, "diverged": False},
        ]},
    ],
}  # fmt: skip


def test_the_numbers_of_a_data_set_best_first():
    head, body = TABLE.markdown(DOCUMENT).split("\n\n")
    assert "1,000 steps of 64 images, seeds 0, 1; 50 samples; 30 held-out images, and 20" in head
    assert "Likelihoods of two kinds cannot be compared" in head
    names, _, vae, rae = body.splitlines()
    assert names == (
        "| objective | fid | kid | precision | recall | density | coverage | likelihood"
        " | bits_per_dim | elbo | mutual_information | total_correlation | dimension_wise_kl"
        " | active_units | likelihood of | diverged |"
    )
    assert vae.startswith("| `vae` | 1.50 (1.00 to 2.00) | 0.0200 (0.0200 to 0.0200) |")
    assert "| -160.0 (-160.0 to -160.0) | 3.650 (3.600 to 3.700) |" in vae
    assert vae.endswith("| – | – | – | 2.5 (2.0 to 3.0) | DiscretizedLogistic | 0 of 2 |")
    assert rae.startswith("| `rae` (ConvEncoder) | 20.00 | 0.0200 |")
    assert rae.endswith("| – | – | – | – | – | – | – | – | 1 of 2 |")
    assert {line.count("|") for line in body.splitlines()} == {17}


def test_the_sheet_has_the_first_samples_of_each_row(tmp_path):
    for level, name in ((50, "vae"), (200, "rae")):
        folder = tmp_path / "runs" / f"{name}-seed3" / "pictures"
        folder.mkdir(parents=True)
        image = np.full((17, 17), 255, np.uint8)
        image[:2] = level
        Image.fromarray(image).save(folder / "samples.png")
    found = TABLE.sheet(tmp_path, ["rae", "lost", "vae"], 3)
    assert found.shape == (4, 17, 1)
    assert found[:, 0, 0].tolist() == [200, 200, 50, 50]
    assert TABLE.sheet(tmp_path, ["lost"], 3) is None


def test_the_numbers_in_results_are_told_as_they_are():
    for data in TABLE.DATA:
        file = TABLE.results_file(data)
        if file.exists():
            document = json.loads(file.read_text())
            assert file.with_suffix(".md").read_text() == TABLE.markdown(document)


def test_a_run_without_a_result_has_diverged(tmp_path):
    budget = STUDY.BUDGETS["digits"]
    assert STUDY.numbers_of(tmp_path, tmp_path / "none", budget) == {"diverged": True}


@pytest.mark.slow
def test_rows_share_what_they_can_and_none_is_there_twice():
    budget = STUDY.BUDGETS["digits"]
    rows = STUDY.rows_of("digits", budget)
    assert [*rows][:2] == ["vae", "beta_vae"]
    # With one likelihood, experiments of others are the first row.
    assert rows.keys().isdisjoint({"sigma_vae", "discretized_vae", *STUDY.SKIPPED})
    read = {name: options.read_entry(entry)[0] for name, entry in rows.items()}
    assert all(name == one.name for name, one in read.items())
    vae, beta = read["vae"].model, read["beta_vae"].model
    assert dataclasses.replace(beta, beta=vae.beta) == vae
    assert (vae.beta.value, beta.beta.value) == (1.0, 2.0)
    assert type(vae.likelihood).__name__ == "DiscretizedLogistic"
    assert (vae.encoder.widths, vae.decoder.widths, vae.latent_size) == ((500,), (500,), 10)
    with pytest.raises(ConfigError, match="no objective 'vea'; there are vae, beta_vae, "):
        STUDY.rows_of("digits", budget, ["vea"])


@pytest.mark.slow
def test_the_study_trains_measures_and_goes_on(tmp_path, capsys, monkeypatch):
    """Two objectives for some steps; the second time, nothing is trained."""
    monkeypatch.chdir(tmp_path)
    words = ["--data", "digits", "--only", "vae", "beta_vae", "--seeds", "0", "--steps", "4"]
    words += ["--width", "4", "--latent-size", "2", "--draws", "3", "--samples", "100"]
    words += ["--held-out", "250"]
    STUDY.study([*words, "--results", "numbers"])
    path = Path("numbers/vae_objectives_digits.json")
    document = json.loads(path.read_text())
    assert [row["name"] for row in document["rows"]] == ["vae", "beta_vae"]
    assert (document["steps"], document["width"], document["draws"]) == (4, 4, 3)
    for row in document["rows"]:
        (run,) = row["runs"]
        assert {*TABLE.SAMPLES, *TABLE.HELD_OUT, *TABLE.CODES} <= run.keys()
        assert run["kind"] == "DiscretizedLogistic"
        # 64 pixels of 256 levels, of networks that have hardly been trained.
        assert run["bits_per_dim"] == pytest.approx(-run["likelihood"] / (64 * np.log(2)))
        assert 3 < run["bits_per_dim"] < 10
    files = sorted(Path("runs/vae_objectives/digits").rglob("result.json"))
    times = [file.stat().st_mtime_ns for file in files]
    assert len(times) == 2
    assert "`beta_vae`" in capsys.readouterr().out
    STUDY.study([*words, "--results", "numbers"])
    assert [file.stat().st_mtime_ns for file in files] == times
    assert json.loads(path.read_text())["rows"] == document["rows"]
    assert path.with_suffix(".md").read_text() == TABLE.markdown(document)
    assert Image.open(path.with_suffix(".png")).size[1] == 2 * 48
