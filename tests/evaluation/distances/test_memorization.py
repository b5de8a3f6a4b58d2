import itertools

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import cdist

from jaxgan.data.sources.digits import Digits
from jaxgan.evaluation.distances.memorization import memorization


def normal(count, seed, dimension=10):
    return np.random.default_rng(seed).normal(size=(count, dimension)).astype(np.float32)


@pytest.fixture(scope="module")
def digits():
    def images(split):
        examples = Digits().load(split)
        return np.stack([examples[i]["image"] for i in range(len(examples))])

    return images("train"), images("test")


def test_against_all_distances():
    train, held_out, generated = normal(60, 0), normal(40, 1), 0.8 * normal(50, 2)
    found = memorization(train, held_out, generated, quantile=0.25)
    of_held_out = cdist(held_out, train).min(axis=1)
    of_generated = cdist(generated, train).min(axis=1)
    limit = np.sort(of_held_out)[9]
    assert found.close.value == pytest.approx((of_generated <= limit).mean())
    assert found.close_expected == pytest.approx(0.25)
    test = stats.mannwhitneyu(of_held_out, of_generated)
    assert found.closer.value == pytest.approx(test.statistic / (40 * 50))
    nearer = of_generated < cdist(generated, held_out).min(axis=1)
    assert found.nearer_to_training == pytest.approx(nearer.mean())
    assert found.nearer_expected == pytest.approx(0.6)


def test_worked_by_hand():
    # Held-out distances 1, 2, 3; samples at 0, 2, 9 from the training point.
    train = np.zeros((2, 1), np.float32)
    held_out = np.array([[1.0], [2], [3]], np.float32)
    generated = np.array([[0.0], [-2], [-9]], np.float32)
    found = memorization(train, held_out, generated, quantile=0.5)
    # Within 2, the second of three: two samples, two held-out images.
    assert found.close.value == pytest.approx(2 / 3)
    assert found.close_expected == pytest.approx(2 / 3)
    # 0 beats 1, 2, 3; 2 beats 3 and ties with 2; 9 beats none: 4.5 of 9.
    assert found.closer.value == pytest.approx(0.5)
    assert found.nearer_to_training == 1.0
    assert found.nearer_expected == pytest.approx(0.4)


def test_the_test_by_exchange_against_permutations():
    train, held_out = normal(30, 0, 2), normal(20, 1, 2)
    # Samples in crowds, so that counting them as independent would be wrong.
    generated = np.repeat(normal(12, 2, 2), 5, axis=0)
    found = memorization(train, held_out, generated)
    chosen = cdist(generated, np.concatenate([train, held_out])).argmin(axis=1)
    generator = np.random.default_rng(3)
    shares = [np.isin(chosen, generator.permutation(50)[:30]).mean() for _ in range(4000)]
    z = (found.nearer_to_training - np.mean(shares)) / np.std(shares)
    assert found.nearer_p_value == pytest.approx(stats.norm.sf(z), abs=0.02)


def test_the_test_by_exchange_over_every_exchange():
    # Five images on a line, chosen by 4, 1, 2, 0 and 0 samples: all ten ways to call two of them
    # the training ones, and the normal tail for the mean and spread of these ten.
    images = np.float32([[0], [10], [20], [30], [40]])
    choices = np.array([4, 1, 2, 0, 0])
    generated = np.repeat(images, choices, axis=0) + 1
    found = memorization(images[:2], images[2:], generated)
    sums = [choices[list(pair)].sum() for pair in itertools.combinations(range(5), 2)]
    assert len(sums) == 10
    z = (5 - np.mean(sums)) / np.std(sums)
    assert found.nearer_to_training == pytest.approx(5 / 7)
    assert found.nearer_p_value == pytest.approx(stats.norm.sf(z), rel=1e-9)


