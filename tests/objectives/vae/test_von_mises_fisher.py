"""Directions: densities and KL against SciPy, draws by their distribution, slopes by quadrature."""

import doctest

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate, special, stats

from jaxgan.algorithms.vae import Vae
from jaxgan.config import ConfigError
from jaxgan.networks.mlp import MlpDecoder, MlpEncoder
from jaxgan.objectives import sphere
from jaxgan.objectives.sphere import Sphere
from jaxgan.objectives.vae import sphere_integrals
from jaxgan.objectives.vae.code_priors import CodePrior, StandardNormal
from jaxgan.objectives.vae.monte_carlo import MonteCarloElbo
from jaxgan.objectives.vae.posteriors import Encoded, Posterior
from jaxgan.objectives.vae.sphere_integrals import kl_uniform, slope_of_angle
from jaxgan.objectives.vae.von_mises_fisher import (
    PROPOSALS,
    UniformSphere,
    VonMisesFisher,
    angle_of,
    proposals,
)


def sizes(*fast):
    """All sizes, of which some are fast enough to be tried every time."""
    every = (2, 3, 10, 50)
    return pytest.mark.parametrize(
        "size", [s if s in fast else pytest.param(s, marks=pytest.mark.slow) for s in every]
    )


KAPPAS = np.array([1e-3, 0.1, 1.0, 5.0, 30.0, 300.0, 1e4])
POSTERIOR = VonMisesFisher(least=0.0)


def encoded_of(mean, kappa):
    """What an encoder returns for these means, of any length, and concentrations."""
    numbers = np.where(kappa > 30, kappa, np.log(np.expm1(np.minimum(kappa, 30))))
    second = np.zeros_like(mean)
    second[:, 0] = numbers
    return Encoded(jnp.asarray(mean, jnp.float32), jnp.asarray(second, jnp.float32))


def log_constant(kappa, size):
    """``log c``, with ``c exp(kappa mean . z)`` the density."""
    order = size / 2 - 1
    bessel = np.log(special.ive(order, kappa)) + kappa
    return order * np.log(kappa) - size / 2 * np.log(2 * np.pi) - bessel


def mean_cosine(kappa, size):
    return special.ive(size / 2, kappa) / special.ive(size / 2 - 1, kappa)


def density_of_angle(kappa, size):
    """Of the angle to the mean, up to the constant, and the angle beyond which there is nothing."""
    end = min(np.pi, (np.sqrt(size) + 12) / np.sqrt(kappa))
    return lambda t: np.sin(t) ** (size - 2) * np.exp(-2 * kappa * np.sin(t / 2) ** 2), end


@sizes(2, 10)
def test_kl_from_the_uniform_distribution(size):
    """Value and slope in float32, by the Bessel functions of SciPy in double precision."""
    kappa = jnp.asarray(KAPPAS, jnp.float32)
    value, slope = jax.jit(
        lambda k: jax.jvp(lambda x: kl_uniform(x, size), (k,), (jnp.ones_like(k),))
    )(kappa)
    k = np.asarray(kappa, np.float64)
    area = 2 * np.pi ** (size / 2) / special.gamma(size / 2)
    expected = k * mean_cosine(k, size) + log_constant(k, size) + np.log(area)
    np.testing.assert_allclose(value, expected, rtol=3e-6, atol=1e-6)
    variance = 1 - mean_cosine(k, size) ** 2 - (size - 1) * mean_cosine(k, size) / k
    np.testing.assert_allclose(slope, k * variance, rtol=2e-5)


