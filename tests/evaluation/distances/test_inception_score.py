import json
import math
from pathlib import Path

import numpy as np
import pytest
from scipy import special, stats

from jaxgan.evaluation.distances.inception_score import (
    inception_score,
    inception_score_of_probabilities,
)


def random_logits(count=200, classes=7, seed=0, scale=2.0):
    return np.random.default_rng(seed).normal(size=(count, classes)) * scale


def test_by_hand_for_one_split():
    # Two sure verdicts of three samples: H(p(y)) = H(1/3, 2/3), and KL's mean is that entropy.
    p = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    score = inception_score_of_probabilities(p, splits=1)
    entropy = math.log(3) - 2 / 3 * math.log(2)
    np.testing.assert_allclose(score.mean, math.exp(entropy), rtol=1e-14)
    assert score.std == 0.0
    assert math.isnan(score.interval.low)
    assert math.isnan(score.interval.high)


def test_best_and_worst():
    sure = 1e4 * np.eye(5)[np.arange(100) % 5]
    np.testing.assert_allclose(inception_score(sure, splits=1).mean, 5.0, rtol=1e-12)
    np.testing.assert_allclose(inception_score(np.zeros((100, 5))).mean, 1.0, rtol=1e-14)
    collapsed = 1e4 * np.eye(5)[np.zeros(100, int)]
    np.testing.assert_allclose(inception_score(collapsed).mean, 1.0, rtol=1e-14)


def test_mean_and_std_over_splits_in_the_given_order():
    logits = random_logits(20, 3)
    p = special.softmax(logits, axis=1)
    # Entropies from SciPy: KL's mean is H(mean p) - mean H(p).
    scores = [
        np.exp(stats.entropy(part.mean(axis=0)) - stats.entropy(part, axis=1).mean())
        for part in (p[:6], p[6:13], p[13:])
    ]
    result = inception_score(logits, splits=3, seed=None)
    np.testing.assert_allclose(result.mean, np.mean(scores), rtol=1e-12)
    np.testing.assert_allclose(result.std, np.std(scores), rtol=1e-10)
    half = stats.t.ppf(0.975, 2) * stats.sem(scores)
    np.testing.assert_allclose(
        result.interval, [np.mean(scores), np.mean(scores) - half, np.mean(scores) + half]
    )


def test_offsets_and_large_logits_do_not_matter():
    logits = random_logits()
    expected = inception_score(logits)
    np.testing.assert_allclose(inception_score(logits + 1e4).mean, expected.mean, rtol=1e-10)
    offsets = np.random.default_rng(1).normal(size=(200, 1)) * 100
    np.testing.assert_allclose(inception_score(logits + offsets).mean, expected.mean, rtol=1e-10)
    assert math.isfinite(inception_score(logits * 1e5).mean)


def test_logits_and_probabilities_agree():
    logits = random_logits()
    from_logits = inception_score(logits)
    from_probabilities = inception_score_of_probabilities(special.softmax(logits, axis=1))
    np.testing.assert_allclose(from_probabilities.mean, from_logits.mean, rtol=1e-12)
    np.testing.assert_allclose(from_probabilities.interval, from_logits.interval, rtol=1e-10)


def test_the_seed_says_which_samples_meet():
    logits = random_logits()
    assert inception_score(logits) == inception_score(logits, seed=2020)
    assert inception_score(logits) != inception_score(logits, seed=1)
    # In one split the order is all the same.
    one = [inception_score(logits, splits=1, seed=seed).mean for seed in (None, 3)]
    np.testing.assert_allclose(one[0], one[1], rtol=1e-13)


def test_the_interval_covers_at_the_stated_rate():
    results = [inception_score(random_logits(200, 4, seed)).interval for seed in range(300)]
    # Of splits of 20 samples, over 3000 of them.
    expected = np.mean([result.value for result in results])
    rate = np.mean([result.low < expected < result.high for result in results])
    assert abs(rate - 0.95) < 0.05


def test_what_torch_fidelity_says():
    path = Path(__file__).parents[1] / "reference" / "sample_metrics.json"
    cases = json.loads(path.read_text())
    for case in cases["inception_score"]:
        generator = np.random.default_rng(case["seed"])
        logits = case["scale"] * generator.normal(size=(case["count"], case["classes"]))
        result = inception_score(logits.astype(np.float32), splits=case["splits"])
        np.testing.assert_allclose(result.mean, case["mean"], rtol=1e-12)
        np.testing.assert_allclose(result.std, case["std"], rtol=1e-9)


def test_errors_name_the_metric():
    logits = random_logits(9)
    with pytest.raises(ValueError, match="is: 9 samples cannot be split into 10 parts"):
        inception_score(logits)
    with pytest.raises(ValueError, match="splits >= 1"):
        inception_score(logits, splits=0)
    with pytest.raises(ValueError, match="no classes"):
        inception_score(logits[:, :0], splits=1)
    broken = logits.copy()
    broken[0, 0] = np.nan
    with pytest.raises(ValueError, match=r"is\[p\]: there are logits that are NaN"):
        inception_score(broken, splits=1, metric="is[p]")
    with pytest.raises(ValueError, match=">= 0 and of sum 1"):
        inception_score_of_probabilities(logits, splits=1)
    with pytest.raises(ValueError, match=">= 0 and of sum 1"):
        inception_score_of_probabilities(np.full((4, 3), 0.5), splits=1)
