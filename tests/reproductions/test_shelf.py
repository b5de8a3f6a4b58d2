"""The rule of verdicts, exit codes, and the README's table of the shelf."""

import ast
import json
import math

import numpy as np
import pytest
from PIL import Image
from scripts import FOLDER, script

shelf, table = script("shelf"), script("table")
Row, Order = shelf.Row, shelf.Order
HELPERS = {"shelf", "table", "simultaneous", "pacgan_training"}
SCRIPTS = sorted({path.stem for path in FOLDER.glob("*.py")} - HELPERS)


def reproduction(*rows, **more):
    return shelf.Reproduction("toy", "A and B, A Paper, 2020", "a toy", rows, **more)


@pytest.mark.parametrize(
    ("row", "within"),
    [
        (Row("", 1.0, 1.0), True),
        (Row("", 1.0, 1.0 + 1e-15), False),
        (Row("", 1.0, 1.009, tolerance=0.01), True),
        (Row("", 1.0, 0.989, tolerance=0.01), False),
        # 2 sqrt(0.3^2 + 0.4^2) = 1; one error alone would allow 0.6 or 0.8, their sum 1.4.
        (Row("", 5.0, 5.99, error=0.3, published_error=0.4), True),
        (Row("", 5.0, 3.99, error=0.3, published_error=0.4), False),
        (Row("", 5.0, 6.4, error=0.3, published_error=0.4, errors=3.0), True),
        (Row("", 5.0, 5.65, tolerance=0.1, error=0.3), True),
        (Row("", 1.0, math.nan, tolerance=9.0), False),
        (Row("", 1.0, 1.0, error=math.inf), True),
    ],
)
def test_what_is_within(row, within):
    assert row.within == within


@pytest.mark.parametrize(
    ("low", "high", "holds"),
    [(0.1, 0.2, True), (0.0, 0.2, False), (-0.1, 0.2, False), (-0.2, -0.1, False),
     (math.nan, math.nan, False)],
)  # fmt: skip
def test_an_order_holds_if_its_interval_excludes_a_tie(low, high, holds):
    assert Order("a", "b", low, high).holds == holds


NEAR, FAR = Row("mean", 5.0, 5.9, error=0.3, published_error=0.4), Row("mean", 5.0, 6.5, error=0.3)
EXACT, ABOVE, TIE = Row("root", 0.5, 0.5, 1e-9), Order("a", "b", 0.1, 0.3), Order("a", "b", -0.1, 1)


@pytest.mark.parametrize(
    ("rows", "orders", "told"),
    [
        ([NEAR, EXACT], [ABOVE], "reproduced"),
        ([NEAR], [], "within 2 standard errors where it is random"),
        ([NEAR, EXACT], [], "exact to 1e-09, within 2 standard errors where it is random"),
        ([EXACT, Row("x", 1.0, 1.0, 1e-3)], [], "exact to 0.001"),
        ([EXACT], [ABOVE], "the ordering holds, exact to 1e-09"),
        ([], [ABOVE], "the ordering holds"),
        # More errors than the rule allows: the word is not used.
        (
            [Row("mean", 5.0, 5.9, error=0.4, errors=3.0)], [ABOVE],
            "the ordering holds, within 3 standard errors where it is random",
        ),
        ([NEAR], [TIE], "not reproduced: a above b does not hold (-0.1 to 1)"),
        ([FAR, EXACT], [ABOVE], "not reproduced: mean is off by 1.5, 0.6 allowed"),
        ([], [], "nothing was compared"),
    ],
)  # fmt: skip
def test_verdicts(rows, orders, told):
    assert shelf.verdict(rows, orders) == told
    if told.startswith("not "):
        left_open = shelf.verdict(rows, orders, "the batch size")
        assert left_open == f"{told}; left open: the batch size"


def test_rows_that_mean_nothing_are_refused():
    for name in ("tolerance", "error", "published_error", "errors"):
        with pytest.raises(ValueError, match=f"x: {name} must be at least 0"):
            Row("x", 1.0, 1.0, **{name: -0.1})


def test_means_and_their_errors():
    # Of 1, 2, 6: variance 7.
    assert shelf.mean_and_error([1, 2, 6]) == pytest.approx((3.0, math.sqrt(7 / 3)))


def run(found, tmp_path, *words, **counts):
    shelf.run(lambda **given: found, "doc", ["--results", str(tmp_path), *words], **counts)


def test_a_script_prints_writes_and_returns(tmp_path, capsys):
    run(reproduction(NEAR, EXACT), tmp_path / "new")
    document = json.loads((tmp_path / "new" / "toy.json").read_text())
    assert document["holds"]
    assert document["command"] == "python experiments/reproductions/toy.py"
    assert document["rows"][0] == {
        "quantity": "mean", "published": 5.0, "ours": 5.9, "error": 0.3, "published_error": 0.4,
        "within": True,
    }  # fmt: skip
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "A and B, A Paper, 2020: a toy"
    assert " ".join(printed[2].split()) == "mean 5.00 ± 0.40 5.90 ± 0.30 yes, 0.9 of 1"


