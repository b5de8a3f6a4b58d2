"""Bounds of several codes: values against SciPy, gradients against quadrature and their laws."""

import dataclasses
import doctest
import functools
import math
from pathlib import Path
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special, stats

from jaxgan.objectives.vae import importance
from jaxgan.objectives.vae.bounds import Bound, Terms
from jaxgan.objectives.vae.importance import Ciwae, DReG, Iwae, Miwae, Piwae
from jaxgan.objectives.vae.monte_carlo import MonteCarloElbo, StickingTheLanding
from jaxgan.run import experiment_file

SNR = experiment_file.load_file(
    Path(__file__).parents[3] / "experiments" / "reproductions" / "gradient_snr.py"
)
gradients, scaled = SNR.gradients, SNR.scaled
X, SHIFT, VARIANCE = 0.7, 0.3, 2 / 3


@dataclasses.dataclass(frozen=True)
class Unsquared(Iwae):
    """What DReG is with normalized weights in place of their squares: biased, for the test."""

    path: ClassVar[bool] = True


def terms_of(draws, samples=6, count=4, scale=1.0):
    likelihood, prior, posterior = scale * draws.normal(-3.0, 2.0, (3, samples, count))
    return Terms(*(jnp.asarray(each) for each in (likelihood, prior, posterior)), None)


def test_examples():
    found = doctest.testmod(importance, optionflags=doctest.ELLIPSIS)
    assert found.attempted >= 1
    assert found.failed == 0


@pytest.mark.parametrize("beta", [1.0, 0.3])
def test_values(beta):
    """Against SciPy's logsumexp; the surrogate whose slope is the gradient is another number."""
    with jax.enable_x64(True):
        terms, weigh = terms_of(np.random.default_rng(0)), scaled(beta)
        log_w = np.asarray(terms.log_likelihood - beta * (terms.log_posterior - terms.log_prior))
        elbo = log_w.mean(0)
        iwae = special.logsumexp(log_w, axis=0) - math.log(6)
        halves = [special.logsumexp(half, axis=0) - math.log(3) for half in np.split(log_w, 2)]
        for bound, expected in [
            (MonteCarloElbo(6), elbo),
            (StickingTheLanding(6), elbo),
            (Iwae(6), iwae),
            (DReG(6), iwae),
            (Ciwae(6, share=0.2), 0.2 * elbo + 0.8 * iwae),
            (Ciwae(6, share=0.0), iwae),
            (Ciwae(6, share=1.0), elbo),
            (Miwae(2, 3), np.mean(halves, axis=0)),
            (Miwae(1, 6), iwae),
            (Miwae(6, 1), elbo),
            (Piwae(2, 3), iwae),
        ]:
            assert isinstance(bound, Bound)
            assert bound.samples == 6
            np.testing.assert_allclose(bound(terms, weigh), expected, rtol=1e-12)
        surrogate = (special.softmax(log_w, axis=0) * log_w).sum(0)
        assert np.abs(surrogate - iwae).min() > 0.1


@pytest.mark.slow
def test_weights_that_float32_cannot_hold():
    """Log weights of +-1e4: values are the largest one's, slopes those of a choice."""
    likelihood = jnp.array([[1e4, -1e4], [-1e4, -2e4]])
    terms = Terms(likelihood, jnp.zeros((2, 2)), jnp.zeros((2, 2)), None)
    weigh, chosen = scaled(1.0), np.array([[1.0, 1.0], [0.0, 0.0]])

    def slope(objective):
        return jax.grad(lambda t: jnp.sum(objective(t, weigh)))(terms).log_likelihood

    expected = np.array([1e4, -1e4]) - math.log(2)
    for bound in (Iwae(2), DReG(2), Miwae(1, 2), Piwae(1, 2)):
        np.testing.assert_allclose(bound(terms, weigh), expected, rtol=1e-6)
        np.testing.assert_array_equal(slope(bound), chosen)
    np.testing.assert_array_equal(slope(DReG(2).encoder), chosen)
    # Each of two bounds chooses its only code, however small its weight.
    np.testing.assert_array_equal(slope(Piwae(2, 1).encoder), np.full((2, 2), 0.5))


@functools.cache
def quadrature():
    """Standard normal noise of two codes in one dimension, ``(2, points, 1)``, and weights."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    weights = weights / weights.sum()
    noise = np.stack([part.ravel() for part in np.meshgrid(nodes, nodes, indexing="ij")])
    return noise[..., None], np.outer(weights, weights).ravel()


def expected_bound(kind, shift, mu, beta):
    """The mean of a bound of two codes over their noise; the encoder's mean is that of mu = 0."""
    noise, weights = quadrature()
    mean, deviation = X / 2 + shift, math.sqrt(VARIANCE)
    codes = mean + deviation * noise[..., 0]
    ratio = stats.norm(mean, deviation).logpdf(codes) - stats.norm(mu, 1.0).logpdf(codes)
    log_w = stats.norm(codes, 1.0).logpdf(X) - beta * ratio
    elbo, iwae = log_w.mean(0), special.logsumexp(log_w, axis=0) - math.log(2)
    return weights @ {"elbo": elbo, "iwae": iwae, "both": 0.25 * elbo + 0.75 * iwae}[kind]


