"""The benchmark of the metrics' costs: a row for each metric there is, and one-line mistakes."""

import json

import evaluation_costs as benchmark
import pytest

from jaxgan.evaluation.metrics import SAMPLE_METRICS


@pytest.mark.slow
def test_every_metric_of_samples_has_a_row(tmp_path, capsys, monkeypatch):
    # All but those that take long with few images too: one trains, others draw many sets again.
    some = {n: m for n, m in SAMPLE_METRICS.items() if n not in ("cas", "cfid", "memorization")}
    monkeypatch.setattr(benchmark, "SAMPLE_METRICS", some)
    benchmark.main(
        ["--only", "samples", "--count", "100", "--json", str(tmp_path / "rows.json"),
         "--markdown", str(tmp_path / "table.md")]
    )  # fmt: skip
    rows = json.loads((tmp_path / "rows.json").read_text())
    assert [row["metric"] for row in rows] == list(some)
    for row in rows:
        assert row["first_s"] > 0
        assert row["again_s"] > 0
        assert row["cores"] >= 1
    assert "## samples" in capsys.readouterr().out
    assert "| fid " in (tmp_path / "table.md").read_text()


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--only", "fid"], "error: --only fid: no such measure; there are samples, models, back"),
        (["--count", "99"], "error: --count 99: must be from 100 to 10000"),
    ],
)
def test_mistakes_are_one_line(words, line, capsys):
    with pytest.raises(SystemExit) as stop:
        benchmark.main(words)
    assert stop.value.code == 2
    assert capsys.readouterr().err.startswith(line)
