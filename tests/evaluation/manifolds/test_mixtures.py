import math

import numpy as np
import pytest

from jaxgan.evaluation.manifolds.mixtures import mixture_metrics, mixture_scores

CORNERS = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0], [10.0, 10.0]])


def test_points_made_by_hand():
    # std 1: two good at the first corner, one at the second, and one 2.9 std off the third; one
    # 3.1 std off the fourth and one amid all of them are bad, and cover nothing.
    points = np.array([[0, 0], [0.5, -1], [10, 1], [2.9, 10], [10, 13.1], [5, 5]], np.float32)
    scores = mixture_scores(points, CORNERS, 1.0)
    assert scores.modes == 3
    assert scores.high_quality == pytest.approx(4 / 6)
    # Shares 1/2, 1/4, 1/4 against 1/4 each: log 2 / 2.
    assert scores.reverse_kl == pytest.approx(math.log(2) / 2)


def test_the_distance_is_euclidean_not_by_axis():
    # 2.5 std along both axes is 3.54 std away.
    scores = mixture_scores(np.array([[2.5, 2.5], [2.9, 0.0]]), CORNERS, 1.0)
    assert scores.high_quality == 0.5


def test_std_sets_the_scale():
    points = np.array([[1.0, 0.0]])
    assert mixture_scores(points, CORNERS, 0.4).high_quality == 1.0
    assert mixture_scores(points, CORNERS, 0.3).high_quality == 0.0


def test_collapse_on_one_mode_and_even_coverage():
    collapsed = mixture_scores(np.zeros((100, 2)), CORNERS, 0.1)
    assert collapsed.modes == 1
    assert collapsed.reverse_kl == pytest.approx(math.log(4))
    even = mixture_scores(np.repeat(CORNERS, 5, axis=0), CORNERS, 0.1)
    assert (even.modes, even.high_quality) == (4, 1.0)
    assert even.reverse_kl == pytest.approx(0.0, abs=1e-12)


def test_the_true_ring_scores_as_theory_says():
    # PacGAN's ring. Of a 2-D Gaussian, 1 - exp(-9/2) = 98.9 % lie within 3 std.
    angles = 2 * np.pi * np.arange(8) / 8
    ring = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    generator = np.random.default_rng(0)
    points = ring[generator.integers(0, 8, 20000)] + 0.01 * generator.normal(size=(20000, 2))
    scores = mixture_scores(points.astype(np.float32).reshape(-1, 1, 1, 2), ring, 0.01)
    assert scores.modes == 8
    assert abs(scores.high_quality - (1 - math.exp(-4.5))) < 0.003
    # The expectation of the plug-in KL of n draws over k cells is (k - 1) / (2 n).
    assert 0 < scores.reverse_kl < 0.001


def test_a_diverged_generator_gets_scores_not_exceptions():
    points = np.array([[np.nan, 0.0], [np.inf, 0.0], [50.0, 50.0]], np.float32)
    scores = mixture_scores(points, CORNERS, 1.0)
    assert (scores.modes, scores.high_quality) == (0, 0.0)
    assert math.isnan(scores.reverse_kl)


def test_names_say_what_was_measured():
    points = np.array([[0.0, 0.0], [10.0, 0.0], [5.0, 5.0]])
    found = mixture_metrics(points, CORNERS, 1.0, weights="raw")
    assert {name: estimate.value for name, estimate in found.items()} == {
        "modes[of4,gen3,raw]": 2.0,
        "high_quality[3std,gen3,raw]": pytest.approx(2 / 3),
        "reverse_kl[of4,gen3,raw]": pytest.approx(math.log(2)),
    }


def test_intervals_are_those_of_drawing_samples_again():
    # Shares 0.7, 0.2, 0.1 of three corners, none of the fourth and no bad ones, n = 1000.
    points = np.repeat(CORNERS, [700, 200, 100, 0], axis=0)
    found = mixture_metrics(points, CORNERS, 1.0, replicates=2000)
    modes, quality, divergence = found.values()
    assert tuple(modes) == (3.0, 3.0, 3.0)
    # Wilson 1927 for 1000 of 1000: the lower end is n / (n + z^2).
    assert quality.low == pytest.approx(1000 / (1000 + 1.959964**2), rel=1e-6)
    # Delta method: n Var = sum p l^2 - (sum p l)^2 with l = log p, the slope of sum p log p.
    p = np.array([0.7, 0.2, 0.1])
    error = math.sqrt(((p * np.log(p) ** 2).sum() - (p * np.log(p)).sum() ** 2) / 1000)
    assert divergence.high - divergence.low == pytest.approx(2 * 1.96 * error, rel=0.06)
    assert divergence.low < divergence.value < divergence.high


def test_a_single_good_sample_may_be_missed():
    # Without it a mode is lost, in exp(-1) = 37 % of the sets drawn again.
    points = np.concatenate([np.repeat(CORNERS[:3], 100, axis=0), CORNERS[3:]])
    modes = mixture_metrics(points, CORNERS, 1.0)["modes[of4,gen301,ema]"]
    assert modes.value == 4.0
    assert modes.low < 4.0


def test_what_cannot_be_scored_is_refused():
    with pytest.raises(ValueError, match="at least one sample"):
        mixture_scores(np.zeros((0, 2)), CORNERS, 1.0)
    with pytest.raises(ValueError, match="3 coordinates, the mixture's means 2"):
        mixture_scores(np.zeros((4, 3)), CORNERS, 1.0)
