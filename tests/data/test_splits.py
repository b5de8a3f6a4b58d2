import threading
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
from unpaired import Unpaired, pixels

from jaxgan.data.order import subset_rows
from jaxgan.data.pipeline import Data
from jaxgan.data.source import ArraySplit, DataError, Info
from jaxgan.data.sources.digits import Digits
from jaxgan.data.splits import held_out_batches, images_of, labels_of

STREAMED = Data(streaming="always")


class Watched(ArraySplit):
    """Takes down which examples were read."""

    def __init__(self, images, labels):
        super().__init__(images, labels)
        object.__setattr__(self, "read", [])
        object.__setattr__(self, "lock", threading.Lock())

    def __getitem__(self, index, /):
        with self.lock:
            self.read.append(index)
        return super().__getitem__(index)


@dataclass(frozen=True, eq=False)
class Watching:
    """Twenty images whose every reading is known."""

    splits: Any = field(
        default_factory=lambda: {
            name: Watched(np.arange(20, dtype=np.uint8).reshape(20, 1, 1, 1), np.arange(20) % 3)
            for name in ("train", "test")
        }
    )

    def info(self):
        return Info("watching", (1, 1, 1), 1, "uint8", 3, {"train": 20, "test": 20})

    def load(self, split):
        return self.splits[split]


@pytest.fixture
def watched():
    """Settings that stream, and the list of examples read of the test split."""
    data = Data(Watching(), image_size=1, streaming="always")
    # Opening reads the first example.
    next(held_out_batches(data, "test", 1))
    read = data.source.splits["test"].read
    read.clear()
    return data, read


@pytest.mark.parametrize("data", [Data(), STREAMED], ids=["resident", "streamed"])
@pytest.mark.parametrize("size", [100, 297, 500])
def test_held_out_batches_hold_every_example_once(data, size):
    expected = Digits().load("test")
    batches = list(held_out_batches(data, "test", size))
    assert [count for _, count in batches] == {
        100: [100, 100, 97], 297: [297], 500: [297],
    }[size]  # fmt: skip
    for batch, count in batches:
        assert batch.keys() == {"image", "label", "mask"}
        assert batch["image"].shape == (size, 8, 8, 1)
        dtypes = {name: array.dtype for name, array in batch.items()}
        assert dtypes == {"image": np.uint8, "label": np.int32, "mask": np.float32}
        np.testing.assert_array_equal(batch["mask"], [1.0] * count + [0.0] * (size - count))
        assert not batch["image"][count:].any()
        assert not batch["label"][count:].any()
    for name, whole in (("image", expected.images), ("label", expected.labels)):
        found = np.concatenate([batch[name][:count] for batch, count in batches])
        np.testing.assert_array_equal(found, whole)


def test_held_out_batches_of_domains_have_a_mask_each():
    data = Data(Unpaired(), image_size=2, image_width=3)
    for streaming in ("never", "always"):
        batches = list(held_out_batches(replace(data, streaming=streaming), "test", 3))
        # Five images in a, two in b.
        assert [count for _, count in batches] == [3, 2]
        first, last = (batch for batch, _ in batches)
        assert first.keys() == {"a/image", "a/mask", "b/image", "b/label", "b/mask"}
        np.testing.assert_array_equal(first["a/mask"], [1, 1, 1])
        np.testing.assert_array_equal(first["b/mask"], [1, 1, 0])
        np.testing.assert_array_equal(first["b/image"][:2], pixels("b", [0, 1]))
        np.testing.assert_array_equal(first["b/label"], [0, 1, 0])
        np.testing.assert_array_equal(last["a/mask"], [1, 1, 0])
        np.testing.assert_array_equal(last["a/image"][:2], pixels("a", [3, 4]))
        np.testing.assert_array_equal(last["b/mask"], [0, 0, 0])
        assert last["b/image"].shape == (3, 2, 3, 1)
        assert not last["b/image"].any()


def test_held_out_batches_of_a_stream_are_read_one_at_a_time(watched):
    data, read = watched
    batches = held_out_batches(data, "test", 8)
    assert not read
    for rows in (range(8), range(8, 16), range(16, 20)):
        batch, _ = next(batches)
        assert set(read) == set(rows)
        np.testing.assert_array_equal(batch["label"][: len(rows)], np.array(rows) % 3)
        read.clear()


def test_nothing_is_read_of_a_stream_but_the_rows_that_are_drawn(watched):
    data, read = watched
    rows = subset_rows(20, 7)
    labels = labels_of(data, "test", 7)
    np.testing.assert_array_equal(labels, rows % 3)
    assert labels.dtype == np.int32
    assert set(read) == set(rows)
    read.clear()
    parts = list(images_of(data, "test", 4, count=7))
    assert [len(part) for part in parts] == [4, 3]
    np.testing.assert_array_equal(np.concatenate(parts)[:, 0, 0, 0], rows)
    assert set(read) == set(rows)


def test_images_of_a_stream_come_in_batches(watched):
    data, read = watched
    parts = images_of(data, "test", 8)
    assert not read
    first = next(parts)
    np.testing.assert_array_equal(first[:, 0, 0, 0], range(8))
    assert set(read) == set(range(8))
    assert [len(part) for part in parts] == [8, 4]


def test_labels_and_images_are_the_same_from_memory_and_from_a_stream():
    expected = Digits().load("test")
    for data in (Data(), STREAMED):
        for count in (1, 50, 297, 1000):
            rows = subset_rows(297, count)
            assert len(rows) == min(count, 297)
            np.testing.assert_array_equal(labels_of(data, "test", count), expected.labels[rows])
            images = np.concatenate(list(images_of(data, "test", 100, count=count)))
            np.testing.assert_array_equal(images, expected.images[rows])
        images = np.concatenate(list(images_of(data, "test", 100)))
        np.testing.assert_array_equal(images, expected.images)


def test_a_field_of_a_domain():
    data = Data(Unpaired(), image_size=2, image_width=3)
    for streaming in ("never", "always"):
        settings = replace(data, streaming=streaming)
        images = np.concatenate(list(images_of(settings, "train", 4, "a/image")))
        np.testing.assert_array_equal(images, pixels("a", range(7)))
        labels = labels_of(settings, "train", 5, "b/label")
        np.testing.assert_array_equal(labels, subset_rows(12, 5) % 3)


def test_a_field_that_does_not_exist(message):
    data = Data(Unpaired(), image_size=2, image_width=3)
    assert message(labels_of, data, "test", 3) == (
        "there is no field label; there are a/image, b/image, b/label"
    )
    with pytest.raises(DataError, match="there is no validation split"):
        next(held_out_batches(data, "validation", 3))
