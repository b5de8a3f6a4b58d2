"""Projection into w: its schedules and its regularizer, and a generator whose answer is known."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax.tree_util import Partial

from jaxgan import rng
from jaxgan.evaluation.manifolds.style_projection import (
    autocorrelation,
    noise,
    normalized,
    project,
    rate,
    spread,
)

SIDES = {"coarse": 4, "fine": 8}


def made(weights, w, maps):
    """Images of 8x8 pixels that are linear in w, in which one layer's noise shows a little."""
    return 0.5 + 0.1 * (w @ weights).reshape(-1, 8, 8, 1) + 0.005 * maps["fine"][..., None]


def flat(images):
    return images.reshape(len(images), -1)


@pytest.fixture(scope="module")
def weights():
    return np.random.default_rng(0).normal(size=(3, 64)).astype(np.float32)


@pytest.fixture(scope="module")
def mapped():
    return np.random.default_rng(1).normal([1, 0, -1], 1.0, (50, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def images(weights, mapped):
    maps = {"fine": np.random.default_rng(2).normal(size=(4, 8, 8)).astype(np.float32)}
    return made(weights, jnp.asarray(mapped[:4]), maps)


def found(weights, images, mapped, **how):
    settings = {"steps": 200, "weight": 1.0, **how}
    return project(Partial(made, weights), Partial(flat), images, mapped, SIDES, **settings)


def test_the_rate_rises_in_a_twentieth_and_falls_in_the_last_quarter():
    """By hand: t / 0.05; 1; (1 - cos(pi (1 - t) / 0.25)) / 2, which is 1/2 at 7/8."""
    expected = {0.0: 0.0, 0.025: 0.5, 0.05: 1.0, 0.5: 1.0, 0.75: 1.0, 0.875: 0.5, 1.0: 0.0}
    for done, value in expected.items():
        np.testing.assert_allclose(rate(done), value, atol=1e-6)
    np.testing.assert_allclose(rate(11 / 12), 0.25, atol=1e-6)  # cos(pi / 3) = 1/2


def test_the_noise_ends_after_three_quarters():
    """By hand: 0.05 (1 - 4 t / 3)^2."""
    for done, value in {0.0: 0.05, 0.375: 0.0125, 0.6: 0.002, 0.75: 0.0, 0.9: 0.0}.items():
        np.testing.assert_allclose(noise(done), value, atol=1e-7)


def test_the_spread_is_of_whole_vectors():
    mean, size = spread(jnp.array([[0.0, 0.0], [6.0, 8.0]]))
    np.testing.assert_allclose(mean, [3.0, 4.0])
    np.testing.assert_allclose(size, 5.0, rtol=1e-6)


def by_hand(x):
    """Pixel by pixel, in double precision."""
    side = len(x)
    right = np.mean([x[i, j] * x[i, (j + 1) % side] for i in range(side) for j in range(side)])
    below = np.mean([x[i, j] * x[(i + 1) % side, j] for i in range(side) for j in range(side)])
    total = right**2 + below**2
    if side <= 8:
        return total
    pairs = range(0, side, 2)
    return total + by_hand(
        np.array([[x[i : i + 2, j : j + 2].mean() for j in pairs] for i in pairs])
    )


@pytest.mark.parametrize("side", [4, 8, 32])
def test_neighbors_that_are_alike_are_counted_at_all_resolutions(side):
    x = np.random.default_rng(side).normal(size=(2, side, side)) + 0.3
    expected = [by_hand(one) for one in x]
    np.testing.assert_allclose(autocorrelation(jnp.asarray(x, jnp.float32)), expected, rtol=1e-4)


def test_one_axis_alone_counts_half():
    """Stripes: neighbors along them are equal, those across opposite, and 8x8 is the coarsest."""
    stripes = np.tile([1.0, -1.0], (1, 8, 4)).astype(np.float32)
    np.testing.assert_allclose(autocorrelation(jnp.asarray(stripes)), [2.0])
    wide = np.tile(np.repeat([1.0, -1.0], 4), (1, 8, 1)).astype(np.float32)
    # Across, 6 of 8 neighbors are equal and 2 opposite.
    np.testing.assert_allclose(autocorrelation(jnp.asarray(wide)), [1.0 + 0.25])


def test_normalized_maps_have_mean_0_and_mean_square_1():
    x = np.random.default_rng(3).normal(2.0, 3.0, (2, 4, 4)).astype(np.float32)
    centered = x - x.mean(axis=(1, 2), keepdims=True)
    expected = centered / np.sqrt(np.square(centered).mean(axis=(1, 2), keepdims=True))
    np.testing.assert_allclose(normalized(jnp.asarray(x)), expected, rtol=1e-5)


def test_styles_of_a_generator_s_own_images_are_recovered(weights, images, mapped):
    projection = found(weights, images, mapped)
    assert projection.by_step.shape == (200, 4)
    assert (projection.distances < 0.01 * projection.by_step[0]).all()
    np.testing.assert_allclose(projection.w, mapped[:4], atol=0.05)
    for name, side in SIDES.items():
        maps = np.asarray(projection.maps[name])
        assert maps.shape == (4, side, side)
        np.testing.assert_allclose(maps.mean(axis=(1, 2)), 0.0, atol=1e-5)
        np.testing.assert_allclose(np.square(maps).mean(axis=(1, 2)), 1.0, rtol=1e-5)
    np.testing.assert_allclose(
        projection.images, made(weights, projection.w, projection.maps), atol=1e-5
    )
    squared = np.square(np.asarray(projection.images) - images).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(projection.distances, squared, rtol=1e-4)


def test_it_starts_from_the_mean(weights, images, mapped):
    projection = found(weights, images, mapped, learning_rate=0.0)
    np.testing.assert_allclose(projection.w, np.tile(mapped.mean(axis=0), (4, 1)), rtol=1e-5)


def test_an_image_does_not_depend_on_the_others(weights, images, mapped):
    given = found(weights, images, mapped)
    among_others = found(weights, images.at[1:].set(0.3), mapped)
    np.testing.assert_allclose(given.w[0], among_others.w[0], rtol=1e-4)
    assert not np.allclose(given.w[1], among_others.w[1], rtol=1e-2)


def test_a_large_weight_keeps_maps_white(weights, images, mapped):
    """Images of wide stripes, which the maps would take on."""
    stripes = np.tile(np.repeat([0.45, 0.55], 4), (4, 8, 1))[..., None].astype(np.float32)
    free, bound = (
        found(weights, jnp.asarray(stripes), mapped, weight=weight) for weight in (0.0, 1e5)
    )
    alike = [float(autocorrelation(one.maps["fine"]).max()) for one in (free, bound)]
    assert alike[0] > 0.3
    assert alike[1] < 0.01


def test_updates_are_adam_s_at_the_rate_of_the_step(weights, images, mapped):
    """Three steps by Optax's own Adam, whose rates are given; w without spread has no noise."""
    key = rng.base_key(0)
    maps = {
        name: rng.per_example(
            lambda one, side=side: jax.random.normal(one, (side, side)),
            rng.role_key(key, "map", place), 4,
        )
        for place, (name, side) in enumerate(SIDES.items())
    }  # fmt: skip
    w = jnp.tile(mapped.mean(axis=0), (4, 1))
    rates = jnp.array([0.1 * float(rate(step / 3)) for step in range(3)])
    optimizer = optax.adam(lambda count: rates[count], b1=0.9, b2=0.999)
    state = optimizer.init((w, maps))

    @jax.grad
    def slope(both):
        differences = made(weights, *both) - images
        alike = sum(jnp.sum(autocorrelation(one)) for one in both[1].values())
        return jnp.sum(jnp.square(differences)) + alike

    for _ in range(3):
        updates, state = optimizer.update(slope((w, maps)), state)
        w, maps = optax.apply_updates((w, maps), updates)
        maps = {name: normalized(values) for name, values in maps.items()}
    still = np.tile(mapped.mean(axis=0), (2, 1))
    projection = found(weights, images, still, steps=3)
    np.testing.assert_allclose(projection.w, w, rtol=1e-4)
    for name in SIDES:
        np.testing.assert_allclose(projection.maps[name], maps[name], rtol=1e-3, atol=1e-4)


def test_nothing_to_do_is_refused(weights, images, mapped):
    for given, how in ((images[:0], {}), (images, {"steps": 0})):
        with pytest.raises(ValueError, match="projection needs images"):
            found(weights, given, mapped, **how)
