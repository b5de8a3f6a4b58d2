import base64
import dataclasses
import re
from html.parser import HTMLParser

import pytest

from jaxgan.visualization.report.data import Floor, MetricValue, Plot, PlotPoint
from jaxgan.visualization.report.page import PICTURE_KINDS, render
from jaxgan.visualization.report.table import FIRST, OTHERS

VOID = {"meta", "link", "img", "br", "hr", "input"}
LINKS = {"href", "src", "srcset", "xlink:href", "action", "data", "poster"}


class _Page(HTMLParser):
    """Checks that tags nest, and keeps elements as (tag, attributes, text) in document order."""

    def __init__(self, source):
        super().__init__(convert_charrefs=True)
        self.open, self.elements = [], []
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs), []))
        assert len(attrs) == len(dict(attrs))
        if tag not in VOID:
            self.open.append(self.elements[-1])

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs), []))

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        for _, _, text in self.open:
            text.append(data)

    def all(self, tag, **wanted):
        return [
            (attributes, " ".join("".join(text).split()))
            for name, attributes, text in self.elements
            if name == tag and all(attributes.get(k) == v for k, v in wanted.items())
        ]


@pytest.fixture
def page(report):
    return _Page(render(report))


def test_asks_nothing_of_any_server(report, page):
    for tag, attributes, _ in page.elements:
        for name in LINKS & attributes.keys():
            # Files beside the page are opened by a click, and asked of nobody before.
            beside = ("./",) if (tag, name) == ("a", "href") else ()
            assert attributes[name].startswith(("#", "data:", *beside)), attributes
        assert not any(name.startswith("on") for name in attributes)
    assert page.all("script") == []
    (style,) = page.all("style")
    assert "url(" not in style[1]
    assert "@import" not in style[1]
    policy = page.all("meta", **{"http-equiv": "Content-Security-Policy"})[0][0]["content"]
    assert policy == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    # The one address in the source is in a row's text, where it is harmless.
    assert render(report).count("//") == render(report).count("//evil.example")


