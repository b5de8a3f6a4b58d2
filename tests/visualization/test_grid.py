import io
import os

import numpy as np
import pytest
from PIL import Image

from jaxgan.visualization.grid import encode_png, image_grid, pairs_grid, save_png, scatter


def _constant_images(count, height=1, width=1, channels=1):
    levels = np.arange(10, 10 * (count + 1), 10, dtype=np.uint8)
    return np.broadcast_to(levels[:, None, None, None], (count, height, width, channels)).copy()


def test_grid_places_every_pixel():
    first = np.array([[1, 2, 3], [4, 5, 6]], np.uint8)[..., None]
    images = np.stack([first, first + 10, first + 20])
    expected = [
        [1, 2, 3, 99, 11, 12, 13],
        [4, 5, 6, 99, 14, 15, 16],
        [99, 99, 99, 99, 99, 99, 99],
        [21, 22, 23, 99, 99, 99, 99],
        [24, 25, 26, 99, 99, 99, 99],
    ]
    grid = image_grid(images, columns=2, background=99)
    np.testing.assert_array_equal(grid[..., 0], expected)


def test_grid_scales_by_repeating_pixels_but_not_the_padding():
    images = np.array([[[1, 2]], [[3, 4]]], np.uint8)[..., None]
    grid = image_grid(images, columns=1, padding=1, scale=2, background=0)
    expected = [[1, 1, 2, 2], [1, 1, 2, 2], [0, 0, 0, 0], [3, 3, 4, 4], [3, 3, 4, 4]]
    np.testing.assert_array_equal(grid[..., 0], expected)


def test_grid_is_as_good_as_square_and_keeps_colors():
    images = np.random.default_rng(0).integers(0, 256, (7, 4, 5, 3), np.uint8)
    grid = image_grid(images, padding=2)
    assert grid.shape == (3 * 4 + 2 * 2, 3 * 5 + 2 * 2, 3)
    np.testing.assert_array_equal(grid[6:10, 7:12], images[4])
    np.testing.assert_array_equal(grid[12:16, 0:5], images[6])
    assert (grid[12:16, 7:] == 255).all()


@pytest.mark.parametrize(
    ("shape", "options", "message"),
    [
        ((0, 2, 2, 1), {}, "at least one"),
        ((1, 2, 2, 4), {}, "1 or 3 channels, not 4"),
        ((1, 2, 2, 1), {"scale": 0}, "1 or more"),
        ((1, 2, 2, 1), {"columns": 0}, "1 or more"),
        ((1, 2, 2, 1), {"padding": -1}, "0 or more"),
    ],
)
def test_grids_refuse_what_makes_no_grid(shape, options, message):
    with pytest.raises(ValueError, match=message):
        image_grid(np.zeros(shape, np.uint8), **options)
    with pytest.raises(ValueError, match=message):
        pairs_grid(np.zeros(shape, np.uint8), np.zeros(shape, np.uint8), **options)


def test_pairs_stand_one_above_the_other():
    first = _constant_images(3)
    grid = pairs_grid(first, first + 5, columns=2, padding=1, gap=2, background=0)
    expected = [
        [10, 0, 20],
        [0, 0, 0],
        [15, 0, 25],
        [0, 0, 0],
        [0, 0, 0],
        [30, 0, 0],
        [0, 0, 0],
        [35, 0, 0],
    ]
    np.testing.assert_array_equal(grid[..., 0], expected)


def test_pairs_stand_in_one_double_row_by_default():
    first = _constant_images(5, height=2, width=3)
    grid = pairs_grid(first, first + 1, padding=0, scale=2)
    assert grid.shape == (8, 30, 1)
    assert (grid[:4, 6:12] == 20).all()
    assert (grid[4:, 24:] == 51).all()


