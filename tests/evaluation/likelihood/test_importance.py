"""Importance sampling against the closed-form evidence of a linear-Gaussian model."""

import itertools

import jax.numpy as jnp
import numpy as np
import pytest
from linear_gaussian import evidence, images_of, log_likelihood, lost, proposal
from scipy import special, stats

from jaxgan.evaluation.likelihood.importance import importance_log_likelihood


def estimate(images, posterior, *, size=None, function=log_likelihood, **kwargs):
    size = size or len(images)
    batches = [{"image": images[i : i + size]} for i in range(0, len(images), size)]
    return importance_log_likelihood(posterior, function, batches, **kwargs)


@pytest.mark.parametrize("samples", [1, 7])
def test_the_exact_posterior_gives_the_evidence_whatever_the_draws(samples):
    """All weights are p(x): a lost log K, prior or posterior would show."""
    images = images_of(40)
    found = estimate(images, proposal(), samples=samples, chunk=3, size=16)
    np.testing.assert_allclose(found.per_image.log_likelihood, evidence(images), atol=3e-5)
    np.testing.assert_allclose(found.per_image.effective_samples, samples, rtol=1e-4)
    assert found.samples == samples


def test_the_elbo_of_the_exact_posterior_is_the_evidence_too():
    images = images_of(400)
    found = estimate(images, proposal(), samples=100)
    # Of one image and draw, log p(x|z) has a standard deviation below 1.5 nats.
    tolerance = 5 * 1.5 / np.sqrt(400 * 100)
    assert found.elbo.value == pytest.approx(evidence(images).mean(), abs=tolerance)
    assert found.kl.value > 10 * tolerance


def test_one_draw_gives_the_elbo_and_more_draws_approach_the_evidence_from_below():
    """E log w = log p(x) - KL(q || posterior) for one draw; monotone in K (Burda et al. 2016)."""
    shift, widen = 0.3, 1.6
    images = images_of(2000)
    exact = evidence(images)
    errors = []
    for samples in (1, 8, 64, 1024):
        found = estimate(images, proposal(shift, widen), samples=samples, chunk=64)
        error = found.per_image.log_likelihood - exact
        errors.append(error)
        if samples == 1:
            bound = error.mean() + lost(shift, widen)
            assert abs(bound) < 5 * stats.sem(error)
            assert lost(shift, widen) > 10 * stats.sem(error)
        # The closed-form KL and the mean of log p(x|z) have the same expectation.
        gap = found.per_image.elbo - exact + lost(shift, widen)
        assert abs(gap.mean()) < 5 * stats.sem(gap)
    for worse, better in itertools.pairwise(errors[:-1]):
        gain = better - worse
        assert gain.mean() > 5 * stats.sem(gain)
    assert -0.02 < errors[-1].mean() < 5 * stats.sem(errors[-1])


def test_effective_samples_say_how_wrong_the_proposal_is():
    """With weights of variance v times their squared mean, K / (1 + v) of K draws are left."""
    widen, samples = 1.5, 4000
    found = estimate(images_of(10), proposal(widen=widen), samples=samples, chunk=500)
    # E[w^2] / E[w]^2 for N(0, widen^2) as the proposal for N(0, 1), in three dimensions.
    ratio = (widen**2 / np.sqrt(2 * widen**2 - 1)) ** 3
    np.testing.assert_allclose(found.per_image.effective_samples, samples / ratio, rtol=0.1)


def test_neither_chunks_nor_batches_nor_padding_change_the_result():
    images = images_of(11)
    posterior = proposal(0.3, 1.6)
    whole = estimate(images, posterior, samples=20, chunk=20)
    for chunk, size in ((1, 11), (7, 4), (64, 1)):
        other = estimate(images, posterior, samples=20, chunk=chunk, size=size)
        for got, expected in zip(other.per_image, whole.per_image, strict=True):
            assert got.dtype == np.float64
            np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(other.log_likelihood, whole.log_likelihood, rtol=1e-6)

    masks = [np.array([1, 0, 1, 1, 1.0]), np.array([0, 1, 1, 1, 1.0]), np.array([1, 1, 1, 0.0])]
    batches, start = [], 0
    for mask in masks:
        rows = np.full((len(mask), 1, 1, images.shape[-1]), 7e3, np.float32)
        kept = int(mask.sum())
        rows[mask == 1] = images[start : start + kept]
        start += kept
        batches.append({"image": rows, "mask": mask.astype(np.float32)})
    masked = importance_log_likelihood(posterior, log_likelihood, batches, samples=20, chunk=8)
    for got, expected in zip(masked.per_image, whole.per_image, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5)


