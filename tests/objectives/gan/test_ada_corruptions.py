"""ADA's filters, noise and cutout, held to what they are for."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from standard_draws import images, opened, still

from jaxgan.objectives.gan import ada_corruptions as corruptions

ALWAYS = jnp.float32(1.0)
POWER = np.array([10, 1, 1, 1]) / 13
gains = jax.jit(corruptions.gains)
filtered = jax.jit(corruptions.filtered)
kept = jax.jit(corruptions.kept, static_argnums=(2, 3))


def test_gains_keep_the_power_of_natural_images():
    one = np.asarray(gains(opened("band 2", normals={"band 2": 2}), ALWAYS))
    assert one[2] / one[0] == pytest.approx(4.0)
    np.testing.assert_allclose(one[[0, 1, 3]], one[0])
    assert POWER @ one**2 == pytest.approx(1.0)
    # The lowest band has most of the power, so that the others become small beside it.
    low = np.asarray(gains(opened("band 0", normals={"band 0": 1}), ALWAYS))
    np.testing.assert_allclose(low, np.array([2, 1, 1, 1]) / np.sqrt(43 / 13), rtol=1e-6)
    # Band after band is normalized by itself: two together are the product of both.
    both = gains(opened("band 0", "band 2", normals={"band 0": 1, "band 2": 2}), ALWAYS)
    np.testing.assert_allclose(both, one * low, rtol=1e-6)
    np.testing.assert_array_equal(gains(still(), ALWAYS), 1.0)
    np.testing.assert_array_equal(gains(opened(*still().gates), jnp.float32(0.0)), 1.0)


def low(angle):
    """|H|^2 / 2 of the wavelet with two vanishing moments, in closed form."""
    return np.cos(angle / 2) ** 4 * (1 + 2 * np.sin(angle / 2) ** 2)


def test_bands_are_octaves():
    """A wave is multiplied by what the four bands let through of its frequency."""
    length = 128
    factors = np.array([2.0, 3.0, 5.0, 7.0])
    angles = np.array([0.1, 0.6, 1.2, 1.8, 2.5, np.pi])
    through = np.stack([
        low(angles) * low(2 * angles) * low(4 * angles),
        low(angles) * low(2 * angles) * (1 - low(4 * angles)),
        low(angles) * (1 - low(2 * angles)),
        1 - low(angles),
    ])  # fmt: skip
    waves = np.cos(np.outer(angles, np.arange(length)))
    # Constant down the columns, which the lowest band has all of.
    x = np.repeat(waves[:, None, :, None], 2, axis=1).astype(np.float32)
    y = filtered(x, np.tile(factors, (6, 1)).astype(np.float32))[:, 0, 22:-22, 0]
    expected = factors[0] * (factors @ through)[:, None] * waves[:, 22:-22]
    np.testing.assert_allclose(y, expected, atol=2e-4)


def test_filters_add_up_to_nothing_changed():
    x = images(2, 24, 30, 3)
    ones = np.ones((2, 4), np.float32)
    np.testing.assert_array_equal(filtered(x, ones), x)
    twice = filtered(x, 2 * ones)
    np.testing.assert_allclose(twice, 4 * x, atol=1e-5)


def test_each_image_has_its_own_filter():
    """Small ones too, along both axes."""
    x = images(2, 6, 6, 1)
    factors = np.array([[1.0, 1.0, 1.0, 1.0], [2.0, 1.0, 0.5, 0.25]], np.float32)
    y = filtered(x, factors)
    np.testing.assert_array_equal(y[0], x[0])
    assert not np.allclose(y[1], x[1], atol=0.1)
    swapped = filtered(x[::-1], factors[::-1])
    np.testing.assert_allclose(swapped, y[::-1], atol=1e-6)
    turned = filtered(np.swapaxes(x, 1, 2), factors)
    np.testing.assert_allclose(np.swapaxes(turned, 1, 2), y, atol=1e-6)


def test_noise():
    draws = opened("noise", normals={"noise": -1.5})
    assert float(corruptions.noise_scale(draws, ALWAYS)) == pytest.approx(0.15)
    assert float(corruptions.noise_scale(still(), ALWAYS)) == 0.0


@pytest.mark.parametrize(
    ("x", "y", "columns", "rows"),
    [
        (0.5, 0.5, (2, 6), (3, 9)),
        (0.0, 0.5, (0, 2), (3, 9)),
        (0.999, 0.001, (6, 8), (0, 3)),
        # By a fraction of a pixel at a time: the rectangle is not bound to pixels.
        (0.57, 0.5, (3, 7), (3, 9)),
    ],
)
def test_cutout(x, y, columns, rows):
    draws = opened("cutout", uniforms={"cutout x": x, "cutout y": y})
    expected = np.ones((12, 8), bool)
    expected[slice(*rows), slice(*columns)] = False
    np.testing.assert_array_equal(kept(draws, ALWAYS, 12, 8), expected)
    assert bool(kept(still(), ALWAYS, 12, 8).all())