@sizes(3)
def test_densities(size):
    """Against `scipy.stats.vonmises_fisher`, and its slope by kappa, E cos - cos with a minus."""
    draws = np.random.default_rng(1)
    rows = len(KAPPAS)
    mean = draws.normal(size=(rows, size))
    unit = mean / np.linalg.norm(mean, axis=1, keepdims=True)
    # From near the mean to the other side.
    codes = unit * np.linspace(1, -1, rows)[:, None] + 0.3 * draws.normal(size=(rows, size))
    codes /= np.linalg.norm(codes, axis=1, keepdims=True)
    given, at = encoded_of(mean, KAPPAS), jnp.asarray(codes, jnp.float32)
    found = jax.jit(lambda e, z: POSTERIOR.log_prob({}, e, z))(given, at)
    expected = np.array([
        stats.vonmises_fisher(m, k).logpdf(z) for m, k, z in zip(unit, KAPPAS, codes, strict=True)
    ])  # fmt: skip
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=2e-5)
    area = 2 * np.pi ** (size / 2) / special.gamma(size / 2)
    prior = UniformSphere().log_prob({}, at, None)
    np.testing.assert_allclose(prior, -np.log(area) * np.ones(rows), rtol=1e-6)
    slope = jax.grad(lambda e: jnp.sum(POSTERIOR.log_prob({}, e, at)))(given).log_variance[:, 0]
    expected = (codes * unit).sum(1) - mean_cosine(KAPPAS, size)
    expected *= np.where(KAPPAS > 30, 1.0, -np.expm1(-KAPPAS))  # softplus has a slope of its own
    np.testing.assert_allclose(slope, expected, rtol=1e-4, atol=2e-6)


@pytest.mark.parametrize("size", [2, 5, pytest.param(50, marks=pytest.mark.slow)])
def test_proposals(size):
    found = np.asarray(jax.vmap(lambda key: proposals(key, size))(jax.random.split(KEY, 100)))
    assert found.shape == (100, PROPOSALS, 2)
    half = (size - 1) / 2
    assert stats.kstest(found[..., 0].ravel(), stats.beta(half, half).cdf).pvalue > 1e-3
    np.testing.assert_allclose(found.sum(-1), 1.0, rtol=1e-6)
    assert found.min() >= 0


KEY = jax.random.key(5)
COUNT = 1500


@sizes(10)
def test_draws(size):
    """Angles by their distribution function, directions by what lies beside the mean."""
    draws = np.random.default_rng(1)
    kappas = np.array([0.05, 2.0, 60.0, 1e4])
    rows = np.repeat(kappas, COUNT)
    mean = np.repeat(draws.normal(size=(len(kappas), size)), COUNT, axis=0)
    keys = jax.random.split(jax.random.fold_in(KEY, size), len(rows))
    noise = jax.jit(jax.vmap(lambda key: POSTERIOR.noise(key, size)))(keys)
    drawn = jax.jit(lambda e, n: POSTERIOR.draw({}, e, n, None))(encoded_of(mean, rows), noise)
    codes = np.asarray(drawn.codes, np.float64)
    np.testing.assert_allclose(np.linalg.norm(codes, axis=1), 1.0, rtol=1e-5)
    unit = mean / np.linalg.norm(mean, axis=1, keepdims=True)
    half_chord = np.linalg.norm(codes - unit, axis=1) / 2
    angles = 2 * np.arcsin(np.minimum(half_chord, 1))
    beside = codes - (codes * unit).sum(1, keepdims=True) * unit
    beside /= np.linalg.norm(beside, axis=1, keepdims=True)
    for i, kappa in enumerate(kappas):
        density, end = density_of_angle(kappa, size)
        grid = np.linspace(0, end, 4001)
        below = integrate.cumulative_trapezoid(density(grid), grid, initial=0)
        own = slice(i * COUNT, (i + 1) * COUNT)
        found = stats.kstest(angles[own], lambda t, g=grid, b=below: np.interp(t, g, b / b[-1]))
        assert found.pvalue > 1e-3, kappa
        # All directions at right angles to the mean are alike.
        basis = np.linalg.svd(unit[own][:1])[2][1:]
        inner = beside[own] @ basis.T
        assert np.abs(inner.mean(0)).max() < 5 / np.sqrt(COUNT * (size - 1))
        if size > 2:
            np.testing.assert_allclose(np.cov(inner.T) * (size - 1), np.eye(size - 1), atol=0.2)


@sizes(2)
def test_few_proposals_are_rejected(size):
    """At least 65 in 100 are taken, so that one of all is, but for one code in 10^14."""
    kappa = jnp.asarray(KAPPAS, jnp.float32)
    count = 400
    proposed = jax.vmap(lambda key: proposals(key, size))(jax.random.split(KEY, count))
    thresholds = jax.random.uniform(KEY, (count, PROPOSALS))
    one = jax.jit(lambda k, p, t: angle_of(k, p, t, size))

    def first(rows, columns):
        return one(jnp.repeat(kappa, count), rows, columns)

    # The second proposal is taken where the first is rejected: compare with the first alone.
    tiled = jnp.tile(proposed, (len(kappa), 1, 1)), jnp.tile(thresholds, (len(kappa), 1))
    kept = np.asarray(first(*tiled)) == np.asarray(first(tiled[0], jnp.zeros_like(tiled[1])))
    assert kept.reshape(len(kappa), count).mean(1).min() > 0.6
    assert 0.35**PROPOSALS < 1e-14


