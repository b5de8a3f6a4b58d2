"""From finished runs to a report: names, intervals, significance, refusals."""

import dataclasses
import math
from pathlib import Path

import pytest
import tiny
from scipy import stats

from jaxgan.config import ConfigError, EarlyStopping, Evaluation
from jaxgan.data.pipeline import Data
from jaxgan.evaluation.metrics import SampleMetric
from jaxgan.objectives.gan.penalties import GradientPenalty
from jaxgan.objectives.vae.likelihoods import Gaussian
from jaxgan.study import rows as rows_module
from jaxgan.study.comparison import Entry, Study, Trained, report
from jaxgan.study.rows import Outcome
from jaxgan.study.subject import subject_of
from jaxgan.visualization.report.data import Floor, MetricValue
from jaxgan.visualization.report.ranking import ranked
from jaxgan.visualization.report.text_table import text_table

PENALIZED = dataclasses.replace(
    tiny.gan().model, penalties=(GradientPenalty(weight=2.5),), n_critic=1
)


@pytest.mark.parametrize(
    ("experiment", "expected"),
    [
        (tiny.gan(), "NonSaturating(), 2 critic updates a step"),
        (tiny.gan(precision="bfloat16"), "NonSaturating(), 2 critic updates a step, bfloat16"),
        (tiny.gan(model=PENALIZED), "NonSaturating(), GradientPenalty(weight=2.5)"),
        (tiny.vae(), "ELBO, Bernoulli(), beta = 1"),
        (tiny.vae(precision="bfloat16"), "ELBO, Bernoulli(), beta = 1, bfloat16"),
        (tiny.vae(model=tiny.Regression()), "Regression"),
        (tiny.vae(model=tiny.Regression(), precision="bfloat16"), "Regression, bfloat16"),
    ],
)
def test_objectives(experiment, expected):
    assert subject_of(experiment).objective == expected


@pytest.fixture(autouse=True)
def no_logs(monkeypatch):
    monkeypatch.setattr(rows_module, "read_jsonl", lambda path: [])


def trained(name, *results, experiment=None):
    """A row whose runs have no files, one result (or reason of failure) a seed."""
    outcomes = []
    for seed, result in enumerate(results):
        folder = Path("absent") / f"{name}-seed{seed}"
        if isinstance(result, str):
            outcomes.append(Outcome(seed, folder, None, result))
            continue
        document = {
            "parameters": {"network": 10}, "seconds": {"training": 1.0}, "hardware": {},
            "versions": {}, **result,
        }  # fmt: skip
        outcomes.append(Outcome(seed, folder, document, None))
    experiment = dataclasses.replace(experiment or tiny.gan(), name=name)
    return Trained(Entry("file.py"), experiment, "", tuple(outcomes))


def fids(*values, **more):
    return [{"metrics": {"fid[x]": value, **more}} for value in values]


def reported(*rows, **changes):
    seeds = tuple(range(len(rows[0].outcomes)))
    study = Study("s", "S", (), seeds, 100, **changes)
    return report(study, [*rows], command="c", seconds=1.0)


def test_rows_are_compared_with_the_best_seed_by_seed_and_corrected():
    best, near, far = (1.0, 2.0, 3.0, 4.0), (1.2, 1.9, 3.3, 4.1), (3.0, 4.1, 5.2, 6.0)
    made = reported(
        trained("near", *fids(*near)), trained("far", *fids(*far)), trained("best", *fids(*best))
    )
    found = {row.name: row.metrics["fid"] for row in made.rows}
    p_near, p_far = (stats.ttest_rel(values, best).pvalue for values in (near, far))
    assert 2 * p_far < 0.05 < p_near
    assert found["best"].p_value is None
    assert found["near"].p_value == pytest.approx(p_near, rel=1e-9)
    assert found["far"].p_value == pytest.approx(2 * p_far, rel=1e-9)
    assert (found["near"].like_best, found["far"].like_best) == (True, False)
    # The intervals over seeds of all three overlap: only the pairing tells far from best.
    assert found["far"].low < found["best"].high
    table = text_table(made)
    (near_line,) = (line for line in table.splitlines() if " near " in line and "[" in line)
    assert "≈" in near_line
    (far_line,) = (line for line in table.splitlines() if " far " in line and "[" in line)
    assert "≈" not in far_line


