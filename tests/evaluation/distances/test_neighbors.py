import jax
import numpy as np
import pytest
from scipy.spatial.distance import cdist

from jaxgan.evaluation.distances.neighbors import nearest_neighbors


def images(count, seed, shape=(6, 5, 3)):
    return np.random.default_rng(seed).integers(0, 256, (count, *shape), np.uint8)


@pytest.mark.parametrize("block", [1, 7, 16, 40, 1000])
def test_against_all_distances(block):
    samples, train = images(9, 0), images(40, 1)
    distances = cdist(samples.reshape(9, -1) / 255.0, train.reshape(40, -1) / 255.0)
    expected = np.argsort(distances, axis=1)[:, :4]
    found = nearest_neighbors(samples, train, k=4, block=block)
    np.testing.assert_array_equal(found.indices, expected)
    np.testing.assert_allclose(
        found.distances, np.take_along_axis(distances, expected, axis=1), rtol=1e-5
    )


def test_copies_are_at_distance_zero_exactly():
    train = images(50, 2, (28, 28, 1))
    chosen = np.array([49, 0, 17])
    found = nearest_neighbors(train[chosen], train, block=16)
    np.testing.assert_array_equal(found.indices[:, 0], chosen)
    np.testing.assert_array_equal(found.distances, np.zeros((3, 1)))


def test_a_black_sample_is_not_taken_for_padding():
    # 7 training images in blocks of 4: the padding must never be a neighbor, though it is black.
    train = np.maximum(images(7, 3), 100)
    found = nearest_neighbors(np.zeros((2, 6, 5, 3), np.uint8), train, k=3, block=4)
    lengths = np.sqrt(np.square(train.reshape(7, -1) / 255.0).sum(axis=1))
    np.testing.assert_array_equal(found.indices, [np.argsort(lengths)[:3]] * 2)


def test_floats_are_taken_as_they_are():
    train = np.array([[0.0, 0.0], [3.0, 4.0], [-6.0, 8.0]], np.float32).reshape(3, 1, 1, 2)
    found = nearest_neighbors(np.zeros((1, 1, 1, 2), np.float32), train, k=3)
    np.testing.assert_array_equal(found.indices, [[0, 1, 2]])
    np.testing.assert_allclose(found.distances, [[0.0, 5.0, 10.0]], rtol=1e-6)


def test_runs_inside_jit():
    samples, train = images(4, 4), images(20, 5)
    inside = jax.jit(lambda a, b: nearest_neighbors(a, b, k=2, block=8))(samples, train)
    outside = nearest_neighbors(samples, train, k=2, block=8)
    np.testing.assert_array_equal(inside.indices, outside.indices)
    np.testing.assert_allclose(inside.distances, outside.distances, rtol=1e-6)


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(ValueError, match="6 neighbors among 5"):
        nearest_neighbors(images(2, 0), images(5, 1), k=6)
    with pytest.raises(ValueError, match="block must be positive"):
        nearest_neighbors(images(2, 0), images(5, 1), block=0)
    with pytest.raises(ValueError, match="samples are uint8 and training images float32"):
        nearest_neighbors(images(2, 0), images(5, 1).astype(np.float32))
