import numpy as np
import pytest
from scipy import stats

from jaxgan.evaluation.disentanglement.sap import gap, sap, sap_svm, squared_correlation


def test_by_hand():
    # f = 0, 1, 2, 3 (each twice); z1 = f; z2 = 0, 0, 1, 1. Sums of products of deviations for one
    # round: f f 5, z2 z2 1, f z2 2. So R^2 is 1 and 2^2 / (5 * 1) = 0.8, and the gap 0.2.
    f = np.array([0, 1, 2, 3] * 2)
    codes = np.stack([f, f // 2], axis=1).astype(float)
    np.testing.assert_allclose(squared_correlation(codes, f[:, None] * 1.0), [[1], [0.8]])
    assert sap(codes, f[:, None]).value == pytest.approx(0.2)
    assert gap(np.array([[0.9, 0.2], [0.4, 0.3], [0.5, 0.1]])) == pytest.approx((0.4 + 0.1) / 2)


def test_against_scipy():
    random = np.random.default_rng(0)
    factors = random.integers((3, 6, 10), size=(300, 3))
    codes = factors @ random.normal(size=(3, 5)) + random.normal(size=(300, 5))
    table = np.array([[stats.pearsonr(z, v)[0] ** 2 for v in factors.T] for z in codes.T])
    ordered = np.sort(table, axis=0)
    assert sap(codes, factors, replicates=2).value == pytest.approx(
        np.mean(ordered[-1] - ordered[-2]), rel=1e-10
    )


@pytest.mark.parametrize("degrees", [0, 10, 30, 45, 70])
def test_rotation(all_combinations, rotation, degrees):
    """z1 = f1 cos - f2 sin: R^2 is cos^2 and sin^2 for independent factors of one variance."""
    factors = all_combinations(6, 6)
    found = sap(factors @ rotation(degrees), factors).value
    assert found == pytest.approx(abs(np.cos(2 * np.deg2rad(degrees))), abs=1e-9)


def test_factors_noise_duplicates_constants(all_combinations):
    factors = all_combinations(3, 6, 10)
    assert sap(factors, factors).value == pytest.approx(1)
    assert sap(np.pad(factors, ((0, 0), (0, 2))), factors).value == pytest.approx(1)
    assert sap(np.tile(factors, 2), factors).value == pytest.approx(0, abs=1e-12)
    assert sap(factors[:, :1], factors).value == pytest.approx(1 / 3)
    assert sap(np.zeros((180, 2)), factors).value == 0
    # n R^2 of noise is chi squared with one degree: all below 16 / n, so is their gap.
    noise = np.random.default_rng(0).normal(size=(180, 4))
    assert 0 < sap(noise, factors).value < 16 / 180
    # Tiny codes have no correlation by underflow.
    assert sap(factors * 1e-200, factors).value == pytest.approx(1)


def test_order_sign_and_scale_do_not_matter():
    random = np.random.default_rng(2)
    factors = random.integers((3, 6), size=(400, 2))
    codes = factors @ random.normal(size=(2, 4)) + random.normal(size=(400, 4))
    other = codes[:, [2, 0, 3, 1]] * [-1, 3, -0.1, 1]
    np.testing.assert_allclose(sap(codes, factors), sap(other, factors), rtol=1e-9)
    sets = [(codes[:200], factors[:200]), (codes[200:], factors[200:])]
    turned = [(c[:, ::-1] * [1, -1, 1, -1], f) for c, f in sets]
    assert sap_svm(*sets).value == pytest.approx(sap_svm(*turned).value, abs=0.02)


def test_classifiers_by_hand(all_combinations):
    # Two binary factors as codes of -1 and 1: each is told from its own dimension always, and from
    # the other one half of the time; balanced classes leave one answer to a constant.
    factors = all_combinations(2, 2, repeats=50)
    pair = (factors * 2.0 - 1, factors)
    found = sap_svm(pair, pair)
    assert found.value == pytest.approx(0.5)
    # A lone dimension against a constant one: (1 - 0.5) and (0.5 - 0.5), halved.
    assert sap_svm((pair[0][:, :1], factors), pair_of(factors)).value == pytest.approx(0.25)


def pair_of(factors):
    return factors[:, :1] * 2.0 - 1, factors


def test_classifiers_see_noise_as_nothing():
    random = np.random.default_rng(3)
    factors = random.integers((2, 3), size=(2000, 2))
    codes = random.normal(size=(2000, 5))
    found = sap_svm((codes[:1000], factors[:1000]), (codes[1000:], factors[1000:]))
    # Accuracies of 1/2 and 1/3, each with a deviation of 0.016: the two best are near each other.
    assert 0 <= found.value < 0.03


def test_a_factor_that_is_constant_in_training(all_combinations):
    factors = all_combinations(2, 2, repeats=3)
    first = factors[:, 0] == 0
    with pytest.raises(ValueError, match="factor 0 has a single value among the points to fit to"):
        sap_svm((factors[first], factors[first]), (factors, factors))
