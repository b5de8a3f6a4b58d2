"""The parts of a KL: against SciPy, by enumeration of batches, and in closed form."""

import dataclasses
import doctest
import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tiny
from code_views import CODES, LOG_VARIANCE, MEAN, values, values_on_devices, view_of
from scipy import stats
from scipy.special import logsumexp

from jaxgan.algorithms.base import build
from jaxgan.config import ConfigError
from jaxgan.objectives.vae import aggregate_posterior
from jaxgan.objectives.vae.aggregate_posterior import log_densities, log_weights
from jaxgan.objectives.vae.bounds import Reconstruction
from jaxgan.objectives.vae.posteriors import Encoded, Point
from jaxgan.objectives.vae.total_correlation import (
    DimensionwiseKl,
    MutualInformation,
    TotalCorrelation,
)

PARTS = (TotalCorrelation, MutualInformation, DimensionwiseKl)
COUNT, EXAMPLES = len(CODES), 40
# log q(z_id | x_j) of code i, image j and dimension d.
DENSITIES = stats.norm(MEAN, np.exp(LOG_VARIANCE / 2)).logpdf(CODES[:, None])


def weights(stratified):
    """``1 / (M N)``, or 1/N for the own image and ``(N - 1) / N`` shared by the others."""
    if not stratified:
        return np.full((COUNT, COUNT), 1 / (COUNT * EXAMPLES))
    others = (1 - 1 / EXAMPLES) / (COUNT - 1)
    return np.where(np.eye(COUNT, dtype=bool), 1 / EXAMPLES, others)


@pytest.mark.parametrize("stratified", [False, True])
def test_against_scipy(stratified):
    own = DENSITIES[range(COUNT), range(COUNT)].sum(-1)
    each = np.log(weights(stratified))
    joint = logsumexp(DENSITIES.sum(-1) + each, axis=1)
    marginals = logsumexp(DENSITIES + each[..., None], axis=1).sum(-1)
    prior = stats.norm.logpdf(CODES).sum(-1)
    expected = (joint - marginals, own - joint, marginals - prior)
    found = [part(2.5, EXAMPLES, stratified) for part in PARTS]
    for part, wanted in zip(found, expected, strict=True):
        np.testing.assert_allclose(values(part), 2.5 * wanted, rtol=1e-10)
        # Devices that have a part of the images each compare with all of them.
        np.testing.assert_allclose(values_on_devices(part), 2.5 * wanted, rtol=1e-10)
    # Weighted by 1, the three are the KL of a code, however q(z) is estimated.
    together = sum(values(part(1.0, EXAMPLES, stratified)) for part in PARTS)
    np.testing.assert_allclose(together, own - prior, rtol=1e-10)


def copied(count, examples):
    """The matrix as the field copies it, weights by flat places ``[::M]`` with M = batch - 1."""
    m = count - 1
    matrix = np.full((count, count), 1 / m)
    share = (examples - m) / (examples * m)
    matrix.reshape(-1)[:: m + 1] = 1 / examples
    matrix.reshape(-1)[1 :: m + 1] = share
    matrix[m - 1, 0] = share
    return matrix


def printed(count, examples, last):
    """The paper's row of image 0: one of the others, ``last``, has what is left."""
    m = count - 1
    row = np.full(count, 1 / m)
    row[0], row[last] = 1 / examples, (examples - m) / (examples * m)
    return row


