from jaxgan.visualization.report.markup import esc, paragraphs


def test_text_is_escaped_in_and_outside_of_attributes():
    assert esc('<a href="x">\'&') == "&lt;a href=&quot;x&quot;&gt;&#x27;&amp;"


def test_characters_that_html_cannot_hold_are_replaced():
    mark = "\N{REPLACEMENT CHARACTER}"
    assert esc("a\x1b[0m\x00\ud800\tb\n") == f"a{mark}[0m{mark}{mark}\tb\n"
    esc("\ud800").encode("utf-8")


def test_blank_lines_part_paragraphs():
    assert paragraphs("one\n  two\n \n<three>\n") == "<p>one two</p><p>&lt;three&gt;</p>"
    assert paragraphs(" \n") == ""
