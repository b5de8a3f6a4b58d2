import io

import numpy as np
import pytest
from PIL import Image

from jaxgan.data.images import decode, size_of
from jaxgan.data.source import DataError

COLORS = np.random.RandomState(0).randint(0, 256, (9, 7, 3)).astype(np.uint8)
RED, GREEN, BLUE, GRAY = (255, 0, 0), (0, 255, 0), (0, 0, 255), (90, 90, 90)
PATCHES = np.array([[RED, GREEN], [BLUE, GRAY]], np.uint8)


def encoded(image: Image.Image | np.ndarray, file_format: str = "png", **options) -> bytes:
    file = io.BytesIO()
    image = Image.fromarray(image) if isinstance(image, np.ndarray) else image
    image.save(file, file_format, **options)
    return file.getvalue()


def test_png_is_lossless():
    np.testing.assert_array_equal(decode(encoded(COLORS), 3, "x"), COLORS)
    gray = COLORS[..., 0]
    np.testing.assert_array_equal(decode(encoded(gray), 1, "x"), gray[..., None])


def test_jpeg_is_close():
    smooth = np.linspace(0, 255, 16, dtype=np.uint8)[:, None, None] + np.zeros(
        (16, 16, 3), np.uint8
    )
    image = decode(encoded(smooth, "jpeg", quality=95), 3, "x")
    assert image.shape == (16, 16, 3)
    assert np.abs(image.astype(int) - smooth).max() <= 3


def test_gray_is_the_luma_of_bt_601():
    # 0.299 R + 0.587 G + 0.114 B.
    expected = [[76, 150], [29, 90]]
    np.testing.assert_array_equal(decode(encoded(PATCHES), 1, "x")[..., 0], expected)


def test_gray_becomes_rgb_by_repeating():
    gray = np.array([[0, 90, 255]], np.uint8)
    np.testing.assert_array_equal(
        decode(encoded(gray), 3, "x"), [[[0, 0, 0], [90, 90, 90], [255, 255, 255]]]
    )


def test_palettes_are_looked_up():
    image = Image.fromarray(PATCHES).convert("P", palette=Image.Palette.ADAPTIVE)
    np.testing.assert_array_equal(decode(encoded(image), 3, "x"), PATCHES)
    np.testing.assert_array_equal(decode(encoded(image), 1, "x")[..., 0], [[76, 150], [29, 90]])


def test_bilevel_becomes_black_and_white():
    image = Image.fromarray(np.array([[0, 255]], np.uint8)).convert("1")
    np.testing.assert_array_equal(decode(encoded(image), 1, "x")[..., 0], [[0, 255]])


def test_transparent_pixels_are_laid_over_white():
    rgba = np.array([[(255, 0, 0, 255), (255, 0, 0, 0), (0, 0, 0, 51)]], np.uint8)
    # Black at a fifth over white: 255 * 4/5 = 204.
    np.testing.assert_array_equal(
        decode(encoded(rgba), 3, "x"), [[(255, 0, 0), (255, 255, 255), (204, 204, 204)]]
    )
    np.testing.assert_array_equal(decode(encoded(rgba), 1, "x")[..., 0], [[76, 255, 204]])
    palette = Image.fromarray(PATCHES).convert("P", palette=Image.Palette.ADAPTIVE)
    clear = palette.getpixel((1, 0))
    expected = PATCHES.copy()
    expected[0, 1] = 255
    np.testing.assert_array_equal(decode(encoded(palette, transparency=clear), 3, "x"), expected)


def test_of_sixteen_bits_the_upper_eight_are_kept():
    deep = np.array([[0, 255, 256, 0x7FFF, 0xFFFF]], np.uint16)
    np.testing.assert_array_equal(decode(encoded(deep), 1, "x")[..., 0], [[0, 0, 1, 127, 255]])
    assert decode(encoded(deep), 3, "x").shape == (1, 5, 3)


def test_cmyk():
    cmyk = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    for channels, expected in ((3, RED), (1, (76,))):
        image = decode(encoded(cmyk, "jpeg", quality=95), channels, "x")
        assert np.abs(image.astype(int) - expected).max() <= 3


def test_exif_turns_the_image_where_asked(tmp_path):
    exif = Image.Exif()
    exif[274] = 6  # The camera was held so that the image must turn clockwise by a quarter.
    data = encoded(COLORS, exif=exif)
    np.testing.assert_array_equal(decode(data, 3, "x", upright=True), np.rot90(COLORS, -1))
    np.testing.assert_array_equal(decode(data, 3, "x"), COLORS)
    path = tmp_path / "turned.png"
    path.write_bytes(data)
    np.testing.assert_array_equal(decode(path, 3, "x", upright=True), np.rot90(COLORS, -1))
    assert size_of(path) == (7, 9)
    path.write_bytes(encoded(COLORS))
    assert size_of(path) == (9, 7)


@pytest.mark.parametrize(("file_format", "spare"), [("png", 20), ("jpeg", 0)])
def test_every_cut_is_noticed(file_format, spare, tmp_path, message):
    # The last 20 bytes of a PNG file hold no pixels: two checksums and the end mark.
    data = encoded(COLORS, file_format)
    for size in range(len(data) - spare):
        line = message(decode, data[:size], 3, "cut")
        assert line == "cut: this is neither a PNG nor a JPEG image." or line.startswith(
            "cut: the image is damaged or cut short ("
        )
    path = tmp_path / "cut"
    path.write_bytes(data[:10])
    assert message(size_of, path).startswith(f"{path}: ")


def test_damage_is_one_line_or_does_no_harm():
    data = encoded(COLORS)
    lines = []
    for place in range(len(data)):
        broken = data[:place] + bytes([data[place] ^ 0x55]) + data[place + 1 :]
        try:
            image = decode(broken, 3, "broken")
        except DataError as error:
            lines.append(str(error))
        else:
            # A length or the end mark can change without changing the pixels.
            np.testing.assert_array_equal(image, COLORS)
    assert len(lines) > len(data) - 30
    assert all(line.startswith("broken: ") and "\n" not in line for line in lines)


def test_other_files(tmp_path, message):
    assert message(decode, encoded(COLORS, "gif"), 3, "a.gif") == (
        "a.gif: this is neither a PNG nor a JPEG image."
    )
    gone = tmp_path / "gone.png"
    assert message(decode, gone, 3, str(gone)) == (
        f"{gone}: cannot be read (No such file or directory)."
    )
    assert message(size_of, gone) == f"{gone}: cannot be read (No such file or directory)."
