import numpy as np
import pytest

from jaxgan.data.source import (
    IMAGE_AND_LABEL,
    ArraySplit,
    DataError,
    Info,
    Source,
    Split,
    check_split_name,
)
from jaxgan.data.sources.digits import Digits
from jaxgan.data.sources.folder import Folder
from jaxgan.data.sources.gaussians import Grid, Ring
from jaxgan.data.sources.idx import Idx, fashion_mnist
from jaxgan.data.sources.sprites import Sprites
from jaxgan.data.sources.stacked import Stacked
from jaxgan.data.sources.swiss_roll import SwissRoll
from jaxgan.data.sources.tfds import Tfds
from jaxgan.data.sources.triangles import Triangles

SOURCES = [
    Digits(), Folder("~/none"), Grid(), Ring(), Sprites(), Idx("~/none"), fashion_mnist(),
    Stacked(), Stacked(Idx("~/none"), count=5), SwissRoll(), Tfds("none"), Triangles(),
]  # fmt: skip


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: type(source).__name__)
def test_sources_are_plain_values(source):
    # None of these folders exists: that making the source succeeded shows that nothing was read.
    assert isinstance(source, Source)
    assert source.fields is IMAGE_AND_LABEL
    fields = vars(source)
    assert all(isinstance(value, str | int | float | Source | None) for value in fields.values())
    again = type(source)(**fields)
    assert again == source
    assert hash(again) == hash(source)
    assert repr(source).startswith(type(source).__name__)
    with pytest.raises(AttributeError):
        source.name = "changed"


def test_sources_say_what_truths_they_know():
    known = {Digits(): "", Ring(): "mixture", Grid(): "mixture"}
    known |= {Sprites(): "factors", Triangles(): "manifold", Stacked(): "stacked"}
    for source, name in known.items():
        assert source.info().knows == ({name} if name else set())
    # Somebody else's need not.
    assert Info("mine", None, 3, "uint8", 1, {}).knows == frozenset()


def test_array_split_gives_examples_and_ends():
    split = ArraySplit(np.arange(12, dtype=np.uint8).reshape(3, 2, 2, 1), np.array([4, 5, 6]))
    assert isinstance(split, Split)
    assert len(split) == 3
    np.testing.assert_array_equal(split[1]["image"][..., 0], [[4, 5], [6, 7]])
    assert split[1]["label"] == 5
    assert type(split[1]["label"]) is int
    for index in (3, -1):
        with pytest.raises(IndexError, match=f"index {index} of a split of 3 examples"):
            split[index]
    assert [example["label"] for example in split] == [4, 5, 6]


@pytest.mark.parametrize("name", ["validation", "", "Train"])
def test_unknown_split(name):
    with pytest.raises(DataError) as error:
        check_split_name("digits", name)
    assert str(error.value) == f"digits: there is no split {name!r}; it has 'train' and 'test'."


@pytest.mark.parametrize("source", [Digits(), Ring(), Grid(), Sprites(), SwissRoll()])
def test_sources_refuse_unknown_splits(source):
    with pytest.raises(DataError, match="there is no split 'valid'"):
        source.load("valid")