def test_the_best_of_each_column_is_the_reference_of_that_column():
    rows = [
        trained("a", *fids(1.0, 1.1, 1.2, **{"is[x]": 2.0})),
        trained("b", *fids(2.0, 2.1, 2.4, **{"is[x]": 3.0})),
    ]
    a, b = (row.metrics for row in reported(*rows).rows)
    assert (a["fid"].p_value, b["is"].p_value) == (None, None)
    assert b["fid"].p_value == pytest.approx(stats.ttest_rel([2.0, 2.1, 2.4], [1, 1.1, 1.2]).pvalue)
    assert a["is"].p_value == 0.0  # lower in every seed by the same


def test_failed_rows_and_columns_without_direction_are_not_judged():
    rows = [
        trained("a", *fids(1.0, 1.1, 1.2, **{"kl[x]": 2.0})),
        trained("b", *fids(2.0, 2.1, 2.4, **{"kl[x]": 3.0})),
        trained("broken", *fids(0.1, 0.2), "diverged"),
    ]
    a, b, broken = (row.metrics for row in reported(*rows).rows)
    assert (a["kl"].p_value, b["kl"].p_value) == (None, None)
    assert (a["fid"].p_value, broken["fid"].p_value) == (None, None)
    assert b["fid"].p_value is not None


@pytest.mark.parametrize("count", [1, 2])
def test_fewer_than_three_seeds_are_not_judged_and_it_is_said(count):
    made = reported(trained("a", *fids(*(1.0,) * count)), trained("b", *fids(*(9.0,) * count)))
    assert [row.metrics["fid"].p_value for row in made.rows] == [None, None]
    assert "Fewer than 3 training seeds: significance cannot be judged." in text_table(made)
    assert "≈" not in text_table(made)


def test_one_seed_has_the_interval_over_samples_and_says_so():
    one = {"metrics": {"fid[x]": 5.0, "kid[x]": 1.0}, "intervals": {"fid[x]": [4.0, 7.0]}}
    (row,) = reported(trained("a", one)).rows
    fid, kid = row.metrics["fid"], row.metrics["kid"]
    assert (fid.interval, fid.over) == ((4.0, 7.0), "samples")
    assert (kid.interval, kid.over) == (None, "seeds")
    table = text_table(reported(trained("a", one)))
    assert "5.00 [4.00, 7.00] †" in table
    assert "† interval over the drawing of samples" in table
    # With two seeds there is none, with more it is over those.
    two = [{**one, "metrics": {"fid[x]": value}} for value in (6.0, 10.0)]
    (row,) = reported(trained("a", one, two[0])).rows
    assert (row.metrics["fid"].mean, row.metrics["fid"].interval) == (5.5, None)
    (row,) = reported(trained("a", one, *two)).rows
    assert row.metrics["fid"].over == "seeds"
    # About the logarithm: a distance is never negative.
    factor = math.exp(stats.t.ppf(0.975, 2) * stats.sem([5.0, 6.0, 10.0]) / 7)
    assert row.metrics["fid"].interval == pytest.approx((7 / factor, 7 * factor))


def test_no_interval_leaves_what_a_metric_can_be():
    results = [
        {"metrics": {"fid[x]": fid, "precision[x]": share, "kid[x]": fid}}
        for fid, share in ((0.5, 1.0), (1.0, 0.99), (9.0, 0.5))
    ]
    (row,) = reported(trained("a", *results)).rows
    assert row.metrics["fid"].low > 0
    assert 0 < row.metrics["precision"].low < row.metrics["precision"].high < 1
    # Unbiased, and so not bounded.
    assert row.metrics["kid"].low < 0


