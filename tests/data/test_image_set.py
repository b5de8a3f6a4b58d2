"""Image files and arrays as people keep them."""

import os

import numpy as np
import pytest
from PIL import Image

from jaxgan.data.image_set import load_images, same_channels
from jaxgan.data.source import DataError


def pictures(folder, images, suffix="png"):
    folder.mkdir(parents=True, exist_ok=True)
    for number, image in enumerate(images):
        Image.fromarray(np.squeeze(image)).save(folder / f"{number:03}.{suffix}")


def noise(count, *shape):
    return np.random.default_rng(count).integers(0, 256, (count, *shape), np.uint8)


def test_a_folder_in_the_order_of_names(tmp_path):
    images = noise(12, 5, 6, 3)
    pictures(tmp_path / "a", images)
    (tmp_path / "a" / "notes.txt").write_text("no image")
    (tmp_path / "a" / ".hidden.png").write_text("no image")
    found = load_images(tmp_path / "a")
    np.testing.assert_array_equal(found.images, images)
    assert found.labels is None


def test_names_need_not_be_utf_8(tmp_path):
    images = noise(2, 5, 6, 3)
    pictures(tmp_path / os.fsdecode(b"caf\xe9"), images)
    (tmp_path / os.fsdecode(b"caf\xe9") / "001.png").rename(
        tmp_path / os.fsdecode(b"caf\xe9") / os.fsdecode(b"001\xff.png")
    )
    np.testing.assert_array_equal(load_images(tmp_path / os.fsdecode(b"caf\xe9")).images, images)


@pytest.mark.parametrize("stored", [1, 3])
def test_gray_images_have_one_channel_however_they_are_stored(tmp_path, stored):
    gray = noise(4, 5, 6, 1)
    pictures(tmp_path / "a", np.repeat(gray, stored, axis=-1))
    np.testing.assert_array_equal(load_images(tmp_path / "a").images, gray)


def test_sub_folders_are_classes(tmp_path):
    images = noise(5, 4, 4, 3)
    pictures(tmp_path / "a" / "dogs", images[:2])
    pictures(tmp_path / "a" / "cats", images[2:])
    found = load_images(tmp_path / "a")
    assert found.labels.tolist() == [0, 0, 0, 1, 1]
    np.testing.assert_array_equal(found.images, images[[2, 3, 4, 0, 1]])
    pictures(tmp_path / "a", images[:1])  # some beside the classes: then there are none
    assert load_images(tmp_path / "a").labels is None


@pytest.mark.parametrize(
    ("arrays", "shape"),
    [
        ({"images": noise(3, 4, 5, 3)}, (3, 4, 5, 3)),
        ({"arr_0": noise(3, 4, 5, 1)}, (3, 4, 5, 1)),
        ({"images": noise(3, 4, 5)}, (3, 4, 5, 1)),
        ({"images": np.ones((7, 2), np.float32)}, (7, 1, 1, 2)),
        ({"arr_0": noise(9, 2, 2, 1), "images": noise(3, 4, 5, 1)}, (3, 4, 5, 1)),
    ],
)
def test_arrays(tmp_path, arrays, shape):
    np.savez(tmp_path / "a.npz", **arrays)
    found = load_images(tmp_path / "a.npz")
    assert found.images.shape == shape
    name = "images" if "images" in arrays else "arr_0"
    np.testing.assert_array_equal(found.images.ravel(), arrays[name].ravel())
    assert found.labels is None


def test_arrays_with_classes(tmp_path):
    np.savez(tmp_path / "a.npz", images=noise(3, 4, 5), labels=np.array([2, 0, 1]))
    assert load_images(tmp_path / "a.npz").labels.tolist() == [2, 0, 1]


def test_gray_is_repeated_beside_color(tmp_path):
    np.savez(tmp_path / "gray.npz", images=noise(3, 4, 5))
    np.savez(tmp_path / "color.npz", images=noise(2, 4, 5, 3))
    gray, color = (load_images(tmp_path / f"{name}.npz") for name in ("gray", "color"))
    a, b = same_channels(gray, color)
    assert (a.images == gray.images).all()
    assert a.images.shape == (3, 4, 5, 3)
    assert b.images is color.images
    assert same_channels(color, gray)[1].images.shape == (3, 4, 5, 3)
    assert same_channels(gray, gray) == (gray, gray)


def _nothing(path):
    pass


def _empty(path):
    path.mkdir()


def _sizes(path):
    pictures(path, [noise(1, 4, 5, 3)[0], noise(1, 6, 5, 3)[0]])


def _no_image(path):
    path.mkdir()
    (path / "a.png").write_bytes(b"no image")


def _text(path):
    path.write_text("text")


def _arrays(**arrays):
    def make(path):
        np.savez(path, **arrays)

    return make


@pytest.mark.parametrize(
    ("name", "make", "message"),
    [
        ("a", _nothing, "{}: there is no such folder or .npz file"),
        ("a.npz", _nothing, "{}: there is no such folder or .npz file"),
        ("a", _empty, "{}: there are no .png, .jpg or .jpeg images in this folder"),
        (
            "a", _sizes,
            "{}: images of several sizes, 5x4 (000.png) and 5x6 (001.png); bring them to one size"
            " first",
        ),
        ("a", _no_image, "{}/a.png: "),
        ("a.txt", _text, "{} is neither a folder of images nor an .npz file"),
        ("a.npz", _text, "{} cannot be read: it is damaged, or no .npz file"),
        (
            "a.npz", _arrays(x=noise(3, 4, 5), y=noise(1, 2)),
            "{} has no array 'images' or 'arr_0'; it has x, y",
        ),
        ("a.npz", _arrays(), "{} has no array 'images' or 'arr_0'; it has nothing"),
        (
            "a.npz", _arrays(images=np.zeros((3, 4, 5, 1))),
            "{}: 'images' is float64 of shape (3, 4, 5, 1); images are uint8 (n, h, w, c), points"
            " float32 (n, d)",
        ),
        (
            "a.npz", _arrays(images=noise(3, 4, 5), labels=np.arange(4)),
            "{}: 'labels' is int64 of shape (4,); it needs one integer for each of the 3 images",
        ),
    ],
)  # fmt: skip
def test_mistakes(tmp_path, name, make, message):
    path = tmp_path / name
    make(path)
    with pytest.raises(DataError) as raised:
        load_images(path)
    expected = message.format(path)
    assert str(raised.value).startswith(expected)
    assert expected.endswith(": ") or str(raised.value) == expected
