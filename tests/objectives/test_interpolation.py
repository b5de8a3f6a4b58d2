import doctest

import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.objectives import interpolation
from jaxgan.objectives.interpolation import lerp, slerp


def _reference(a, b, t):
    """Shoemake's formula in double precision, as printed."""
    a, b = np.float64(a), np.float64(b)
    cosine = np.sum(a * b) / np.linalg.norm(a) / np.linalg.norm(b)
    angle = np.arccos(cosine)
    return (np.sin((1 - t) * angle) * a + np.sin(t * angle) * b) / np.sin(angle)


@pytest.mark.parametrize("t", [0.0, 0.2, 0.5, 0.9, 1.0])
def test_lerp_by_hand(t):
    a, b = jnp.array([1.0, 2.0]), jnp.array([5.0, -2.0])
    np.testing.assert_allclose(lerp(a, b, t), [1 + 4 * t, 2 - 4 * t], rtol=1e-6)


@pytest.mark.parametrize("t", [0.0, 0.1, 0.5, 0.8, 1.0])
def test_slerp_walks_a_quarter_circle(t):
    a, b = jnp.array([1.0, 0.0]), jnp.array([0.0, 1.0])
    expected = [np.cos(t * np.pi / 2), np.sin(t * np.pi / 2)]
    np.testing.assert_allclose(slerp(a, b, t), expected, atol=1e-6)


@pytest.mark.parametrize("t", [0.0, 0.25, 0.6, 1.0])
def test_slerp_is_the_published_formula_for_any_lengths(t):
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 64)).astype(np.float32) * np.float32([[1.0], [3.0]])
    np.testing.assert_allclose(
        slerp(a=jnp.array(a), b=jnp.array(b), t=t), _reference(a, b, t), rtol=2e-5, atol=2e-6
    )


@pytest.mark.parametrize("angle", [1e-2, 1e-4, 1e-6, 0.0])
def test_slerp_is_stable_for_nearly_parallel_vectors(angle):
    # With arccos in single precision the angle 1e-4 comes out as 0 or 2.4e-4, and 0 / 0 follows.
    a, b = np.array([1.0, 0.0]), np.array([np.cos(angle), np.sin(angle)])
    halfway = slerp(jnp.array(a, jnp.float32), jnp.array(b, jnp.float32), 0.25)
    np.testing.assert_allclose(halfway[0], np.cos(angle / 4), rtol=1e-6)
    np.testing.assert_allclose(halfway[1], np.sin(angle / 4), rtol=1e-5)


def test_slerp_of_nearly_opposite_vectors_stays_on_the_circle():
    angle = np.pi - 1e-3
    a, b = jnp.array([1.0, 0.0]), jnp.array([np.cos(angle), np.sin(angle)], jnp.float32)
    middle = slerp(a, b, 0.5)
    np.testing.assert_allclose(middle, [np.cos(angle / 2), np.sin(angle / 2)], atol=1e-3)


def test_slerp_falls_back_where_there_is_no_great_circle():
    a = jnp.array([[1.0, 2.0], [0.0, 0.0], [3.0, 4.0]])
    b = jnp.array([[-2.0, -4.0], [3.0, 4.0], [0.0, 0.0]])
    np.testing.assert_allclose(slerp(a, b, 0.25), 0.75 * a + 0.25 * b, rtol=1e-6)
    one = slerp(jnp.array([2.0]), jnp.array([-1.0]), 1 / 3)
    np.testing.assert_allclose(one, [1.0], rtol=1e-6)


def test_batches_broadcast_their_own_times():
    rng = np.random.default_rng(1)
    a, b = (jnp.array(x, jnp.float32) for x in rng.normal(size=(2, 3, 5, 8)))
    t = jnp.linspace(0.1, 0.9, 5)[None, :]
    for path in (lerp, slerp):
        together = path(a, b, t)
        apart = [[path(a[i, j], b[i, j], float(t[0, j])) for j in range(5)] for i in range(3)]
        np.testing.assert_allclose(together, apart, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("path", [lerp, slerp])
def test_ends_are_exact(path):
    a, b = jnp.array(np.random.default_rng(2).normal(size=(2, 20, 8)), jnp.float32)
    np.testing.assert_array_equal(path(a, b, 0.0), a)
    np.testing.assert_array_equal(path(a, b, 1.0), b)


def test_examples():
    result = doctest.testmod(interpolation)
    assert result.attempted >= 2
    assert result.failed == 0
