"""MIG and modularity, by hand, by counting in plain Python, and on codes whose score is known."""

import collections
import math

import numpy as np
import pytest

from jaxgan.evaluation.disentanglement.information import (
    discretize,
    entropy,
    gap,
    mig,
    modularity,
    modularity_of,
    mutual_information,
)

A = np.array([0, 0, 0, 0, 1, 1, 1, 1])
B = np.array([0, 0, 1, 1, 0, 0, 1, 1])
# The first dimension is A; the second is A as well, but wrong at the fourth point.
CODES = np.stack([A, [0, 0, 0, 1, 1, 1, 1, 1]], axis=1).astype(float)
FACTORS = np.stack([A, B], axis=1)
# In bits, with h(p) the entropy of a coin, h(1/4) = 0.811278, h(3/8) = 0.954434: of z2, A leaves
# h(1/4) / 2 (A = 0: one in four is wrong; A = 1: none), and B leaves (1 + h(1/4)) / 2.
I_2A = 0.954434 - 0.811278 / 2
I_2B = 0.954434 - (1 + 0.811278) / 2


def test_information_by_hand():
    found = mutual_information(discretize(CODES), FACTORS) / math.log(2)
    np.testing.assert_allclose(found, [[1, 0], [I_2A, I_2B]], atol=2e-6)
    np.testing.assert_allclose(entropy(FACTORS) / math.log(2), [1, 1])


def test_mig_by_hand():
    # Gaps: A 1 - I_2A = 0.451205; B I_2B - 0 = 0.048795. Both entropies are 1.
    estimate = mig(CODES, FACTORS)
    assert estimate.value == pytest.approx((1 - I_2A + I_2B) / 2, abs=2e-6)
    assert estimate.value == pytest.approx(0.25, abs=2e-6)
    assert estimate.low <= estimate.value <= estimate.high


def test_modularity_by_hand():
    # z1: only A. z2: 1 - I_2B^2 / I_2A^2 = 1 - 0.048795^2 / 0.548795^2 = 0.992094.
    assert modularity(CODES, FACTORS).value == pytest.approx((1 + 0.992094) / 2, abs=2e-6)


def test_of_matrices_by_hand():
    information = np.array([[3.0, 1.0, 0.0], [1.0, 2.0, 0.0], [2.0, 2.0, 0.0]])
    # Gaps (3 - 2) / 4, (2 - 2) / 4, 0; deviations 1/(9*2), 1/(4*2), 4/(4*2).
    assert gap(information, np.full(3, 4.0)) == pytest.approx(1 / 12)
    assert modularity_of(information) == pytest.approx(1 - (1 / 18 + 1 / 8 + 1 / 2) / 3)
    # A dimension that tells nothing counts as 0.
    assert modularity_of(np.zeros((1, 3))) == 0
    assert modularity_of(np.array([[2.0, 0.0], [0.0, 0.0]])) == 0.5
    # With one dimension the second best is 0; with one factor there are no others.
    assert gap(np.array([[3.0]]), np.array([4.0])) == 0.75
    assert modularity_of(np.array([[3.0], [2.0]])) == 1


def counted(codes, factors, bins):
    """MIG and modularity by disentanglement_lib's formulas, counting point by point.

    Its bins are those of `numpy.histogram`, its information scikit-learn's, in nats; here both are
    sums over dictionaries.
    """
    n, binned = len(codes), []
    for column in codes.T:
        low, width = column.min(), (column.max() - column.min()) / bins
        binned.append([min(int((x - low) / width), bins - 1) for x in column])
    table = np.zeros((len(binned), factors.shape[1]))
    for i, z in enumerate(binned):
        for j, v in enumerate(factors.T):
            joint = collections.Counter(zip(z, v.tolist(), strict=True))
            of_z, of_v = collections.Counter(z), collections.Counter(v.tolist())
            table[i, j] = sum(
                c / n * math.log(c * n / (of_z[a] * of_v[b])) for (a, b), c in joint.items()
            )
    gaps, modular = [], []
    for j, v in enumerate(factors.T):
        shares = [c / n for c in collections.Counter(v.tolist()).values()]
        first, second = sorted(table[:, j])[::-1][:2]
        gaps.append((first - second) / -sum(p * math.log(p) for p in shares))
    for row in table:
        best = max(row) ** 2
        modular.append(1 - (sum(row**2) - best) / (best * (len(row) - 1)))
    return np.mean(gaps), np.mean(modular)


@pytest.mark.parametrize(("d", "bins"), [(2, 5), (3, 20), (7, 20)])
def test_against_counting(d, bins):
    random = np.random.default_rng(d)
    factors = random.integers((3, 6, 10), size=(800, 3))
    codes = factors @ random.normal(size=(3, d)) + random.normal(size=(800, d))
    expected = counted(codes, factors, bins)
    found = [f(codes, factors, bins=bins, replicates=2).value for f in (mig, modularity)]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_bins_are_those_of_a_histogram():
    codes = np.random.default_rng(0).normal(size=(500, 3))
    for column, binned in zip(codes.T, discretize(codes).T, strict=True):
        np.testing.assert_array_equal(np.bincount(binned), np.histogram(column, 20)[0])
    # Between two bins the upper one, at the end the last one; a constant has one bin.
    np.testing.assert_array_equal(discretize(np.array([[0.0], [1], [2]]), 2)[:, 0], [0, 1, 1])
    assert np.ptp(discretize(np.ones((5, 1)))) == 0
    with pytest.raises(ValueError, match="at least 2 bins, not 1"):
        discretize(codes, 1)


