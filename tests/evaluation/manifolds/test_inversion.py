import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.tree_util import Partial

from jaxgan.evaluation.manifolds.inversion import invert, to_unit


def normal(key, count):
    return jax.random.normal(key, (count, 3))


def linear(weights, latents):
    return 0.5 + 0.08 * (latents @ weights).reshape(-1, 4, 4, 1)


@pytest.fixture(scope="module")
def basis():
    """Three orthonormal directions in the space of 4x4 images."""
    return np.linalg.qr(np.random.default_rng(0).normal(size=(16, 3)))[0].T.astype(np.float32)


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(1).uniform(0.3, 0.7, (30, 4, 4, 1)).astype(np.float32)


def test_linear_generators_are_inverted_by_projection(basis, images):
    found = invert(Partial(linear, basis), normal, images, restarts=2)
    offsets = images.reshape(30, 16) - 0.5
    latents = offsets @ basis.T / 0.08
    expected = np.linalg.norm(offsets - 0.08 * latents @ basis, axis=1)
    np.testing.assert_allclose(found.distances, expected, rtol=1e-3)
    # Never below the minimum.
    assert (found.distances >= expected - 1e-5).all()
    np.testing.assert_allclose(found.latents, latents, atol=0.1)


def test_what_is_found_is_what_is_made(basis, images):
    found = invert(Partial(linear, basis), normal, images, steps=3, restarts=1)
    made = np.asarray(linear(basis, found.latents))
    distances = np.sqrt(np.square(made - images).sum(axis=(1, 2, 3)))
    np.testing.assert_allclose(found.distances, distances, rtol=1e-5)


def test_descent_is_better_than_its_start(basis, images):
    start = invert(Partial(linear, basis), normal, images, steps=1, learning_rate=0.0)
    found = invert(Partial(linear, basis), normal, images)
    assert (found.distances < start.distances).all()
    # Without steps, it is the nearest of the bank: more of them are nearer.
    wide = invert(Partial(linear, basis), normal, images, steps=1, learning_rate=0.0, bank=64)
    assert wide.distances.mean() > start.distances.mean()


def test_latents_stay_where_they_are_projected_to(basis, images):
    found = invert(
        lambda z: linear(basis, z), normal, images, project=lambda z: jnp.clip(z, -0.5, 0.5)
    )
    assert np.abs(found.latents).max() == 0.5
    # In an orthogonal basis, the closest point of a box is found coordinate by coordinate.
    offsets = images.reshape(30, 16) - 0.5
    latents = np.clip(offsets @ basis.T / 0.08, -0.5, 0.5)
    expected = np.linalg.norm(offsets - 0.08 * latents @ basis, axis=1)
    np.testing.assert_allclose(found.distances, expected, rtol=1e-3)


def test_same_seed_same_result(basis, images):
    one, two, other = (
        invert(Partial(linear, basis), normal, images[:3], steps=2, seed=seed) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(one.latents, two.latents)
    assert not np.array_equal(one.latents, other.latents)


def test_new_weights_need_no_compilation(basis, images):
    traces = []

    def counted(weights, latents):
        traces.append(None)
        return linear(weights, latents)

    invert(Partial(counted, basis), normal, images, steps=2)
    once = len(traces)
    invert(Partial(counted, basis[::-1]), normal, images, steps=2)
    assert len(traces) == once


def test_errors(basis, images):
    generate = Partial(linear, basis)
    with pytest.raises(ValueError, match="there are no images"):
        invert(generate, normal, images[:0])
    with pytest.raises(ValueError, match="got 0 restarts, 150 steps and 4096 latents"):
        invert(generate, normal, images, restarts=0)
    with pytest.raises(ValueError, match="got 3 restarts, 150 steps and 2 latents"):
        invert(generate, normal, images, bank=2)
    with pytest.raises(ValueError, match=r"images are \(4, 4, 1\), those to be made \(4, 2, 1\)"):
        invert(generate, normal, images[:, :, :2])
    with pytest.raises(ValueError, match="images from 0 to 1, this one's are float32 from"):
        invert(lambda z: 2 * linear(basis, z), normal, images)


def test_to_unit():
    levels = np.array([0, 51, 255], np.uint8).reshape(1, 1, 3, 1)
    np.testing.assert_allclose(to_unit(levels).ravel(), [0, 0.2, 1], rtol=1e-6)
    for wrong in (np.float32(1.1), np.float32(np.nan), np.float32(-0.1), np.int32(1)):
        with pytest.raises(ValueError, match="uint8, or floats from 0 to 1"):
            to_unit(np.full((1, 1, 1, 1), wrong))
