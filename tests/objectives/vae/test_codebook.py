"""Codebooks: the moving averages of the paper's appendix step by step, restarts, distances."""

import doctest
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.objectives.vae import codebook
from jaxgan.objectives.vae.codebook import (
    Codebook,
    Uses,
    nearest,
    perplexity,
    straight_through,
    uses,
)

CODES, SIZE = 4, 3
DRAWS = np.random.default_rng(0)
FRESH = DRAWS.normal(size=(CODES, SIZE)).astype(np.float32)


def test_codes_are_moving_averages_of_sums_over_moving_averages_of_counts():
    """Appendix A.1, eq. 6 to 8, over three batches; code 3 is never the nearest."""
    book = Codebook(CODES, SIZE, decay=0.9, restart=0.0)
    state = book.init(jax.random.key(0))
    n, m = (np.asarray(leaf, np.float64) for leaf in state)
    first = m / n[:, None]
    np.testing.assert_array_equal(n, 1.0)
    for _ in range(3):
        indices = DRAWS.integers(0, 3, (5, 2))
        vectors = DRAWS.normal(size=(5, 2, SIZE)).astype(np.float32)
        used = uses(jnp.asarray(indices), jnp.asarray(vectors), CODES)
        for code in range(CODES):
            mine = vectors[indices == code].astype(np.float64)
            np.testing.assert_allclose(used.counts[code], len(mine))
            n[code] = 0.9 * n[code] + 0.1 * len(mine)
            m[code] = 0.9 * m[code] + 0.1 * mine.sum(0)
        state = book.update(state, used, fresh=jnp.asarray(FRESH))
        np.testing.assert_allclose(book.vectors(state), m / n[:, None], rtol=1e-5, atol=1e-6)
    # What is not used stays where it is.
    np.testing.assert_allclose(book.vectors(state)[3], first[3], rtol=1e-5)
    assert float(state.counts[3]) == pytest.approx(0.9**3, rel=1e-6)


def test_codes_that_are_hardly_used_start_anew():
    """Counts after the step are 8, 2.5, 1 and 0.5, their mean is 3: below 0.4 of it are two."""
    book = Codebook(CODES, SIZE, decay=0.5, restart=0.4)
    total = DRAWS.normal(size=(CODES, SIZE)).astype(np.float32)
    state = Uses(jnp.array([6.0, 5.0, 1.0, 1.0]), jnp.asarray(total))
    after = book.update(
        state,
        Uses(jnp.array([10.0, 0.0, 1.0, 0.0]), jnp.zeros((CODES, SIZE))),
        fresh=jnp.asarray(FRESH),
    )
    np.testing.assert_allclose(after.counts, [8.0, 2.5, 3.0, 3.0])
    np.testing.assert_allclose(book.vectors(after)[2:], FRESH[2:], rtol=1e-6)
    np.testing.assert_allclose(after.totals[:2], 0.5 * total[:2], rtol=1e-6)


def test_a_code_that_is_never_used_stays_finite():
    book = Codebook(2, 1, decay=0.0, restart=0.0)
    state = book.update(
        book.init(jax.random.key(0)),
        Uses(jnp.array([3.0, 0.0]), jnp.array([[6.0], [0.0]])), fresh=jnp.zeros((2, 1)),
    )  # fmt: skip
    np.testing.assert_allclose(book.vectors(state), [[2.0], [0.0]])


@pytest.mark.parametrize("offset", [0.0, 1e3])
def test_the_nearest_code(offset):
    """By all distances in double precision, near the origin and far from it."""
    codes = (DRAWS.normal(size=(7, SIZE)) + offset).astype(np.float32)
    vectors = (DRAWS.normal(size=(40, 2, SIZE)) + offset).astype(np.float32)
    distances = np.square(vectors.astype(np.float64)[:, :, None] - codes).sum(-1)
    found = nearest(jnp.asarray(codes), jnp.asarray(vectors))
    np.testing.assert_array_equal(found, distances.argmin(-1))
    assert len(np.unique(found)) > 3


def test_the_gradient_goes_straight_through():
    """To the vectors, as it is; none to the codes."""
    vectors, codes = jnp.array([1.0, 2.0]), jnp.array([4.0, 1.0])
    slope = jnp.array([3.0, -5.0])
    value, pull = jax.vjp(straight_through, vectors, codes)
    np.testing.assert_allclose(value, codes)
    to_vectors, to_codes = pull(slope)
    np.testing.assert_array_equal(to_vectors, slope)
    np.testing.assert_array_equal(to_codes, 0.0)


def test_perplexity_of_the_use():
    assert float(perplexity(jnp.full(8, 3.0))) == pytest.approx(8.0, rel=1e-6)
    assert float(perplexity(jnp.array([0.0, 9.0, 0.0]))) == pytest.approx(1.0)
    entropy = 0.25 * math.log(4) + 0.75 * math.log(4 / 3)
    assert float(perplexity(jnp.array([1.0, 3.0]))) == pytest.approx(math.exp(entropy), rel=1e-6)


@pytest.mark.parametrize(
    "bad",
    [{"codes": 0}, {"size": 0}, {"decay": 1.0}, {"decay": -0.1}, {"restart": 1.0}],
)
def test_bad_settings(bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        Codebook(**bad)


def test_examples():
    found = doctest.testmod(codebook)
    assert (found.attempted > 1, found.failed) == (True, 0)
