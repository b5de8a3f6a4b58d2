"""Annealed importance sampling on linear decoders, whose evidence and posteriors are known."""

import doctest
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.tree_util import Partial
from linear_gaussian import (
    BIAS,
    LATENT,
    NOISE,
    PIXELS,
    VARIANCE,
    WEIGHTS,
    evidence,
    images_of,
    log_likelihood,
)
from scipy import stats

from jaxgan import rng
from jaxgan.evaluation.likelihood import annealed
from jaxgan.evaluation.likelihood.annealed import (
    Annealing,
    annealed_log_likelihood,
    schedule,
)
from jaxgan.evaluation.likelihood.bidirectional import bidirectional, gap
from jaxgan.evaluation.likelihood.hamiltonian import transition
from jaxgan.evaluation.likelihood.targets import Target, noise_on, noisy, standard_normal


def normal(key, count):
    return jax.random.normal(key, (count, LATENT))


TARGET = Target(Partial(log_likelihood), standard_normal, normal)
SHORT = Annealing(chains=16, temperatures=100, leapfrog=10)
COUNT = 40


@functools.cache
def made():
    """Images, and the codes that they were drawn from."""
    draws = np.random.default_rng(7)
    codes = draws.normal(size=(COUNT, LATENT))
    rows = codes @ WEIGHTS.T + BIAS + NOISE * draws.normal(size=(COUNT, PIXELS))
    return rows.reshape(COUNT, 1, 1, PIXELS).astype(np.float32), codes.astype(np.float32)


def test_both_directions_bracket_the_evidence_and_meet():
    images, codes = made()
    exact = evidence(images)
    lower, upper = bidirectional(TARGET, {"image": images}, codes, SHORT)
    below, above = lower.log_likelihood - exact, upper.log_likelihood - exact
    gap = above - below
    # Stochastic bounds: on average, within what is drawn.
    assert below.mean() < 3 * stats.sem(below)
    assert above.mean() > -3 * stats.sem(above)
    assert -3 * stats.sem(gap) < gap.mean() < 0.1 + 3 * stats.sem(gap)
    assert np.abs([below.mean(), above.mean()]).max() < 0.15
    assert np.abs([below, above]).max() < 1.2
    for found in (lower, upper):
        assert found.accepted == pytest.approx(0.65, abs=0.15)
        assert 8 < found.effective_samples.mean() <= 16


def drawn(batch, codes, key):
    assert len(batch["image"]) == len(codes)
    rows = codes @ jnp.float32(WEIGHTS.T) + jnp.float32(BIAS)
    rows = rows + NOISE * jax.random.normal(key, rows.shape)
    return rows.reshape(len(codes), 1, 1, PIXELS)


def test_the_gap_is_wide_for_short_chains_and_closes():
    """Of one temperature it is E log p(x|z) under the posterior less that under a few of the
    prior; with the draws of another law, chains would start off the posterior, and the bound from
    above would fall below."""
    target, blank = TARGET._replace(simulate=Partial(drawn)), {"image": made()[0] * 0 + np.nan}
    lines = []
    wide = gap(target, [blank], Annealing(8, 1, leapfrog=2, simulated=12), log=lines.append)
    close = gap(target, [blank], Annealing(16, 100, simulated=COUNT))
    assert (len(wide), len(close)) == (12, COUNT)
    assert lines == ["ais: 12 images of the model, both ways"]
    assert wide.mean() > 2
    assert -3 * stats.sem(close) < close.mean() < 0.1 + 3 * stats.sem(close)


def test_weights_are_unbiased_however_few_temperatures():
    """``E[w] = p(x)``: with a temperature that is off by one it is 0.44 p(x).

    One image many times, a chain each.
    """
    image = made()[0][:1]
    many = np.repeat(image, 20_000, axis=0)
    settings = Annealing(chains=1, temperatures=6, leapfrog=5, images=len(many))
    found = annealed_log_likelihood(TARGET, [{"image": many}], settings)
    weights = np.exp(found.log_likelihood - float(evidence(image)))
    assert stats.sem(weights) < 0.03
    assert weights.mean() == pytest.approx(1.0, abs=4 * stats.sem(weights))


@pytest.mark.slow
def test_weights_of_chains_that_run_backwards_are_unbiased():
    """``E[w] = 1 / p(x)``, from exact draws of one image's posterior."""
    count, draws = 4000, np.random.default_rng(5)
    image = made()[0][:1]
    gain = VARIANCE[:, None] * WEIGHTS.T / NOISE**2
    mean = gain @ (image.reshape(PIXELS) - BIAS)
    codes = mean + np.sqrt(VARIANCE) * draws.normal(size=(count, LATENT))
    _, upper = bidirectional(
        TARGET, {"image": np.repeat(image, count, axis=0)}, codes.astype(np.float32),
        Annealing(chains=1, temperatures=40, leapfrog=5),
    )  # fmt: skip
    weights = np.exp(float(evidence(image)) - upper.log_likelihood)
    assert stats.sem(weights) < 0.06
    assert weights.mean() == pytest.approx(1.0, abs=4 * stats.sem(weights))


