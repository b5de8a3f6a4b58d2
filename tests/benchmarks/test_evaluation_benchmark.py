"""The evaluation benchmark: every measure gives true rows, and mistakes one clear line."""

import json

import evaluation as benchmark
import numpy as np
import pytest


@pytest.mark.slow
def test_every_measure_compares_equal_numbers(tmp_path, capsys):
    rows_file, tables_file = tmp_path / "rows.json", tmp_path / "tables.md"
    benchmark.main(
        ["--size", "64", "--rounds", "1", "--json", str(rows_file), "--markdown", str(tables_file)]
    )
    rows = json.loads(rows_file.read_text())
    assert {row["measure"] for row in rows} == set(benchmark.MEASURES)
    for row in rows:
        assert row["cores"] >= 1
        if "ratio" in row:
            np.testing.assert_allclose(row["ratio"], row["usual_s"] / row["ours_s"], rtol=1e-9)
            # Roundings of float32, and of square roots of what should be zero.
            assert row["difference"] < 1e-4
    printed = capsys.readouterr().out
    assert tables_file.read_text().strip() in printed.replace("\n\n\n", "\n\n")
    for name in benchmark.MEASURES:
        assert f"## {name}" in printed


def test_runs_take_turns_and_medians_are_taken():
    order = []
    times, numbers = benchmark.in_turns(
        {name: lambda name=name: order.append(name) or float(len(order)) for name in "ab"}, 3
    )
    assert "".join(order) == "ababab"
    assert numbers == {"a": 5.0, "b": 6.0}
    assert all(0 <= seconds < 1 for seconds in times.values())


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--only", "fid,x"], "error: --only x: no such measure; there are fid, few, moments"),
        (["--rounds", "0"], "error: --rounds 0: must be at least 1"),
        (["--size", "65"], "error: --size 65: must be from 1 to 64"),
        (["--json", "none/rows.json"], "error: none/rows.json: there is no folder none"),
    ],
)
def test_mistakes_are_one_line(words, line, capsys):
    with pytest.raises(SystemExit) as stop:
        benchmark.main(words)
    assert stop.value.code == 2
    assert capsys.readouterr().err.startswith(line)
