"""The table and the files."""

import json

import pytest
from side_by_side import table
from side_by_side.measure import Group, Row

ANSWER = {"losses": [{"generator": 0.5}], "parameters": 12}


def group(**changes):
    rows = [
        Row("dcgan", "float32", "jaxgan", 2.0, 32000.0, 10.0),
        Row("dcgan", "float32", "linen", 8.0, 8000.0, None),
        Row("dcgan", "float32", "torch_eager", 5.0, 12800.0, 20.0),
        Row("dcgan", "float32", "torch_compile", 4.0, 16000.0, 30.0),
    ]
    settings = {
        "rows": rows,
        "flops": 3_000_000,
        "matrix_rate": 6e9,
        "rounds": {"jaxgan": [2.0, 2.0004]},
        "steps": {"jaxgan": 9},
        "answers": {"jaxgan": ANSWER},
        "notes": [],
    }
    return Group(**{**settings, **changes})


def cells(text):
    return {line.split()[2]: line.split() for line in text.splitlines()[2:]}


def test_ratios_are_to_the_fastest_pytorch_and_to_linen():
    found = cells(table.text([group()]))
    assert found["jaxgan"][-3:-1] == ["0.50", "0.25"]
    assert found["linen"][-3:-1] == ["2.00", "1.00"]
    assert found["torch_compile"][-3:-1] == ["1.00", "0.50"]


def test_the_share_is_that_of_the_operations_that_are_needed():
    # 3e6 operations in 2 ms are 1.5e9 a second, of 6e9.
    assert cells(table.text([group()]))["jaxgan"][-1] == "25%"


def test_what_is_missing_is_a_dash():
    rows = [row for row in group().rows if not row.implementation.startswith("torch")]
    found = cells(table.text([group(rows=rows)]))
    assert found["jaxgan"][-3] == "–"
    assert found["linen"][5] == "–"


def test_ratios_stay_within_a_group():
    other = group(rows=[Row("dcgan", "bfloat16", "torch_eager", 1.0, 64000.0, None)])
    assert cells(table.text([group(), other]))["jaxgan"][-3] == "0.50"


def test_markdown_has_the_same_cells():
    text = table.markdown([group()])
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()]
    assert {len(line) for line in lines} == {9}
    assert lines[2] == cells(table.text([group()]))["jaxgan"]


def test_json_rows_have_exactly_these_keys():
    rows = json.loads(table.rows_as_json([group(), group()]))
    assert len(rows) == 8
    keys = ["step", "precision", "implementation", "ms_per_step", "images_per_s", "peak_mb"]
    assert [list(row) for row in rows] == [keys] * 8
    assert rows[1]["peak_mb"] is None


def test_details_name_the_rounds_and_the_losses():
    (found,) = table.details([group(), group(rows=[])])
    assert found["ms_of_rounds"] == {"jaxgan": [2.0, pytest.approx(2.0, abs=1e-3)]}
    assert found["matrix_gflops_per_s"] == 6.0
    assert found["losses_of_checked_steps"] == {"jaxgan": [{"generator": 0.5}]}