@pytest.mark.parametrize("channels", [1, 3])
def test_saved_picture_reads_back_and_is_deterministic(tmp_path, channels):
    image = np.random.default_rng(1).integers(0, 256, (5, 7, channels), np.uint8)
    path = save_png(tmp_path / "new folder" / "picture.png", image)
    read = np.asarray(Image.open(path)).reshape(5, 7, channels)
    np.testing.assert_array_equal(read, image)
    assert path.read_bytes() == encode_png(image) == encode_png(image.copy())
    assert os.listdir(path.parent) == ["picture.png"]


def _rgb(picture, column, row):
    return tuple(int(value) for value in picture[row, column])


def test_scatter_puts_points_where_they_belong():
    # Extent 1 and 101 pixels: the center is pixel 50, and +y is up.
    picture = scatter(np.array([[0.5, 0.8]], np.float32), size=101, extent=1.0, opacity=1.0)
    assert picture.shape == (101, 101, 3)
    assert _rgb(picture, 75, 10) == (0, 114, 178)
    assert _rgb(picture, 75, 90) == (255, 255, 255)
    assert _rgb(picture, 25, 10) == (255, 255, 255)
    dark_rows, dark_columns = np.nonzero((picture < 255).any(axis=-1))
    assert abs(dark_columns.mean() - 75) < 0.5
    assert abs(dark_rows.mean() - 10) < 0.5


def test_scatter_grows_darker_where_points_overlap():
    point = np.zeros((1, 2), np.float32)
    once = scatter(point, size=51, extent=1.0, opacity=0.5)
    twice = scatter(np.repeat(point, 2, axis=0), size=51, extent=1.0, opacity=0.5)
    # Red of one dot at opacity 1/2: 255/2; of two: 255/4.
    assert once[25, 25, 0] == 128
    assert twice[25, 25, 0] == 64


def test_scatter_marks_modes_and_takes_its_scale_from_them():
    modes = np.array([[1.0, 0.0], [-1.0, 0.0]], np.float32)
    picture = scatter(np.zeros((0, 2), np.float32), modes, size=131)
    ring = (picture < 255).any(axis=-1)
    assert (picture == (213, 94, 0)).all(axis=-1).any()
    rows, columns = np.nonzero(ring)
    # 1.3 is the edge, so 1.0 lies at (1 + 1/1.3) / 2 of the width.
    assert columns[columns > 65].mean() == pytest.approx((1 + 1 / 1.3) / 2 * 130, abs=0.7)
    assert columns[columns < 65].mean() == pytest.approx((1 - 1 / 1.3) / 2 * 130, abs=0.7)
    assert rows.mean() == pytest.approx(65, abs=0.7)


def test_scatter_leaves_out_what_is_far_or_not_finite():
    points = np.array([[np.nan, 0], [np.inf, 0], [5, 5], [-1.2, 0]], np.float32)
    assert (scatter(points, size=32, extent=1.0) == 255).all()
    assert (scatter(points[:0], size=32) == 255).all()
    assert (scatter(np.zeros((1, 2), np.float32), size=32) < 255).any()


def test_scatter_agrees_in_parts_and_as_a_whole():
    # More points than are drawn at a time; independent dots multiply what shines through.
    points = np.random.default_rng(2).normal(size=(9000, 2)).astype(np.float32)
    whole = scatter(points, size=40, extent=3.0, opacity=0.01)
    brute = np.zeros((160, 160))
    centers = np.rint((points.astype(np.float64) / 3 * [1, -1] + 1) / 2 * 159).astype(int)
    inside = (np.abs(points) <= 3).all(axis=1)
    grid_y, grid_x = np.mgrid[:160, :160]
    for x, y in centers[inside]:
        brute[(grid_x - x) ** 2 + (grid_y - y) ** 2 <= 25] += 1
    red = np.rint(255 * 0.99**brute).astype(np.uint8)
    expected = np.asarray(Image.fromarray(red).reduce(4))
    np.testing.assert_array_equal(whole[..., 0], expected)


def test_png_of_a_gray_picture_is_gray():
    encoded = encode_png(np.zeros((2, 2, 1), np.uint8))
    assert Image.open(io.BytesIO(encoded)).mode == "L"
