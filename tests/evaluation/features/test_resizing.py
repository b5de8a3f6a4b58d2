from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from pytorch_files import images

from jaxgan.evaluation.features.resizing import resize, to_rgb

# torch-fidelity's TensorFlow-like filter, and PyTorch's two (make_networks.py).
REFERENCE = np.load(Path(__file__).parents[1] / "reference" / "resized.npz")


@pytest.mark.parametrize("name", REFERENCE.files)
def test_filters_are_those_of_the_references(name):
    kind, shape, _, side = name.split()
    height, width = map(int, shape.split("x"))
    batch = jnp.asarray(images(3, 2, height, width, 3), jnp.float32)
    found = resize(batch, int(side), kind)
    assert found.dtype == jnp.float32
    np.testing.assert_allclose(found, REFERENCE[name], rtol=0, atol=1e-4)  # of 255


def test_a_step_by_hand():
    row = jnp.asarray([0.0, 8.0]).reshape(1, 1, 2, 1)
    # Positions 0, 1/2, 1, 3/2 of two pixels, or half a pixel of the result (1/4) before that.
    np.testing.assert_allclose(resize(row, 4, "tf1-bilinear")[0, 0, :, 0], [0, 4, 8, 8])
    np.testing.assert_allclose(resize(row, 4, "bilinear")[0, 0, :, 0], [0, 2, 6, 8])
    # One pixel of the result for four: their neighborhood, or their weighted mean.
    line = jnp.asarray([0.0, 8.0, 0.0, 16.0]).reshape(1, 1, 4, 1)
    assert resize(line, 1, "tf1-bilinear").item() == 0
    assert resize(line, 1, "bilinear").item() == 4
    weights = np.array([2.5, 3.5, 3.5, 2.5])  # of a triangle of half-width 4 around the middle
    expected = (weights * [0, 8, 0, 16]).sum() / weights.sum()
    assert resize(line, 1, "antialiased-bilinear").item() == pytest.approx(expected)


def test_gray_images_become_rgb():
    gray = jnp.asarray(images(1, 2, 3, 4, 1))
    found = to_rgb(gray)
    assert found.dtype == jnp.float32
    np.testing.assert_array_equal(found, np.repeat(np.asarray(gray, np.float32), 3, axis=3))
    color = jnp.asarray(images(1, 2, 3, 4, 3))
    np.testing.assert_array_equal(to_rgb(color), np.asarray(color, np.float32))
