import pickle
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from jaxgan.data.pipeline import Data, load
from jaxgan.data.reading import arrays
from jaxgan.data.source import Info
from jaxgan.data.sources.tfds import Tfds
from jaxgan.data.stream import stream


@pytest.fixture
def pictures(data_dir):
    return Tfds("jaxgan_pictures", data_dir)


@pytest.fixture
def row_of(noise):
    """Tells which picture one is: tensorflow-datasets shuffles the records by their keys."""
    return lambda image: int(np.flatnonzero((image == noise).all((1, 2, 3)))[0])


def test_info(pictures):
    counts = {"train": 20, "test": 6}
    assert pictures.info() == Info("jaxgan_pictures", (8, 8, 3), 3, "uint8", 4, counts)


def test_reads_what_was_written(pictures, row_of):
    rows = {}
    for name in ("train", "test"):
        split = pictures.load(name)
        examples = [split[i] for i in range(len(split))]
        rows[name] = [row_of(example["image"]) for example in examples]
        assert [example["label"] for example in examples] == [row % 4 for row in rows[name]]
        assert all(example["image"].dtype == np.uint8 for example in examples)
    assert sorted(rows["train"]) == list(range(20))
    assert sorted(rows["test"]) == list(range(20, 26))
    # At random, and the same every time.
    split = pictures.load("train")
    assert [row_of(split[i]["image"]) for i in (7, 2, 7)] == [rows["train"][i] for i in (7, 2, 7)]
    with pytest.raises(IndexError, match="index 20 of a split of 20 examples"):
        split[20]


def test_split_notation(pictures):
    halves = replace(pictures, train_split="train[:75%]", test_split="train[75%:]")
    assert halves.info().counts == {"train": 15, "test": 5}
    whole = arrays(pictures.load("train"))["image"]
    np.testing.assert_array_equal(arrays(halves.load("train"))["image"], whole[:15])
    np.testing.assert_array_equal(arrays(halves.load("test"))["image"], whole[15:])


def test_other_features(pictures):
    thumbnails = replace(pictures, image="thumbnail", label=None)
    assert thumbnails.info()[1:5] == (None, 1, "uint8", 1)
    split = thumbnails.load("test")
    assert {split[i]["image"].shape for i in range(6)} == {(3, 3, 1), (4, 4, 1)}
    assert {split[i]["label"] for i in range(6)} == {0}


def test_through_the_pipeline(pictures):
    dataset = load(Data(pictures, image_size=4, channels=1, resize="bilinear", color="gray"))
    assert arrays(dataset.train)["image"].shape == (20, 4, 4, 1)


def test_reading_takes_neither_tensorflow_nor_the_builder(data_dir, noise):
    program = f"""
import sys
from jaxgan.data.pipeline import Data, load
from jaxgan.data.reading import arrays
from jaxgan.data.sources.tfds import Tfds
dataset = load(Data(Tfds("jaxgan_pictures", {data_dir!r}), image_size=8, channels=3))
print(arrays(dataset.train)["image"].astype(int).sum(), dataset.info.counts)
assert not [name for name in sys.modules if name.split(".")[0] == "tensorflow"]
"""
    result = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=Path(__file__).parents[3],
    )
    assert result.returncode == 0, result.stderr
    total = noise[:20].astype(int).sum()
    assert result.stdout.splitlines()[-1] == f"{total} {{'train': 20, 'test': 6}}"


def test_home_folder(data_dir, monkeypatch):
    monkeypatch.setenv("HOME", str(Path(data_dir).parent))
    assert Tfds("jaxgan_pictures", f"~/{Path(data_dir).name}").info().classes == 4


def test_splits_can_be_sent_to_worker_processes(pictures):
    split = pictures.load("test")
    again = pickle.loads(pickle.dumps(split))
    np.testing.assert_array_equal(again[3]["image"], split[3]["image"])


@pytest.mark.slow
def test_worker_processes(pictures):
    data = Data(pictures, image_size=8, channels=3, workers=1, threads=1)
    split = load(data).train
    batches = stream(split, seed=0, batch_size_global=4, data=data)
    plain = stream(split, seed=0, batch_size_global=4, data=replace(data, workers=0))
    np.testing.assert_array_equal(next(batches)["image"], next(plain)["image"])
    batches.close()
    plain.close()


def test_unknown_names(tmp_path, message):
    assert message(Tfds("fashion_mnits:3.0.1", str(tmp_path)).info) == (
        "fashion_mnits:3.0.1: tensorflow-datasets knows no such data set, nor is it prepared in "
        f"{tmp_path}; did you mean fashion_mnist?"
    )
    assert message(Tfds("qqqqzzzz", str(tmp_path)).info) == (
        "qqqqzzzz: tensorflow-datasets knows no such data set, nor is it prepared in "
        f"{tmp_path}; check its spelling."
    )