def test_stratified_weights_are_derived():
    """Averaged over all batches that an image can be in, the estimate is the mixture itself."""
    count, examples = 3, 5
    likelihoods = np.random.default_rng(1).gamma(1.0, size=examples)  # q(z|x_n) of one z
    matrix = np.exp(np.asarray(log_weights(count, examples, stratified=True), np.float64))
    np.testing.assert_allclose(matrix.sum(1), 1.0, rtol=1e-6)

    def mean_over_batches(matrix):
        """For each image that z may be drawn for, and each place that it may have in a batch."""
        found = np.zeros((examples, count))
        for own, place in itertools.product(range(examples), range(count)):
            others = [n for n in range(examples) if n != own]
            batches = [[*b[:place], own, *b[place:]] for b in itertools.permutations(others, 2)]
            found[own, place] = np.mean([matrix[place] @ likelihoods[b] for b in batches])
        return found

    np.testing.assert_allclose(mean_over_batches(matrix), likelihoods.mean(), rtol=1e-6)
    orders = [printed(count, examples, last) for last in range(1, count)]
    np.testing.assert_allclose(np.mean(orders, axis=0), matrix[0], rtol=1e-6)
    # What is copied everywhere is neither.
    wrong = copied(count, examples)
    assert np.abs(wrong.sum(1) - 1.0).max() > 0.09
    assert np.abs(mean_over_batches(wrong) / likelihoods.mean() - 1.0).max() > 0.09


def test_a_batch_of_all_images_gives_the_mixture():
    """Exactly so when stratified; the other is short of it by log M."""
    mixture = logsumexp(DENSITIES.sum(-1), axis=1) - math.log(COUNT)
    for stratified, short in ((True, 0.0), (False, math.log(COUNT))):
        with jax.enable_x64(True):
            view = view_of()
            each = log_weights(COUNT, COUNT, stratified=stratified)
            found = log_densities(view.codes, view.encoded, each)
        np.testing.assert_allclose(found.joint, mixture - short, rtol=1e-6)


def test_total_correlation_of_a_gaussian():
    """Codes of correlation 0.8: ``-log(1 - 0.8^2) / 2``; and none without it."""
    draws, count, noise = np.random.default_rng(0), 1500, 0.3
    found = {}
    for correlation in (0.0, 0.8):
        covariance = np.array([[1.0, correlation], [correlation, 1.0]])
        means = draws.multivariate_normal([0, 0], covariance - noise**2 * np.eye(2), count)
        codes = means + noise * draws.normal(size=means.shape)
        encoded = Encoded(jnp.asarray(means), jnp.full(means.shape, 2 * math.log(noise)))
        each = log_weights(count, count, stratified=True)
        joint, marginals = jax.jit(log_densities)(jnp.asarray(codes), encoded, each)
        found[correlation] = float(jnp.mean(joint - marginals))
    assert found[0.0] == pytest.approx(0.0, abs=0.06)
    assert found[0.8] == pytest.approx(-0.5 * math.log(1 - 0.8**2), abs=0.06)


def test_far_codes_have_finite_values_and_slopes():
    def total(codes):
        view = view_of(codes, log_variance=np.full((COUNT, 3), -8.0))
        return jnp.sum(TotalCorrelation(1.0, EXAMPLES)(view))

    found = jax.jit(jax.value_and_grad(total))(jnp.asarray(CODES * 30, jnp.float32))
    assert all(np.isfinite(leaf).all() for leaf in found)


def test_what_cannot_be_estimated_is_refused():
    def of(batch_size=4, **changes):
        changes = {"regularizers": (TotalCorrelation(1.0, 9),), **changes}
        model = dataclasses.replace(tiny.vae().model, **changes)
        return build(tiny.vae(batch_size=batch_size, model=model))

    of()
    with pytest.raises(ConfigError, match="say how many there are, such as examples=1500"):
        of(regularizers=(TotalCorrelation(),))
    with pytest.raises(ConfigError, match="examples = 9, and a batch alone has 10"):
        of(batch_size=10)
    with pytest.raises(ConfigError, match="compares the images of a batch, and batch_size = 1"):
        of(batch_size=1)
    with pytest.raises(ConfigError, match="Point has none: take DiagonalGaussian"):
        of(posterior=Point(), bound=Reconstruction())
    with pytest.raises(ConfigError, match="total_correlation is there twice"):
        of(regularizers=(TotalCorrelation(1.0, 9), TotalCorrelation(2.0, 9)))
    with pytest.raises(ValueError, match="weight = 0"):
        MutualInformation(0.0)
    with pytest.raises(ValueError, match="examples = -1"):
        DimensionwiseKl(examples=-1)


def test_examples():
    results = doctest.testmod(aggregate_posterior)
    assert results.attempted >= 1
    assert results.failed == 0