def test_seeds_that_are_all_alike_have_no_interval():
    (row,) = reported(trained("a", *[{"metrics": {"precision[x]": 1.0}}] * 3)).rows
    assert (row.metrics["precision"].mean, row.metrics["precision"].interval) == (1.0, None)


def test_a_row_with_an_undefined_seed_does_not_outrank_one_without():
    rows = [
        trained("lucky", *fids(9.0, 9.0, 9.0, **{"reverse_kl[x]": 0.1})),
        trained("complete", *fids(1.0, 1.1, 1.2, **{"reverse_kl[x]": 0.5})),
    ]
    rows[0].outcomes[1].result["metrics"]["reverse_kl[x]"] = math.nan
    made = reported(*rows, rank_by="reverse_kl")
    assert [(place.row.name, place.rank) for place in ranked(made)] == [
        ("complete", 1), ("lucky", None),
    ]  # fmt: skip
    table = text_table(made)
    assert table.index("complete") < table.index("lucky")
    assert "lucky has no value in 1 of 3 seeds and is not ranked." in " ".join(table.split())


def test_an_interval_that_lacks_its_value_is_left_out():
    one = {"metrics": {"fid[x]": 5.0}, "intervals": {"fid[x]": [6.0, 7.0]}}
    assert reported(trained("a", one)).rows[0].metrics["fid"].interval is None


def test_rows_of_different_protocols_are_not_ranked():
    rows = [
        trained("a", {"metrics": {"fid[pixels8x8,train10,gen10,q8,ema]": 1.0}}),
        trained("b", {"metrics": {"fid[pixels8x8,train10,gen20,q8,ema]": 1.0}}),
    ]
    with pytest.raises(ConfigError, match=r"a-seed0 and b-seed0 .* sample_count: 10 and 20"):
        reported(*rows)


def test_likelihoods_of_two_kinds_are_shown_but_not_ranked():
    soft = tiny.vae()
    soft = dataclasses.replace(soft, model=dataclasses.replace(soft.model, likelihood=Gaussian()))
    results = [{"metrics": {"fid[x]": 1.0, "elbo[t]": -3.0, "kl[t]": 1.0}}] * 3
    hard, other = (
        trained("a", *results, experiment=tiny.vae()), trained("b", *results, experiment=soft)
    )  # fmt: skip
    columns = {column.name: column for column in reported(hard, other).metrics}
    assert columns["elbo"].lower_is_better is None
    assert "Not comparable between likelihoods (Bernoulli, Gaussian)" in columns["elbo"].explanation
    assert columns["fid"].lower_is_better is True
    alike = {column.name: column for column in reported(hard, trained("c", *results)).metrics}
    assert alike["elbo"].lower_is_better is False
    with pytest.raises(ConfigError, match="a and b cannot be ranked by elbo: likelihood: Bern"):
        reported(hard, other, rank_by="elbo")


def test_plots_come_from_what_was_measured():
    results = fids(1.0, 2.0, **{"precision[x]": 0.5, "recall[x]": 0.25, "kl[t]": 2.0})
    made = reported(trained("a", *results), trained("b", *results))
    assert [plot.title for plot in made.plots] == ["Precision and recall"]
    assert len(made.plots[0].points) == 2
    assert reported(trained("a", *fids(1.0))).plots == ()


def test_the_protocol_says_which_weights_and_which_state():
    protocol = reported(trained("a", *fids(1.0))).protocol
    assert "moving average" in protocol["Weights"]
    assert protocol["Selection"].startswith("none")
    chosen = tiny.gan(
        evaluation=Evaluation(weights="raw", every=2),
        data=Data(validation=100),
        early_stopping=EarlyStopping(metric="fid"),
    )
    protocol = reported(trained("a", *fids(1.0), experiment=chosen)).protocol
    assert protocol["Weights"] == "as trained, not averaged"
    assert protocol["Selection"].startswith("by fid on the validation split")


