"""A fitted mixture draws what it was fitted to: moments against NumPy's and closed forms."""

import jax
import numpy as np
import pytest
from sklearn.mixture import GaussianMixture as Reference

from jaxgan.config import ConfigError
from jaxgan.measurement.samplers.gaussian_mixture import GaussianMixture
from jaxgan.measurement.samplers.sampler import mark

RNG = np.random.default_rng(0)
WEIGHTS = np.array([0.75, 0.25])
MEANS = np.array([[-3.0, 0.0, 1.0], [4.0, 2.0, 0.0]])
FACTORS = np.array(
    [[[1.0, 0, 0], [0.8, 0.3, 0], [0, 0.5, 1.2]], [[0.5, 0, 0], [-0.4, 0.6, 0], [0.2, 0, 0.4]]]
)


def codes_of(count):
    own = RNG.choice(2, count, p=WEIGHTS)
    noise = RNG.normal(size=(count, 3))
    return (MEANS[own] + np.einsum("nij,nj->ni", FACTORS[own], noise)).astype(np.float32)


def draws(sampler, arrays, count=20_000):
    keys = jax.random.split(jax.random.key(3), count)
    return np.float64(jax.jit(jax.vmap(lambda key: sampler.draw(arrays, key)))(keys))


def test_draws_are_of_the_mixture():
    """Given weights, means and Cholesky factors: shares, means and full covariances."""
    arrays = {"weights": WEIGHTS, "means": MEANS, "factors": FACTORS}
    arrays = {name: np.float32(array) for name, array in arrays.items()}
    for temperature in (1.0, 0.5):
        found = draws(GaussianMixture(temperature=temperature), arrays)
        first = found[:, 0] < 1.0  # they are 7 apart
        assert first.mean() == pytest.approx(0.75, abs=0.015)
        for part, mean, factor in zip((found[first], found[~first]), MEANS, FACTORS, strict=True):
            np.testing.assert_allclose(part.mean(0), mean, atol=0.08)
            expected = temperature**2 * factor @ factor.T
            np.testing.assert_allclose(np.cov(part.T), expected, atol=0.08)


def test_the_fit_is_scikit_learns():
    codes, lines = codes_of(2000), []
    arrays = GaussianMixture(components=2).fit(codes, lines.append)
    reference = Reference(2, random_state=0).fit(np.float64(codes))
    np.testing.assert_allclose(arrays["weights"], reference.weights_, rtol=1e-5)
    np.testing.assert_allclose(arrays["means"], reference.means_, rtol=1e-4, atol=1e-5)
    squares = np.einsum("kij,klj->kil", arrays["factors"], arrays["factors"])
    np.testing.assert_allclose(squares, reference.covariances_, rtol=1e-4, atol=1e-5)
    assert "2 Gaussians converged in" in lines[0]
    order = np.argsort(arrays["means"][:, 0])
    np.testing.assert_allclose(arrays["means"][order], MEANS, atol=0.15)
    assert all(array.dtype == np.float32 for array in arrays.values())


def test_what_is_refused_and_what_a_name_tells():
    with pytest.raises(ConfigError, match="10 components cannot be fitted to 5 codes"):
        GaussianMixture().fit(codes_of(5), print)
    for changes in ({"components": 0}, {"temperature": 0.0}, {"temperature": 1.5}, {"seed": -1}):
        with pytest.raises(ValueError, match=f"{next(iter(changes))} = "):
            GaussianMixture(**changes)
    assert mark(GaussianMixture()) == "gaussian_mixture"
    changed = GaussianMixture(components=5, temperature=0.8)
    assert mark(changed) == "gaussian_mixture:components=5;temperature=0.8"