def slopes_of_means(encoder, model, beta):
    """Slopes of expected bounds by mu and by the encoder's mean, from differences."""
    h = 1e-4
    by_mu = expected_bound(model, SHIFT, h, beta) - expected_bound(model, SHIFT, -h, beta)
    by_mean = expected_bound(encoder, SHIFT + h, 0.0, beta)
    by_mean = by_mean - expected_bound(encoder, SHIFT - h, 0.0, beta)
    return by_mu / (2 * h), by_mean / (2 * h)


def means_of_gradients(bound, beta):
    noise, weights = quadrature()
    with jax.enable_x64(True):
        found = gradients(
            bound, jnp.array([X]), jnp.asarray(noise), shift=SHIFT, variance=VARIANCE, beta=beta
        )
        return [float(weights @ np.asarray(each)[:, 0]) for each in found]


@pytest.mark.parametrize("beta", [1.0, 0.4])
@pytest.mark.parametrize(
    ("bound", "encoder", "model"),
    [
        (MonteCarloElbo(2), "elbo", "elbo"),
        (StickingTheLanding(2), "elbo", "elbo"),
        (Iwae(2), "iwae", "iwae"),
        (DReG(2), "iwae", "iwae"),
        (Ciwae(2, share=0.25), "both", "both"),
        (Miwae(2, 1), "elbo", "elbo"),
        (Piwae(2, 1), "elbo", "iwae"),
    ],
)
def test_gradients_are_right_on_average(bound, encoder, model, beta):
    """By quadrature over the noise of two codes, against slopes of the expected bounds."""
    expected = slopes_of_means(encoder, model, beta)
    np.testing.assert_allclose(means_of_gradients(bound, beta), expected, rtol=1e-5)


def test_a_wrong_power_of_the_weights_is_seen():
    """Sticking the landing in IWAE is biased (Tucker et al. 2019, section 4), for the encoder."""
    by_c, by_mean = slopes_of_means("iwae", "iwae", 1.0)
    got_c, got_mean = means_of_gradients(Unsquared(2), 1.0)
    assert got_c == pytest.approx(by_c, rel=1e-5)
    assert abs(got_mean - by_mean) > 0.2 * abs(by_mean)


def test_more_codes_are_tighter():
    """ELBO < two codes < log p(x), p(x) = N(0, 2)."""
    elbo, iwae = (expected_bound(kind, SHIFT, 0.0, 1.0) for kind in ("elbo", "iwae"))
    assert elbo + 0.01 < iwae < stats.norm(0.0, math.sqrt(2)).logpdf(X) - 0.01


@pytest.mark.slow
def test_paths_have_no_variance_at_the_exact_posterior():
    """Roeder et al. 2017; the ordinary gradient's deviation is sqrt(2 / K)."""
    noise = np.random.default_rng(0).standard_normal((5, 4000, 2))
    with jax.enable_x64(True):
        x, noise = jnp.array([X, -0.4]), jnp.asarray(noise)
        of = functools.partial(gradients, x=x, noise=noise, shift=0.0, variance=0.5)
        for bound in (StickingTheLanding(5), DReG(5)):
            assert np.abs(of(bound)[1]).max() < 1e-14
        for bound in (MonteCarloElbo(5), Iwae(5)):
            deviation = np.asarray(of(bound)[1]).std()
            assert deviation == pytest.approx(math.sqrt(2 / 5), rel=5 / math.sqrt(2 * 8000))


def ratio_of_signal_and_noise(
    bound, samples, x=(X, -0.4), shift=SHIFT, replicates=50_000, piece=10_000
):
    """Of the gradients by mu and by the encoder's mean."""
    draws, x, shift = np.random.default_rng(samples), jnp.array(x), jnp.asarray(shift)
    compiled = jax.jit(lambda noise: gradients(bound, x, noise, shift=shift, variance=VARIANCE))
    pieces = [
        compiled(draws.standard_normal((samples, piece, len(x)), np.float32))
        for _ in range(replicates // piece)
    ]
    return np.array([
        SNR.signal_to_noise(np.concatenate(parts).astype(np.float64))
        for parts in zip(*pieces, strict=True)
    ])  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    ("bound", "encoder"),
    [
        (Iwae, -0.5),
        (DReG, 0.5),
        pytest.param(Unsquared, 0.5, marks=pytest.mark.slow),
        pytest.param(StickingTheLanding, 0.5, marks=pytest.mark.slow),
    ],
)
def test_signal_and_noise(bound, encoder):
    """Slopes in log K (Rainforth et al. 2018, theorem 1; Tucker et al. 2019): the model's +1/2.

    They hold for K beyond exp(Var log w): 1.8 here, in 2 dimensions; in 20 it would be 370, unless
    the shift were far smaller.
    """
    counts = (8, 32, 128)
    ratios = [ratio_of_signal_and_noise(bound(count), count) for count in counts]
    slopes = np.polyfit(np.log(counts), np.log(ratios), 1)[0]
    np.testing.assert_allclose(slopes, [0.5, encoder], atol=0.06)


def test_settings_that_cannot_work():
    for cls in (MonteCarloElbo, StickingTheLanding, Iwae, DReG, Ciwae):
        with pytest.raises(ValueError, match="samples = 0: a bound needs at least 1 code"):
            cls(samples=0)
    for cls in (Miwae, Piwae):
        for name in ("averages", "inside"):
            with pytest.raises(ValueError, match=f"{name} = 0"):
                cls(**{name: 0})
    for share in (-0.1, 1.1, math.nan):
        with pytest.raises(ValueError, match="share"):
            Ciwae(share=share)
