import numpy as np
import pytest

from jaxgan.data.sources.sprites import Sprites
from jaxgan.evaluation.disentanglement.samples import (
    FactorSource,
    checked,
    checked_pair,
    draw,
    draw_factors,
    encode,
)


def test_factors_are_uniform_and_independent():
    factors = draw_factors((1, 3, 4), 12_000, np.random.default_rng(0))
    cells = np.bincount(factors[:, 1] * 4 + factors[:, 2], minlength=12)
    assert (factors[:, 0] == 0).all()
    # 1,000 expected in each of 12 cells; five standard deviations of some 30.
    assert np.abs(cells - 1000).max() < 150


def test_images_are_encoded_in_calls_of_one_size(bare, factors_as_codes):
    seen = []

    def represent(images):
        seen.append(images.shape)
        return factors_as_codes(images)

    factors = draw_factors((5, 7), 1234, np.random.default_rng(1))
    codes = encode(represent, bare((5, 7)), factors)
    np.testing.assert_array_equal(codes, factors)
    assert seen == [(500, 1, 1, 2)] * 3


def test_drawing_depends_on_the_seed_alone(bare, factors_as_codes):
    one, two, other = (draw(factors_as_codes, bare((5, 7)), 50, seed=s) for s in (3, 3, 4))
    np.testing.assert_array_equal(one[0], two[0])
    assert not np.array_equal(one[0], other[0])
    np.testing.assert_array_equal(one[0], one[1])
    with pytest.raises(ValueError, match="at least one point must be drawn, not 0"):
        draw(factors_as_codes, bare((5, 7)), 0)


def test_sprites_are_a_source_of_factors():
    source: FactorSource = Sprites()
    codes, factors = draw(lambda images: images.mean(axis=(1, 2)) / 255, source, 20)
    # The share of white pixels is 466.56 * scale^2 / 4096, see tests/data/test_sprites.py.
    np.testing.assert_allclose(
        codes[:, 0], 466.56 / 4096 * (0.5 + 0.1 * factors[:, 2]) ** 2, rtol=0.09
    )


@pytest.mark.parametrize(
    ("represent", "message"),
    [
        (lambda x: np.zeros((len(x), 2, 2)), r"shape \(500, d\) for 500 images.*\(500, 2, 2\)"),
        (lambda x: np.zeros((7, 2)), r"this one gave \(7, 2\)"),
        (
            lambda x: np.where(np.eye(500, 2) > 0, np.nan, 0),
            "2 of 9 rows are not, the first.*row 0",
        ),
    ],
)
def test_bad_representations(bare, represent, message):
    with pytest.raises(ValueError, match=message):
        encode(represent, bare((2, 3)), np.zeros((9, 2), int))


def test_values_are_numbered_and_constant_factors_dropped():
    factors = np.array([[0.5, 3, 9], [1.0, 3, 7], [0.5, 3, 7], [1.0, 3, 9]])
    sample = checked(np.zeros((4, 1)), factors)
    np.testing.assert_array_equal(sample.factors, [[0, 1], [1, 0], [0, 0], [1, 1]])
    assert sample.codes.dtype == np.float64


def test_sets_are_numbered_alike():
    one, two = checked_pair(
        (np.zeros((4, 1)), np.array([[1], [5], [1], [5]])),
        (np.zeros((4, 1)), np.array([[5], [5], [3], [3]])),
    )
    np.testing.assert_array_equal(one.factors[:, 0], [0, 2, 0, 2])
    np.testing.assert_array_equal(two.factors[:, 0], [2, 2, 1, 1])


GOOD = np.array([[0], [1], [0], [1]])


@pytest.mark.parametrize(
    ("codes", "factors", "message"),
    [
        (np.zeros((4, 2)), GOOD[:3], "got 4 codes and 3 rows"),
        (np.zeros((1, 2)), GOOD[:1], "at least two points"),
        (np.zeros((4, 0)), GOOD, "one dimension"),
        (np.zeros((4, 2)), GOOD[:, :0], "one factor"),
        (np.array([[0.0], [1], [np.nan], [np.inf]]), GOOD, "2 of 4 rows are not.*row 2"),
        (np.zeros((4, 1)), np.array([[0], [1], [np.nan], [1]]), "factors must be finite"),
        (np.zeros((4, 1)), np.zeros((4, 2)), "no factor varies"),
        (np.zeros((9, 1)), np.arange(9.0)[:, None], "factor 0 has 9 values among 9 points"),
    ],
)
def test_what_cannot_be_scored(codes, factors, message):
    with pytest.raises(ValueError, match=message) as error:
        checked(codes, factors)
    assert "\n" not in str(error.value)


def test_sets_must_match():
    with pytest.raises(ValueError, match="the same dimensions and factors"):
        checked_pair((np.zeros((4, 1)), GOOD), (np.zeros((4, 2)), GOOD))