def test_every_function_is_called_with_one_shape():
    shapes = {"posterior": set(), "log_likelihood": set()}
    exact = proposal()

    def posterior(batch):
        shapes["posterior"].add(batch["image"].shape)
        return exact(batch)

    def function(batch, latents):
        shapes["log_likelihood"].add((batch["image"].shape, batch["label"].shape, latents.shape))
        return log_likelihood(batch, latents)

    images = images_of(11)
    batches = [{"image": images[i : i + 4], "label": np.arange(11)[i : i + 4]} for i in (0, 4, 8)]
    importance_log_likelihood(posterior, function, batches, samples=10, chunk=3)
    assert shapes["posterior"] == {(4, 1, 1, 5)}
    assert shapes["log_likelihood"] == {((12, 1, 1, 5), (12,), (12, 3))}


def test_other_seeds_are_other_draws():
    images = images_of(5)
    a, b, again = (
        estimate(images, proposal(0.3, 1.6), samples=3, seed=seed).per_image.log_likelihood
        for seed in (0, 1, 0)
    )
    np.testing.assert_array_equal(a, again)
    assert np.abs(a - b).min() > 1e-4


def collapsed(batch):
    """The prior as the proposal, so that a weight is p(x|z) alone."""
    zeros = jnp.zeros((len(batch["image"]), 2))
    return zeros, zeros


@pytest.mark.parametrize("spread", [0.0, 1e3])
def test_log_weights_far_from_zero_and_from_each_other(spread):
    """exp(-1e4) is 0 in float64; the sums are held by their logarithms."""
    seen = []

    def function(batch, latents):
        values = -1e4 + spread * latents[:, 0]
        seen.append(np.asarray(values, np.float64))
        return values

    found = estimate(images_of(6), collapsed, function=function, samples=50, chunk=10)
    weights = np.concatenate([chunk.reshape(10, 6) for chunk in seen])
    expected = special.logsumexp(weights, axis=0) - np.log(50)
    # The ratio of prior and proposal is 1, up to the rounding of squares in float32.
    np.testing.assert_allclose(found.per_image.log_likelihood, expected, rtol=1e-9, atol=2e-6)
    squares = special.logsumexp(2 * weights, axis=0)
    effective = np.exp(2 * special.logsumexp(weights, axis=0) - squares)
    np.testing.assert_allclose(found.per_image.effective_samples, effective, rtol=1e-5)
    assert (np.abs(effective - 1) < 0.5).all() if spread else np.allclose(effective, 50)


def test_sums_are_in_float64():
    """In float32, the mean of 4096 values near -1e4 would already be off by 1e-3."""
    constant = np.float32(-10000.001)

    def function(batch, latents):
        return jnp.full(len(latents), constant)

    found = estimate(images_of(3), collapsed, function=function, samples=4096, chunk=64)
    np.testing.assert_allclose(found.per_image.reconstruction, np.float64(constant), rtol=1e-12)
    np.testing.assert_allclose(found.per_image.log_likelihood, np.float64(constant), rtol=1e-10)


def test_means_over_images_have_students_interval():
    found = estimate(images_of(30), proposal(0.3, 1.6), samples=8)
    for name in ("log_likelihood", "elbo", "reconstruction", "kl"):
        values = getattr(found.per_image, name)
        ends = stats.t.interval(0.95, 29, values.mean(), stats.sem(values))
        np.testing.assert_allclose(getattr(found, name), [values.mean(), *ends], rtol=1e-10)
    assert found.elbo.value == pytest.approx(found.reconstruction.value - found.kl.value)


def test_what_cannot_be_estimated_is_refused():
    images = images_of(5)
    with pytest.raises(ValueError, match="samples = 0"):
        estimate(images, proposal(), samples=0)
    with pytest.raises(ValueError, match="chunk = 0"):
        estimate(images, proposal(), chunk=0)
    with pytest.raises(ValueError, match="no images"):
        importance_log_likelihood(proposal(), log_likelihood, [])
    blind = {"image": images, "mask": np.zeros(5, np.float32)}
    with pytest.raises(ValueError, match="no images"):
        importance_log_likelihood(proposal(), log_likelihood, [blind], samples=1)
    damaged = images.copy()
    damaged[3] = np.nan
    with pytest.raises(ValueError, match="posterior of image 3 is not finite"):
        estimate(damaged, proposal(), samples=2, size=2)
    for bad in (np.nan, np.inf, -np.inf):

        def function(batch, latents, bad=bad):
            return jnp.where(jnp.asarray(batch["image"])[:, 0, 0, 0] == images[3, 0, 0, 0], bad, 0)

        with pytest.raises(ValueError, match=f"log-likelihood of image 3 is {bad}"):
            estimate(images, proposal(), samples=4, chunk=2, size=2, function=function)
