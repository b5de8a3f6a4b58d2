import dataclasses

import numpy as np
import pytest

from jaxgan.data import pipeline, reading
from jaxgan.data.pipeline import Data
from jaxgan.data.source import ArraySplit, DataError, Info
from jaxgan.data.sources.binarized import Binarized
from jaxgan.data.sources.digits import Digits
from jaxgan.data.sources.gaussians import Ring
from jaxgan.data.sources.sprites import Sprites
from jaxgan.evaluation.features.load import default_backbone

VALUES = (0, 1, 127, 128, 200, 255)
COUNT = 4000


@dataclasses.dataclass(frozen=True)
class Shades:
    """Images of one row, whose pixels are `VALUES`."""

    def info(self) -> Info:
        knows = frozenset({"manifold"})
        return Info("shades", (1, 6, 1), 1, "uint8", 1, {"train": COUNT, "test": 5}, knows)

    def load(self, split: str) -> ArraySplit:
        count = self.info().counts[split]
        images = np.broadcast_to(np.array(VALUES, np.uint8).reshape(1, 6, 1), (count, 1, 6, 1))
        return ArraySplit(images, np.zeros(count, np.int32))


def test_a_threshold_splits_the_range_in_the_middle():
    source = Binarized(Shades())
    assert source.info() == Info(
        "binarized-shades", (1, 6, 1), 1, "uint8", 1, {"train": COUNT, "test": 5}
    )
    found = source.load("test")
    assert len(found) == 5
    assert found[4]["image"].ravel().tolist() == [0, 0, 0, 255, 255, 255]
    assert found[4]["image"].dtype == np.uint8


def test_draws_are_white_as_often_as_gray_says_and_stay_the_same():
    source = Binarized(Shades(), how="draw")
    images = reading.arrays(source.load("train"))["image"].reshape(COUNT, 6)
    assert set(images.ravel().tolist()) == {0, 255}
    shares = (images == 255).mean(axis=0)
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    expected = np.array(VALUES) / 255
    # Five standard errors.
    assert (np.abs(shares - expected) <= 5 * np.sqrt(expected * (1 - expected) / COUNT)).all()
    again = source.load("train")
    assert [again[7]["image"].ravel().tolist(), again[3]["image"].ravel().tolist()] == [
        images[7].tolist(),
        images[3].tolist(),
    ]
    test = reading.arrays(source.load("test"))["image"].reshape(5, 6)
    assert (test != images[:5]).any()


def test_opens_as_data_with_the_labels_of_the_source():
    found = pipeline.load(Data(source=Binarized(), classes=10))
    assert found.info.name == "binarized-digits"
    # What is known of gray images' features is not known of these.
    assert default_backbone(found.info.name) == "pixels"
    gray = Digits().load("test")
    example = found.test[11]
    assert example["label"] == gray[11]["label"]
    np.testing.assert_array_equal(example["image"], np.where(gray[11]["image"] >= 128, 255, 0))


def test_what_cannot_be_binarized():
    with pytest.raises(DataError, match="has no images of 8 bits"):
        Binarized(Ring()).info()
    with pytest.raises(DataError, match="is no source"):
        Binarized(source=3).info()
    with pytest.raises(DataError, match="there is no split 'validation'"):
        Binarized().load("validation")
    # How gray images are made is not how these are.
    assert Sprites().info().knows
    assert not Binarized(Sprites()).info().knows