def test_a_picture_is_written_beside_the_numbers(tmp_path):
    picture = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    run(reproduction(EXACT, picture=picture), tmp_path)
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "toy.png")), picture)
    assert "picture" not in json.loads((tmp_path / "toy.json").read_text())
    run(reproduction(EXACT), tmp_path / "none")
    assert [path.name for path in (tmp_path / "none").iterdir()] == ["toy.json"]


@pytest.mark.parametrize(
    "found",
    [
        reproduction(EXACT, Row("planted", 0.5, 0.5001, 1e-5)),
        reproduction(EXACT, Row("planted", 0.5, np.float64("nan"), 1e-5)),
        reproduction(EXACT, orders=(TIE,)),
    ],
)
def test_a_miss_is_exit_code_1_and_is_written(found, tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        run(found, tmp_path)
    assert stop.value.code == 1
    document = json.loads((tmp_path / "toy.json").read_text())
    assert not document["holds"]
    assert document["verdict"].startswith("not reproduced: ")
    assert "NO" in capsys.readouterr().out


def test_a_reduction_claims_nothing(tmp_path):
    """It is no failure that it misses, and no reproduction that it hits."""
    assert shelf.verdict([NEAR, EXACT], [ABOVE], "the batch size", "3 of 10 trials") == (
        "reduction: 3 of 10 trials"
    )
    nothing = Order("a", "b", math.nan, math.nan)
    found = reproduction(FAR, orders=(ABOVE, nothing), reduction="3 of 10 trials",
                         arguments="--trials 3")  # fmt: skip
    run(found, tmp_path)
    document = json.loads((tmp_path / "toy.json").read_text())
    assert document["verdict"] == "reduction: 3 of 10 trials"
    assert not document["holds"]
    assert document["command"] == "python experiments/reproductions/toy.py --trials 3"
    assert document["orders"][1] == {
        "larger": "a", "smaller": "b", "low": None, "high": None, "holds": False
    }  # fmt: skip


def test_a_request_that_cannot_work_is_exit_code_2(tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        run(reproduction(EXACT), tmp_path, "--draws", "1", draws=(5, "sets"))
    assert stop.value.code == 2
    assert "--draws 1: must be at least 2" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_the_table_has_headlines_and_the_verdict(tmp_path):
    first = Row("a|b", 0.5, 0.52, error=0.011, published_error=0.02, headline=True)
    found = reproduction(first, EXACT, Row("n", 8, 7.0, headline=True))
    document = json.loads(json.dumps(shelf.document(found)))
    assert table.line(document) == (
        r"| A and B, A Paper, 2020 | a toy | a\|b 0.500 ± 0.020; n 8 | 0.520 ± 0.011; 7 |"
        " not reproduced: n is off by 1, 0 allowed (2 of 3 lines) |"
        " `python experiments/reproductions/toy.py` |\n"
    )
    readme = tmp_path / "README.md"
    readme.write_text("nothing")
    with pytest.raises(ValueError, match="no <!-- shelf: start --> and <!-- shelf: end -->"):
        table.write_readme(readme, tmp_path)
    (tmp_path / "toy.json").write_text(json.dumps(document))
    readme.write_text(f"before\n{table.MARKS[0]}\nold\n{table.MARKS[1]}\nafter\n")
    table.write_readme(readme, tmp_path)
    assert table.section(readme.read_text()) == table.HEAD + table.line(document)
    assert readme.read_text().startswith("before\n<!-- shelf: start -->\n| paper |")
    assert readme.read_text().endswith("|\n<!-- shelf: end -->\nafter\n")


def test_the_table_of_the_readme_is_what_the_files_say():
    found = table.section(table.README.read_text())
    expected = table.table(table.read_results())
    assert found is None or found == expected, "run python experiments/reproductions/table.py"


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_script_says_its_paper_and_command_and_has_its_file(name):
    """The file holds, is small, and its verdict follows from its lines by today's rule."""
    docstring = ast.get_docstring(ast.parse((FOLDER / f"{name}.py").read_text())) or ""
    assert f"    python experiments/reproductions/{name}.py\n" in docstring
    assert callable(script(name).main)
    path = shelf.RESULTS / f"{name}.json"
    assert path.stat().st_size < 30_000
    document = json.loads(path.read_text())
    made = {"quantity", "published", "ours", "tolerance", "error", "published_error", "errors",
            "source", "headline"}  # fmt: skip

    def number(value):
        return math.nan if value is None else value

    rows = [Row(**{key: number(row[key]) for key in made & row.keys()}) for row in document["rows"]]
    orders = [
        Order(one["larger"], one["smaller"], number(one["low"]), number(one["high"]))
        for one in document["orders"]
    ]
    assert [row["within"] for row in document["rows"]] == [row.within for row in rows]
    assert any(row.headline for row in rows)
    told = shelf.verdict(rows, orders)
    assert document["holds"] == (not told.startswith("not "))
    if not document["verdict"].startswith("reduction: "):
        assert document["verdict"].startswith(told)


def test_no_file_is_left_over():
    there = {document["name"] for document in table.read_results()}
    assert there == {*SCRIPTS}