def test_factors_as_codes_score_one(all_combinations):
    factors = all_combinations(3, 6, 10)
    assert mig(factors, factors).value == pytest.approx(1)
    assert modularity(factors, factors).value == pytest.approx(1)
    # More dimensions than factors: one that is constant changes the MIG not at all.
    padded = np.pad(factors, ((0, 0), (0, 1)))
    assert mig(padded, factors).value == pytest.approx(1)
    assert modularity(padded, factors).value == pytest.approx(3 / 4)


def test_factors_of_more_values_than_bins(all_combinations):
    """32 values in 20 bins: the bin of value k is floor(20 k / 31), and 31 joins the last one."""
    factors = all_combinations(32, 2)
    sizes = collections.Counter(min(20 * k // 31, 19) for k in range(32)).values()
    kept = sum(c / 32 * math.log(32 / c) for c in sizes)
    expected = (kept / math.log(32) + 1) / 2
    assert expected < 0.95
    assert mig(factors, factors).value == pytest.approx(expected)
    assert mig(factors, factors, bins=32).value == pytest.approx(1)


def test_noise():
    """Independent: 2 n I is chi squared with (20 - 1)(values - 1) degrees of freedom (Wilks).

    So all dimensions have the same information but for its deviations, sqrt(2 * 19 * 31) / 2 n =
    0.00172 nats with 32 values; the gap of the two largest of 10 is about 0.54 of one (normal order
    statistics), and the MIG 0.54 * 0.00172 / log 32 = 0.00027 with n = 10,000. The information is
    in proportion to values - 1, hence modularity 1 - (2^2 + 5^2 + 31^2) / (31^2 * 3) for 3, 6, 32
    and 32 values, apart from which of the last two happens to be the larger.
    """
    random = np.random.default_rng(5)
    factors = random.integers((3, 6, 32, 32), size=(10_000, 4))
    codes = random.uniform(size=(10_000, 10))
    found = mig(codes, factors, replicates=20)
    assert 0 < found.value < 4 * 0.00027
    information = mutual_information(discretize(codes), factors)
    expected = np.array([2, 5, 31, 31]) * 19 / 20_000
    np.testing.assert_allclose(information.mean(axis=0), expected, rtol=0.1)
    expected = 1 - (2**2 + 5**2 + 31**2) / (31**2 * 3)
    assert modularity(codes, factors, replicates=2).value == pytest.approx(expected, abs=0.05)


def test_rotation_by_half_a_right_angle(all_combinations, rotation):
    """Both dimensions then tell as much about one factor as about the other, by symmetry."""
    factors = all_combinations(5, 5)
    codes = (factors - 2) @ rotation(45)
    assert mig(codes, factors).value == pytest.approx(0, abs=1e-9)
    assert modularity(codes, factors).value == pytest.approx(0, abs=1e-9)
    # A smaller turn costs less, and none nothing.
    values = [mig((factors - 2) @ rotation(d), factors, bins=5).value for d in (0, 20, 45)]
    assert values[0] == pytest.approx(1)
    assert values[0] > values[1] > values[2]


def test_duplicates_leave_no_gap(all_combinations):
    factors = all_combinations(3, 4)
    twice = np.concatenate([factors, factors], axis=1)
    assert mig(twice, factors, replicates=2).value == pytest.approx(0, abs=1e-12)
    assert modularity(twice, factors, replicates=2).value == pytest.approx(1)


def test_order_sign_and_scale_do_not_matter():
    random = np.random.default_rng(2)
    factors = random.integers((3, 6), size=(500, 2))
    codes = factors @ random.normal(size=(2, 4)) + random.normal(size=(500, 4))
    other = codes[:, [2, 0, 3, 1]] * [-1, 3, -0.1, 1]
    for metric in (mig, modularity):
        one, two = (metric(z, factors, replicates=20) for z in (codes, other))
        np.testing.assert_allclose(one, two, rtol=1e-9)


def test_fewer_dimensions_than_factors(all_combinations):
    factors = all_combinations(4, 4)
    # Of two factors one is told entirely, with a second best of 0, and the other not at all.
    assert mig(factors[:, :1], factors).value == pytest.approx(0.5)
    assert modularity(factors[:, :1], factors).value == pytest.approx(1)


def test_intervals_are_over_the_drawing_of_points():
    random = np.random.default_rng(7)
    values = []
    for _ in range(40):
        factors = random.integers((3, 6), size=(600, 2))
        codes = factors + random.normal(size=(600, 2))
        values.append(mig(codes, factors, replicates=30))
    spread = np.std([v.value for v in values])
    half = np.mean([(v.high - v.low) / 2 for v in values])
    # 1.96 standard deviations of the estimate; bins that move with the extremes add some.
    assert 0.5 < half / (1.96 * spread) < 1.5
