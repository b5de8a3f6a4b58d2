import csv
import dataclasses
import io
import json
import math
import os

import pytest

from jaxgan.visualization.report.data import Floor, MetricValue, Plot, PlotPoint
from jaxgan.visualization.report.write import csv_text, json_text, write_report


def _strict(text):
    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(text, parse_constant=refuse)


def test_writes_five_files_and_says_where(tmp_path, report):
    path = write_report(tmp_path / "new" / "report", report)
    assert path == tmp_path / "new" / "report" / "index.html"
    assert sorted(os.listdir(path.parent)) == [
        "index.html", "results.csv", "results.json", "table.md", "table.tex",
    ]  # fmt: skip
    assert path.read_text("utf-8").startswith("<!doctype html>")


def test_the_same_report_gives_the_same_bytes(tmp_path, report):
    def written(folder):
        write_report(folder, report)
        return {name: (folder / name).read_bytes() for name in os.listdir(folder)}

    first = written(tmp_path / "a")
    assert written(tmp_path / "b") == first
    assert written(tmp_path / "a") == first


def test_csv_has_all_digits_in_the_order_of_the_ranking(report):
    rows = list(csv.DictReader(io.StringIO(csv_text(report))))
    script = "<script>alert('x')</script>&\""
    assert [row["name"] for row in rows] == ["leading", "middling", script, "far", "code", "broken"]
    assert [row["rank"] for row in rows] == ["1", "2", "3", "4", "", ""]
    first, *_, code, broken = rows
    assert first["standing"] == "leader"
    assert (float(first["fid"]), float(first["fid_low"]), float(first["fid_high"])) == (
        10.75, 9.875, 11.625,
    )  # fmt: skip
    assert [float(first[f"fid_seed_{seed}"]) for seed in range(3)] == [10.5, 10.75, 11.0]
    assert float(first["seconds"]) == 61.0
    assert (first["parameters"], first["steps"], first["seeds"]) == ("1234567", "5000", "0 1 2")
    assert first["elbo"] == ""
    assert (float(code["elbo"]), code["elbo_seed_2"], code["fid"]) == (-88.125, "", "")
    assert broken["failed"].startswith("step 7: loss is not finite")
    assert broken["seconds"] == ""


def test_json_carries_the_same_numbers_as_csv(report):
    content = _strict(json_text(report))
    rows = list(csv.DictReader(io.StringIO(csv_text(report))))
    assert [row["name"] for row in content["rows"]] == [row["name"] for row in rows]
    for full, flat in zip(content["rows"], rows, strict=True):
        assert str(full["rank"] or "") == flat["rank"]
        for column in ("fid", "recall", "elbo"):
            value = full["metrics"].get(column)
            assert (value is None) == (flat[column] == "")
            if value is not None:
                assert value["mean"] == float(flat[column])
                assert value["low"] == float(flat[f"{column}_low"])
                assert value["high"] == float(flat[f"{column}_high"])
    leading = content["rows"][0]
    assert leading["metrics"]["fid"]["per_seed"] == [10.5, 10.75, 11.0]
    assert leading["curves"]["fid"][1] == {
        "images_seen": [0.0, 1000.0, 2000.0, 3000.0],
        "values": [90.0, 40.0, 20.0, 10.75],
    }
    assert content["verdict"].startswith("leading has the lowest FID")
    assert content["protocol"] == {"Data": "digits & more"}


def test_json_is_strict_about_what_is_not_finite(report):
    report.rows[0].metrics["fid"] = MetricValue(math.inf, per_seed=(math.nan, -math.inf, 1.0))
    content = _strict(json_text(report))
    (row,) = (row for row in content["rows"] if row["name"] == "middling")
    assert row["rank"] is None
    assert row["metrics"]["fid"]["mean"] == "inf"
    assert row["metrics"]["fid"]["per_seed"] == ["nan", "-inf", 1.0]


def test_a_folder_that_cannot_be_made_is_named(tmp_path, report):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        write_report(tmp_path / "file", report)


def test_significance_and_plots_are_there_for_programs(report):
    rows = {row["name"]: row for row in csv.DictReader(io.StringIO(csv_text(report)))}
    assert [rows[name]["fid_p"] for name in ("leading", "middling", "far")] == [
        "",
        "0.04",
        "0.0004",
    ]
    assert [rows[name]["fid_over"] for name in ("leading", "code")] == ["seeds", ""]
    point = PlotPoint("code", MetricValue(1.0), MetricValue(2.0, 1.0, 3.0), "β = 1")
    plot = Plot("A", "x", "y", (point,), line=((0, 1), (2, 3)))
    content = _strict(json_text(dataclasses.replace(report, plots=(plot,))))
    assert content["plots"][0]["points"][0]["y"]["high"] == 3.0
    assert content["plots"][0]["line"] == [[0.0, 1.0], [2.0, 3.0]]
    assert content["legend"][0].startswith("≈ not significantly different")
    by_name = {row["name"]: row for row in content["rows"]}
    assert by_name["middling"]["metrics"]["fid"]["p_value"] == 0.04


def test_real_images_are_the_last_line(report):
    floor = Floor("real", "297 images", {"fid": MetricValue(0.25)})
    report = dataclasses.replace(report, floor=floor)
    lines = list(csv.DictReader(io.StringIO(csv_text(report))))
    assert (lines[-1]["standing"], lines[-1]["name"], lines[-1]["fid"]) == ("floor", "real", "0.25")
    assert lines[-1]["rank"] == lines[-1]["recall"] == ""
    assert _strict(json_text(report))["floor"]["metrics"]["fid"]["mean"] == 0.25
