import math

import numpy as np
import pytest

from jaxgan.evaluation.disentanglement.dci import completeness_of, dci, disentanglement_of


def test_by_hand():
    # Rows (3, 1) and (0, 2): entropies h(1/4) = 0.811278 bits and 0, weights 4/6 and 2/6, hence
    # 4/6 * 0.188722 + 2/6. Columns (3, 0) and (1, 2): 0 and h(1/3) = 0.918296, weights 1/2, 1/2.
    importance = np.array([[3.0, 1.0], [0.0, 2.0]])
    assert disentanglement_of(importance) == pytest.approx(4 / 6 * 0.188722 + 2 / 6, abs=1e-6)
    assert completeness_of(importance) == pytest.approx(0.5 + 0.5 * 0.081704, abs=1e-6)
    # Entropies are to the base of the number of columns, or rows: one dimension shared evenly by 2
    # of 3 factors loses log 2 / log 3.
    shared = np.array([[1.0, 1.0, 0.0], [0.0, 0.0, 2.0]])
    assert disentanglement_of(shared) == pytest.approx(1 - math.log(2) / math.log(3) / 2)
    assert completeness_of(shared) == 1
    assert completeness_of(shared.T) == pytest.approx(1 - math.log(2) / math.log(3) / 2)


def test_ends_of_the_matrix():
    assert disentanglement_of(np.eye(3)) == completeness_of(np.eye(3)) == 1
    assert disentanglement_of(np.ones((3, 4))) == pytest.approx(0, abs=1e-12)
    assert disentanglement_of(np.zeros((2, 2))) == completeness_of(np.zeros((2, 2))) == 0
    assert disentanglement_of(np.array([[2.0], [1.0]])) == 1
    assert completeness_of(np.array([[2.0, 1.0]])) == 1
    # A dimension that matters to nothing does not count, but makes room to be complete in.
    assert disentanglement_of(np.array([[1.0, 0], [0, 1], [0, 0]])) == 1


def test_against_the_formulas_with_loops():
    """As disentanglement_lib writes them, which adds 1e-11 to every importance."""
    table = np.random.default_rng(0).gamma(0.5, size=(7, 4))
    by_rows = by_columns = 0.0
    for row in table:
        p = (row + 1e-11) / (row + 1e-11).sum()
        by_rows += (1 + (p * np.log(p) / np.log(4)).sum()) * row.sum() / table.sum()
    for column in table.T:
        p = (column + 1e-11) / (column + 1e-11).sum()
        by_columns += (1 + (p * np.log(p) / np.log(7)).sum()) * column.sum() / table.sum()
    assert disentanglement_of(table) == pytest.approx(by_rows, abs=1e-8)
    assert completeness_of(table) == pytest.approx(by_columns, abs=1e-8)


def halves(codes, factors):
    n = len(codes) // 2
    return (codes[:n], factors[:n]), (codes[n:], factors[n:])


@pytest.fixture(scope="module")
def factors():
    return np.random.default_rng(0).integers((2, 4, 5), size=(1200, 3))


@pytest.mark.parametrize("predictor", ["forest", "boosting"])
def test_factors_as_codes_score_one(factors, predictor):
    found = dci(*halves(factors * [-1, 1, 2.0], factors), predictor=predictor)
    np.testing.assert_allclose([score.value for score in found], 1, atol=1e-3)
    assert math.isnan(found.disentanglement.low) == (predictor == "boosting")
    assert found.informativeness.low == found.informativeness.high == 1


def test_noise(factors):
    """No dimension matters more than another; a factor is guessed once in its number of values."""
    codes = np.random.default_rng(1).normal(size=(1200, 4))
    found = dci(*halves(codes, factors))
    assert 0 <= found.disentanglement.value < 0.02
    assert 0 <= found.completeness.value < 0.02
    assert found.informativeness.value == pytest.approx((1 / 2 + 1 / 4 + 1 / 5) / 3, abs=0.05)
    assert found.informativeness.low < (1 / 2 + 1 / 4 + 1 / 5) / 3 + 0.02


def test_rotation(factors, rotation):
    """Turned by half a right angle, both dimensions matter alike to both factors: 0 and 0."""
    two = np.random.default_rng(2).integers((5, 5), size=(2000, 2))
    turned = dci(*halves(two @ rotation(45), two))
    slightly = dci(*halves(two @ rotation(15), two))
    assert turned.disentanglement.value < 0.05
    assert turned.completeness.value < 0.05
    assert turned.disentanglement.value + 0.05 < slightly.disentanglement.value < 0.98
    # Turning hides nothing from a model of all dimensions.
    assert turned.informativeness.value > 0.9
    assert turned.disentanglement.low < turned.disentanglement.value < turned.disentanglement.high


def test_duplicates_are_disentangled_but_not_complete(factors):
    found = dci(*halves(np.tile(factors * 1.0, 2), factors))
    assert found.disentanglement.value == pytest.approx(1, abs=1e-3)
    # Either copy serves as well: the entropy of two even shares among six dimensions.
    assert found.completeness.value == pytest.approx(1 - math.log(2) / math.log(6), abs=0.05)


def test_order_and_sign_do_not_matter(factors):
    random = np.random.default_rng(3)
    codes = factors @ random.normal(size=(3, 4)) + 0.5 * random.normal(size=(1200, 4))
    one = dci(*halves(codes, factors))
    two = dci(*halves(codes[:, [2, 0, 3, 1]] * [-1, 1, -1, 1], factors))
    for a, b in zip(one, two, strict=True):
        assert a.value == pytest.approx(b.value, abs=0.03)


def test_constant_and_too_few_dimensions(factors):
    constant = dci(*halves(np.ones((1200, 2)), factors))
    assert (constant.disentanglement.value, constant.completeness.value) == (0, 0)
    single = dci(*halves(factors[:, :1] * 1.0, factors[:, :2]))
    assert single.completeness.value == 1
    assert single.informativeness.value < 0.8


def test_a_factor_that_is_constant_in_training(factors):
    some = factors[factors[:, 0] == 0]
    with pytest.raises(ValueError, match="factor 0 has a single value among the points to fit to"):
        dci((some, some), (factors, factors))
