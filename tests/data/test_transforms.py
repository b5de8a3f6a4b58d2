import numpy as np
import pytest

from jaxgan.data.source import DataError, Info
from jaxgan.data.transforms import check_fit, convert_color, resize_image, transform

COLORS = np.random.RandomState(1).randint(0, 256, (9, 7, 3)).astype(np.uint8)


def triangle(x):
    return np.maximum(1 - np.abs(x), 0)


def lanczos3(x):
    return np.where(np.abs(x) < 3, np.sinc(x) * np.sinc(x / 3), 0)


def matrix(native, size, kernel):
    """Weights of antialiased resampling: the kernel is as wide as an output pixel, at least.

    Turkowski, "Filters for common resampling tasks" (1990).
    """
    scale = native / size
    centers = (np.arange(size) + 0.5) * scale
    distances = (np.arange(native) + 0.5)[None] - centers[:, None]
    weights = kernel(distances / max(scale, 1.0))
    return weights / weights.sum(1, keepdims=True)


@pytest.mark.parametrize(("resize", "kernel"), [("bilinear", triangle), ("lanczos", lanczos3)])
@pytest.mark.parametrize("size", [(3, 3), (8, 8), (20, 20), (8, 5), (5, 20)])
@pytest.mark.parametrize("channels", [1, 3])
def test_filters(resize, kernel, size, channels):
    # Levels from 80 to 175, so that overshoot stays clear of 0 and 255: Pillow may take either axis
    # first, and clipping in between would show which.
    image = (COLORS[..., :channels] * 0.375 + 80).astype(np.uint8)
    rows, columns = matrix(9, size[0], kernel), matrix(7, size[1], kernel)
    expected = np.einsum("ih,jw,hwc->ijc", rows, columns, image)
    found = resize_image(image, size, resize)
    assert found.dtype == np.uint8
    assert found.shape == (*size, channels)
    # Each axis rounds by up to a half, and negative weights magnify the first by up to a third.
    assert np.abs(found - expected).max() <= 0.5 + 0.5 * 1.34


def test_bilinear_by_hand():
    image = np.tile(np.array([0, 100], np.uint8)[None, :, None], (2, 1, 1))
    # New pixel centers lie at 0.25, 0.75, 1.25, 1.75; old ones at 0.5 and 1.5.
    expected = [[0, 25, 75, 100]] * 3
    np.testing.assert_array_equal(resize_image(image, (3, 4), "bilinear")[..., 0], expected)


def test_crop_takes_the_middle_square():
    image = COLORS
    # Already of the right size after cropping: nothing is scaled. (9 - 7) // 2 = 1 row is cut off.
    np.testing.assert_array_equal(resize_image(image, (7, 7), "crop"), image[1:8])
    wide = image.transpose(1, 0, 2)
    np.testing.assert_array_equal(resize_image(wide, (7, 7), "crop"), wide[:, 1:8])
    np.testing.assert_array_equal(
        resize_image(image, (5, 5), "crop"), resize_image(image[1:8], (5, 5), "lanczos")
    )
    # With an odd difference, the row left over goes from the end.
    np.testing.assert_array_equal(resize_image(image[:8], (7, 7), "crop"), image[:7])


@pytest.mark.parametrize(
    ("size", "rows", "columns"),
    [
        # 9x7. Half as high as wide: all 7 columns, and 3 of 3.5 rows, 3 above and 3 below.
        ((2, 4), slice(3, 6), slice(0, 7)),
        # Twice as high as wide: all 9 rows, and 4 of 4.5 columns, 1 to the left, 2 to the right.
        ((6, 3), slice(0, 9), slice(1, 5)),
        # The image's own aspect ratio: nothing is cut off.
        ((18, 14), slice(0, 9), slice(0, 7)),
        # Less than a pixel of a row would be left, but one is.
        ((1, 8), slice(4, 5), slice(0, 7)),
    ],
)
def test_crop_keeps_the_aspect_ratio_wanted(size, rows, columns):
    cropped = COLORS[rows, columns]
    expected = resize_image(cropped, size, "lanczos")
    np.testing.assert_array_equal(resize_image(COLORS, size, "crop"), expected)
    assert expected.shape == (*size, 3)


def test_pad_takes_each_axis_by_itself():
    padded = resize_image(COLORS, (9, 10), "pad")
    # 10 - 7 = 3 columns: one to the left, two to the right; no rows.
    np.testing.assert_array_equal(padded[:, 1:8], COLORS)
    assert padded.shape == (9, 10, 3)
    assert not padded[:, [0, 8, 9]].any()


def test_pad_centers_on_black():
    padded = resize_image(COLORS, (12, 12), "pad")
    # 12 - 9 = 3 rows: one above, two below. 12 - 7 = 5 columns: two left, three right.
    np.testing.assert_array_equal(padded[1:10, 2:9], COLORS)
    padded[1:10, 2:9] = 0
    assert not padded.any()


@pytest.mark.parametrize("resize", ["none", "bilinear", "lanczos", "pad", "crop"])
def test_the_right_size_stays_as_it_is(resize):
    np.testing.assert_array_equal(resize_image(COLORS[:7], (7, 7), resize), COLORS[:7])
    np.testing.assert_array_equal(resize_image(COLORS, (9, 7), resize), COLORS)


def test_colors():
    # 0.299 R + 0.587 G + 0.114 B, within Pillow's rounding.
    gray = convert_color(COLORS, "gray")
    assert gray.shape == (9, 7, 1)
    assert np.abs(gray[..., 0] - COLORS @ [0.299, 0.587, 0.114]).max() <= 0.51
    tiled = convert_color(gray, "tile")
    np.testing.assert_array_equal(tiled, np.concatenate([gray] * 3, axis=2))
    np.testing.assert_array_equal(convert_color(COLORS, "none"), COLORS)