@pytest.mark.slow
@sizes(10)
def test_angles_follow_the_concentration_at_a_fixed_quantile(size):
    """``-(dF / dkappa) / density``, by differences of quadratures; in float32."""
    for kappa in (0.05, 2.0, 60.0, 1e4):
        density, end = density_of_angle(kappa, size)
        grid = np.linspace(0, end, 20001)
        cells = integrate.cumulative_trapezoid(density(grid), grid, initial=0)
        angles = np.interp([0.001, 0.05, 0.3, 0.6, 0.95, 0.999], cells / cells[-1], grid)

        def share(t, k):
            own, _ = density_of_angle(k, size)
            pieces = (0, t), (t, end)  # noqa: B023
            parts = [
                integrate.quad(own, *ends, epsabs=0, epsrel=1e-11, limit=200)[0] for ends in pieces
            ]
            return parts[0] / sum(parts)

        step = 1e-3 * kappa
        total = integrate.quad(density, 0, end, epsabs=0, epsrel=1e-11)[0]
        by_kappa = [(share(t, kappa + step) - share(t, kappa - step)) / (2 * step) for t in angles]
        expected = -np.array(by_kappa) / density(angles) * total
        given = jnp.asarray(angles, jnp.float32), jnp.full(len(angles), kappa, jnp.float32)
        found = slope_of_angle(*given, size)
        np.testing.assert_allclose(found, expected, rtol=2e-4, err_msg=str(kappa))


@pytest.mark.slow
@sizes(3)
def test_gradients_of_averages_are_exact(size):
    """``d E[f] / dkappa = E[f' dt / dkappa]`` for ``f = cos``, whose mean is a Bessel ratio."""
    kappa = 4.0
    density, _ = density_of_angle(kappa, size)
    nodes, weights = np.polynomial.legendre.leggauss(100)
    angles, weights = (nodes + 1) * np.pi / 2, weights * np.pi / 2
    share = weights * density(angles) / (weights * density(angles)).sum()
    slopes = np.asarray(
        slope_of_angle(jnp.asarray(angles, jnp.float32), jnp.full(100, kappa, jnp.float32), size)
    )
    mean = mean_cosine(kappa, size)
    variance = 1 - mean**2 - (size - 1) * mean / kappa
    assert (share * -np.sin(angles) * slopes).sum() == pytest.approx(variance, rel=1e-4)


def test_codes_turn_with_the_mean_and_follow_the_concentration():
    """The slope of a code is that of a rotation in the plane of the mean and of its change."""
    draws = np.random.default_rng(1)
    rows, size = 4, 5
    mean, change = draws.normal(size=(2, rows, size))
    kappa = np.array([0.5, 2.0, 10.0, 200.0])
    noise = jax.vmap(lambda key: POSTERIOR.noise(key, size))(jax.random.split(KEY, rows))
    given, zero = encoded_of(mean, kappa), jnp.zeros((rows, size))

    def codes(encoded):
        return POSTERIOR.draw({}, encoded, noise, None).codes

    moved = jax.jit(lambda e, d: jax.jvp(codes, (e,), (d,)))
    z, by_mean = moved(given, Encoded(jnp.asarray(change, jnp.float32), zero))
    _, by_kappa = moved(given, Encoded(zero, zero.at[:, 0].set(1.0)))
    length = np.linalg.norm(mean, axis=1, keepdims=True)
    unit = mean / length
    turn = (change - (change * unit).sum(1, keepdims=True) * unit) / length
    rotated = turn * (unit * z).sum(1, keepdims=True) - unit * (turn * z).sum(1, keepdims=True)
    np.testing.assert_allclose(by_mean, rotated, atol=1e-5)
    cosine = (unit * np.asarray(z)).sum(1)
    angle = np.arccos(cosine)
    slope = slope_of_angle(jnp.asarray(angle, jnp.float32), jnp.asarray(kappa, jnp.float32), size)
    slope = np.asarray(slope) * np.where(kappa > 30, 1, -np.expm1(-kappa))
    away = (np.asarray(z) - cosine[:, None] * unit) / np.sin(angle)[:, None]
    expected = slope[:, None] * (-np.sin(angle)[:, None] * unit + np.cos(angle)[:, None] * away)
    np.testing.assert_allclose(by_kappa, expected, rtol=2e-3, atol=1e-6)


