"""From the trials of a search to its plot and its row in a report."""

from pathlib import Path

import numpy as np
import pytest
import tiny

from jaxgan.config import ConfigError
from jaxgan.study import rows as rows_module
from jaxgan.study.budgets import budgets
from jaxgan.study.comparison import assemble
from jaxgan.study.rows import Finished, Outcome
from jaxgan.study.selection import best_setting, settings_of
from jaxgan.study.subject import subject_of
from jaxgan.visualization.report.columns import COLUMNS
from jaxgan.visualization.report.data import MetricColumn
from jaxgan.visualization.report.search import Failures

FID, RECALL, F1 = (
    next(c for c in COLUMNS if c.name == name) for name in ("fid", "recall", "manifold_f1")
)


@pytest.fixture(autouse=True)
def no_logs(monkeypatch):
    monkeypatch.setattr(rows_module, "read_jsonl", lambda path: [])


def searched(name, *pairs, metric="fid", protocol="x"):
    """A row that was searched: validation and test number of each trial; None for a failed one."""
    outcomes = []
    for trial, pair in enumerate(pairs):
        folder, document = Path("runs") / f"{name}-{trial}", None
        if pair is not None:
            document = {
                "metrics": {f"{metric}[{protocol}]": pair[1]}, "validation": {metric: pair[0]},
                "parameters": {"network": 10}, "seconds": {"training": 1.0},
                "hardware": {}, "versions": {},
            }  # fmt: skip
        outcomes.append(Outcome(0, folder, document, None if document else "diverged"))
    settings = settings_of(range(len(pairs)), outcomes)
    subject = subject_of(tiny.gan())._replace(name=name)
    chosen = best_setting(settings, metric).outcomes if any(pairs) else settings[0].outcomes
    return Finished(subject, "", f"train {name}", chosen, settings)


def test_what_validation_selects_is_shown_by_its_test_number():
    first = searched("first", (3.0, 5.0), (1.0, 4.0), (2.0, 9.0))
    second = searched("second", (1.0, 2.0), None, (2.0, 1.0))
    (plot,) = budgets([first, second, searched("gone", None, None)], FID)
    (a, b) = plot.bands
    assert (a.row, b.row) == ("first", "second")
    assert a.x == (1.0, 2.0, 3.0)
    # Pairs of trials: 5 4 -> 4, 5 9 -> 9, 4 9 -> 4. All three: 4.
    np.testing.assert_allclose(a.mean, [18 / 3, 17 / 3, 4])
    # The failed one counts as the worst of all rows, 9: pairs give 2, 2, 1.
    np.testing.assert_allclose(b.mean, [12 / 3, 5 / 3, 2])
    assert "A failed trial counts as the worst value of all (9.00)" in plot.explanation
    assert (plot.x_label, plot.y_label) == ("trials k", "Fréchet distance")
    for band in plot.bands:
        assert (np.array(band.low) <= band.mean).all()
        assert (np.array(band.mean) <= band.high).all()


def test_larger_is_better_where_it_is():
    row = searched("row", (0.1, 0.2), (0.9, 0.7), (0.5, 0.8), None, metric="recall")
    (plot,) = budgets([row], RECALL)
    # From best to worst by validation: 0.7, 0.8, 0.2, and a failure at 0.2.
    expected = [1.9 / 4, (3 * 0.7 + 2 * 0.8 + 0.2) / 6, (3 * 0.7 + 0.8) / 4, 0.7]
    np.testing.assert_allclose(plot.bands[0].mean, expected)


def test_what_fid_selects_is_shown_by_its_f1_too():
    row = searched("row", (3.0, 5.0), (1.0, 4.0), (2.0, 9.0))
    for one, f1 in zip(row.settings, (0.9, 0.2, 0.6), strict=True):
        one.outcomes[0].result["metrics"]["manifold_f1[split=test]"] = f1
    sideless = MetricColumn("sigma", "Sigma", None)
    first, second = budgets([row], FID, (FID, sideless, F1))
    np.testing.assert_allclose(first.bands[0].mean, [18 / 3, 17 / 3, 4])
    # Pairs, by validation: 0.2, 0.6, 0.2. All three: 0.2, though another has 0.9.
    np.testing.assert_allclose(second.bands[0].mean, [1.7 / 3, 1 / 3, 0.2])
    assert "selects one by fid," in second.explanation
    assert second.y_label == "F1 on the manifold"


def test_rows_without_a_search_have_no_plot():
    plain = searched("plain", (1.0, 2.0))._replace(settings=())
    assert budgets([plain], FID) == ()
    assert budgets([searched("gone", None)], FID) == ()


def assembled(*rows):
    return assemble(rows, title="T", command="c", budget="b", rank_by="fid", protocol={})


def test_a_report_shows_the_selected_run_and_how_many_failed():
    made = assembled(
        searched("first", (3.0, 5.0), (1.0, 4.0), None), searched("second", (2.0, 3.0), (1.0, 6.0))
    )
    first, second = made.rows
    # By validation the second setting of either, though the test numbers say otherwise.
    assert first.metrics["fid"].per_seed == (4.0,)
    assert second.metrics["fid"].per_seed == (6.0,)
    assert first.failures == Failures(1, 3, "trials")
    assert second.failures == Failures(0, 2, "trials")
    assert first.failed is None
    assert [band.row for band in made.budgets[0].bands] == ["first", "second"]
    assert made.protocol["Search"] == (
        "first: best of 3 settings by fid on the validation split, 1 of which failed; second: best"
        " of 2 settings by fid on the validation split, 0 of which failed"
    )


def test_what_has_not_ended_has_not_failed():
    row = searched("row", (3.0, 5.0), (1.0, 4.0), None)
    waiting = Outcome(0, Path("runs/row-3"), None, "not finished", missing=True)
    half = (*row.settings[0].outcomes, waiting)
    more = (row.settings[0]._replace(number=3, outcomes=(waiting,)),
            row.settings[0]._replace(number=4, outcomes=half))  # fmt: skip
    made = assembled(row._replace(settings=(*row.settings, *more)))
    assert made.rows[0].failures == Failures(1, 3, "trials")
    assert made.budgets[0].bands[0].x == (1.0, 2.0, 3.0)
    assert made.protocol["Search"].startswith("row: best of 3 settings")
    with pytest.raises(ConfigError, match="none has ended well so far, 0 of 1 settings failed"):
        best_setting(more[:1], "fid")
    plain = row._replace(settings=(), outcomes=(*row.outcomes, waiting))
    assert assembled(plain).rows[0].failures == Failures(0, 1)
    assert assembled(plain).rows[0].failed == "seed 0: not finished"


def test_plain_rows_say_how_many_runs_failed():
    row = searched("row", (1.0, 2.0))._replace(settings=())
    gone = Outcome(1, Path("runs/gone"), None, "diverged")
    made = assembled(row._replace(outcomes=(*row.outcomes, gone)))
    assert made.rows[0].failures == Failures(1, 2)
    assert made.budgets == ()
    assert "Search" not in made.protocol


def test_trials_that_were_measured_otherwise_are_refused():
    other = searched("other", (1.0, 2.0), (0.5, 1.0), protocol="y")
    row = searched("row", (1.0, 2.0), (0.5, 1.0))
    mixed = row._replace(settings=(row.settings[0], *other.settings[1:]))
    with pytest.raises(ConfigError, match="measured under different protocols"):
        assembled(mixed)
