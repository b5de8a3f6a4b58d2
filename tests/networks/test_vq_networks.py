"""The networks of VQ-VAEs: what a place of the prior sees, and the sizes of grids."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.networks.pixel_cnn import PixelCnn
from jaxgan.networks.vq import GridDecoder, GridEncoder

ROWS, COLUMNS, CATEGORIES = 4, 5, 2
DRAWS = np.random.default_rng(0)


def seen(network):
    """Whether the logits at a place (first axis) depend on what is at another: by the Jacobian.

    Wide enough that no place has ReLUs that are all off.
    """
    grid = jnp.asarray(DRAWS.normal(size=(1, ROWS, COLUMNS, CATEGORIES)), jnp.float32)
    shapes = jax.eval_shape(lambda: network.init(jax.random.key(0), grid, train=False))
    variables = jax.tree.map(
        lambda leaf: jnp.asarray(DRAWS.normal(0, 0.4, leaf.shape), jnp.float32), shapes
    )
    slopes = jax.jit(jax.jacrev(lambda g: network.apply(variables, g, train=False)[0]))(grid)
    places = ROWS * COLUMNS
    apart = np.asarray(slopes).reshape(places, CATEGORIES, places, CATEGORIES)
    return np.abs(apart).max(axis=(1, 3)) > 0


def test_a_place_sees_all_places_before_it_and_no_other():
    """In reading order: neither itself nor what follows; and there is no blind spot."""
    found = seen(PixelCnn(width=16, layers=2, window=5))
    np.testing.assert_array_equal(found, np.tri(ROWS * COLUMNS, k=-1, dtype=bool))


def test_one_layer_sees_what_its_window_covers():
    """Window 3: two places to the left, and two rows above by one column to either side."""
    found = seen(PixelCnn(width=16, layers=1, window=3))
    expected = np.zeros_like(found)
    for row in range(ROWS):
        for column in range(COLUMNS):
            for i in range(ROWS):
                for j in range(COLUMNS):
                    left = i == row and column - 2 <= j < column
                    above = row - 2 <= i < row and abs(j - column) <= 1
                    expected[row * COLUMNS + column, i * COLUMNS + j] = left or above
    np.testing.assert_array_equal(found, expected)


def test_sizes_of_grids():
    images = jnp.zeros((2, 28, 28, 1))
    encoder, decoder = GridEncoder(width=4), GridDecoder(width=4)
    grid = jax.eval_shape(
        lambda: encoder.init_with_output(jax.random.key(0), images, latent_size=3, train=False)[0]
    )
    assert grid.shape == (2, 7, 7, 3)
    back = jax.eval_shape(
        lambda: decoder.init_with_output(
            jax.random.key(0), jnp.zeros((2, 7, 7, 3)), image_shape=(28, 28, 1), train=False
        )[0]
    )
    assert back.shape == images.shape


@pytest.mark.parametrize(("side", "halvings"), [(28, 3), (8, 0), (1, 2)])
def test_sides_that_cannot_be_halved_so_often_are_refused(side, halvings):
    with pytest.raises(ValueError, match="the sides must be multiples of"):
        GridEncoder(halvings=halvings).init(
            jax.random.key(0), jnp.zeros((1, side, side, 1)), latent_size=2, train=False
        )


@pytest.mark.parametrize("bad", [{"layers": 0}, {"window": 4}, {"window": 1}, {"width": 0}])
def test_bad_settings(bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        PixelCnn(**bad)
