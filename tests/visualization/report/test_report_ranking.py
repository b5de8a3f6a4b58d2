import dataclasses
import math

from jaxgan.visualization.report.data import MetricValue
from jaxgan.visualization.report.ranking import (
    Standing,
    best,
    has_value,
    incomplete,
    leader,
    legend,
    marks,
    ranked,
    verdict,
)

SCRIPT = "<script>alert('x')</script>&\""


def _with(report, **values):
    """The report with only these rows, and these values of the ranking metric."""
    rows = [
        dataclasses.replace(report.rows[0], name=name, metrics={"fid": value} if value else {})
        for name, value in values.items()
    ]
    return dataclasses.replace(report, rows=tuple(rows))


def _around(mean, half, p=None, over="seeds"):
    return MetricValue(mean, mean - half, mean + half, p_value=p, over=over)


def test_order_ranks_and_standings(report):
    # p-values 0.04, 0.05 and 0.0004 against alpha = 0.05.
    order = [(place.row.name, place.rank, place.standing) for place in ranked(report)]
    assert order == [
        ("leading", 1, Standing.LEADER),
        ("middling", 2, Standing.BEHIND),
        (SCRIPT, 3, Standing.TIED),
        ("far", 4, Standing.BEHIND),
        ("code", None, Standing.UNRANKED),
        ("broken", None, Standing.FAILED),
    ]


def test_the_other_direction_turns_the_order_around(report):
    upward = tuple(dataclasses.replace(column, lower_is_better=False) for column in report.metrics)
    order = ranked(dataclasses.replace(report, metrics=upward))
    assert [place.row.name for place in order][:4] == ["far", SCRIPT, "middling", "leading"]


def test_equal_means_share_a_rank(report):
    tie = _with(report, a=_around(1.0, 0.5), b=_around(1.0, 0.1), c=_around(3.0, 0.1))
    assert [place.rank for place in ranked(tie)] == [1, 1, 3]


def test_values_that_are_not_finite_and_failed_rows_are_not_ranked(report):
    some = _with(report, bad=MetricValue(math.nan), good=_around(1.0, 0.1))
    broken = dataclasses.replace(some.rows[1], name="partly", failed="seed 2 diverged")
    some = dataclasses.replace(some, rows=(*some.rows, broken))
    assert [(p.row.name, p.rank) for p in ranked(some)] == [
        ("good", 1),
        ("bad", None),
        ("partly", None),
    ]
    assert best(some, "fid") == {"good"}


def test_a_row_that_lacks_a_seed_comes_after_all_that_lack_none_and_says_why(report):
    some = _with(
        report,
        none=None,
        lucky=MetricValue(0.1, per_seed=(0.1, None, 0.1)),
        worst=_around(90.0, 0.1),
        undefined=MetricValue(0.0, per_seed=(float("nan"), 0.0, 0.0)),
    )
    broken = dataclasses.replace(some.rows[1], name="broken", failed="seed 2 diverged")
    some = dataclasses.replace(some, rows=(broken, *some.rows))
    assert [(p.row.name, p.rank, p.standing) for p in ranked(some)] == [
        ("worst", 1, Standing.LEADER),
        ("lucky", None, Standing.INCOMPLETE),
        ("undefined", None, Standing.INCOMPLETE),
        ("none", None, Standing.UNRANKED),
        ("broken", None, Standing.FAILED),
    ]
    assert best(some, "fid") == {"worst"}
    assert "worst has the lowest FID (90.00, interval 89.90 to 90.10)" in verdict(some)
    assert "lucky has no value in 1 of 3 seeds and is not ranked." in verdict(some)
    assert incomplete(some.rows[0], "fid") == ""
    # Where the direction is the other one, it is no better.
    upward = tuple(dataclasses.replace(column, lower_is_better=False) for column in some.metrics)
    assert ranked(dataclasses.replace(some, metrics=upward))[0].row.name == "worst"


def test_two_seeds_are_told_as_they_are(report):
    bare = dataclasses.replace(report.rows[1], seeds=(0, 1), metrics={})
    pair = dataclasses.replace(report, rows=(bare,))
    some = _with(pair, a=MetricValue(1.5, per_seed=(1.0, 2.0)), b=_around(9.0, 1.0))
    assert verdict(some).startswith("a has the lowest FID (1.50, two seeds: 1.00 and 2.00), ahead")
    assert "Two seeds are shown as they are: no interval can be told from two values." in legend(
        some
    )
    assert not any("Two seeds" in line for line in legend(report))


def test_significance_and_not_the_overlap_of_intervals_decides(report):
    some = _with(
        report,
        a=_around(1.0, 0.5),
        near=_around(1.1, 0.5, p=0.01),
        far=_around(9.0, 0.1, p=0.2),
        unknown=_around(9.5, 0.1),
    )
    assert [place.standing for place in ranked(some)] == [
        Standing.LEADER, Standing.BEHIND, Standing.TIED, Standing.UNKNOWN,
    ]  # fmt: skip


