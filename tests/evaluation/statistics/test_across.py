"""Aggregates over tasks: against SciPy, the package ``rliable``, and counts by hand."""

import importlib.util
import json
import math
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from jaxgan.evaluation.statistics.across import (
    interquartile_mean,
    optimality_gap,
    performance_profile,
    probability_of_improvement,
    stratified,
)

REFERENCE = Path(__file__).parents[1] / "reference"


@pytest.fixture(scope="module")
def recorded():
    """Scores by name, and what rliable said of them; see reference/make_across.py."""
    spec = importlib.util.spec_from_file_location("make_across", REFERENCE / "make_across.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    values = json.loads((REFERENCE / "across.json").read_text())["values"]
    return module.THRESHOLDS, [(*scores, values[name]) for name, *scores in module.cases()]


def test_against_rliable(recorded):
    thresholds, cases = recorded
    for first, second, said in cases:
        a, b = list(first.T), list(second.T)
        assert interquartile_mean(a) == pytest.approx(said["interquartile_mean"], abs=1e-12)
        assert optimality_gap(a) == pytest.approx(said["optimality_gap"], abs=1e-12)
        improvement = probability_of_improvement(a, b)
        assert improvement == pytest.approx(said["probability_of_improvement"], abs=1e-12)
        assert probability_of_improvement(b, a) == pytest.approx(1 - improvement, abs=1e-12)
        profile = performance_profile(a, thresholds)
        np.testing.assert_allclose(profile, said["performance_profile"], atol=1e-12)


def test_the_interval_is_rliables_but_for_the_draws(recorded):
    for first, _, said in recorded[1]:
        found = stratified(interquartile_mean, list(first.T), draws=2_000)
        # A quantile of 2,000 draws is within some hundredths of the interval's width.
        width = said["interval"][1] - said["interval"][0]
        np.testing.assert_allclose(found[1:], said["interval"], atol=0.06 * width)


def test_tasks_may_have_different_numbers_of_runs():
    scores = [np.array([1.0, 5.0, 2.0]), np.array([4.0, -8.0]), np.array([3.0])]
    assert interquartile_mean(scores) == stats.trim_mean([1.0, 5.0, 2.0, 4.0, -8.0, 3.0], 0.25)
    assert interquartile_mean(scores) == 2.5
    assert optimality_gap(scores, 3.0) == 3 - (1 + 3 + 2 + 3 - 8 + 3) / 6
    found = performance_profile(scores, np.array([-9.0, 1.0, 2.5, 5.0]))
    np.testing.assert_allclose(found, [1.0, 4 / 6, 3 / 6, 0.0])


def test_probability_of_improvement_is_mann_and_whitneys():
    generator = np.random.default_rng(0)
    a, b = generator.normal(size=9), generator.normal(0.3, 1, size=6)
    u = stats.mannwhitneyu(a, b).statistic / (9 * 6)
    assert probability_of_improvement([a], [b]) == pytest.approx(u)
    # 3 beats 1 and ties with 3: 0.75. Of the second task all is lost; the mean counts tasks alike.
    tasks = [np.array([3.0]), np.array([0.0, 0.0, 0.0])]
    others = [np.array([1.0, 3.0]), np.array([1.0])]
    assert probability_of_improvement(tasks, others) == 0.375
    # Scales of tasks do not matter, and what is infinite has a rank.
    scaled = [np.array([math.inf]), np.array([0.0, 0.0, 0.0])]
    assert probability_of_improvement(scaled, others) == 0.5


def test_runs_are_drawn_within_their_task():
    """Were they drawn from all together, the second task's large runs would move the mean."""
    scores = [np.array([0.0, 0.0]), np.array([100.0] * 6)]

    def share(runs):
        return float(np.mean(np.concatenate(runs) == 0.0))

    assert stratified(share, scores, draws=200) == (0.25, 0.25, 0.25)
    both = stratified(probability_of_improvement, scores, scores, draws=50)
    assert both == (0.5, 0.5, 0.5)


def test_coverage_of_the_interval():
    """The middle half of a symmetric law has the mean of the whole."""
    generator, hits, rounds = np.random.default_rng(2), 0, 60
    for seed in range(rounds):
        scores = [generator.normal(task, 1.0, size=10) for task in (0.0, 0.0, 0.0)]
        found = stratified(interquartile_mean, scores, draws=100, seed=seed)
        hits += found.low <= 0.0 <= found.high
    assert 0.86 < hits / rounds < 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda one: interquartile_mean([]), "no runs"),
        (lambda one: optimality_gap([one[:0]]), "no runs"),
        (lambda one: probability_of_improvement([one], [one, one]), "1 tasks cannot be compared"),
        (lambda one: probability_of_improvement([one], [one[:0]]), "at least one run of both"),
        (lambda one: stratified(interquartile_mean, [one], confidence=0.0), "between 0 and 1"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ValueError, match=message):
        call(np.array([1.0, 2.0]))
