import gzip
import struct

import numpy as np
import pytest

from jaxgan.data.source import Info
from jaxgan.data.sources.idx import DEBIAN_FASHION_MNIST, Idx, fashion_mnist

IMAGES = np.arange(5 * 2 * 3, dtype=np.uint8).reshape(5, 2, 3)
LABELS = np.array([3, 0, 9, 1, 2], np.uint8)


def idx(values: np.ndarray) -> bytes:
    magic = bytes([0, 0, 8, values.ndim])
    return magic + b"".join(struct.pack(">I", size) for size in values.shape) + values.tobytes()


@pytest.fixture
def folder(tmp_path):
    """A sound data set: five gzipped training images, two plain test images."""
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(IMAGES)))
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(LABELS)))
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(idx(IMAGES[:2] + 100))
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(idx(LABELS[:2]))
    return tmp_path


def test_reads_gzipped_and_plain_files(folder):
    source = Idx(str(folder), name="five")
    assert source.info() == Info("five", (2, 3, 1), 1, "uint8", 10, {"train": 5, "test": 2})
    train, test = source.load("train"), source.load("test")
    np.testing.assert_array_equal(train.images, IMAGES[..., None])
    np.testing.assert_array_equal(train.labels, [3, 0, 9, 1, 2])
    np.testing.assert_array_equal(test.images, IMAGES[:2, ..., None] + 100)
    assert train.labels.dtype == np.int32


def test_home_folder(folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder.parent))
    assert len(Idx(f"~/{folder.name}").load("test")) == 2


@pytest.mark.fashion_mnist
def test_fashion_mnist_of_debian():
    # 60,000 and 10,000 images, 6,000 and 1,000 of each kind: the paper, section 2.
    source = fashion_mnist()
    counts = {"train": 60_000, "test": 10_000}
    assert source.info() == Info("fashion-mnist", (28, 28, 1), 1, "uint8", 10, counts)
    train, test = source.load("train"), source.load("test")
    np.testing.assert_array_equal(np.bincount(train.labels), [6000] * 10)
    np.testing.assert_array_equal(np.bincount(test.labels), [1000] * 10)
    # The mean of the training pixels is 0.2860, as published with the data set's loaders.
    assert train.images.mean() / 255 == pytest.approx(0.2860, abs=5e-5)
    # The first training image is an ankle boot (9) and the first test image as well.
    assert (train[0]["label"], test[0]["label"]) == (9, 9)


def test_missing_folders(tmp_path, monkeypatch, message):
    gone = tmp_path / "gone"
    assert message(Idx(str(gone)).info) == (
        f"{gone}: there is no such folder; it should hold four IDX files."
    )
    monkeypatch.setattr("pathlib.Path.is_dir", lambda self: False)
    assert message(fashion_mnist().load, "train") == (
        f"{DEBIAN_FASHION_MNIST}: there is no such folder; on Debian or Ubuntu, "
        "`apt-get install dataset-fashion-mnist` makes it."
    )


def test_missing_file(folder, message):
    (folder / "t10k-labels-idx1-ubyte").unlink()
    assert message(Idx(str(folder)).info) == (
        f"{folder}: there is neither t10k-labels-idx1-ubyte.gz nor t10k-labels-idx1-ubyte in this "
        "folder."
    )


def test_unknown_split(folder, message):
    line = "idx: there is no split 'extra'; it has 'train' and 'test'."
    assert message(Idx(str(folder)).load, "extra") == line


def test_wrong_magic_numbers(folder, message):
    path = folder / "train-images-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(idx(LABELS)))
    assert message(Idx(str(folder)).load, "train") == (
        f"{path}: the magic number is 0x00000801, not 0x00000803 (bytes in 3 dimensions)."
    )
    path = folder / "t10k-labels-idx1-ubyte"
    path.write_bytes(b"<htm" + idx(LABELS)[4:])
    assert message(Idx(str(folder)).load, "test") == (
        f"{path}: the magic number is 0x3c68746d, not 0x00000801 (bytes in 1 dimension)."
    )


def test_gzip_cut_short(folder, message):
    path = folder / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-9])
    assert message(Idx(str(folder)).load, "train") == (
        f"{path}: the gzip file is cut short; fetch it again."
    )


def test_gzip_damaged(folder, message):
    path = folder / "train-images-idx3-ubyte.gz"
    good = path.read_bytes()
    # The last eight bytes are a checksum and a length.
    path.write_bytes(good[:-8] + bytes([good[-8] ^ 255]) + good[-7:])
    line = message(Idx(str(folder)).load, "train")
    assert line.startswith(f"{path}: the gzip file is damaged (CRC check failed")
    assert line.endswith("; fetch it again.")
    # Inside the compressed data.
    path.write_bytes(good[:10] + b"\xff" * 8 + good[18:])
    assert message(Idx(str(folder)).load, "train").startswith(f"{path}: the gzip file is damaged")
    path.write_bytes(b"not found")
    assert message(Idx(str(folder)).load, "train") == f"{path}: this is not a gzip file."


@pytest.mark.parametrize("size", [0, 3, 4, 15])
def test_file_that_ends_within_its_header(folder, size, message):
    path = folder / "t10k-images-idx3-ubyte"
    path.write_bytes(path.read_bytes()[:size])
    assert message(Idx(str(folder)).info) == f"{path}: the file ends within its header."


def test_too_few_and_too_many_bytes(folder, message):
    path = folder / "t10k-images-idx3-ubyte"
    good = path.read_bytes()
    path.write_bytes(good[:-1])
    assert message(Idx(str(folder)).load, "test") == (
        f"{path}: its header promises 12 bytes of data, there are only 11."
    )
    path.write_bytes(good + b"\0")
    assert message(Idx(str(folder)).load, "test") == (
        f"{path}: its header promises 12 bytes of data, there are more."
    )


def test_labels_and_images_that_do_not_match(folder, message):
    path = folder / "t10k-labels-idx1-ubyte"
    path.write_bytes(idx(LABELS[:3]))
    line = f"{path}: 3 labels for 2 images."
    assert message(Idx(str(folder)).info) == line
    assert message(Idx(str(folder)).load, "test") == line


def test_label_out_of_range(folder, message):
    assert message(Idx(str(folder), classes=9).load, "train") == (
        f"{folder / 'train-labels-idx1-ubyte.gz'}: label 9 of image 2 is not a class; "
        "classes go from 0 to 8."
    )


def test_splits_of_different_sizes(folder, message):
    (folder / "t10k-images-idx3-ubyte").write_bytes(idx(IMAGES[:2].transpose(0, 2, 1)))
    assert message(Idx(str(folder)).info) == (
        f"{folder}: training images are 2x3 but test images are 3x2."
    )


def test_unreadable_file(folder, monkeypatch, message):
    path = folder / "train-images-idx3-ubyte.gz"

    def refuse(self, *_):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr("pathlib.Path.open", refuse)
    assert message(Idx(str(folder)).load, "train") == (
        f"{path}: cannot be read (Permission denied)."
    )