def test_leaders(report):
    fid = report.ranking_column
    some = _with(report, bad=MetricValue(math.nan), a=_around(2.0, 0.1), b=_around(2.0, 0.5))
    assert [has_value(row, "fid") for row in some.rows] == [False, True, True]
    assert leader(some.rows, fid).name == "a"
    broken = [dataclasses.replace(some.rows[1], failed="x"), some.rows[2]]
    assert leader(broken, fid).name == "b"
    assert leader(some.rows, dataclasses.replace(fid, lower_is_better=None)) is None
    assert leader([], fid) is None


def test_marks_appear_and_vanish(report):
    fid = report.ranking_column

    def marked(**values):
        some = _with(report, **values)
        return {row.name: marks(some, row, fid) for row in some.rows}, legend(some)

    found, lines = marked(a=_around(1.0, 0.1), like=_around(2.0, 0.1, p=0.05))
    assert found == {"a": "", "like": "≈"}
    assert lines[0].startswith("≈ not significantly different from the best of its column")
    assert "Holm" in lines[0]
    assert "alpha 0.05" in lines[0]
    assert len(lines) == 1

    found, lines = marked(a=_around(1.0, 0.1), far=_around(2.0, 0.1, p=0.049))
    assert found == {"a": "", "far": ""}
    assert lines[0].startswith("All differ significantly from the best of their column")

    found, lines = marked(a=_around(1.0, 0.1), far=_around(2.0, 0.1, p=0.01), few=_around(3.0, 0.5))
    assert found == {"a": "", "far": "", "few": "?"}
    assert lines[1].startswith("? shares fewer than 3 training seeds")


def test_without_three_seeds_it_is_said_and_nothing_is_marked(report):
    some = _with(report, a=_around(1.0, 0.1), b=_around(2.0, 0.1))
    assert legend(some) == ("Fewer than 3 training seeds: significance cannot be judged.",)
    assert [marks(some, row, some.ranking_column) for row in some.rows] == ["", ""]
    alone = _with(report, a=_around(1.0, 0.1))
    assert legend(alone) == ()


def test_intervals_over_samples_are_marked(report):
    some = _with(report, a=_around(1.0, 0.1, over="samples"), b=MetricValue(2.0, over="samples"))
    assert [marks(some, row, some.ranking_column) for row in some.rows] == ["†", ""]
    assert legend(some)[1].startswith("† interval over the drawing of samples or test images")
    assert "(1.00, interval over samples 0.90 to 1.10)" in verdict(some)


def test_columns_without_a_direction_have_no_best_and_no_marks(report):
    columns = tuple(
        dataclasses.replace(column, lower_is_better=None) if column.name == "recall" else column
        for column in report.metrics
    )
    neutral = dataclasses.replace(report, metrics=columns)
    assert best(neutral, "recall") == frozenset()
    assert [marks(neutral, row, columns[0]) for row in neutral.rows] == [""] * 6


def test_best_goes_by_the_direction_of_the_column(report):
    assert best(report, "fid") == {"leading"}
    assert best(report, "recall") == {"middling"}
    # The only one lacks a seed.
    assert best(report, "elbo") == frozenset()
    assert best(_with(report, a=None), "fid") == frozenset()


def test_verdict_names_what_does_not_differ(report):
    noise = _with(
        report, a=_around(5.0, 0.5), b=_around(6.0, 0.5, p=0.21), c=_around(7.0, 0.5, p=0.3)
    )
    assert verdict(noise) == (
        "a has the lowest FID (5.00, interval 4.50 to 5.50), but b, the second (6.00, interval 5.50"
        " to 6.50; p = 0.21), does not differ significantly from it. The same goes for c."
    )


def test_verdict_names_a_clear_lead(report):
    assert verdict(report) == (
        "leading has the lowest FID (10.75, interval 9.88 to 11.62), significantly ahead of"
        " middling, the second (12.50, interval 11.25 to 13.75; p = 0.04), though not of"
        f" {SCRIPT}. broken failed and is not ranked."
    )
    clear = _with(report, a=_around(5.0, 0.5, p=0.0001), b=_around(3.0, 0.5))
    assert verdict(clear) == (
        "b has the lowest FID (3.00, interval 2.50 to 3.50), significantly ahead of a, the second"
        " (5.00, interval 4.50 to 5.50; p < 0.001)."
    )


def test_verdict_without_enough_seeds_claims_nothing(report):
    single = _with(report, a=MetricValue(5.0), b=MetricValue(3.0))
    assert verdict(single) == (
        "b has the lowest FID (3.00), ahead of a (5.00); with fewer than 3 seeds of both there is"
        " no judging whether the difference is more than chance."
    )


def test_verdict_of_one_and_of_none(report):
    assert verdict(_with(report, a=_around(5.0, 0.5), b=None)) == (
        "a has the lowest FID (5.00, interval 4.50 to 5.50); no other run has a value to compare"
        " it with."
    )
    assert verdict(_with(report)) == "No run has a value of FID, so there is no ranking."
    failed = [dataclasses.replace(row, failed="x") for row in _with(report, a=None, b=None).rows]
    both = dataclasses.replace(report, rows=tuple(failed))
    assert verdict(both).endswith("no ranking. a and b failed and are not ranked.")
