import hashlib
import os

import numpy as np
import pytest
from PIL import Image

from jaxgan.data.source import Info
from jaxgan.data.sources.folder import Folder


def draw(path, value, size=(4, 6), mode="RGB"):
    """Writes an image of one color; ``size`` is height and width."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.new("RGB", size[::-1], (value, value, value)).convert(mode)
    image.save(path)


def values(split):
    """The colors of a split's images, which name them."""
    return [int(split[i]["image"].flat[0]) for i in range(len(split))]


@pytest.fixture
def classes(tmp_path):
    """Twenty images in each of two classes, without a split."""
    for value in range(40):
        name = "cat" if value % 2 else "dog"
        draw(tmp_path / "pets" / name / f"{value:02}.png", value)
    return tmp_path / "pets"


def test_class_folders_and_a_split_by_hash(classes):
    source = Folder(str(classes), test_fraction=0.25)
    train, test = source.load("train"), source.load("test")
    # The documented rule, from hashlib's side: the first eight bytes of SHA-256 as a fraction.
    expected = [
        value
        for value in [*range(1, 40, 2), *range(0, 40, 2)]
        if int(
            hashlib.sha256(f"{'cat' if value % 2 else 'dog'}/{value:02}.png".encode()).hexdigest()[
                :16
            ],
            16,
        )
        < 0.25 * 2**64
    ]
    assert values(test) == expected
    assert sorted(values(train) + values(test)) == list(range(40))
    for split in (train, test):
        labels = [split[i]["label"] for i in range(len(split))]
        assert labels == [1 - value % 2 for value in values(split)]
    counts = {"train": len(train), "test": len(test)}
    assert source.info() == Info("pets", (4, 6, 3), 3, "uint8", 2, counts)


def test_names_need_not_be_utf_8(tmp_path):
    for value in range(20):
        draw(
            tmp_path / "pets" / os.fsdecode(b"caf\xe9") / os.fsdecode(b"%d\xff.png" % value), value
        )
    source = Folder(str(tmp_path / "pets"), test_fraction=0.25)
    # The documented rule, with the bytes that the file system has.
    test = [
        value
        for value in range(20)
        if hashlib.sha256(b"caf\xe9/%d\xff.png" % value).digest()[:8] < b"\x40" + bytes(7)
    ]
    assert sorted(values(source.load("test"))) == test
    assert sorted(values(source.load("train")) + test) == list(range(20))


def test_a_new_image_moves_no_other(classes):
    source = Folder(str(classes), test_fraction=0.25)
    before = values(source.load("test"))
    draw(classes / "cat" / "aaa.png", 200)
    after = [value for value in values(source.load("test")) if value != 200]
    assert after == before


def test_the_larger_the_fraction_the_larger_the_split(classes):
    # 40 images: within four standard deviations, sqrt(40 * 0.5 * 0.5) = 3.2, of a half.
    assert 8 <= len(Folder(str(classes), test_fraction=0.5).load("test")) <= 32
    small = set(values(Folder(str(classes), test_fraction=0.2).load("test")))
    assert small < set(values(Folder(str(classes), test_fraction=0.8).load("test")))


def test_train_and_test_folders(tmp_path):
    for split, start, count in (("train", 0, 4), ("test", 100, 2)):
        for i in range(count):
            draw(tmp_path / split / ("one" if i % 2 else "zero") / f"{i}.JPG", start + i)
    source = Folder(str(tmp_path), channels=1)
    counts = {"train": 4, "test": 2}
    assert source.info() == Info(tmp_path.name, (4, 6, 1), 1, "uint8", 2, counts)
    assert values(source.load("train")) == [1, 3, 0, 2]
    assert values(source.load("test")) == [101, 100]
    assert [source.load("test")[i]["label"] for i in (0, 1)] == [0, 1]


def test_without_classes_every_label_is_zero(tmp_path):
    for i in range(12):
        draw(tmp_path / f"{i:02}.png", i)
    (tmp_path / "notes.txt").write_text("not an image")
    (tmp_path / ".hidden.png").write_text("not an image")
    source = Folder(str(tmp_path), test_fraction=0.5)
    assert source.info().classes == 1
    assert sum(source.info().counts.values()) == 12
    train = source.load("train")
    assert {train[i]["label"] for i in range(len(train))} == {0}


