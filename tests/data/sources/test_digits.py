import importlib.machinery
import importlib.util

import numpy as np
import pytest
from sklearn.datasets import load_digits

from jaxgan.data.source import DataError, Info
from jaxgan.data.sources import digits
from jaxgan.data.sources.digits import Digits, held_out


@pytest.fixture(scope="module")
def splits():
    return Digits().load("train"), Digits().load("test")


def test_sizes_and_types(splits):
    info = Digits().info()
    assert info == Info("digits", (8, 8, 1), 1, "uint8", 10, {"train": 1500, "test": 297})
    for split, count in zip(splits, (1500, 297), strict=True):
        assert len(split) == count
        assert split.images.shape == (count, 8, 8, 1)
        assert split.images.dtype == np.uint8
        assert split.labels.dtype == np.int32


def test_levels_are_rounded_to_bytes(splits):
    # 255/16 = 15.9375 a level; level 8 is 127.5 and goes to the even 128. Worked out by hand.
    expected = [0, 16, 32, 48, 64, 80, 96, 112, 128, 143, 159, 175, 191, 207, 223, 239, 255]
    levels = load_digits().images
    is_test = held_out(load_digits().target)
    np.testing.assert_array_equal(
        splits[0].images[..., 0], np.take(expected, levels[~is_test].astype(int))
    )
    np.testing.assert_array_equal(
        splits[1].images[..., 0], np.take(expected, levels[is_test].astype(int))
    )


def test_the_splits_share_no_image_and_lose_none(splits):
    rows = [split.images.reshape(len(split), -1) for split in splits]
    together = np.concatenate(rows)
    original = np.rint(load_digits().data * 255 / 16).astype(np.uint8)
    assert sorted(map(bytes, together)) == sorted(map(bytes, original))
    assert not {bytes(row) for row in rows[0]} & {bytes(row) for row in rows[1]}


def test_every_digit_is_split_in_proportion(splits):
    _, test = splits
    # 297 of 1,797 is 16.53 %: within one image of it for each digit.
    all_counts = np.bincount(load_digits().target)
    assert np.abs(np.bincount(test.labels) - all_counts * 297 / 1797).max() <= 1
    assert np.bincount(test.labels).sum() == 297


def test_the_rule_is_the_documented_one():
    labels = load_digits().target
    # The documented rule, spelled out row by row.
    line = sorted(range(1797), key=lambda row: (labels[row], row))
    chosen = {row for i, row in enumerate(line) if (i + 1) * 297 // 1797 > i * 297 // 1797}
    assert set(np.flatnonzero(held_out(labels))) == chosen
    # The first zeros of the file are its rows 0, 10, 20, 30, 36, 48, 49: the seventh is taken.
    assert min(chosen & set(np.flatnonzero(labels == 0))) == 49


def test_loading_twice_is_the_same(splits):
    np.testing.assert_array_equal(Digits().load("test").images, splits[1].images)


@pytest.fixture
def installed(monkeypatch):
    """Pretends that scikit-learn is found elsewhere, or nowhere."""

    def pretend(spec):
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
        digits._read.cache_clear()

    yield pretend
    digits._read.cache_clear()


def test_a_file_that_has_moved_is_left_to_scikit_learn(splits, tmp_path, installed):
    spec = importlib.machinery.ModuleSpec("sklearn", None, is_package=True)
    spec.submodule_search_locations = [str(tmp_path)]
    installed(spec)
    np.testing.assert_array_equal(Digits().load("test").images, splits[1].images)
    np.testing.assert_array_equal(Digits().load("test").labels, splits[1].labels)


def test_without_scikit_learn_there_are_no_digits(installed):
    installed(None)
    with pytest.raises(DataError, match="they come with scikit-learn, which is not installed"):
        Digits().load("train")
