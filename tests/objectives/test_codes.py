"""InfoGAN's prior."""

import doctest
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.objectives import codes
from jaxgan.objectives.codes import Codes
from jaxgan.objectives.priors import Normal, Prior, Uniform

PRIOR = Codes(Uniform(3), categories=(4, 2), continuous=2)
COUNT = 4000


def drawn(prior=PRIOR, seed=0):
    return jax.vmap(lambda key: prior.draw(key, 7))(jax.random.split(jax.random.key(seed), COUNT))


def test_codes_are_uniform_and_independent():
    """Within five standard errors, and whatever the data's classes are."""
    latents = drawn()
    assert isinstance(PRIOR, Prior)
    first, second = latents["category"]
    assert set(np.unique(first)) == {0.0, 1.0}
    np.testing.assert_array_equal(first.sum(axis=1), 1.0)
    error = 5 / math.sqrt(COUNT)
    np.testing.assert_allclose(first.mean(axis=0), 1 / 4, atol=0.44 * error)
    np.testing.assert_allclose(second.mean(axis=0), 1 / 2, atol=0.5 * error)
    both = (first[:, :, None] * second[:, None, :]).mean(axis=0)
    np.testing.assert_allclose(both, 1 / 8, atol=0.34 * error)
    numbers = np.concatenate([latents["continuous"], latents["noise"]], axis=1)
    assert (np.abs(numbers) <= 1.0).all()
    np.testing.assert_allclose(np.cov(numbers.T), np.eye(5) / 3, atol=0.34 * error)
    np.testing.assert_allclose(numbers.mean(axis=0), 0.0, atol=0.58 * error)


@pytest.mark.parametrize(
    ("prior", "keys"),
    [
        (Codes(categories=()), {"noise", "continuous"}),
        (Codes(continuous=0), {"noise", "category"}),
    ],
)
def test_what_is_not_there_is_left_out(prior, keys):
    latents = prior.draw(jax.random.key(0), 0)
    assert latents.keys() == keys
    assert prior.entropy.keys() == keys - {"noise"}
    tree = jax.tree.map(lambda leaf: leaf[None], latents)
    assert prior.project(tree).keys() == prior.between(tree, tree, jnp.zeros(1)).keys() == keys


def test_entropy():
    assert PRIOR.entropy == {"category": math.log(4) + math.log(2), "continuous": 2 * math.log(2)}


def test_project():
    """Whole categories, numbers where the prior has mass; what the prior draws stays."""
    latents = drawn()
    jax.tree.map(np.testing.assert_array_equal, PRIOR.project(latents), latents)
    moved = {
        "noise": jnp.array([[2.0, 0.5, -3.0]]),
        "category": (jnp.array([[0.2, 0.9, 0.7, -1.0]]), jnp.array([[0.1, 0.0]])),
        "continuous": jnp.array([[1.5, -0.5]]),
    }
    found = PRIOR.project(moved)
    np.testing.assert_array_equal(found["noise"], [[1.0, 0.5, -1.0]])
    np.testing.assert_array_equal(found["category"][0], [[0.0, 1.0, 0.0, 0.0]])
    np.testing.assert_array_equal(found["category"][1], [[1.0, 0.0]])
    np.testing.assert_array_equal(found["continuous"], [[1.0, -0.5]])


def test_paths_keep_the_categories_of_their_start():
    a, b = (jax.tree.map(lambda leaf: leaf[:3], drawn(seed=seed)) for seed in (1, 2))
    path = PRIOR.between(a, b, jnp.array([0.0, 0.25, 1.0]))
    jax.tree.map(np.testing.assert_array_equal, path["category"], a["category"])
    for name in ("noise", "continuous"):
        weights = np.array([[0.0], [0.25], [1.0]])
        expected = (1 - weights) * a[name] + weights * b[name]
        np.testing.assert_allclose(path[name], expected, rtol=1e-5, atol=1e-6)


def test_truncation_is_the_noise_s():
    prior = Codes(Normal(3))
    assert prior.truncates
    assert not PRIOR.truncates
    latents = drawn(prior)
    found = prior.truncate(latents, 0.5)
    np.testing.assert_allclose(found["noise"], 0.5 * latents["noise"])
    np.testing.assert_array_equal(found["continuous"], latents["continuous"])
    jax.tree.map(np.testing.assert_array_equal, found["category"], latents["category"])
    with pytest.raises(ValueError, match="no tails"):
        PRIOR.truncate(latents, 0.5)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"categories": (10, 1)}, r"a code has at least 2"),
        ({"continuous": -1}, r"at least one code"),
        ({"categories": (), "continuous": 0}, r"at least one code"),
    ],
)
def test_bad_settings(settings, message):
    with pytest.raises(ValueError, match=message):
        Codes(**settings)


def test_examples():
    result = doctest.testmod(codes)
    assert result.attempted >= 4
    assert result.failed == 0
