"""The study of mode coverage: its tables, and one cell of it."""

import json
from pathlib import Path

import pytest

from jaxgan.config import ConfigError
from jaxgan.run.experiment_file import load_file

FILE = Path(__file__).parents[2] / "experiments" / "mode_coverage.py"
STUDY = load_file(FILE)
RUNS = [
    {"seed": 0, "modes": 8, "good": 0.9, "kl": 0.1, "collapsed": False},
    {"seed": 1, "modes": 3, "good": 0.5, "kl": None, "collapsed": True},
]


def test_a_cell_tells_means_and_how_many_runs_have_collapsed():
    assert STUDY.cell(RUNS) == "5.5, 70 %, 0.10; 1 of 2 collapsed"
    assert STUDY.cell([{**RUNS[0], "good": None}]) == "8, 0.10"
    assert STUDY.cell([{**RUNS[1], "modes": 0, "good": 0.0}]) == "0, 0 %, no KL; 1 of 1 collapsed"


def test_a_loss_is_a_row_and_a_variant_a_column():
    rows = [
        {"data": "ring", "loss": "hinge", "variant": variant, "steps": 4000, "runs": runs}
        for variant, runs in (("plain", RUNS[:1]), ("packed", RUNS))
    ]
    rows.append({**rows[0], "loss": "minimax"})
    assert STUDY.table(rows).splitlines() == [
        "**ring: modes of 8, share of good samples, KL; means of 2 seeds, 4,000 steps**",
        "",
        "| loss | plain | packed |",
        "|---|---:|---:|",
        "| hinge | 8, 90 %, 0.10 | 5.5, 70 %, 0.10; 1 of 2 collapsed |",
        "| minimax | 8, 90 %, 0.10 | – |",
    ]


def test_names_of_nothing_are_refused():
    with pytest.raises(ConfigError, match="there is no 'hinges' with 'plain'"):
        STUDY.experiment_of("ring", "hinges", "plain", 10)


@pytest.mark.slow
def test_one_cell(tmp_path, monkeypatch):
    """Trained once: a second call finds it in the table."""
    # Other tests forget the files that they have loaded, and the flags' types are looked up there.
    study = load_file(FILE)
    words = ["--data", "ring", "--losses", "hinge", "--variants", "packed", "--steps", "3"]
    words += ["--seeds", "0", "1", "--workdir", str(tmp_path)]
    study.main(words)
    written = json.loads((tmp_path / "mode_coverage.json").read_text())
    assert [run["seed"] for run in written["rows"][0]["runs"]] == [0, 1]
    assert "| hinge |" in (tmp_path / "mode_coverage.md").read_text()
    monkeypatch.setattr(study, "trained", None)
    study.main(words)
    assert json.loads((tmp_path / "mode_coverage.json").read_text()) == written