def test_mixed_modes_become_what_was_asked_for(tmp_path):
    for i, mode in enumerate(("L", "RGB", "RGBA", "P", "1")):
        draw(tmp_path / "train" / f"{i}.png", 255, mode=mode)
        draw(tmp_path / "test" / f"{i}.png", 255, mode=mode)
    for channels in (1, 3):
        source = Folder(str(tmp_path), channels=channels)
        assert source.info().shape == (4, 6, channels)
        train = source.load("train")
        for i in range(5):
            image = train[i]["image"]
            assert image.shape == (4, 6, channels)
            assert image.dtype == np.uint8
            assert (image == 255).all()


def test_sizes_that_differ(tmp_path):
    draw(tmp_path / "train" / "a.png", 1, size=(4, 6))
    draw(tmp_path / "test" / "b.png", 1, size=(6, 4))
    assert Folder(str(tmp_path)).info().shape is None


def test_home_folder(classes, monkeypatch):
    monkeypatch.setenv("HOME", str(classes.parent))
    assert Folder("~/pets").info().name == "pets"


def test_damaged_files_are_found_when_opened(classes, message):
    victim = sorted(classes.rglob("*.png"))[20]
    noise = np.random.RandomState(0).randint(0, 256, (4, 6, 3)).astype(np.uint8)
    Image.fromarray(noise).save(victim)
    victim.write_bytes(victim.read_bytes()[:-40])
    for split in ("train", "test"):
        source = Folder(str(classes), test_fraction=0.25)
        source.info()
        lazy = Folder(str(classes), test_fraction=0.25, verify=False).load(split)
        if victim not in lazy.paths:
            continue
        line = f"{victim}: the image is damaged or cut short (image file is truncated"
        assert message(source.load, split).startswith(line)
        # Without verification, the same line comes when the image is read.
        assert message(lazy.__getitem__, lazy.paths.index(victim)).startswith(line)
        return
    pytest.fail("the damaged image is in neither split")


def test_text_called_png(classes, message):
    victim = classes / "cat" / "01.png"
    victim.write_text("hello")
    assert message(Folder(str(classes)).info) == (
        f"{victim}: this is neither a PNG nor a JPEG image."
    )


def test_missing_folder(tmp_path, message):
    gone = tmp_path / "gone"
    assert message(Folder(str(gone)).info) == f"{gone}: there is no such folder of images."


def test_empty_folders(tmp_path, message):
    line = "there are no .png, .jpg or .jpeg images in this folder."
    assert message(Folder(str(tmp_path)).info) == f"{tmp_path}: {line}"
    draw(tmp_path / "train" / "a.png", 1)
    (tmp_path / "test").mkdir()
    assert message(Folder(str(tmp_path)).info) == f"{tmp_path / 'test'}: {line}"


def test_one_of_the_two_folders_is_missing(tmp_path, message):
    draw(tmp_path / "test" / "a.png", 1)
    assert message(Folder(str(tmp_path)).info) == (
        f"{tmp_path}: there is a folder 'test' but no folder 'train'."
    )


def test_a_split_that_the_hash_leaves_empty(tmp_path, message):
    draw(tmp_path / "only.png", 1)
    # SHA-256 of "only.png" begins with 0x71, about 0.44.
    assert hashlib.sha256(b"only.png").digest()[0] == 0x71
    for fraction, split in ((0.4, "test"), (0.5, "train")):
        assert message(Folder(str(tmp_path), test_fraction=fraction).info) == (
            f"{tmp_path}: none of its 1 images falls into the {split} split; change test_fraction "
            f"({fraction}), or make folders 'train' and 'test'."
        )


def test_images_beside_class_folders(classes, message):
    draw(classes / "stray.png", 1)
    assert message(Folder(str(classes)).info) == (
        f"{classes}: there are images both in class folders ('cat') and beside them."
    )


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.1, float("nan")])
def test_test_fraction_out_of_range(classes, fraction, message):
    assert message(Folder(str(classes), test_fraction=fraction).info) == (
        f"{classes}: test_fraction is {fraction}; it must be above 0 and below 1."
    )


def test_channels_out_of_range(classes, message):
    source = Folder(str(classes))
    object.__setattr__(source, "channels", 4)
    assert message(source.info) == f"{classes}: channels is 4; it must be 1 or 3."


def test_index_beyond_the_end(classes):
    split = Folder(str(classes)).load("train")
    with pytest.raises(IndexError, match=f"of a split of {len(split)} examples"):
        split[len(split)]