def test_transform_does_both():
    image = transform(COLORS, (12, 12, 1), "pad", "gray")
    assert image.shape == (12, 12, 1)
    np.testing.assert_array_equal(image[1:10, 2:9], convert_color(COLORS, "gray"))


def test_points_pass_untouched():
    point = np.array([[[0.5, -2.0]]], np.float32)
    for resize in ("none", "lanczos"):
        assert transform(point, (1, 1, 2), resize, "gray") is point


def info(shape=(28, 28, 1), channels=None, dtype="uint8"):
    channels = shape[2] if channels is None else channels
    return Info("set", shape, channels, dtype, 10, {"train": 1, "test": 1})


@pytest.mark.parametrize(
    ("shape", "wanted", "resize", "color"),
    [
        ((28, 28, 1), (28, 28, 1), "none", "none"),
        ((28, 28, 1), (28, 28, 1), "pad", "none"),
        ((28, 28, 1), (32, 32, 3), "pad", "tile"),
        ((32, 32, 3), (8, 8, 1), "lanczos", "gray"),
        ((218, 178, 3), (64, 64, 3), "crop", "none"),
        (None, (64, 64, 3), "bilinear", "none"),
        ((218, 178, 3), (218, 178, 3), "none", "none"),
        ((20, 33, 1), (20, 40, 1), "pad", "none"),
    ],
)
def test_settings_that_fit(shape, wanted, resize, color):
    check_fit(info(shape, 3 if shape is None else None), wanted, resize, color)


@pytest.mark.parametrize(
    ("source", "wanted", "resize", "color", "line"),
    [
        (
            info(),
            (32, 32, 1),
            "none",
            "none",
            "set has images of 28x28, but --data.image-size is 32: set --data.resize to crop, "
            "lanczos, bilinear or pad, or change the size.",
        ),
        (
            info((218, 178, 3)),
            (178, 178, 3),
            "none",
            "none",
            "set has images of 218x178, but --data.image-size is 178: set --data.resize to crop, "
            "lanczos, bilinear or pad, or change the size.",
        ),
        (
            info((178, 218, 3)),
            (218, 178, 3),
            "none",
            "none",
            "set has images of 178x218, but --data.image-size is 218 and --data.image-width 178: "
            "set --data.resize to crop, lanczos, bilinear or pad, or change the size.",
        ),
        (
            info((20, 33, 1)),
            (40, 32, 1),
            "pad",
            "none",
            "set has images of 20x33, which --data.resize pad cannot make 40x32: set it to crop, "
            "lanczos or bilinear.",
        ),
        (
            info((33, 20, 1)),
            (32, 40, 1),
            "pad",
            "none",
            "set has images of 33x20, which --data.resize pad cannot make 32x40: set it to crop, "
            "lanczos or bilinear.",
        ),
        (
            info((20, 33, 1)),
            (32, 32, 1),
            "pad",
            "none",
            "set has images of 20x33, which --data.resize pad cannot make 32x32: set it to crop, "
            "lanczos or bilinear.",
        ),
        (
            info(None, 3),
            (32, 32, 3),
            "pad",
            "none",
            "set has images of different sizes: set --data.resize to crop, lanczos or bilinear.",
        ),
        (
            info(None, 3),
            (32, 32, 3),
            "none",
            "none",
            "set has images of different sizes: set --data.resize to crop, lanczos or bilinear.",
        ),
        (
            info(),
            (28, 28, 3),
            "none",
            "none",
            "set has images of 1 channel, but --data.channels is 3 and --data.color is none: set "
            "--data.color tile.",
        ),
        (
            info((28, 28, 3)),
            (28, 28, 1),
            "none",
            "none",
            "set has images of 3 channels, but --data.channels is 1 and --data.color is none: set "
            "--data.color gray.",
        ),
        (
            info(),
            (28, 28, 1),
            "none",
            "gray",
            "set has images of 1 channel, but --data.channels is 1 and --data.color is gray: set "
            "--data.color none.",
        ),
        (
            info(),
            (28, 28, 2),
            "none",
            "none",
            "set has images of 1 channel, but --data.channels is 2 and --data.color is none: set "
            "--data.channels 1.",
        ),
        (
            info(None, 3),
            (32, 32, 3),
            "crop",
            "gray",
            "set has images of 3 channels, but --data.channels is 3 and --data.color is gray: set "
            "--data.color none.",
        ),
        (
            info((1, 1, 2), dtype="float32"),
            (8, 8, 1),
            "none",
            "none",
            "set has points, not images: set --data.image-size 1 and --data.channels 2.",
        ),
        (
            info((1, 1, 2), dtype="float32"),
            (1, 4, 2),
            "none",
            "none",
            "set has points, not images: set --data.image-size 1, --data.image-width 0 and "
            "--data.channels 2.",
        ),
        (
            info(),
            (28, 28, 1),
            "stretch",
            "none",
            "--data.resize is 'stretch'; it must be one of none, bilinear, lanczos, pad, crop.",
        ),
        (
            info(),
            (28, 28, 1),
            "none",
            "grey",
            "--data.color is 'grey'; it must be one of none, gray, tile.",
        ),
    ],
)
def test_settings_that_do_not_fit(source, wanted, resize, color, line):
    with pytest.raises(DataError) as error:
        check_fit(source, wanted, resize, color)
    assert str(error.value) == line


def test_images_with_channels_of_their_own_fit_whatever_the_setting_says():
    check_fit(info((8, 8, 1)), (8, 8, 3), "none", "none", own_channels=True)
    with pytest.raises(DataError, match="images of 8x8, but --data"):
        check_fit(info((8, 8, 1)), (9, 9, 3), "none", "none", own_channels=True)
