import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from jaxgan.evaluation.disentanglement.explicitness import areas, explicitness
from jaxgan.evaluation.statistics.intervals import bootstrap


def test_by_hand():
    # Negatives 0.1 and 0.4, positives 0.35 and 0.8: of four pairs, one is the wrong way.
    scores, truth = np.array([[0.1], [0.4], [0.35], [0.8]]), np.array([[0], [0], [1], [1]], bool)
    values, influence = areas(scores, truth)
    assert values[0] == 0.75
    # Components: 0.1 is below 2 of 2, 0.4 below 1; 0.35 is above 1, 0.8 above 2. Each less 0.75,
    # over the share 1/2 of its class. DeLong: (2 * 0.25^2) / 2^2 twice = 0.0625.
    np.testing.assert_allclose(influence[:, 0], [0.5, -0.5, -0.5, 0.5])
    assert np.mean(influence**2) / 4 == pytest.approx(0.0625)


def test_against_scikit_learn_with_ties():
    random = np.random.default_rng(0)
    labels = random.integers(4, size=200)
    truth = labels[:, None] == np.arange(4)
    scores = np.round(truth + random.normal(size=(200, 4)), 1)
    values, influence = areas(scores, truth)
    expected = [roc_auc_score(t, s) for t, s in zip(truth.T, scores.T, strict=True)]
    np.testing.assert_allclose(values, expected, rtol=1e-12)
    np.testing.assert_allclose(influence.mean(axis=0), 0, atol=1e-12)


def test_the_interval_is_that_of_the_bootstrap():
    random = np.random.default_rng(1)
    labels = random.integers(3, size=300)
    truth = labels[:, None] == np.arange(3)
    scores = truth + 1.5 * random.normal(size=(300, 3))
    _, influence = areas(scores, truth)
    half = 1.96 * np.sqrt(np.mean(influence.mean(axis=1) ** 2) / 300)
    resampled = bootstrap(
        lambda rows: float(areas(scores[rows], truth[rows])[0].mean()), np.arange(300),
        replicates=400,
    )  # fmt: skip
    assert half == pytest.approx((resampled.high - resampled.low) / 2, rel=0.15)


def test_against_the_formula_in_full():
    random = np.random.default_rng(2)
    factors = random.integers((2, 4), size=(600, 2))
    codes = factors @ random.normal(size=(2, 3)) + random.normal(size=(600, 3))
    fit, held = slice(0, 400), slice(400, 600)
    z = (codes - codes[fit].mean(axis=0)) / codes[fit].std(axis=0)
    expected = []
    for y in factors.T:
        model = LogisticRegression(max_iter=1000).fit(z[fit], y[fit])
        guess = model.predict_proba(z[held])
        expected.append(
            np.mean([roc_auc_score(y[held] == k, guess[:, k]) for k in range(y.max() + 1)])
        )
    found = explicitness((codes[fit], factors[fit]), (codes[held], factors[held]))
    assert found.value == pytest.approx(np.mean(expected), rel=1e-10)
    assert found.low < found.value < found.high


def test_factors_turned_or_not_score_one_and_noise_half():
    random = np.random.default_rng(3)
    factors = random.integers((2, 3, 4), size=(3000, 3))
    turned = factors @ np.linalg.qr(random.normal(size=(3, 3)))[0]
    noise = random.normal(size=(3000, 3))
    # A constant dimension is no division by zero.
    for codes, expected, within in (
        (factors, 1, 1e-3), (np.pad(factors, ((0, 0), (0, 1))), 1, 1e-3), (turned, 1, 1e-3),
        (noise, 0.5, 0.02), (np.zeros((3000, 1)), 0.5, 1e-12),
    ):  # fmt: skip
        found = explicitness((codes[:1500], factors[:1500]), (codes[1500:], factors[1500:]))
        assert found.value == pytest.approx(expected, abs=within)


def test_values_that_are_not_tested_are_left_out():
    factors = np.array([0, 1, 2] * 20)[:, None]
    codes = factors * 1.0
    some = factors[:, 0] < 2
    assert explicitness((codes, factors), (codes[some], factors[some])).value == 1
    one = factors[:, 0] == 0
    with pytest.raises(ValueError, match="every factor has a single value among the points to mea"):
        explicitness((codes, factors), (codes[one], factors[one]))
    with pytest.raises(ValueError, match="factor 0 has a single value among the points to fit to"):
        explicitness((codes[one], factors[one]), (codes, factors))
