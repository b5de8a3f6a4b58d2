"""beta-VAE's and FactorVAE's metrics, by hand and on codes whose score is known."""

import numpy as np
import pytest

from jaxgan.evaluation.disentanglement.interventions import pooled, rendered
from jaxgan.evaluation.disentanglement.votes import (
    beta_vae_metric,
    differences,
    factor_vae_metric,
    majority_accuracy,
    steadiest,
)

METRICS = [beta_vae_metric, factor_vae_metric]
FEW = {"votes": (1000, 1000), "batch": 32}


def score(metric, codes, factors, **keywords):
    pool = pooled(codes, factors)
    return metric(pool, pool, **{**FEW, **keywords})


def test_majority_by_hand():
    # Dimension 0 was voted for by factor 0 (5 to 2), dimension 1 by factor 1 (4 to 1); dimension 2
    # by none, which leaves it to factor 0. Of 8 votes, 3 + 2 + 1 fall there.
    train = np.array([[5, 1, 0], [2, 4, 0]])
    test = np.array([[3, 1, 1], [1, 2, 0]])
    assert majority_accuracy(train, test) == 6 / 8


def test_votes_by_hand():
    """Relative variances, with dimensions left out."""
    batch = np.array([[0.0, 0.0, 5.0], [2.0, 4.0, 5.0]])
    # Unbiased variances 2, 8, 0; over (1, 16, 1): 2, 0.5, 0. The last takes no part.
    fixed = pooled(np.zeros((20, 3)), np.array([[0], [1]] * 10))._replace(
        batches=lambda generator, held, size: np.tile(batch, (len(held), 1, 1))
    )
    votes = steadiest(
        fixed, np.array([True, True, False]), np.array([1.0, 16.0, 1.0]), 7, batch=2,
        generator=np.random.default_rng(0),
    )  # fmt: skip
    np.testing.assert_array_equal(votes, [[0, 7, 0]])


def test_differences_by_hand(all_combinations):
    # Values 0 and 3 in equal numbers: two points with another factor in common differ, by 3, in
    # 20 of the other 39 cases; by 0 where this one is held.
    factors = all_combinations(2, 2, repeats=20)
    features, held = differences(
        pooled(3.0 * factors, factors), 3000, batch=8, generator=np.random.default_rng(0)
    )
    assert features.shape == (3000, 2)
    for k in (0, 1):
        assert (features[held == k, k] == 0).all()
        expected = 3 * 20 / 39
        error = 3 * 0.5 / np.sqrt(8 * (held == k).sum())
        assert features[held == k, 1 - k].mean() == pytest.approx(expected, abs=5 * error)
    assert np.mean(held) == pytest.approx(0.5, abs=0.05)
    # Signs do not cancel: the mean is of absolute differences.
    assert features.min() >= 0


