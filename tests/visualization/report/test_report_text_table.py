import dataclasses

import pytest

from jaxgan.visualization.report.data import MetricValue
from jaxgan.visualization.report.text_table import text_table


def _columns(table):
    """Cells of a table, cut where the rule says."""
    head, rule, *rows = table.splitlines()
    edges, start = [], 0
    for dashes in rule.split("  "):
        edges.append((start, start + len(dashes)))
        start += len(dashes) + 2
    return [[line[a:b].strip() for a, b in edges] for line in (head, *rows)]


def test_table_by_hand(report):
    table, rest = text_table(report, width=140).split("\n\n")
    dash = "\N{EN DASH}"
    elbo = "\N{MINUS SIGN}88.12 [\N{MINUS SIGN}88.50, \N{MINUS SIGN}88.00]"
    assert _columns(table) == [
        ["#", "run", "FID ↓", "Recall ↑", "ELBO ↑", "params", "time/seed"],
        ["1", "leading", "10.75 ± 0.88", "0.250 ± 0.062 ?", dash, "1.23M", "1 min 1 s"],
        ["2", "middling", "12.50 ± 1.25", "0.500 ± 0.125", dash, "1.23M", "1 min 1 s"],
        ["3", "<script>alert('x')</script>…", "14.00 ± 2.50 ≈", dash, dash, "1.23M", "1 min 1 s"],
        ["4", "far", "400.00 ± 3.00", dash, dash, "1.23M", "2 h 3 min"],
        [dash, "code", dash, dash, elbo, "1.23M", "1 min 1 s"],
        [dash, "broken", "failed", dash, dash, "1.23M", dash],
    ]
    lines = rest.splitlines()
    assert lines[0].startswith("≈ not significantly different from the best of its column")
    assert lines[2].startswith("? shares fewer than 3 training seeds with the best of the column")
    assert "broken failed: step 7: loss is not finite" in lines
    assert "leading has the lowest FID (10.75, interval 9.88 to 11.62), significantly" in rest
    assert rest.endswith("is not ranked.\n")


@pytest.mark.parametrize("width", [50, 60, 80, 100, 140])
def test_lines_fit_and_the_ranking_metric_stays(report, width):
    text = text_table(report, width=width)
    assert max(map(len, text.splitlines())) <= width
    assert "10.75 ± 0.88" in text
    shown = {50: "Recall, ELBO", 100: "ELBO", 140: None}.get(width, "")
    if shown is None:
        assert "Not shown" not in text
    elif shown:
        assert f"Not shown here: {shown}\n" in text


def test_numbers_are_aligned_at_the_right(report):
    table = text_table(report).split("\n\n")[0].splitlines()
    ends = {line.index(" ± ") for line in table if " ± " in line}
    assert len(ends) == 1


def test_no_rows_is_a_table_too(report):
    text = text_table(dataclasses.replace(report, rows=()))
    assert "No run has a value of FID" in text


def test_marks_stand_in_a_column_of_their_own(report):
    table = text_table(report, width=140).splitlines()
    lines = {line.split()[1]: line for line in table if line[:1].isdigit()}
    assert lines["<script>alert('x')</script>…"].index("≈") == lines["leading"].index("0.88") + 5


def test_intervals_over_samples_are_told_apart(report):
    one = dataclasses.replace(report.rows[1].metrics["fid"], over="samples")
    row = dataclasses.replace(report.rows[1], metrics={"fid": one})
    text = text_table(dataclasses.replace(report, rows=(row,)))
    assert "10.75 ± 0.88 †" in text
    assert "† interval over the drawing of samples or test images, from one training seed" in text
    assert "†" not in text_table(report)


def test_a_metric_without_a_direction_has_no_arrow(report):
    columns = [dataclasses.replace(report.metrics[0], lower_is_better=None), *report.metrics[1:]]
    head = text_table(dataclasses.replace(report, metrics=tuple(columns)), width=140).splitlines()[
        0
    ]
    assert "Recall  " in head
    assert "Recall ↑" not in head


def test_two_seeds_are_two_numbers(report):
    two = MetricValue(1.5, per_seed=(1.0, 2.0))
    rows = [dataclasses.replace(report.rows[0], seeds=(0, 1), metrics={"fid": two})]
    assert "1.50 (1.00, 2.00)" in text_table(dataclasses.replace(report, rows=tuple(rows)))
