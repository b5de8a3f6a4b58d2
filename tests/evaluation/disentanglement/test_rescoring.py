"""Re-scoring, of generators whose factors are linear in their latents."""

import numpy as np
import pytest

from jaxgan.evaluation.disentanglement.rescoring import Rescoring, rescore

SLOPES = np.array([[2.0, 0.0], [0.0, -1.0], [0.5, 0.5]])
LATENTS = np.random.default_rng(0).normal(size=(500, 3))


def read(latents):
    return latents @ SLOPES + 7.0


def test_of_a_linear_generator_changes_are_two_steps_times_the_slope():
    steps = np.array([[1.0, 0.0, 0.0], [0.0, 3.0, 0.0], [0.0, 0.0, -1.0]])
    found = rescore(read, LATENTS, steps)
    spread = read(LATENTS).std(axis=0, ddof=1)
    expected = np.array([[4.0, 0.0], [0.0, -6.0], [-1.0, -1.0]]) / spread
    np.testing.assert_allclose(found.signed, expected, atol=1e-12)
    np.testing.assert_allclose(found.absolute, abs(expected), atol=1e-12)


def test_changes_of_both_signs_cancel_in_one_of_the_numbers():
    found = rescore(lambda z: z[:, :1] * z[:, 1:2], LATENTS, np.array([[0.0, 0.5, 0.0]]))
    spread = (LATENTS[:, 0] * LATENTS[:, 1]).std(ddof=1)
    np.testing.assert_allclose(found.absolute, [[abs(LATENTS[:, 0]).mean() / spread]])
    np.testing.assert_allclose(found.signed, [[LATENTS[:, 0].mean() / spread]])


def test_factors_that_never_change_count_as_unchanged():
    found = rescore(lambda z: np.stack([z[:, 0], np.ones(len(z))], 1), LATENTS, np.eye(3))
    np.testing.assert_array_equal(found.absolute[:, 1], 0.0)
    assert np.isnan(found.leakage[1])


def test_scores_of_the_matrix():
    apart = Rescoring(np.array([[3.0, 0.0], [0.0, 2.0], [0.0, 1.0]]), np.zeros((3, 2)))
    assert apart.disentanglement == 1.0
    # Column 1 is complete; column 2 has shares 2/3 and 1/3 of three.
    entropy = -(2 / 3 * np.log(2 / 3) + 1 / 3 * np.log(1 / 3)) / np.log(3)
    np.testing.assert_allclose(apart.completeness, (3 + 3 * (1 - entropy)) / 6)
    np.testing.assert_array_equal(apart.leakage, [0.0, 0.0])
    mixed = Rescoring(np.array([[4.0, 1.0], [2.0, 2.0]]), np.zeros((2, 2)))
    np.testing.assert_array_equal(mixed.leakage, [0.25, 1.0])
    assert mixed.disentanglement < 0.3


def test_what_cannot_be_scored_is_refused():
    with pytest.raises(ValueError, match="at least two latents, not 1"):
        rescore(read, LATENTS[:1], np.eye(3))
    with pytest.raises(ValueError, match="not finite"):
        rescore(lambda z: z * np.nan, LATENTS, np.eye(3))
