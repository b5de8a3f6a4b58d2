"""What a report says of a search: bands over k, and the share of failures beside means."""

import csv
import dataclasses
import io
import json
import re

import pytest

from jaxgan.visualization.report.exports import latex_table, markdown_table
from jaxgan.visualization.report.page import render
from jaxgan.visualization.report.search import Band, BandPlot, Failures
from jaxgan.visualization.report.series import banded
from jaxgan.visualization.report.text_table import text_table
from jaxgan.visualization.report.write import csv_text, json_text

BAND = Band("leading", (1.0, 2.0, 3.0), (30.0, 20.0, 15.0), (24.0, 12.0, 14.0), (40.0, 23.0, 18.0))
OTHER = Band("middling", (1.0, 2.0, 3.0), (20.0, 19.0, 18.5), (18.0,) * 3, (22.0,) * 3)
PLOT = BandPlot("Best <of> k", "trials k", "FID", (BAND, OTHER), "What the best scores.")


@pytest.fixture
def searched(report):
    """The first row lost 3 of 24 trials, the second none, the third a run; others say nothing."""
    told = [Failures(3, 24, "trials"), Failures(0, 24, "trials"), Failures(1, 3)]
    rows = [
        dataclasses.replace(row, failures=one)
        for row, one in zip(report.rows[:3], told, strict=True)
    ]
    return dataclasses.replace(report, rows=(*rows, *report.rows[3:]), budgets=(PLOT,))


def test_the_page_draws_the_bands_in_the_rows_colors(searched):
    # Rows keep their colors whatever the order of a plot's lines.
    assert [(one.name, one.color) for one in banded(searched, PLOT)] == [
        ("middling", 0), ("leading", 1),
    ]  # fmt: skip
    section = re.search(r'<section id="budgets".*?</section>', render(searched), re.DOTALL)[0]
    assert "<figcaption>Best &lt;of&gt; k</figcaption>" in section
    assert "What the best scores." in section
    assert "<title>FID by trials k: middling, leading</title>" in section
    assert section.count('class="band"') == 4  # two lines in two widths
    wide = section.partition('class="narrow"')[0]
    ticks = re.findall(r'y="254" text-anchor="middle">([^<]*)<', wide)
    assert ticks == ["1", "2", "3"]
    line = wide.partition("<title>leading</title>")[2]
    outline = re.search(r'<path class="band" d="M([^"]*)Z"', line)[1].split("L")
    places, levels = zip(*(map(float, point.split()) for point in outline), strict=True)
    # Upper ends from left to right, then lower ends back; larger values lie higher up.
    assert places == (*places[:3], *places[2::-1])
    assert [sorted(levels).index(level) for level in levels] == [0, 2, 3, 4, 5, 1]
    assert 'id="budgets"' not in render(dataclasses.replace(searched, budgets=()))


def test_failures_stand_beside_every_mean(searched):
    page = render(searched)
    cells = re.findall(r"<td[^>]*>.*?</td>", page)
    # FID and recall of a row with both, FID of one that has nothing else.
    assert sum("3/24 failed" in cell for cell in cells) == 2
    assert sum("1/3 failed" in cell for cell in cells) == 1
    assert sum("/24 failed" in cell for cell in cells) == 2
    # Searches say it in any case.
    for words in ("3 of 24 trials", "0 of 24 trials", "1 of 3 runs"):
        assert page.count(f'<span class="badge">{words} failed</span>') == 1
    assert page.count(" failed</span>") == 6


def test_tables_have_a_column_of_failures(searched, report):
    lines = text_table(searched).splitlines()
    assert lines[0].endswith("failed")
    assert [line.split()[-1] for line in lines[2:5]] == ["0/24", "3/24", "1/3"]
    assert lines[5].endswith("–")
    assert "failed" not in text_table(report).splitlines()[0]
    rows = markdown_table(searched).split("\n\n")[2].splitlines()
    assert rows[0].endswith("| parameters | failed |")
    assert len({row.replace("\\|", "").count("|") for row in rows}) == 1
    assert rows[2].endswith("| 1.23M | 0/24 |")
    latex = latex_table(searched)
    assert r"\begin{tabular}{rlrrrrr}" in latex
    assert r"& 1.23M & 3/24 \\" in latex
    assert "3/24" not in latex_table(report)


def test_files_have_the_numbers(searched):
    lines = list(csv.DictReader(io.StringIO(csv_text(searched))))
    assert [(one["failed_runs"], one["all_runs"]) for one in lines[:3]] == [
        ("0", "24"), ("3", "24"), ("1", "3"),
    ]  # fmt: skip
    document = json.loads(json_text(searched))
    assert document["rows"][1]["failures"] == {"failed": 3, "of": 24, "what": "trials"}
    assert document["rows"][-1]["failures"] is None
    assert document["budgets"][0]["bands"][0]["mean"] == [30.0, 20.0, 15.0]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: dataclasses.replace(BAND, low=(1.0,)), "as many values as places"),
        (lambda: Band("a", (), (), (), ()), "as many values as places"),
        (lambda: dataclasses.replace(BAND, mean=(1.0, float("nan"), 2.0)), "finite values"),
        (lambda: dataclasses.replace(PLOT, bands=()), "at least one line"),
    ],
)
def test_plots_that_cannot_be_drawn_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_lines_of_other_rows_are_refused(report):
    strange = dataclasses.replace(PLOT, bands=(dataclasses.replace(BAND, row="nobody"),))
    with pytest.raises(ValueError, match="there is no row 'nobody'"):
        dataclasses.replace(report, budgets=(strange,))
