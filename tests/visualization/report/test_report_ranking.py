import dataclasses
import math

import pytest

from jaxgan.visualization.report.data import MetricValue
from jaxgan.visualization.report.ranking import Standing, best, overlap, ranked, verdict

SCRIPT = "<script>alert('x')</script>&\""


def _with(report, **values):
    """The report with only these rows, and these values of the ranking metric."""
    rows = [
        dataclasses.replace(report.rows[0], name=name, metrics={"fid": value} if value else {})
        for name, value in values.items()
    ]
    return dataclasses.replace(report, rows=tuple(rows))


def _around(mean, half):
    return MetricValue(mean, mean - half, mean + half)


def test_order_ranks_and_standings(report):
    # Leader's interval [9.875, 11.625]; middling [11.25, 13.75] and the next [11.5, 16.5] reach in.
    order = [(place.row.name, place.rank, place.standing) for place in ranked(report)]
    assert order == [
        ("leading", 1, Standing.LEADER),
        ("middling", 2, Standing.TIED),
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


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (_around(1.0, 0.5), _around(2.0, 0.5), True),  # they touch
        (_around(1.0, 0.5), _around(2.0, 0.4), False),
        (_around(1.0, 5.0), _around(2.0, 0.1), True),  # one within the other
        (MetricValue(1.0), _around(1.0, 1.0), None),
    ],
)
def test_overlap(a, b, expected):
    assert overlap(a, b) is expected
    assert overlap(b, a) is expected


def test_best_goes_by_the_direction_of_the_column(report):
    assert best(report, "fid") == {"leading"}
    assert best(report, "recall") == {"middling"}
    assert best(report, "elbo") == {"code"}
    assert best(_with(report, a=None), "fid") == frozenset()


def test_verdict_names_noise(report):
    assert verdict(report) == (
        "leading has the lowest FID (10.75, interval 9.88 to 11.62), but its interval overlaps that"
        " of middling, the second (12.50, interval 11.25 to 13.75): the difference is within the"
        f" noise of the seeds. The same goes for {SCRIPT}. broken failed and is not ranked."
    )


def test_verdict_names_a_clear_lead(report):
    clear = _with(report, a=_around(5.0, 0.5), b=_around(3.0, 0.5))
    assert verdict(clear) == (
        "b has the lowest FID (3.00, interval 2.50 to 3.50), and its interval is clear of that of"
        " a, the second (5.00, interval 4.50 to 5.50)."
    )
    wide = _with(report, a=_around(5.0, 0.5), b=_around(3.0, 0.5), c=_around(6.0, 3.0))
    assert verdict(wide).endswith("(5.00, interval 4.50 to 5.50); those of c do overlap it.")


def test_verdict_without_intervals_claims_nothing(report):
    single = _with(report, a=MetricValue(5.0), b=MetricValue(3.0))
    assert verdict(single) == (
        "b has the lowest FID (3.00), ahead of a (5.00), but without an interval for both there is"
        " no telling whether the difference is more than noise."
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