def test_links_lead_to_sections(page):
    targets = {attributes["id"] for attributes, _ in page.all("section")}
    every = [attributes["href"] for attributes, _ in page.all("a")]
    links = [link for link in every if link.startswith("#")]
    assert len(links) == 6
    files = ["./results.csv", "./results.json", "./table.tex", "./table.md"]
    assert [link for link in every if not link.startswith("#")] == files
    assert {link.removeprefix("#") for link in links} == targets
    ids = [attributes["id"] for _, attributes, _ in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_starts_with_title_and_verdict(page):
    assert page.all("html")[0][0]["lang"] == "en"
    assert page.all("h1") == [({}, "A & B < C")]
    assert page.all("title")[0][1] == "A & B < C"
    verdict = page.all("p", **{"class": "verdict"})[0][1]
    assert verdict.startswith("leading has the lowest FID (10.75, interval 9.88 to 11.62), sign")
    meta = page.all("p", **{"class": "meta"})[0][1]
    assert meta == "5,000 steps of 64 images · 6 objectives, 3 seeds each · 2026-01-02 03:04"


def test_table_is_in_the_order_of_the_ranking(page):
    names = [text for _, text in page.all("span", **{"class": "run"})][:6]
    script = "<script>alert('x')</script>&\""
    assert names == ["leading", "middling", script, "far", "code", "broken"]
    places = [text for _, text in page.all("span", **{"class": "place"})][:6]
    assert places == ["1", "2", "3", "4", "\N{EN DASH}", "\N{EN DASH}"]
    assert [text for _, text in page.all("span", **{"class": "badge tied"})] == [
        "≈ not significantly behind the first"
    ]
    assert len(page.all("tr", **{"class": "first"})) == 1


def test_table_headers_have_scopes_and_directions(page):
    headers = page.all("th", role="columnheader")
    assert all(attributes["scope"] == "col" for attributes, _ in headers)
    texts = [text for _, text in headers]
    assert texts[0:4] == ["#", "Run", "Parameters", "Time a seed"]
    assert texts[4] == "Recall↑ higher is better"
    assert texts[5].startswith("FID↓ lower is better")
    assert texts[6] == "ELBO nats↑ higher is better"
    assert len(page.all("th", scope="row", role="rowheader")) == 6


def test_every_number_is_on_the_page(page):
    (table,) = page.all("table", role="table")
    for text in (
        "10.75 ± 0.88", "[9.88, 11.62]", "12.50 ± 1.25", "[11.25, 13.75]", "14.00 ± 2.50",
        "[11.50, 16.50]", "400.00 ± 3.00", "0.500 ± 0.125", "0.250 ± 0.062",
        "\N{MINUS SIGN}88.12", "[\N{MINUS SIGN}88.50, \N{MINUS SIGN}88.00]", "1.23M", "1,234,567",
        "1 min 1 s", "2 h 3 min", "5,000 steps", "3 seeds",
    ):  # fmt: skip
        assert text in table[1], text
    (seeds,) = page.all("table", **{"class": "seeds"})
    for text in ("10.50", "11.00", "13.00", "15.00", "399.00", "\N{MINUS SIGN}88.25", "0.250"):
        assert text in seeds[1], text


def test_the_best_of_each_column_is_marked(page):
    marked = [
        (attributes["data-label"], text.split("[")[0].split("±")[0].strip())
        for attributes, text in page.all("td")
        if "best" in attributes.get("class", "").split()
    ]
    # The only ELBO lacks a seed, and says so.
    assert sorted(marked) == [
        ("FID", "10.75"),
        ("Recall", "0.500"),
    ]


def test_a_value_that_lacks_a_seed_says_so(page):
    (cell,) = [text for attributes, text in page.all("td") if "88.12" in text]
    assert cell.endswith("no value in 1 of 3 seeds")


def test_missing_metrics_are_dashes_that_explain_themselves(page):
    dashes = page.all("abbr", **{"class": "none"})
    # ELBO of four rows, FID of one, Recall of three; the failed row has its message instead.
    assert len(dashes) == 8
    assert dashes[0][0]["title"] == "ELBO is not defined for this objective, or was not measured"
    assert {text for _, text in dashes} == {"\N{EN DASH}"}


def test_failed_runs_are_shown_as_such(page):
    (cell,) = page.all("td", **{"class": "failure"})
    assert cell[0]["colspan"] == "3"
    assert cell[1].startswith("Failed: step 7: loss is not finite")
    assert "trace <b>" in cell[1]
    assert "\x1b" not in cell[1]


def test_text_from_outside_cannot_become_markup(report):
    source = render(report)
    assert "<script" not in source
    assert "<b>" not in source
    assert "<img src=//evil" not in source
    assert source.count("</style>") == 1


def test_curves_are_drawn_in_both_widths(page):
    charts = [attributes for attributes, _ in page.all("svg", **{"class": "chart"})]
    assert [chart["viewbox"].split()[2] for chart in charts] == ["560", "320"] * 3
    assert all(chart["role"] == "img" for chart in charts)
    titles = [text for _, text in page.all("title") if "by real images seen" in text]
    assert titles[0].startswith("FID by real images seen: middling, leading")
    assert titles[2] == "ELBO (nats) by real images seen: code"
    assert titles[4] == "g_loss by real images seen, logarithmic scale: leading"


def test_pictures_have_sizes_and_words_and_their_bytes(report, page):
    pictures = page.all("img")
    assert [attributes["alt"] for attributes, _ in pictures] == [
        "Samples of leading",
        "Samples of middling",
        "Samples of code",
        "Reconstructions of code",
        "Nearest neighbors of leading",
    ]
    first = pictures[0][0]
    assert (first["width"], first["height"]) == ("31", "21")
    content = base64.b64decode(first["src"].removeprefix("data:image/png;base64,"))
    assert content == report.rows[1].pictures["samples"]
    headings = [text for _, text in page.all("h3")]
    kinds = [title for title, _ in PICTURE_KINDS.values()]
    assert [text for text in headings if text in kinds] == [
        "Samples", "Reconstructions", "Nearest neighbors",
    ]  # fmt: skip


def test_pictures_of_an_algorithms_own_come_last_under_their_names(report):
    row = report.rows[0]
    png = row.pictures["samples"]
    row = dataclasses.replace(row, pictures={"b<c_d": png, "classes": png, "samples": png})
    page = _Page(render(dataclasses.replace(report, rows=(row,))))
    shown = [attributes["alt"] for attributes, _ in page.all("img")]
    assert shown == [f"{kind} of middling" for kind in ("Samples", "Classes", "B<c d")]
    assert "B<c d" in [text for _, text in page.all("h3")]


def test_commands_can_be_copied(report, page):
    codes = [text for _, text in page.all("code")]
    assert codes[0] == "jaxgan compare study.py"
    assert codes[1] == "jaxgan train experiments/leading.py"
    assert set(codes[1:]) == {row.command for row in report.rows}
    assert "Second of leading." in [text for _, text in page.all("p")]


def test_protocol_and_environment_are_stated(page):
    entries = dict(
        zip([text for _, text in page.all("dt")], [text for _, text in page.all("dd")], strict=True)
    )
    assert entries == {
        "Recall": "Covered <share>.",
        "FID": "Fréchet distance.",
        "ELBO (nats)": "A bound.",
        "Data": "digits & more",
        "JAX": "0.10.2",
    }
    assert "A note & a half." in [text for _, text in page.all("p")]


def test_an_empty_report_is_a_page_too(report):
    page = _Page(render(dataclasses.replace(report, rows=(), notes=(), command="")))
    headings = [text for _, text in page.all("h2")]
    assert headings == ["Results", "Protocol", "Versions and hardware"]


def test_many_rows_get_a_legend(report):
    rows = [dataclasses.replace(report.rows[0], name=f"run {index}") for index in range(20)]
    source = render(dataclasses.replace(report, rows=tuple(rows)))
    page = _Page(source)
    assert len(page.all("ul", **{"class": "legend always"})) == 1
    assert "end-label" not in re.sub(r"<style>.*</style>", "", source, flags=re.DOTALL)


def test_one_seed_is_said_to_have_no_interval(report):
    fid = report.rows[0].metrics["fid"]
    lonely = {"fid": dataclasses.replace(fid, low=None, high=None, p_value=None)}
    rows = [dataclasses.replace(report.rows[0], name=name, metrics=lonely) for name in "ab"]
    page = _Page(render(dataclasses.replace(report, rows=tuple(rows))))
    assert [text for _, text in page.all("span", **{"class": "badge unknown"})] == [
        "significance cannot be judged"
    ]
    (table,) = page.all("table", role="table")
    assert table[1].count("no interval") == 2
    assert table[1].count("12.50") == 2
    (marks,) = page.all("ul", **{"class": "marks note"})
    assert marks[1] == "Fewer than 3 training seeds: significance cannot be judged."


def test_significance_is_marked_in_words_too(page):
    marks = page.all("span", **{"class": "mark"})
    assert [(attributes["aria-label"], text) for attributes, text in marks] == [
        ("significance cannot be judged", "?"),
        ("not significantly different from the best, p = 0.05", "≈"),
    ]
    assert all(attributes["role"] == "img" for attributes, _ in marks)
    (legend,) = page.all("ul", **{"class": "marks note"})
    assert legend[1].startswith("≈ not significantly different from the best of its column")
    assert "? shares fewer than 3 training seeds" in legend[1]


def test_intervals_over_samples_are_said_to_be(report):
    over = MetricValue(2.0, 1.5, 2.5, over="samples")
    rows = (dataclasses.replace(report.rows[0], metrics={"fid": over}), *report.rows[1:])
    page = _Page(render(dataclasses.replace(report, rows=rows)))
    (table,) = page.all("table", role="table")
    assert "[1.50, 2.50] † over samples" in table[1]
    assert "† interval over the drawing" in page.all("ul", **{"class": "marks note"})[0][1]


def test_plots_are_drawn_in_both_widths_with_a_legend(report):
    points = tuple(
        PlotPoint(report.rows[index].name, MetricValue(0.1, 0.0, 0.2), MetricValue(0.5))
        for index in (2, 0)
    )
    plot = Plot("Trade & off", "x", "y", points, "Why <so>.", ((0.0, 1.0), (1.0, 0.0)), "a hull")
    source = render(dataclasses.replace(report, plots=(plot,)))
    page = _Page(source)
    charts = page.all("svg", **{"class": "chart scatter"})
    assert [attributes["viewbox"].split()[2] for attributes, _ in charts] == ["560", "320"]
    # Two drawings and a legend, two rows each.
    assert len(page.all("path", **{"class": "marker"})) == 6
    (legend,) = page.all("ul", **{"class": "legend always"})
    assert legend[1] == f"{report.rows[2].name}{report.rows[0].name}a hull"
    assert "Trade-offs" in [text for _, text in page.all("h2")]
    assert "Why <so>." in [text for _, text in page.all("p")]
    assert source.count("//") == source.count("//evil.example")
    assert "Trade-offs" not in render(report)


def test_runs_are_linked_by_relative_paths_whatever_their_names(report):
    paths = ("runs/a-seed0", "../b c/<x>'\"", "javascript:alert(1)")
    row = dataclasses.replace(report.rows[1], runs=paths, pictured=2)
    source = render(dataclasses.replace(report, rows=(row,)))
    page = _Page(source)
    links = [(attributes["href"], text) for attributes, text in page.all("a")]
    expected = ["./runs/a-seed0", "./../b%20c/%3Cx%3E%27%22", "./javascript%3Aalert%281%29"]
    # In the list of commands, in the table of seeds and, of the seed that is pictured, below it.
    recipe = list(zip(expected, ("seed 0", "seed 1", "seed 2"), strict=True))
    seeds = list(zip(expected, "012", strict=True))
    for link in (*recipe, *seeds):
        assert link in links
    assert links.count(recipe[2]) == 1 + len(row.pictures)
    assert [text for _, text in page.all("span", **{"class": "score"})] == [
        "FID 11.00 · seed 2"
    ] * len(row.pictures)


def test_many_metrics_are_shown_in_tables_that_fit(report):
    names = [f"m{index}" for index in range(14)]
    columns = tuple(
        dataclasses.replace(report.ranking_column, name=name, label=name.upper()) for name in names
    )
    values = {name: MetricValue(float(index)) for index, name in enumerate(names)}
    rows = (
        dataclasses.replace(report.rows[0], metrics=values, curves={}, pictures={}),
        report.rows[3],
    )
    floor = Floor("real test images", "297 of them", {"m13": MetricValue(0.125)})
    page = _Page(
        render(
            dataclasses.replace(
                report, metrics=columns, rows=rows, rank_by="m13", notes=(), floor=floor
            )
        )
    )
    tables = page.all("table", role="table")
    assert len(tables) == 3
    heads = [text for attributes, text in page.all("th", scope="col", role="columnheader")]
    shown = [text.split("↓")[0] for text in heads if text.startswith("M")]
    # The one that ranks comes first, and none is left out.
    assert shown == ["M13", *(name.upper() for name in names[:-1])]
    assert FIRST == 6 < OTHERS < 8
    assert [text.count("↓") for _, text in tables] == [6, 4, 4]
    assert all("middling" in text and "broken" in text for _, text in tables)
    floors = [text for _, text in page.all("tr", **{"class": "floor"})]
    assert len(floors) == 3
    assert "real test images 297 of them" in floors[0]
    assert "0.12" in floors[0]


def test_real_images_stand_beside_the_samples(report):
    picture = report.rows[0].pictures["samples"]
    floor = Floor("real <test> images", "why & how", {"fid": MetricValue(0.5)}, picture)
    page = _Page(render(dataclasses.replace(report, floor=floor)))
    alts = [attributes["alt"] for attributes, _ in page.all("img")]
    assert alts[:2] == ["Some real <test> images", "Samples of leading"]
    assert sum("real <test>" in alt for alt in alts) == 1
    (line,) = [text for _, text in page.all("tr", **{"class": "floor"})]
    assert "real <test> images why & how" in line
    assert "0.50" in line


def test_two_seeds_are_shown_as_two_points(report):
    two = MetricValue(1.5, per_seed=(1.0, 2.0))
    row = dataclasses.replace(report.rows[0], seeds=(0, 1), metrics={"fid": two}, curves={})
    page = _Page(render(dataclasses.replace(report, rows=(row,))))
    (cell,) = [text for attributes, text in page.all("td") if "key" in attributes.get("class", "")]
    assert cell == "1.50seeds 1.00 and 2.00"
    assert len(page.all("circle", **{"class": "seed"})) == 2
    assert page.all("path", **{"class": "whisker"}) == []


def test_every_seed_is_a_point_beside_its_mean(report, page):
    values = [value for row in report.rows for value in row.metrics.values()]
    assert len(page.all("circle", **{"class": "seed"})) == sum(len(v.defined) for v in values)
