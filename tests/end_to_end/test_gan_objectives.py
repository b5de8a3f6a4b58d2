"""The study of all adversarial losses, and the README's table that is made of it."""

import inspect
import json
from pathlib import Path

import pytest

from jaxgan.cli import names
from jaxgan.config import ConfigError
from jaxgan.objectives.gan.losses import Hinge, LeastSquares, NonSaturating
from jaxgan.run import experiment_file

ROOT = Path(__file__).parents[2]
STUDY = experiment_file.load_file(ROOT / "experiments" / "gan_objectives.py")
TABLE = experiment_file.load_file(ROOT / "experiments" / "objectives_table.py")

GOOD = {"kid": 0.02, "precision": 0.5, "recall": 0.4, "density": 0.6, "coverage": 0.7}
DOCUMENT = {
    "data": "digits", "width": 8, "steps": 1000, "samples": 50, "batch_size": 64, "seeds": [0, 1],
    "collapsed_below": 0.02,
    "rows": [
        {"loss": "wasserstein", "networks": "dcgan", "runs": [
            {"seed": 0, "fid": 20.0, **GOOD, "coverage": 0.02, "collapsed": True,
             "alarms": ["no_variety"]},
            {"seed": 1, "collapsed": True, "diverged": True, "alarms": []},
        ]},
        {"loss": "hinge", "networks": "dcgan", "runs": [
            {"seed": 0, "fid": 1.0, **GOOD, "collapsed": False, "alarms": []},
            {"seed": 1, "fid": 2.0, **GOOD, "collapsed": False, "alarms": []},
        ]},
    ],
}  # fmt: skip


def test_what_is_said_of_a_loss_comes_from_its_docstring():
    assert TABLE.what(Hinge) == "Margins for the discriminator, the raw score for the generator"
    assert TABLE.paper(Hinge) == "Lim and Ye, Geometric GAN, 2017"
    assert TABLE.paper(NonSaturating) == ("Goodfellow et al., Generative Adversarial Nets, 2014")
    assert TABLE.paper(LeastSquares).endswith("Least Squares Generative Adversarial Networks, 2017")
    assert TABLE.paper(dict) == TABLE.NONE


def test_every_loss_has_its_source():
    for name, loss in names.LOSSES.items():
        cls = loss if inspect.isclass(loss) else type(loss)
        assert TABLE.paper(cls) != TABLE.NONE, f"{name}: no paper under References:"
        assert 10 < len(TABLE.what(cls)) < 130, name


def test_the_numbers_of_a_data_set_best_first():
    head, body = TABLE.markdown(DOCUMENT).split("\n\n")
    assert "1,000 steps of 64 images, seeds 0, 1; 50 samples" in head
    assert "recall or coverage below 0.02" in head
    *_, hinge, wasserstein = body.splitlines()
    assert hinge == (
        "| `hinge` | dcgan | 1.50 (1.00 to 2.00) | 0.0200 (0.0200 to 0.0200)"
        " | 0.500 (0.500 to 0.500) | 0.400 (0.400 to 0.400) | 0.600 (0.600 to 0.600)"
        " | 0.700 (0.700 to 0.700) | 0 of 2 | – |"
    )
    assert wasserstein.startswith("| `wasserstein` | dcgan | 20.00 | 0.0200 |")
    assert wasserstein.endswith("| 2 of 2 | no_variety (seed 0) |")


def test_the_table_has_every_loss_and_says_what_is_not_known():
    losses = {"hinge": Hinge, "least_squares": LeastSquares}
    lines = TABLE.table({"digits": DOCUMENT}, losses).splitlines()
    assert lines[0] == "| `--loss` | what | paper | fid, digits | fid, fashion-mnist | collapsed |"
    assert lines[2] == (
        "| `hinge` | Margins for the discriminator, the raw score for the generator |"
        " Lim and Ye, Geometric GAN, 2017 | 1.50 (1.00 to 2.00) | – | 0 of 2 |"
    )
    assert lines[3].endswith("| – | – | – |")
    whole = TABLE.table({})
    assert whole.count("\n") == len(names.LOSSES) + 2
    assert all(f"| `{name}` |" in whole for name in names.LOSSES)


