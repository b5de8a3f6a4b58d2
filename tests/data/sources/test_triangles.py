import hashlib

import numpy as np
import pytest

from jaxgan.data.source import DataError, Source, Split
from jaxgan.data.sources import triangles
from jaxgan.data.sources.triangles import MIN_AREA, Triangles, areas, coverage, draw, render


def supersampled(corners, grid=32):
    """The share of a grid of points in each pixel that lies on the inner side of all edges."""
    y, x = (np.indices((28 * grid, 28 * grid)) + 0.5) / grid
    sides = []
    for one, two in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        sides.append((two[0] - one[0]) * (y - one[1]) - (two[1] - one[1]) * (x - one[0]) > 0)
    inside = np.all(sides, axis=0) | ~np.any(sides, axis=0)
    return inside.reshape(28, grid, 28, grid).mean(axis=(1, 3))


def test_source():
    source = Triangles()
    assert isinstance(source, Source)
    assert source.info() == (
        "triangles", (28, 28, 1), 1, "uint8", 1, {"train": 60_000, "test": 10_000},
        {"manifold"},
    )  # fmt: skip
    with pytest.raises(DataError, match="triangles: there is no split 'valid'"):
        source.load("valid")
    with pytest.raises(DataError, match="triangles: there is no split 'valid'"):
        source.corners("valid")


def test_coverage_is_the_share_of_points_inside():
    corners = draw(12, seed=3)
    for triangle, image in zip(corners, coverage(corners), strict=True):
        # An edge of length up to a pixel's diagonal crosses about 32 of 1,024 cells, whose middles
        # are off by half a cell to either side.
        np.testing.assert_allclose(image, supersampled(triangle), atol=0.02)


def test_coverage_adds_up_to_the_area():
    corners = draw(500, seed=4)
    images = coverage(corners)
    np.testing.assert_allclose(images.sum(axis=(1, 2)), areas(corners), atol=1e-4)
    assert images.min() >= 0
    assert images.max() <= 1


def test_coverage_of_half_pixels():
    # Half of the square [2, 6] x [3, 7], below its falling diagonal (y points down).
    corners = np.array([[2.0, 3.0], [2.0, 7.0], [6.0, 7.0]])
    expected = np.zeros((28, 28))
    for i in range(4):
        expected[3 + i, 2 : 2 + i] = 1
        expected[3 + i, 2 + i] = 0.5
    np.testing.assert_allclose(coverage(corners[None])[0], expected, atol=1e-6)
    # A corner within a pixel: the triangle (0, 0), (1/2, 0), (0, 1/2) covers an eighth.
    tiny = np.array([[[0.0, 0.0], [0.5, 0.0], [0.0, 0.5]]])
    image = coverage(tiny)[0]
    assert image[0, 0] == pytest.approx(0.125, abs=1e-6)
    assert image.sum() == pytest.approx(0.125, abs=1e-6)


def test_coverage_has_no_direction_and_no_first_corner():
    corners = draw(50, seed=5)
    expected = coverage(corners)
    for order in ((1, 2, 0), (2, 1, 0), (0, 2, 1)):
        np.testing.assert_allclose(coverage(corners[:, order]), expected, atol=1e-7)
    # Swapped coordinates mirror the image at its diagonal.
    np.testing.assert_allclose(coverage(corners[..., ::-1]), expected.swapaxes(1, 2), atol=1e-6)
    np.testing.assert_allclose(
        coverage(np.array([28.0, 0.0]) + corners * [-1, 1]), expected[:, :, ::-1], atol=1e-6
    )


def test_images_are_rounded_coverage():
    corners = draw(70, seed=6)
    images = render(corners)
    assert images.dtype == np.uint8
    assert images.shape == (70, 28, 28, 1)
    assert np.abs(images[..., 0] / 255 - coverage(corners)).max() <= 0.5 / 255 + 1e-9
    assert images.max() == 255
    assert images.min() == 0


def test_corners_are_uniform_but_for_small_triangles():
    corners = draw(20_000, seed=7)
    assert corners.min() >= 0
    assert corners.max() <= 28
    assert areas(corners).min() >= MIN_AREA
    # By symmetry the mean is the middle; the standard error is below 28 * 0.33 / sqrt(20,000).
    np.testing.assert_allclose(corners.mean(axis=0), 14, atol=5 * 0.066)
    # The mean area of a random triangle in a square is 11/144 of it (a classical result); those
    # below the limit are left out, which NumPy's other generator tells as well.
    other = 28 * np.random.default_rng(0).random((50_000, 3, 2))
    areas_of_all = areas(other)
    assert areas_of_all.mean() == pytest.approx(784 * 11 / 144, rel=0.02)
    large = areas_of_all[areas_of_all >= MIN_AREA]
    assert areas(corners).mean() == pytest.approx(large.mean(), rel=0.02)


def test_the_number_drawn_does_not_change_the_first():
    np.testing.assert_array_equal(draw(100, seed=8)[:10], draw(10, seed=8))
    assert not np.array_equal(draw(10, seed=8), draw(10, seed=9))
    assert draw(0, seed=8).shape == (0, 3, 2)


def test_split():
    source = Triangles()
    split = source.load("test")
    assert isinstance(split, Split)
    assert len(split) == 10_000
    corners = source.corners("test")
    assert len(corners) == 10_000
    np.testing.assert_array_equal(split[9_999]["image"], render(corners[9_999:])[0])
    np.testing.assert_array_equal(split[7]["image"], render(corners[7:8])[0])
    assert split[7]["label"] == 0
    train = source.corners("train")
    assert len(train) == 60_000
    # No triangle is in both splits.
    assert not set(map(bytes, train)) & set(map(bytes, corners))


@pytest.mark.slow
def test_training_split():
    split = Triangles().load("train")
    assert split.images.shape == (60_000, 28, 28, 1)
    corners = Triangles().corners("train")
    np.testing.assert_array_equal(split.images[-100:], render(corners[-100:]))
    np.testing.assert_allclose(split.images.sum(axis=(1, 2, 3)) / 255, areas(corners), atol=0.2)


def test_images_never_change():
    """So that scores of today and of next year are of the same images."""
    images = triangles.render(Triangles().corners("test")[:2000])
    digest = hashlib.sha256(images.tobytes()).hexdigest()
    assert digest == "b7de951e007f9b9ed503964a4f91dda5df864af7173bec89806c1dff2357d576"
