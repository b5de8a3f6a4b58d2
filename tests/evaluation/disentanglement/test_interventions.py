import numpy as np
import pytest

from jaxgan.evaluation.disentanglement.interventions import pooled, rendered


@pytest.fixture(params=["pooled", "rendered"])
def make(request, bare, factors_as_codes, all_combinations):
    """Batches of codes that are the factors, of 1, 3 and 4 values; the first never varies."""
    if request.param == "rendered":
        return rendered(factors_as_codes, bare((1, 3, 4)), count=2000)
    factors = all_combinations(1, 3, 4, repeats=20)
    return pooled(factors, factors)


def test_pairs_agree_in_the_factor_held_and_in_no_other(make):
    held = np.array([0, 1] * 200)
    first, second = make.pairs(np.random.default_rng(0), held, 16)
    assert first.shape == second.shape == (400, 16, 3)
    for k in (0, 1):
        same = (first == second)[held == k].mean(axis=(0, 1))
        assert same[0] == 1
        assert same[1 + k] == 1
        # The other factor agrees by chance, once in its number of values (4 and 3).
        assert same[2 - k] == pytest.approx((1 / 4, 1 / 3)[k], abs=0.05)
    # Pairs of one batch have values of their own.
    assert np.ptp(first[0, :, 1]) > 0


def test_batches_agree_in_the_factor_held_and_in_no_other(make):
    held = np.array([0, 1] * 200)
    codes = make.batches(np.random.default_rng(0), held, 32)
    assert codes.shape == (400, 32, 3)
    for k in (0, 1):
        varied = np.ptp(codes[held == k], axis=1) > 0
        assert not varied[:, 1 + k].any()
        assert varied[:, 2 - k].all()
        # Every value is held in turn.
        values = np.bincount(codes[held == k][:, 0, 1 + k].astype(int), minlength=3 + k)
        assert values.min() > 0.5 * 200 / (3 + k)


def test_counts_and_variances(make):
    assert make.factors == 2
    # Of numbers 0 to m - 1: (m^2 - 1) / 12, so 8 / 12 and 15 / 12.
    np.testing.assert_allclose(make.variances, [0, 8 / 12, 15 / 12], rtol=0.05)


def test_the_points_of_a_pair_from_a_pool_are_two():
    factors = np.array([[0], [1]] * 10)
    name = np.arange(20.0)[:, None]
    first, second = pooled(name, factors).pairs(np.random.default_rng(1), np.zeros(500, int), 4)
    assert (first != second).all()
    assert (first % 2 == second % 2).all()
    # All of the nine others are met equally often: 2,000 pairs in 180 cells.
    met = np.zeros((20, 20))
    np.add.at(met, (first.astype(int).ravel(), second.astype(int).ravel()), 1)
    assert (met > 0).sum() == 180
    assert met.max() < 35


def test_drawing_depends_on_the_generator_alone(make):
    held = np.array([0, 1, 1])
    one, two, other = (make.batches(np.random.default_rng(s), held, 8) for s in (0, 0, 1))
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one, other)


def test_too_few_points(all_combinations, bare, factors_as_codes):
    factors = all_combinations(2, 3, repeats=10)
    keep = ~((factors[:, 1] == 2) & (np.arange(60) >= 30))
    few = np.concatenate([factors[keep], factors[:6]])
    lonely = np.concatenate([factors[factors[:, 1] < 2], factors[factors[:, 1] == 2][:9]])
    assert pooled(few, few).factors == 2
    with pytest.raises(ValueError, match=r"value 2 of factor 1 .* has 9, but needs at least 10"):
        pooled(lonely, lonely)
    with pytest.raises(ValueError, match="no factor varies"):
        rendered(factors_as_codes, bare((1, 1)))
