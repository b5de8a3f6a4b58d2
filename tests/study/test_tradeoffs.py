"""Plots of several rows: what they show, and when there are none."""

import dataclasses

import pytest
import tiny

from jaxgan.objectives.vae.bounds import Beta
from jaxgan.objectives.vae.likelihoods import Gaussian
from jaxgan.study.subject import subject_of
from jaxgan.study.tradeoffs import negated, tradeoffs
from jaxgan.visualization.report.data import MetricValue, Row


def row(name, failed=None, **means):
    metrics = {key: MetricValue(mean, mean - 0.5, mean + 1.0) for key, mean in means.items()}
    return Row(name, "", "", "", "", 1, 1, (), (), metrics, failed=failed)


def vae(beta, likelihood=None):
    found = tiny.vae()
    model = dataclasses.replace(found.model, beta=Beta(value=beta))
    if likelihood is not None:
        model = dataclasses.replace(model, likelihood=likelihood)
    return dataclasses.replace(found, model=model)


def told(rows, experiments):
    return tradeoffs(rows, [subject_of(experiment) for experiment in experiments])


def test_nothing_is_shown_where_nothing_was_measured():
    assert told([row("a", fid=1.0), row("b", kl=2.0)], [tiny.gan(), vae(1.0)]) == ()
    assert told([row("a", precision=0.5)], [tiny.gan()]) == ()
    assert told([], []) == ()


def test_precision_and_recall_of_the_rows_that_have_both():
    rows = [
        row("a", precision=0.8, recall=0.3),
        row("b", precision=0.5, recall=0.6),
        row("half", precision=0.5),
        row("broken", failed="seed 1 diverged", precision=0.9, recall=0.9),
        row("nan", precision=0.5, recall=0.5),
    ]
    rows[-1].metrics["recall"] = MetricValue(float("nan"))
    (plot,) = told(rows, [tiny.gan()] * 5)
    assert plot.title == "Precision and recall"
    assert (plot.x_label.split()[0], plot.y_label.split()[0]) == ("recall", "precision")
    assert [(p.row, p.x.mean, p.y.mean) for p in plot.points] == [("a", 0.3, 0.8), ("b", 0.6, 0.5)]
    assert plot.points[0].x.interval == (-0.2, 1.3)
    assert plot.line == ()


def test_density_and_coverage_alike():
    (plot,) = told([row("a", density=1.1, coverage=0.7)], [tiny.gan()])
    assert plot.title == "Density and coverage"
    assert (plot.points[0].x.mean, plot.points[0].y.mean) == (0.7, 1.1)


def test_rate_and_distortion_with_beta_and_the_hull():
    # (2, 30), (5, 20) and (10, 18) are corners; at rate 7 the line from (5, 20) to (10, 18) is at
    # 19.2, so (7, 25) lies above. GANs have no beta.
    rows = [
        row("low", kl=10.0, reconstruction=-18.0),
        row("high", kl=2.0, reconstruction=-30.0),
        row("one", kl=5.0, reconstruction=-20.0),
        row("poor", kl=7.0, reconstruction=-25.0),
        row("gan", kl=1.0, reconstruction=-1.0),
    ]
    (plot,) = told(rows, [vae(0.5), vae(4.0), vae(1.0), vae(2.0), tiny.gan()])
    assert plot.title == "Rate and distortion"
    assert "nats" in plot.x_label
    assert "nats" in plot.y_label
    assert [(p.row, p.label, p.x.mean, p.y.mean) for p in plot.points] == [
        ("low", "β = 0.5", 10.0, 18.0),
        ("high", "β = 4", 2.0, 30.0),
        ("one", "β = 1", 5.0, 20.0),
        ("poor", "β = 2", 7.0, 25.0),
    ]
    assert plot.line == ((2.0, 30.0), (5.0, 20.0), (10.0, 18.0))
    # The reconstruction's interval [-18.5, -17] becomes [17, 18.5].
    assert plot.points[0].y.interval == (17.0, 18.5)


def test_one_model_has_no_hull():
    (plot,) = told([row("a", kl=10.0, reconstruction=-18.0)], [vae(1.0)])
    assert plot.line == ()
    assert len(plot.points) == 1


def test_likelihoods_do_not_share_a_plot():
    rows = [row(name, kl=10.0, reconstruction=-18.0) for name in "abc"]
    first, second = told(rows, [vae(1.0), vae(1.0, Gaussian(0.1)), vae(2.0)])
    assert first.title == "Rate and distortion, Bernoulli likelihood"
    assert [point.row for point in first.points] == ["a", "c"]
    assert second.title == "Rate and distortion, Gaussian likelihood"
    assert [point.row for point in second.points] == ["b"]


def test_negated_values():
    value = negated(MetricValue(1.0, 0.5, 3.0, (2.0, None), "samples", 0.3))
    assert value == MetricValue(-1.0, -3.0, -0.5, (-2.0, None), "samples", 0.3)
    assert negated(MetricValue(1.0)).interval is None
    assert value.per_seed[0] == pytest.approx(-2.0)
