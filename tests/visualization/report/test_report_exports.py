"""Tables for LaTeX and Markdown: the same numbers, and nothing that a name could break."""

import dataclasses

import pytest

from jaxgan.visualization.report.data import Floor, MetricValue
from jaxgan.visualization.report.exports import latex, latex_table, markdown, markdown_table


def test_special_characters_of_latex():
    assert latex("a_b & 50% of $x #1 {y} ~z^2") == (
        r"a\_b \& 50\% of \$x \#1 \{y\} \textasciitilde{}z\textasciicircum{}2"
    )
    assert latex("\\input{/etc/passwd}") == r"\textbackslash{}input\{/etc/passwd\}"
    assert latex("two\nlines\x1b[0m") == "two lines?{[}0m"
    assert latex("\N{MINUS SIGN}1 ± 2 ≈") == r"$-$1 $\pm$ 2 $\approx$"


def test_special_characters_of_markdown():
    assert markdown("a|b *c* <script>`x`</script> [d](e)") == (
        r"a\|b \*c\* &lt;script&gt;\`x\`&lt;/script&gt; \[d\](e)"
    )
    assert markdown("two\n\nlines & more") == "two lines &amp; more"


@pytest.fixture
def with_floor(report):
    floor = Floor("real_images", "297 of them", {"fid": MetricValue(0.5)})
    return dataclasses.replace(report, floor=floor)


def test_latex_rows_by_hand(with_floor):
    text = latex_table(with_floor)
    lines = [line.strip() for line in text.splitlines()]
    body = lines[lines.index(r"\midrule") + 1 :]
    assert (
        body[0] == r"1 & leading & 0.250 $\pm$ 0.062 ? & \textbf{10.75 $\pm$ 0.88} & -- & 1.23M \\"
    )
    assert body[1].startswith(r"2 & middling & \textbf{0.500 $\pm$ 0.125} & 12.50 $\pm$ 1.25 &")
    assert body[2].startswith(r"3 & \textless{}script\textgreater{}alert('x')")
    assert body[4].endswith(r"& $-$88.12 {[}$-$88.50, $-$88.00{]} & 1.23M \\")
    assert body[5].startswith("-- & broken & failed &")
    assert body[6:8] == [r"\midrule", r"-- & real\_images & -- & 0.50 & -- & -- \\"]
    assert text.count(r"\begin{") == text.count(r"\end{") == 2
    # Every line has as many cells as the table has columns.
    assert {line.count(" & ") for line in lines if line.endswith(r"\\")} == {5}


def test_a_name_cannot_leave_its_cell_or_its_comment(report):
    evil = "x\n\\end{table} % & | <b>\n| a |"
    row = dataclasses.replace(report.rows[0], name=evil, metrics={}, curves={}, pictures={})
    hostile = dataclasses.replace(report, rows=(row,), title=evil)
    text = latex_table(hostile)
    assert text.count("\\end{table}") == 2  # the last line, and the first, which is a comment
    assert text.splitlines()[0].startswith("% x \\end{table}")
    table = [line for line in markdown_table(hostile).splitlines() if line.startswith("| ")]
    assert len(table) == 3
    assert "<b>" not in markdown_table(hostile)


def test_markdown_by_hand(with_floor):
    text = markdown_table(with_floor)
    table = [line for line in text.splitlines() if line.startswith("| ")]
    assert table[0] == "| \\# | run | Recall ↑ | FID ↓ | ELBO (nats) ↑ | parameters |"
    assert table[2] == "| 1 | leading | 0.250 ± 0.062 ? | **10.75 ± 0.88** | – | 1.23M |"
    assert table[-1] == "| – | real\\_images | – | 0.50 | – | – |"
    assert len(table) == 2 + 6 + 1
    assert "leading has the lowest FID (10.75" in text
    assert "not significantly different from the best of its column" in text