@pytest.mark.parametrize("metric", METRICS)
class TestKnownCodes:
    def test_factors_score_one(self, metric, all_combinations):
        factors = all_combinations(3, 4, 5, repeats=10)
        found = score(metric, factors * [1, 2, -1], factors)
        assert found.value == found.high == 1
        # Wilson's lower end of 1,000 out of 1,000: 1 / (1 + 1.96^2 / 1000).
        assert found.low == pytest.approx(1 / (1 + 1.96**2 / 1000), abs=1e-6)

    def test_noise_scores_chance(self, metric):
        """What is guessed has nothing to do with the factor: right once in 3."""
        random = np.random.default_rng(0)
        factors = random.integers((3, 4, 5), size=(4000, 3))
        codes = random.normal(size=(4000, 4))
        pools = [pooled(codes[h], factors[h]) for h in (slice(0, 2000), slice(2000, 4000))]
        found = metric(*pools, **FEW)
        # Five standard deviations of 1,000 votes, and as much for what the pools have by chance.
        assert found.value == pytest.approx(1 / 3, abs=0.1)

    def test_rotation_by_half_a_right_angle_scores_chance(self, metric, all_combinations, rotation):
        """With one factor held, both dimensions vary as the other one does, over sqrt 2 alike.

        Exactly alike, so that rounding would decide on FactorVAE's votes; some noise does instead.
        """
        factors = all_combinations(5, 5, repeats=20)
        noise = 0.3 * np.random.default_rng(0).normal(size=(500, 2))
        found = score(metric, factors @ rotation(45) + noise, factors)
        assert found.value == pytest.approx(0.5, abs=0.1)
        assert score(metric, factors @ rotation(10), factors).value > 0.95

    def test_order_sign_and_copies_do_not_matter(self, metric):
        random = np.random.default_rng(1)
        factors = random.integers((3, 4), size=(1000, 2))
        codes = factors @ [[1.0, 0.5], [0.4, 1]] + random.normal(size=(1000, 2))
        one = score(metric, codes, factors)
        assert 0.55 < one.value < 0.999
        assert score(metric, codes[:, ::-1] * [1, -1], factors).value == pytest.approx(
            one.value, abs=1e-3
        )
        assert score(metric, np.tile(codes, 2), factors).value == pytest.approx(one.value, abs=0.01)

    def test_fewer_dimensions_than_factors(self, metric, all_combinations):
        """One dimension has one vote in FactorVAE's metric; in beta-VAE's it tells one factor."""
        factors = all_combinations(4, 4, 4, repeats=5)
        found = score(metric, factors[:, :1], factors)
        expected = 1 / 3 if metric is factor_vae_metric else 2 / 3
        assert found.value == pytest.approx(expected, abs=0.08)

    def test_constant_dimensions_take_no_part(self, metric, all_combinations):
        factors = all_combinations(3, 4, repeats=20)
        assert score(metric, np.pad(factors, ((0, 0), (1, 1))), factors).value == 1

    def test_pools_agree_with_new_images(self, metric, bare, factors_as_codes):
        """Entangled and noisy, so that the score is far from both ends."""
        sizes = (3, 6, 8)
        mixing = np.random.default_rng(3).normal(size=(3, 4)) / np.array([[1], [2], [3]])

        def represent(images):
            values = factors_as_codes(images)
            return np.sin(values @ mixing)

        new = rendered(represent, bare(sizes), count=3000)
        factors = np.random.default_rng(4).integers(sizes, size=(6000, 3))
        codes = represent(bare(sizes).images(factors))
        pools = pooled(codes[:4000], factors[:4000]), pooled(codes[4000:], factors[4000:])
        drawn, taken = metric(new, new, **FEW), metric(*pools, **FEW)
        assert 0.4 < drawn.value < 0.99
        assert taken.value == pytest.approx(drawn.value, abs=0.07)

    def test_seeds(self, metric):
        random = np.random.default_rng(5)
        factors = random.integers((3, 4), size=(600, 2))
        codes = factors + 2 * random.normal(size=(600, 2))
        one, two, other = (score(metric, codes, factors, seed=s) for s in (0, 0, 1))
        assert one == two != other

    def test_too_few_votes(self, metric, all_combinations):
        factors = all_combinations(2, 2, repeats=10)
        for votes, batch in (((0, 5), 8), ((5, 0), 8), ((5, 5), 0)):
            with pytest.raises(ValueError, match="at least one vote"):
                score(metric, factors, factors, votes=votes, batch=batch)

    def test_a_single_factor_is_always_guessed(self, metric, all_combinations):
        factors = all_combinations(3, repeats=20)
        assert score(metric, factors, factors).value == 1


def test_scale_does_not_matter_to_factor_vae(all_combinations):
    """Variances are relative to all points': a wide dimension may still be the steadiest."""
    random = np.random.default_rng(6)
    factors = random.integers((4, 4), size=(2000, 2))
    codes = factors + 0.5 * random.normal(size=(2000, 2))
    assert score(factor_vae_metric, codes, factors).value == pytest.approx(
        score(factor_vae_metric, codes * [1, 1000], factors).value
    )


def test_collapsed_dimensions(all_combinations):
    """One that hardly varies is left out of FactorVAE's metric, unless it is asked to stay."""
    factors = all_combinations(4, 4, repeats=20)
    codes = np.stack([factors[:, 0], 0.01 * factors[:, 1]], axis=1)
    assert score(factor_vae_metric, codes, factors).value == pytest.approx(0.5, abs=0.1)
    assert score(factor_vae_metric, codes, factors, pruned=0.0).value == 1
    nothing = score(factor_vae_metric, 0 * codes, factors, pruned=0.0)
    assert nothing.value == 0
    assert np.isnan([nothing.low, nothing.high]).all()