def test_ties_are_no_copies():
    """Each of these samples has a training image and held-out ones at one distance."""
    train, held_out = np.float32([[0], [10], [50]]), np.float32([[2], [12], [14], [60]])
    generated = np.float32([[1], [11], [13], [61]])
    found = memorization(train, held_out, generated)
    # 1: of 0 and 2; 11: of 10 and 12; 13: of 12 and 14, both held out; 61: of 60.
    assert found.nearer_to_training == pytest.approx((1 / 2 + 1 / 2) / 4)
    choices = np.array([0.5, 0.5, 0, 0.5, 1, 0.5, 1])
    sums = [choices[list(three)].sum() for three in itertools.combinations(range(7), 3)]
    z = (1.0 - np.mean(sums)) / np.std(sums)
    assert found.nearer_p_value == pytest.approx(stats.norm.sf(z), rel=1e-9)
    # Three images at one distance, two of them seen: two thirds.
    found = memorization(np.float32([[0], [2]]), np.float32([[2], [9]]), np.float32([[1], [1]]))
    assert found.nearer_to_training == pytest.approx(2 / 3)


def test_images_that_are_both_seen_and_unseen_say_nothing(digits):
    """Every image is in both sets, so that new samples tie every time, as do copies."""
    train, _ = digits
    generator = np.random.default_rng(0)
    noise = generator.normal(scale=20, size=train[:200].shape)
    noised = np.clip(np.rint(train[:200] + noise), 0, 255).astype(np.uint8)
    for samples in (noised, train[:200]):
        found = memorization(train[:700], train[:700], samples)
        assert found.nearer_to_training == pytest.approx(0.5, abs=1e-12)
        assert found.nearer_p_value == pytest.approx(0.5, abs=1e-9)


def test_copies_are_caught_also_under_noise_and_among_new_images(digits):
    train, held_out = digits
    generator = np.random.default_rng(0)

    def noised(images, width):
        noise = generator.normal(scale=width, size=images.shape)
        return np.clip(np.rint(images + noise), 0, 255).astype(np.uint8)

    copies = train[generator.permutation(1500)[:300]]
    for width in (0, 2, 10):
        found = memorization(train, held_out, noised(copies, width))
        assert found.close.low > 0.9
        assert found.closer.low > 0.95
        assert found.closer_p_value < 1e-20
        assert found.nearer_p_value < 1e-6
    # One copy in five, the others poor: the mean rank says nothing, the close ones do.
    mixed = np.concatenate([copies[:60], noised(held_out[:240], 60)])
    found = memorization(train, held_out, mixed)
    assert found.closer_p_value > 0.5
    assert found.close.low > 0.12 > 2 * found.close_expected


def test_new_images_pass():
    # Twenty generators that draw from the very distribution: the tests reject as often as they say.
    results = [
        memorization(normal(200, i), normal(100, 100 + i), normal(150, 200 + i)) for i in range(20)
    ]
    assert sum(found.closer_p_value < 0.05 for found in results) <= 4
    assert sum(found.nearer_p_value < 0.05 for found in results) <= 4
    assert sum(found.closer.low <= 0.5 <= found.closer.high for found in results) >= 16
    assert np.mean([found.close.value for found in results]) == pytest.approx(0.05, abs=0.02)
    assert np.mean([found.nearer_to_training for found in results]) == pytest.approx(
        2 / 3, abs=0.04
    )


def test_smooth_samples_are_not_taken_for_copies_by_all_three():
    # Near the center, samples are close to everything, but not to training images above others.
    found = memorization(normal(300, 0), normal(300, 1), 0.5 * normal(200, 2))
    assert found.closer.low > 0.6
    assert found.nearer_p_value > 0.01


def test_held_out_images_that_repeat_training_images():
    train = normal(50, 0)
    held_out = np.concatenate([train[:10], normal(40, 1)])
    found = memorization(train, held_out, train[:20])
    assert found.close.value == 1.0
    assert found.close_expected == pytest.approx(0.2)
    assert found.close.low < 1.0


def test_what_cannot_be_compared_is_refused():
    x = normal(10, 0)
    with pytest.raises(ValueError, match="generated ones float64"):
        memorization(x, x, x.astype(np.float64))
    with pytest.raises(ValueError, match=r"held-out ones float32\(9,\)"):
        memorization(x, x[:, :9], x)
    with pytest.raises(ValueError, match="the held-out set has 1"):
        memorization(x, x[:1], x)
    with pytest.raises(ValueError, match="quantile"):
        memorization(x, x, x, quantile=0.0)
