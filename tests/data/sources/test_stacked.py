import dataclasses
from typing import Any

import numpy as np
import pytest
from scipy import stats

from jaxgan.data import pipeline, reading
from jaxgan.data.pipeline import Data
from jaxgan.data.source import ArraySplit, DataError, Info
from jaxgan.data.sources.digits import Digits
from jaxgan.data.sources.gaussians import Ring
from jaxgan.data.sources.stacked import Stacked


@dataclasses.dataclass(frozen=True)
class Shades:
    """Four gray images of 2x3, each of one level, which is 10 times its class."""

    information: Info = Info("shades", (2, 3, 1), 1, "uint8", 4, {"train": 4, "test": 4})

    def info(self) -> Info:
        return self.information

    def load(self, split: str) -> ArraySplit:
        levels = np.arange(4, dtype=np.uint8)
        images = np.broadcast_to(10 * levels[:, None, None, None], (4, 2, 3, 1))
        return ArraySplit(images, levels.astype(np.int32))


def test_every_channel_is_an_image_and_the_label_names_all_three_in_order():
    source = Stacked(Shades(), count=600)
    assert source.info() == Info(
        "stacked-shades", (2, 3, 3), 3, "uint8", 64, {"train": 600, "test": 10_000},
        frozenset({"stacked"}),
    )  # fmt: skip
    found = reading.arrays(source.load("train"))
    assert found["image"].shape == (600, 2, 3, 3)
    assert found["image"].dtype == np.uint8
    levels = found["image"][:, 0, 0].astype(np.int64)
    assert (found["image"] == levels[:, None, None].astype(np.uint8)).all()
    np.testing.assert_array_equal(found["label"], levels @ [16, 4, 1] // 10)
    # Drawn with replacement, each channel by itself: all modes alike.
    assert stats.chisquare(np.bincount(found["label"], minlength=64)).pvalue > 1e-3


def test_digits_are_numbers_of_three_digits():
    source = Stacked(count=500)
    split, digits = source.load("train"), Digits().load("train")
    assert len(split) == 500
    example = split[7]
    digit = [example["label"] // 100, example["label"] // 10 % 10, example["label"] % 10]
    for channel, label in enumerate(digit):
        same = (digits.images[..., 0] == example["image"][..., channel]).all(axis=(1, 2))
        assert digits.labels[same].tolist() == [label]
    # NumPy promises that RandomState's stream never changes, so these values hold everywhere.
    assert [split[place]["label"] for place in range(5)] == [207, 259, 965, 585, 420]
    assert [Stacked(count=500).load("train")[place]["label"] for place in range(2)] == [207, 259]
    with pytest.raises(IndexError, match="index 500 of a split of 500 examples"):
        split[500]
    with pytest.raises(DataError, match="stacked-digits: there is no split 'validation'"):
        source.load("validation")


def test_triples_of_the_test_split_are_of_test_images():
    image = Stacked(count=5).load("test")[0]["image"]
    train, test = Digits().load("train").images, Digits().load("test").images

    def among(images):
        return [(images[..., 0] == image[..., c]).all(axis=(1, 2)).any() for c in range(3)]

    assert among(test) == [True] * 3
    assert among(train) == [False] * 3


def test_opens_as_data():
    data = Data(source=Stacked(count=20), channels=3, classes=1000)
    assert pipeline.load(data).info.name == "stacked-digits"
    with pytest.raises(DataError, match=r"has 1000 classes, but --data\.classes is 10"):
        pipeline.load(dataclasses.replace(data, classes=10))


BASE = Shades().information


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (Ring(), "three gray images make one, and those of ring are not"),
        (Shades(BASE._replace(channels=3)), "gray images make one, and those of shades are not"),
        (Shades(BASE._replace(shape=None)), "the images of shades differ in size"),
        (Shades(BASE._replace(classes=1)), "the images of shades have no classes"),
        ("digits", "'digits' is no source of images"),
    ],
)
def test_images_that_cannot_be_stacked_are_refused(source: Any, message: str):
    with pytest.raises(DataError, match=message):
        Stacked(source).info()
    with pytest.raises(DataError, match=message):
        Stacked(source).load("train")


def test_there_must_be_a_triple():
    with pytest.raises(DataError, match="count = 0; there must be at least one triple"):
        Stacked(count=0).info()