def test_a_study_of_which_every_run_fails_is_reported_too():
    made = reported(trained("a", "diverged"), trained("b", "diverged"))
    assert [column.name for column in made.metrics] == ["fid"]
    assert "No run has a value of Fréchet distance" in text_table(made)
    assert "a failed: seed 0: diverged" in text_table(made)


def test_a_metric_from_elsewhere_has_one_column_which_does_not_rank(monkeypatch):
    """Even where two metrics give it; names that the package knows keep their own columns."""
    for name, gives in (("light", ("brightness",)), ("bright", ("brightness", "contrast"))):
        metric = SampleMetric(lambda measured: {}, gives)
        monkeypatch.setitem(rows_module.SAMPLE_METRICS, name, metric)
    made = reported(trained("a", *fids(1.0, **{"brightness[x]": 0.5})))
    columns = {column.name: column for column in made.metrics}
    assert [*columns] == ["fid", "brightness"]
    assert columns["brightness"].lower_is_better is None
    assert columns["brightness"].explanation.startswith("Measured: brightness[x]")
    assert made.rows[0].metrics["brightness"].mean == 0.5


def test_unequal_tuning_is_said_and_else_nothing():
    row = trained("a", *fids(1.0))
    assert reported(row).notes == ()
    assert "Tuning" not in reported(row).protocol
    told = reported(row, tuning="only a <was>")
    assert told.notes == ("Tuning: only a <was>",)
    assert told.protocol["Tuning"] == "only a <was>"


def test_what_the_runs_warn_of_is_said_once():
    row = trained("a", *fids(1.0, 2.0))
    for outcome, told in zip(row.outcomes, (["fid of few", 3], ["fid of few"]), strict=True):
        outcome.result["warnings"] = told
    assert reported(row).notes == ("Mind: fid of few.",)
    row.outcomes[0].result["warnings"] = "no list"
    assert reported(row, tuning="x").notes == ("Tuning: x", "Mind: fid of few.")


def test_alarms_of_runs_are_told_with_row_and_seed():
    rows = trained("a", *fids(1.0, 2.0)), trained("b", *fids(1.0, 2.0))
    alarm = {"name": "no_variety", "since": 450, "raised": 950, "text": "all images are one"}
    rows[0].outcomes[1].result["alarms"] = [alarm]
    # A run of an older version has none, and a damaged document is no reason to have no report.
    rows[1].outcomes[0].result["alarms"] = [3, {"name": "x"}]
    rows[1].outcomes[1].result["alarms"] = "none"
    assert reported(*rows).notes == ("Alarm: a, seed 1, since step 450: all images are one.",)


def test_runs_are_linked_from_the_folder_of_the_page():
    row = trained("a", *fids(1.0, 2.0))
    study = Study("s", "S", (), (0, 1), 100)
    made = report(study, [row], command="c", seconds=1.0, folder=Path("absent/page"))
    assert made.rows[0].runs == ("../a-seed0", "../a-seed1")
    assert reported(row).rows[0].runs == ()


def test_real_images_have_the_columns_of_the_rows():
    floor = Floor("real", "why", {"fid": MetricValue(0.1), "kid": MetricValue(0.2)})
    study = Study("s", "S", (), (0,), 100)
    made = report(study, [trained("a", *fids(1.0))], command="c", seconds=1.0, floor=floor)
    assert made.floor.metrics == {"fid": MetricValue(0.1)}
    assert "real" in text_table(made)


def test_runs_of_two_states_of_the_code_name_both():
    one, two = fids(1.0, 2.0)
    one["versions"] = {"commit": "aaa", "jax": "0.10"}
    two["versions"] = {"commit": "bbb", "jax": "0.10"}
    made = reported(trained("a", one, two))
    assert made.environment == {"commit": "aaa and bbb", "jax": "0.10"}
