import hashlib
import itertools
import pickle

import numpy as np
import pytest
from scipy import ndimage

from jaxgan.data.pipeline import Data, is_resident, load
from jaxgan.data.source import DataError, Source, Split
from jaxgan.data.sources import sprites
from jaxgan.data.sources.sprites import (
    FACTOR_SIZES,
    IMAGES,
    SHAPES,
    Sprites,
    factors_of,
    index_of,
    render,
    values_of,
)
from jaxgan.data.stream import stream


@pytest.fixture(scope="module")
def tiles():
    """One image of every sprite, in the middle of the field: ``(3, 6, 40, 64, 64)``, 0 and 1."""
    factors = np.array([(0, *f, 15, 15) for f in itertools.product(*map(range, (3, 6, 40)))])
    return (render(factors)[..., 0] // 255).reshape(3, 6, 40, 64, 64)


def test_counts_are_those_of_dsprites():
    assert FACTOR_SIZES == (1, 3, 6, 40, 32, 32)
    assert IMAGES == 737_280 == 1 * 3 * 6 * 40 * 32 * 32
    source = Sprites()
    assert isinstance(source, Source)
    assert source == Sprites()
    assert hash(source) == hash(Sprites())
    counts = {"train": 663_552, "test": 73_728}
    assert source.info() == ("sprites", (64, 64, 1), 1, "uint8", 3, counts, {"factors"})
    assert source.factor_sizes == FACTOR_SIZES
    assert source.factor_names == ("color", "shape", "scale", "orientation", "x", "y")


def test_order_is_that_of_dsprites():
    # Its bases are 737280, 245760, 40960, 1024, 32, 1: products of the sizes to the right.
    bases = np.array([737280, 245760, 40960, 1024, 32, 1])
    index = np.random.default_rng(0).integers(IMAGES, size=1000)
    np.testing.assert_array_equal(factors_of(index) @ bases, index)
    np.testing.assert_array_equal(index_of(factors_of(index)), index)
    np.testing.assert_array_equal(factors_of(np.array(1)), [0, 0, 0, 0, 0, 1])
    np.testing.assert_array_equal(factors_of(np.array(IMAGES - 1)), [0, 2, 5, 39, 31, 31])


def test_values():
    first, last = values_of(np.array([[0, 0, 0, 0, 0, 0], [0, 2, 5, 39, 31, 31]]))
    np.testing.assert_allclose(first, [1, 1, 0.5, 0, 0, 0])
    np.testing.assert_allclose(last, [1, 3, 1, 2 * np.pi * 39 / 41, 1, 1])
    np.testing.assert_allclose(
        values_of(np.array([0, 1, 2, 10, 16, 8])), [1, 2, 0.7, 1.5325, 16 / 31, 8 / 31], atol=1e-4
    )


@pytest.mark.parametrize("factors", [[1, 0, 0, 0, 0, 0], [0, 0, 0, 40, 0, 0], [0, 0, 0, 0, 0, -1]])
def test_factors_out_of_range(factors):
    for function in (render, index_of, values_of):
        with pytest.raises(DataError, match="a factor is out of range; there are"):
            function(np.array([factors]))


@pytest.mark.parametrize("index", [-1, IMAGES])
def test_images_out_of_range(index):
    with pytest.raises(DataError, match="an image is out of range; there are 0 to 737279"):
        factors_of(np.array([index]))


def test_images_are_binary_and_of_the_right_area(tiles):
    images = render(np.array([[0, 2, 5, 7, 31, 0]]))
    assert images.shape == (1, 64, 64, 1)
    assert images.dtype == np.uint8
    assert set(np.unique(images)) == {0, 255}
    # The square's area, of sides 21.6, times the scale's square. A square that lies straight may be
    # off by half a pixel along each side: 2 * 0.5 / 10.8 of the smallest, 9 %.
    areas = tiles.sum(axis=(3, 4))
    for i, scale in enumerate((0.5, 0.6, 0.7, 0.8, 0.9, 1.0)):
        np.testing.assert_allclose(areas[:, i], 21.6**2 * scale**2, rtol=0.09)
        np.testing.assert_allclose(areas[:, i].mean(axis=1), 21.6**2 * scale**2, rtol=0.015)


def test_no_two_sprites_are_the_same(tiles):
    assert len({bytes(tile) for tile in tiles.reshape(720, -1)}) == 720


def test_centroids_are_where_they_are_said_to_be(tiles):
    # Position 15 is at x = 16.9 + 15, y = 16.65 + 15; pixel 0's middle is at 0.5.
    rows, columns = np.indices((64, 64)) + 0.5
    total = tiles.sum(axis=(3, 4))
    np.testing.assert_allclose((tiles * columns).sum(axis=(3, 4)) / total, 31.9, atol=0.4)
    np.testing.assert_allclose((tiles * rows).sum(axis=(3, 4)) / total, 31.65, atol=0.4)
    mean = (tiles * columns).sum(axis=(3, 4)) / total
    np.testing.assert_allclose(mean.mean(), 31.9, atol=0.02)


def test_squares_have_vertical_sides_and_corners(tiles):
    # From 31.9 - 10.8 = 21.1 to 42.7, and from 20.85 to 42.45: a pixel counts from its half, and
    # rows 20 (0.15 of it) and 42 (0.45) should not.
    expected = np.zeros((64, 64))
    expected[21:42, 21:43] = 1
    found = tiles[0, 5, 0]
    # Of the points at 1/8, 3/8, 5/8, 7/8, two lie in 0.45 of row 42, and three in 0.7 of column 42:
    # half of the points there, but 6 of 16 where both meet.
    expected[42, 21:42] = 1
    np.testing.assert_array_equal(found, expected)


def test_ellipses_lie_down_and_turn_clockwise(tiles):
    def direction(tile):
        """Angle of the longer axis, clockwise from the right, from second moments."""
        y, x = np.argwhere(tile).T[:2] - np.argwhere(tile).mean(axis=0)[:, None]
        return np.arctan2(2 * (x * y).mean(), (x * x).mean() - (y * y).mean()) / 2

    for k in range(40):
        # Angles of an axis are the same a half turn on.
        off = direction(tiles[1, 5, k]) - 2 * np.pi * k / 41
        assert abs((off + np.pi / 2) % np.pi - np.pi / 2) < 0.03
    assert np.ptp(np.argwhere(tiles[1, 5, 0])[:, 1]) + 1 == pytest.approx(30.6, abs=1)


def test_hearts_have_two_lobes_above_and_a_tip_below(tiles):
    heart = tiles[2, 5, 0]
    top = np.flatnonzero(heart.any(axis=1))[0]
    bottom = np.flatnonzero(heart.any(axis=1))[-1]
    # Two runs of white near the top, one at the bottom, and that one is short.
    assert ndimage.label(heart[top + 1])[1] == 2
    assert ndimage.label(heart[bottom])[1] == 1
    assert heart[bottom].sum() <= 3
    # One piece, without a hole.
    assert ndimage.label(heart)[1] == 1
    assert ndimage.label(1 - heart)[1] == 1
    # The tip is farthest: (2 / sqrt 2 + (pi + 4/3) / (sqrt 2 (4 + pi))) r below the centroid, with
    # r = 21.6 / sqrt(4 + pi) = 8.083, hence 15.01.
    assert bottom + 1 - 31.65 == pytest.approx(15.01, abs=0.9)


def test_the_drawing_by_another_way(tiles):
    """A turned sprite is the upright one turned: each point is looked up in the untransformed."""
    random = np.random.default_rng(1)
    y, x = (np.indices((64 * 8, 64 * 8)) + 0.5) / 8
    for _ in range(12):
        shape, scale, turn = random.integers((3, 6, 40))
        # With complex numbers: turned back by the angle and blown up by the scale.
        point = ((x - 31.9) + 1j * (y - 31.65)) * np.exp(-2j * np.pi * turn / 41)
        point /= 0.5 + 0.1 * scale
        u, v = point.real, point.imag
        if shape == 0:
            filled = (abs(u) < 10.8) & (abs(v) < 10.8)
        elif shape == 1:
            filled = np.hypot(u, v * 15.3 / (21.6**2 / np.pi / 15.3)) < 15.3
        else:
            r = 21.6 / np.sqrt(4 + np.pi)
            v = v - r * (np.pi + 4 / 3) / (np.sqrt(2) * (4 + np.pi))
            # The square on its corner, in its own axes, and the disks on two of its sides.
            a, b = (u + v) / np.sqrt(2), (v - u) / np.sqrt(2)
            filled = (abs(a) < r) & (abs(b) < r)
            filled |= (np.hypot(a, b + r) < r) | (np.hypot(a + r, b) < r)
        covered = filled.reshape(64, 8, 64, 8).mean(axis=(1, 3))
        image = tiles[shape, scale, turn]
        # Sixteen points tell the covered part of a pixel to about an eighth.
        assert image[covered > 0.65].all()
        assert not image[covered < 0.35].any()
        assert np.mean(image != (covered > 0.5)) < 0.004


def test_a_step_of_a_position_is_one_pixel():
    for shape in range(3):
        here, right, below = render(
            np.array([[0, shape, 5, 3, 4, 9], [0, shape, 5, 3, 5, 9], [0, shape, 5, 3, 4, 10]])
        )
        np.testing.assert_array_equal(right[:, 1:], here[:, :-1])
        np.testing.assert_array_equal(below[1:], here[:-1])
        assert not np.array_equal(here, right)


def test_nothing_is_cut_off():
    ends = np.array(
        [(0, s, 5, k, x, y) for s in range(3) for k in range(40) for x in (0, 31) for y in (0, 31)]
    )
    images = render(ends)[..., 0]
    border = np.concatenate([images[:, 0], images[:, -1], images[..., 0], images[..., -1]], axis=1)
    assert not border.any()


def test_pixels_never_change():
    # The digest of all sprites, so that scores of today and of next year are of the same images.
    digest = hashlib.sha256(sprites._tiles().tobytes()).hexdigest()
    assert digest == "8aacd7c6f3018d3990c04df82e3c4c61cd0712ae619707ce2667be48ff4a1914"


def test_no_point_lies_on_an_outline():
    """So that the rounding of another processor's sines leaves the pixels alone."""
    for scale in (0.5, 0.8, 1.0):
        u, v = sprites._sprite_points(scale)
        for shape in SHAPES:
            inside = sprites.inside(shape, u, v)
            for du, dv in ((1, 0), (-1, 0), (0, 1), (0, -1)):
                moved = sprites.inside(shape, u + du * 1e-10, v + dv * 1e-10)
                np.testing.assert_array_equal(moved, inside)


@pytest.fixture(scope="module")
def splits():
    return Sprites().load("train"), Sprites().load("test")


def test_splits_share_nothing_and_lose_nothing(splits):
    train, test = splits
    assert isinstance(train, Split)
    assert (len(train), len(test)) == (663_552, 73_728)
    together = np.concatenate([train.rows, test.rows])
    np.testing.assert_array_equal(np.sort(together), np.arange(IMAGES))
    # Every value of every factor has its tenth of the test split, within five deviations of chance.
    for column, size in zip(factors_of(test.rows).T, FACTOR_SIZES, strict=True):
        counts = np.bincount(column, minlength=size)
        expected = 73_728 / size
        assert np.abs(counts - expected).max() < 5 * np.sqrt(expected) + 1
    np.testing.assert_array_equal(Sprites().load("test").rows, test.rows)


def test_examples_are_the_images_of_their_rows(splits):
    _, test = splits
    for i in (0, 5, 73_727):
        example = test[i]
        factors = factors_of(test.rows[i : i + 1])
        np.testing.assert_array_equal(example["image"], render(factors)[0])
        assert example["label"] == factors[0, 1]
        assert type(example["label"]) is int
    # Nobody can spoil the sprites by writing to an image.
    test[0]["image"][:] = 7
    assert test[0]["image"].max() == 255
    for i in (-1, 73_728):
        with pytest.raises(IndexError, match=f"index {i} of a split of 73728 examples"):
            test[i]
    assert len(pickle.loads(pickle.dumps(test))) == 73_728


def test_unknown_split():
    with pytest.raises(DataError, match="there is no split 'valid'"):
        Sprites().load("valid")


def test_training_streams():
    data = Data(source=Sprites(), image_size=64, threads=1, prefetch=1)
    dataset = load(data)
    # 663,552 images of 4 kB are 2.7 GB.
    assert not is_resident(data, dataset.train)
    batches = stream(dataset.train, seed=3, batch_size_global=8, data=data)
    batch = next(batches)
    batches.close()
    assert batch["image"].shape == (8, 64, 64, 1)
    assert set(batch["label"]) <= {0, 1, 2}
    assert 400 > (batch["image"] > 0).sum(axis=(1, 2, 3)).min() > 80