def test_the_section_between_the_marks_is_replaced():
    text = f"before\n{TABLE.START}\nold\n{TABLE.END}\nafter\n"
    assert TABLE.section(text) == "old\n"
    changed = TABLE.with_table(text, "new\n")
    assert changed == f"before\n{TABLE.START}\nnew\n{TABLE.END}\nafter\n"
    assert TABLE.with_table(changed, "new\n") == changed
    assert TABLE.section("nothing") is None
    with pytest.raises(ValueError, match="put them where the table goes"):
        TABLE.with_table("nothing", "new\n")
    with pytest.raises(ValueError, match="once each"):
        TABLE.section(text + TABLE.START)


def test_the_table_of_the_readme_is_what_code_and_numbers_say():
    found = TABLE.section(TABLE.README.read_text())
    expected = TABLE.table(TABLE.read_results())
    assert found is None or found == expected, "run python experiments/objectives_table.py"


def test_the_numbers_of_the_study_are_of_all_losses_that_there_are():
    for data, document in TABLE.read_results().items():
        there = [row["loss"] for row in document["rows"]]
        assert there == [*names.LOSSES], f"{data}: run python experiments/gan_objectives.py"
        found = TABLE.results_file(data).with_suffix(".md").read_text()
        assert found == TABLE.markdown(document)


def test_a_collapse_is_low_coverage_or_recall_or_no_result(tmp_path):
    assert STUDY.numbers_of(tmp_path) == {"collapsed": True, "diverged": True, "alarms": []}
    usual = {f"{name}[x]": 0.5 for name in STUDY.METRICS}
    for changes, expected in (({}, False), ({"coverage[x]": 0.01}, True), ({"recall[x]": 0}, True)):
        document = {
            "metrics": usual | changes,
            "alarms": [{"name": "no_variety"}],
            "seconds": {"training": 1.0, "evaluation": 2.0},
        }
        (tmp_path / "result.json").write_text(json.dumps(document))
        found = STUDY.numbers_of(tmp_path)
        assert (found["collapsed"], found["diverged"]) == (expected, False)
        assert (found["fid"], found["seconds"], found["alarms"]) == (0.5, 3.0, ["no_variety"])


@pytest.mark.slow
def test_every_loss_goes_with_a_network():
    budget = STUDY.BUDGETS["digits"]
    files = {name: STUDY.entry_of(name, "digits", budget).file for name in names.LOSSES}
    assert Path(files["hinge"]).name == "dcgan.py"
    with pytest.raises(ConfigError, match="there is no loss 'hing'"):
        STUDY.entry_of("hing", "digits", budget)


@pytest.mark.slow
def test_the_study_trains_measures_and_goes_on(tmp_path, capsys, monkeypatch):
    """Two losses for some steps; the second time, the first seed is there already."""
    monkeypatch.chdir(tmp_path)
    words = ["--data", "digits", "--only", "hinge", "minimax", "--steps", "4", "--width", "4"]
    STUDY.study([*words, "--seeds", "0", "--results", "numbers"])
    document = json.loads(Path("numbers/gan_objectives_digits.json").read_text())
    assert [row["loss"] for row in document["rows"]] == ["hinge", "minimax"]
    assert (document["steps"], document["width"], document["seeds"]) == (4, 4, [0])
    assert 0 < document["real"]["fid"] < 1
    for row in document["rows"]:
        (run,) = row["runs"]
        assert {*STUDY.METRICS} < run.keys()
        # Of a generator that has hardly been trained.
        assert run["fid"] > 5
        assert run["collapsed"]
    files = sorted(Path("runs/gan_objectives/digits/runs").glob("*/result.json"))
    times = [path.stat().st_mtime_ns for path in files]
    assert len(times) == 2
    assert "`hinge`" in capsys.readouterr().out
    STUDY.study([*words, "--seeds", "0", "1", "--results", "numbers"])
    assert [path.stat().st_mtime_ns for path in files] == times
    again = json.loads(Path("numbers/gan_objectives_digits.json").read_text())
    assert [run["seed"] for run in again["rows"][0]["runs"]] == [0, 1]
    assert again["rows"][0]["runs"][0] == document["rows"][0]["runs"][0]
    assert Path("runs/gan_objectives/digits/index.html").exists()
    assert Path("numbers/gan_objectives_digits.md").read_text() == TABLE.markdown(again)