def test_unusable_names(tmp_path, message):
    # No such configuration; no such version.
    for name in ("cifar10_corrupted/none", "mnist:9.9.9"):
        line = message(Tfds(name, str(tmp_path)).info)
        assert line.startswith(f"{name}: it cannot be opened (")
        assert line.endswith(").")


def test_no_network(tmp_path, monkeypatch, message):
    def refuse(address, timeout):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "create_connection", refuse)
    start = time.monotonic()
    assert message(Tfds("mnist", str(tmp_path)).load, "train") == (
        f"mnist: it is not prepared in {tmp_path}, and cannot be downloaded: "
        "https://storage.googleapis.com cannot be reached."
    )
    assert time.monotonic() - start < 20


def test_download_fails(tmp_path, message):
    assert message(Tfds("jaxgan_down", str(tmp_path)).info) == (
        "jaxgan_down: it cannot be prepared (HTTP code: 503. Try again later)."
    )


def test_tensorflow_is_missing_for_preparing(tmp_path, monkeypatch, message):
    # Not installed, as far as an import can tell.
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    assert message(Tfds("jaxgan_drawn", str(tmp_path)).info) == (
        "jaxgan_drawn: preparing it (but not reading it) takes TensorFlow: "
        "pip install 'jaxgan[prepare]'."
    )


def test_prepared_in_another_format(data_dir, tmp_path, message):
    folder = tmp_path / "jaxgan_pictures" / "1.0.0"
    folder.mkdir(parents=True)
    for file in (Path(data_dir) / "jaxgan_pictures" / "1.0.0").iterdir():
        (folder / file.name).write_bytes(file.read_bytes().replace(b"array_record", b"tfrecord"))
    assert message(Tfds("jaxgan_pictures", str(tmp_path)).info) == (
        f"jaxgan_pictures: {folder} was prepared as tfrecord, not as array_record; delete that "
        "folder or choose another data_dir."
    )


def test_features_that_do_not_fit(pictures, message):
    assert message(replace(pictures, image="picture").info) == (
        "jaxgan_pictures: it has no feature 'picture'; it has caption, depth, image, label, "
        "thumbnail: name one of them as image."
    )
    assert message(replace(pictures, image="caption").info) == (
        "jaxgan_pictures: its feature 'caption' is no image."
    )
    assert message(replace(pictures, image="depth").info) == (
        "jaxgan_pictures: its images are uint16 of 1 channels; only uint8 of 1 or 3 channels can "
        "be used."
    )
    assert message(replace(pictures, label="class").info) == (
        "jaxgan_pictures: it has no feature 'class'; it has caption, depth, image, label, "
        "thumbnail: name one of them as label, or None to do without."
    )
    assert message(replace(pictures, label="caption").load, "train") == (
        "jaxgan_pictures: its feature 'caption' is no class label; name another one as label, or "
        "None to do without."
    )


def test_splits_that_do_not_exist_or_are_empty(pictures, message):
    assert message(replace(pictures, test_split="validation").info) == (
        "jaxgan_pictures: it has no split 'validation'; it has test, train."
    )
    assert message(replace(pictures, train_split="train[:0%]").load, "train") == (
        "jaxgan_pictures: its split 'train[:0%]' is empty."
    )
    assert message(pictures.load, "validation") == (
        "jaxgan_pictures: there is no split 'validation'; it has 'train' and 'test'."
    )


def copied(data_dir, tmp_path):
    """The files of a copy of the prepared data set, by split, and their folder."""
    folder = tmp_path / "jaxgan_pictures" / "1.0.0"
    folder.mkdir(parents=True)
    for file in (Path(data_dir) / "jaxgan_pictures" / "1.0.0").iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    return folder, {name: next(folder.glob(f"*-{name}.*")) for name in ("train", "test")}


def test_missing_and_damaged_records(data_dir, tmp_path, message):
    folder, files = copied(data_dir, tmp_path)
    source = Tfds("jaxgan_pictures", str(tmp_path))
    files["train"].unlink()
    line = message(source.load, "train")
    assert line.startswith(f"jaxgan_pictures: 'train' in {folder} cannot be opened (")
    assert files["train"].name in line
    # Opened while it was whole, and damaged afterwards.
    split = source.load("test")
    again = pickle.dumps(split)
    files["test"].write_bytes(files["test"].read_bytes()[:-100])
    assert message(source.load, "test").startswith(
        f"jaxgan_pictures: 'test' in {folder} cannot be opened ("
    )
    line = message(pickle.loads(again).__getitem__, 4)
    assert line.startswith("jaxgan_pictures[test], record 4: ")


def test_damaged_image(tmp_path, message):
    split = Tfds("jaxgan_truncated", str(tmp_path)).load("test")
    line = message(split.__getitem__, 2)
    assert line.startswith("jaxgan_truncated[test], record 2: the image is damaged or cut short (")
