"""The published triangles, against points looked at one by one and SciPy's convolution."""

import hashlib

import numpy as np
import pytest
from scipy import ndimage

from jaxgan.cli.datasets import DATASETS
from jaxgan.data.source import DataError, Source, Split
from jaxgan.data.sources.lucic_triangles import (
    LucicTriangles,
    corners_of,
    outside,
    render,
)


def drawn(count, seed=3):
    return corners_of(np.random.RandomState(seed).random_sample((count, 4)))


def by_points(corners):
    """Whole points by their barycentric coordinates; sums of 8x8 of them as SciPy convolves."""
    points = np.stack(np.mgrid[:224, :224], axis=-1) / 8.0
    a, b, c = corners
    weights = np.linalg.solve(np.stack([a - c, b - c], axis=1), (points - c).reshape(-1, 2).T)
    inside = ((weights > 0).all(axis=0) & (weights.sum(axis=0) < 1)).reshape(224, 224)
    white = 1.0 - inside
    sums = ndimage.convolve(white, np.ones((8, 8)), mode="constant", cval=1.0)
    return sums[::8, ::8] / 64


def test_source():
    source = LucicTriangles()
    assert isinstance(source, Source)
    assert source.info() == (
        "lucic-triangles", (28, 28, 1), 1, "uint8", 1, {"train": 60_000, "test": 10_000},
        {"manifold"},
    )  # fmt: skip
    assert DATASETS["lucic-triangles"].source == source
    assert DATASETS["lucic-triangles"].image_shape == (28, 28, 1)
    for ask in (source.load, source.corners):
        with pytest.raises(DataError, match="lucic-triangles: there is no split 'valid'"):
            ask("valid")


def test_levels_are_shares_of_points():
    corners = drawn(30)
    # In either direction, from any corner on.
    orders = [corners[:10], corners[10:20, ::-1], corners[20:, [1, 2, 0]]]
    for triangle in np.concatenate(orders):
        np.testing.assert_array_equal(outside(triangle[None])[0], by_points(triangle))


def test_levels_at_the_border():
    """A triangle over all of the image: the first pixels have 3 white lines, the last one none."""
    whole = np.array([[-1.0, -1.0], [-1.0, 90.0], [90.0, -1.0]])
    image = outside(whole[None])[0]
    np.testing.assert_array_equal(image, by_points(whole))
    assert image[0, 0] == 1 - 25 / 64
    assert image[0, 5] == 1 - 40 / 64
    assert image[9, 9] == 0


def test_corners_of_given_numbers():
    """Without a turn, at the least angles: 10, 130 and 250 degrees on a circle of 10.5 pixels."""
    corners = corners_of(np.zeros((1, 4)))[0]
    angles = np.radians([10.0, 130.0, 250.0])
    expected = 14 + 10.5 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    np.testing.assert_allclose(corners, expected, atol=1e-12)
    # The largest: 120, 240 and 360, and a turn by 2 pi degrees, from columns to rows.
    corners = corners_of(np.ones((1, 4)))[0]
    angles = np.radians(np.array([120.0, 240.0, 360.0]) - 2 * np.pi)
    expected = 14 + 10.5 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    np.testing.assert_allclose(corners, expected, atol=1e-12)


def test_triangles_lie_in_the_middle_of_the_image():
    corners = drawn(5000)
    np.testing.assert_allclose(corners.mean(axis=1), 14, atol=1e-12)
    assert corners.min() > 0
    assert corners.max() < 28
    # Each corner but for the turn is on its own third of a circle.
    sides = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=-1)
    assert sides.max() <= 21
    assert sides.min() >= 2 * 10.5 * np.sin(np.radians(5))


def test_images_are_rounded_levels_that_can_be_told_apart():
    corners = drawn(70)
    images = render(corners)
    assert (images.dtype, images.shape) == (np.uint8, (70, 28, 28, 1))
    np.testing.assert_array_equal(np.rint(images[..., 0] * (64 / 255)) / 64, outside(corners))
    assert (images.min(), images.max()) == (0, 255)


def test_splits_are_parts_of_one_shuffle():
    """The notebook's order: 80,000 times four numbers, then a permutation by the same generator."""
    random = np.random.RandomState(0)
    numbers = [random.rand() for _ in range(4)]
    random.random_sample(4 * 80_000 - 4)
    order = random.permutation(80_000)
    place = int(np.flatnonzero(order == 0)[0])
    split, at = ("train", place) if place < 60_000 else ("test", place - 60_000)
    assert at < 60_000
    first = LucicTriangles().corners(split)[at]
    np.testing.assert_array_equal(first, corners_of(np.array([numbers]))[0])
    assert len(LucicTriangles().corners("train")) == 60_000


def test_split():
    split = LucicTriangles().load("test")
    assert isinstance(split, Split)
    assert len(split) == 10_000
    corners = LucicTriangles().corners("test")
    np.testing.assert_array_equal(split[9_999]["image"], render(corners[9_999:])[0])
    np.testing.assert_array_equal(split[7]["image"], render(corners[7:8])[0])
    assert split[7]["label"] == 0
    # So that scores of today and of next year are of the same images.
    digest = hashlib.sha256(np.stack([split[i]["image"] for i in range(500)]).tobytes())
    assert digest.hexdigest() == "5a98527006f6ce19c6fc10a6fc9c26ea993a83638981d4344d4031a476bb1cd6"
