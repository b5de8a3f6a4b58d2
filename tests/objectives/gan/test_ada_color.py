"""ADA's color against matrices written down in NumPy."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from standard_draws import images, opened, still

from jaxgan.objectives.gan import ada_color

GRAY = np.full((3, 3), 1 / 3)
REST = np.eye(3) - GRAY


def turned(angle):
    """Rodrigues' formula about the axis of grays."""
    x, y, z = np.ones(3) / np.sqrt(3)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


# What is drawn, what a color is multiplied with, and what is added to it.
PARTS = {
    "brightness": (opened("brightness", normals={"brightness": 1.5}), np.eye(3), 0.3),
    "contrast": (opened("contrast", normals={"contrast": 2}), 2 * np.eye(3), 0),
    "low contrast": (opened("contrast", normals={"contrast": -4}), np.eye(3) / 4, 0),
    "luma": (opened("luma", uniforms={"luma": 0.5}), np.eye(3) - 2 * GRAY, 0),
    "no luma": (opened("luma", uniforms={"luma": 0.49}), np.eye(3), 0),
    "hue": (opened("hue", uniforms={"hue": 0.8}), turned(0.6 * np.pi), 0),
    # A third of a turn exchanges the channels: red becomes green.
    "third": (opened("hue", uniforms={"hue": 5 / 6}), np.eye(3)[[2, 0, 1]], 0),
    "saturation": (opened("saturation", normals={"saturation": 1}), GRAY + 2 * REST, 0),
    "pale": (opened("saturation", normals={"saturation": -2}), GRAY + REST / 4, 0),
}


@functools.cache
def compiled(channels):
    return jax.jit(lambda draws, strength: ada_color.color(draws, strength, channels))


colored = jax.jit(ada_color.colored)


def found(draws, channels=3, strength=1.0):
    return np.asarray(compiled(channels)(draws, jnp.float32(strength)))


@pytest.mark.parametrize("name", PARTS)
def test_maps(name):
    draws, factor, added = PARTS[name]
    matrix = found(draws)
    np.testing.assert_allclose(matrix[:3, :3], factor, atol=1e-6)
    np.testing.assert_allclose(matrix[:3, 3], added, atol=1e-6)
    np.testing.assert_array_equal(matrix[3], [0, 0, 0, 1])


ALL = opened(
    "brightness", "contrast", "luma", "hue", "saturation",
    uniforms={"luma": 0.7, "hue": 0.8},
    normals={"brightness": 1.5, "contrast": 2, "saturation": 1},
)  # fmt: skip


def test_order():
    """Contrast multiplies what brightness added, and a luma flip turns it around."""
    factor = (GRAY + 2 * REST) @ turned(0.6 * np.pi) @ (np.eye(3) - 2 * GRAY) * 2
    np.testing.assert_allclose(found(ALL)[:3, :3], factor, atol=2e-6)
    np.testing.assert_allclose(found(ALL)[:3, 3], factor @ np.full(3, 0.3), atol=2e-6)


def test_still():
    np.testing.assert_array_equal(found(still()), np.eye(4))
    np.testing.assert_array_equal(found(opened(*still().gates), strength=0.0), np.eye(4))


def test_images():
    x = images(2, 4, 5, 3)
    maps = np.stack([found(ALL), found(PARTS["hue"][0])])
    y = colored(x, maps)
    expected = np.einsum("bij,bhwj->bhwi", maps[:, :3, :3], x) + maps[:, None, None, :3, 3]
    np.testing.assert_allclose(y, expected, atol=2e-6)


def test_gray_images_have_no_hue_and_no_saturation():
    """Brightness 0.3, contrast 2, luma flip: x becomes -2 (x + 0.3); black becomes white."""
    x = images(2, 4, 5, 1)
    maps = np.stack([found(ALL, 1), found(PARTS["luma"][0], 1)])
    y = colored(x, maps)
    np.testing.assert_allclose(y[0], -2 * (x[0] + 0.3), atol=2e-6)
    np.testing.assert_allclose(y[1], -x[1], atol=1e-6)
    # Three equal channels stay so, and are what one is.
    colors = colored(np.repeat(x, 3, axis=-1), maps)
    np.testing.assert_allclose(colors, np.repeat(y, 3, axis=-1), atol=2e-6)
    np.testing.assert_array_equal(colored(x, np.stack([np.eye(4, dtype=np.float32)] * 2)), x)