def test_two_temperatures_are_importance_sampling_from_the_prior_and_its_reverse():
    """Of one temperature, the weight is p(x|z) of a prior draw, or 1 / p(x|z) after one step."""
    images, codes = made()
    lower, upper = bidirectional(TARGET, {"image": images}, codes, Annealing(8, 1, leapfrog=2))
    key = rng.role_key(rng.role_key(rng.base_key(0), "annealed"), "forward")
    start = normal(rng.role_key(key, "start"), 8 * COUNT)
    each = np.float64(log_likelihood({"image": np.tile(images, (8, 1, 1, 1))}, start))
    expected = np.logaddexp.reduce(each.reshape(8, COUNT), axis=0) - np.log(8)
    np.testing.assert_allclose(lower.log_likelihood, expected, rtol=1e-5, atol=1e-4)
    # From the prior so few draws are far below, and from the posterior far above.
    exact = evidence(images)
    assert (lower.log_likelihood - exact).mean() < -1
    assert (upper.log_likelihood - exact).mean() > 1


def test_a_transition_leaves_the_density_as_it_is():
    """Far too large steps are refused as often as they must be: variances stay what they are."""
    scale = np.array([0.5, 1.0, 2.0])
    target = stats.norm(0, scale)
    count = 20_000
    start = jnp.float32(target.rvs((count, 3), random_state=np.random.default_rng(1)))
    sizes = jnp.full(count, 0.95)

    def log_density(codes):
        return -0.5 * jnp.sum(jnp.square(codes / jnp.float32(scale)), axis=-1)

    step = jax.jit(functools.partial(transition, log_density, leapfrog=3))
    codes, shares = step(start, sizes, jax.random.key(0))
    for index in range(1, 5):
        codes, shares = step(codes, sizes, jax.random.key(index))
    # (Of all that is proposed; in the narrowest direction a step is all but unstable.)
    assert 0.3 < shares.mean() < 0.9
    moments = np.float64(codes)
    np.testing.assert_allclose(moments.mean(0), 0.0, atol=5 * scale.max() / np.sqrt(count))
    np.testing.assert_allclose(moments.var(0) / scale**2, 1.0, atol=5 * np.sqrt(2 / count))
    assert abs(np.corrcoef(np.ravel(start), np.ravel(codes))[0, 1]) < 0.6
    # What has left all numbers stays where it was.
    still, shares = step(start[:8], jnp.full(8, 1e30), jax.random.key(9))
    np.testing.assert_array_equal(still, start[:8])
    np.testing.assert_array_equal(shares, 0.0)


@pytest.mark.slow
def test_images_in_pieces_and_what_is_told():
    images, _ = made()
    exact, lines = evidence(images), []
    settings = Annealing(chains=300, temperatures=20, leapfrog=3, images=5)
    blank = np.full((2, 1, 1, PIXELS), 7e3, np.float32)
    batch = {
        "image": np.concatenate([images[:2], blank, images[2:9]]),
        "mask": np.float32([1, 1, 0, 0, *[1] * 7]),
    }
    found = annealed_log_likelihood(TARGET, [batch], settings, log=lines.append)
    # Three at once, since 300 chains of each are as many as one call has.
    assert found.log_likelihood.shape == (5,)
    np.testing.assert_allclose(found.log_likelihood, exact[:5], atol=1.0)
    assert lines[-1] == "ais: images 4 to 5, temperature 20 of 20"
    other = annealed_log_likelihood(TARGET, [batch], settings, seed=1)
    assert np.abs(other.log_likelihood - found.log_likelihood).min() > 1e-6
    damaged = {"image": np.full((2, 1, 1, PIXELS), np.nan, np.float32)}
    with pytest.raises(ValueError, match="image 0 is nan"):
        annealed_log_likelihood(TARGET, [damaged], settings)
    with pytest.raises(ValueError, match="no images"):
        annealed_log_likelihood(TARGET, [], settings)


def test_generators_get_normal_noise():
    draws = np.random.default_rng(3)
    pixels = draws.uniform(size=(4, 2, 3, 1)).astype(np.float32)
    images = draws.integers(0, 256, (4, 2, 3, 1), np.uint8)
    function = noisy(Partial(lambda latents: jnp.asarray(pixels)), 0.3)
    expected = stats.norm(pixels, 0.3).logpdf(images / 255.0).sum((1, 2, 3))
    np.testing.assert_allclose(function({"image": images}, jnp.zeros((4, 2))), expected, rtol=1e-5)
    made_of = noise_on(Partial(lambda latents: jnp.zeros((4000, 2, 3, 1)) + 0.25), 0.3)
    noise = np.asarray(made_of({}, jnp.zeros((4000, 2)), jax.random.key(0))).ravel()
    assert stats.kstest(noise, stats.norm(0.25, 0.3).cdf).pvalue > 1e-3
    codes = draws.normal(size=(4, 3))
    np.testing.assert_allclose(
        standard_normal(jnp.float32(codes)), stats.norm.logpdf(codes).sum(1), rtol=1e-5
    )


def test_schedules_and_settings():
    assert not doctest.testmod(annealed).failed
    betas = schedule(1000)
    assert betas[0] == 0
    assert betas[-1] == 1
    assert (np.diff(betas) > 0).all()
    np.testing.assert_allclose(betas + betas[::-1], 1.0)
    for changes in ({"chains": 0}, {"temperatures": 0}, {"leapfrog": 0}, {"images": 0}):
        with pytest.raises(ValueError, match=f"{next(iter(changes))} = 0"):
            Annealing(**changes)
    with pytest.raises(ValueError, match="scale = 0"):
        Annealing(scale=0.0)
    with pytest.raises(ValueError, match="simulated = -1"):
        Annealing(simulated=-1)
    assert images_of(1).shape == (1, 1, 1, PIXELS)
