"""Directions of latent spaces, against closed forms."""

import numpy as np
import pytest

from jaxgan.evaluation.disentanglement.directions import (
    ganspace,
    random_directions,
    sefa,
    spreads,
    traversals,
)


def test_sefa_of_weights_made_by_hand():
    """Channels that see one unit each: the eigenvalue is how many see it, whatever their scale."""
    first = np.array([[2.0, 0.0, -7.0], [0.0, 0.0, 0.0], [0.0, 5.0, 0.0]], np.float32)
    second = np.array([[0.1], [0.0], [0.0]], np.float32)
    found = sefa([first, second])
    np.testing.assert_allclose(found.values, [3.0, 1.0, 0.0], atol=1e-12)
    np.testing.assert_allclose(found.vectors, [[1, 0, 0], [0, 0, 1], [0, 1, 0]], atol=1e-12)


def test_sefa_of_rows_at_an_angle():
    """Unit rows (1, 0) and (0.6, 0.8): 1 +- 0.6, along their sum and their difference."""
    found = sefa([np.array([[3.0, 0.6], [0.0, 0.8]])])
    np.testing.assert_allclose(found.values, [1.6, 0.4])
    np.testing.assert_allclose(abs(found.vectors @ [1.6, 0.8]), [np.sqrt(3.2), 0.0], atol=1e-12)


def test_sefa_asks_for_weights_and_takes_dead_channels():
    with pytest.raises(ValueError, match="at least one layer"):
        sefa([])
    dead = sefa([np.array([[1.0, 0.0], [0.0, 0.0]])])
    np.testing.assert_allclose(dead.values, [1.0, 0.0])


def test_ganspace_is_a_singular_value_decomposition():
    w = np.random.default_rng(0).normal(size=(200, 4)) @ np.diag([0.5, 3.0, 1.0, 2.0]) + 5.0
    found = ganspace(w)
    _, singular, rows = np.linalg.svd(w - w.mean(axis=0), full_matrices=False)
    np.testing.assert_allclose(found.values, singular**2 / 199)
    np.testing.assert_allclose(abs((found.vectors * rows).sum(axis=1)), 1.0)
    np.testing.assert_allclose(spreads(found.vectors, w), np.sqrt(found.values))
    assert found.vectors[0].argmax() == 1  # the widest axis, with a positive sign
    with pytest.raises(ValueError, match="at least two"):
        ganspace(w[:1])


def test_random_directions_are_a_basis_without_a_preferred_axis():
    found = random_directions(5, seed=1)
    np.testing.assert_allclose(found.vectors @ found.vectors.T, np.eye(5), atol=1e-12)
    assert not np.allclose(found.vectors, random_directions(5, seed=2).vectors)
    # Squares of one number average to 1 / 5 over many bases, and its sign is either.
    drawn = np.array([random_directions(5, seed=seed).vectors[0, 0] for seed in range(400)])
    np.testing.assert_allclose(np.square(drawn).mean(), 0.2, atol=0.05)
    assert abs(drawn.mean()) < 0.1


def test_traversals_pass_through_their_start():
    lines = traversals(np.array([1.0, 2.0]), np.array([[0.5, 0.0], [0.0, 1.0]]), 2.0, 5)
    np.testing.assert_allclose(lines[0, :, 0], [0.0, 0.5, 1.0, 1.5, 2.0])
    np.testing.assert_allclose(lines[0, :, 1], 2.0)
    np.testing.assert_allclose(lines[1, :, 1], [0.0, 1.0, 2.0, 3.0, 4.0])