@pytest.mark.parametrize("size", [2, pytest.param(50, marks=pytest.mark.slow)])
def test_finite_in_float32(size):
    """Values and gradients, however far out the encoder is, and for a mean of length 0."""
    second = np.zeros((6, size), np.float32)
    second[:, 0] = [-60.0, -7.0, 0.0, 5.0, 1e4, 1e6]
    mean = np.zeros((6, size), np.float32)
    mean[1:, 0] = [1e-6, 1.0, 1.0, -1.0, 1e6]
    noise = jax.vmap(lambda key: VonMisesFisher().noise(key, size))(jax.random.split(KEY, 6))

    def total(encoded):
        drawn = VonMisesFisher().draw({}, encoded, noise, None)
        kl = VonMisesFisher().kl({}, encoded, UniformSphere())
        return jnp.sum(drawn.codes) + jnp.sum(drawn.log_prob) + jnp.sum(kl), kl

    given = Encoded(jnp.asarray(mean), jnp.asarray(second))
    (value, kl), slopes = jax.jit(jax.value_and_grad(total, has_aux=True))(given)
    assert np.isfinite(value)
    assert all(np.isfinite(leaf).all() for leaf in slopes)
    assert kl.shape == (6, 1)
    assert (np.diff(kl[:, 0]) >= 0).all()


def test_parts():
    assert isinstance(VonMisesFisher(), Posterior)
    assert isinstance(UniformSphere(), CodePrior)
    assert VonMisesFisher().has_kl(UniformSphere())
    assert not VonMisesFisher().has_kl(StandardNormal())
    given = encoded_of(np.array([[3.0, 4.0]]), np.array([2.0]))
    np.testing.assert_allclose(VonMisesFisher().center({}, given), [[0.6, 0.8]], rtol=1e-6)
    with pytest.raises(ValueError, match=r"least = -1\.0"):
        VonMisesFisher(least=-1.0)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"posterior": VonMisesFisher()}, r"VonMisesFisher are of another kind \(sphere\) than"),
        ({"code_prior": UniformSphere()}, r"DiagonalGaussian are of another kind \(space\)"),
        (
            {"posterior": VonMisesFisher(), "code_prior": UniformSphere(), "latent_size": 1},
            "latent_size = 1: directions have at least 2 numbers",
        ),
    ],
)
def test_what_does_not_go_together(changes, line):
    with pytest.raises(ConfigError, match=line):
        Vae(MlpEncoder(), MlpDecoder(), bound=MonteCarloElbo(), **changes)


def test_uniform_directions():
    prior = UniformSphere().latents(4)
    assert prior == Sphere(4)
    draws = np.asarray(jax.vmap(lambda key: prior.draw(key, 0))(jax.random.split(KEY, 3000)))
    np.testing.assert_allclose(np.linalg.norm(draws, axis=1), 1.0, rtol=1e-6)
    # One number of a uniform direction: 2 e - 1 for e of Beta((m - 1) / 2, (m - 1) / 2).
    assert stats.kstest((draws.ravel() + 1) / 2, stats.beta(1.5, 1.5).cdf).pvalue > 1e-3
    assert np.abs(draws.mean(0)).max() < 0.05
    a, b = jnp.asarray(draws[:5]), jnp.asarray(draws[5:10])
    path = prior.between(a, b, jnp.linspace(0, 1, 5))
    np.testing.assert_allclose(np.linalg.norm(path, axis=1), 1.0, rtol=1e-6)
    np.testing.assert_allclose(path[0], a[0], atol=1e-6)
    np.testing.assert_allclose(path[4], b[4], atol=1e-6)
    np.testing.assert_allclose(prior.project(3.0 * a), a, atol=1e-6)
    assert not prior.truncates
    with pytest.raises(ValueError, match="no tails"):
        prior.truncate(a, 0.5)
    with pytest.raises(ValueError, match="size = 1"):
        Sphere(1)


@pytest.mark.parametrize("module", [sphere, sphere_integrals])
def test_examples_of_directions(module):
    result = doctest.testmod(module)
    assert result.attempted
    assert not result.failed
