"""DIP-VAE, discrepancies of codes and penalties on decoders, against NumPy and by enumeration."""

import doctest
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tiny
from code_views import (
    CODES,
    LOG_VARIANCE,
    MEAN,
    PRIOR,
    WEIGHT,
    decode,
    values,
    values_on_devices,
    view_of,
)

from jaxgan.algorithms.base import build
from jaxgan.config import ConfigError
from jaxgan.objectives.vae import code_mmd, dip
from jaxgan.objectives.vae.bounds import Reconstruction
from jaxgan.objectives.vae.code_mmd import CodeMmd, GaussianKernel, InverseMultiquadric
from jaxgan.objectives.vae.decoder_penalties import DecoderNorm, DecoderSlope, squared_changes
from jaxgan.objectives.vae.dip import DipI, DipII
from jaxgan.objectives.vae.posteriors import Point


@pytest.mark.parametrize("dip_vae", [DipI(3.0, 7.0), DipII(3.0, 7.0)])
def test_dip(dip_vae):
    matrix = np.cov(MEAN.T, bias=True)
    if isinstance(dip_vae, DipII):
        matrix = matrix + np.diag(np.exp(LOG_VARIANCE).mean(0))
    own = np.diag(matrix)
    expected = (
        3.0 * (np.square(matrix).sum() - np.square(own).sum()) + 7.0 * np.square(own - 1).sum()
    )
    np.testing.assert_allclose(values(dip_vae), np.full(6, expected), rtol=1e-10)
    # The covariance is that of all rows, not a mean of those that devices have.
    np.testing.assert_allclose(values_on_devices(dip_vae), np.full(6, expected), rtol=1e-10)


def test_dip_is_least_at_the_prior():
    """Of both variants where the codes' covariance is the identity: 0, with a slope of 0."""
    corners = np.array(list(itertools.product((-1.0, 1.0), repeat=3)))
    halves = corners * np.sqrt(0.75)
    same, quarter = np.full_like(corners, -50.0), np.full_like(corners, np.log(0.25))
    for term, means, spread in ((DipI(), corners, same), (DipII(), halves, quarter)):
        views = {"codes": corners, "log_variance": spread, "prior": corners}
        np.testing.assert_allclose(values(term, mean=means, **views), 0.0, atol=1e-10)
        slope = jax.jit(jax.grad(lambda m, t=term, v=views: jnp.sum(t(view_of(mean=m, **v)))))(
            means
        )
        np.testing.assert_allclose(slope, 0.0, atol=1e-4)
        assert values(term, mean=1.1 * means, **views).min() > 0.1


def multiquadric(x, y):
    return 6.0 / (6.0 + np.square(x - y).sum())


def gaussian(x, y):
    return np.exp(-np.square(x - y).sum() / (2 * 1.7))


def median(x, y):
    both = np.concatenate([CODES, PRIOR])
    pairs = [np.square(a - b).sum() for a, b in itertools.combinations(both, 2)]
    return np.exp(-np.square(x - y).sum() / (2 * np.median(pairs)))


@pytest.mark.parametrize(
    ("kernel", "by_hand"),
    [
        (InverseMultiquadric(), multiquadric),
        (GaussianKernel(1.7), gaussian),
        (GaussianKernel(), median),
    ],
    ids=["multiquadric", "gaussian", "median"],
)
def test_mmd(kernel, by_hand):
    """Pairs of a code with itself do not count; all pairs of a code and a draw do."""
    count = len(CODES)
    within = sum(
        by_hand(x[i], x[j])
        for x in (CODES, PRIOR)
        for i, j in itertools.permutations(range(count), 2)
    )
    across = sum(by_hand(x, y) for x in CODES for y in PRIOR)
    expected = 5.0 * (within / (count * (count - 1)) - 2 * across / count**2)
    found = values(CodeMmd(5.0, kernel))
    assert found.mean() == pytest.approx(expected, rel=1e-10)
    np.testing.assert_allclose(values_on_devices(CodeMmd(5.0, kernel)), found, rtol=1e-10)


def test_mmd_has_no_bias():
    """Its mean over all batches of two is its value for all; a code with itself would add to it."""
    of = jax.jit(lambda x, y: jnp.mean(CodeMmd(1.0)(view_of(x, x, x, y))))
    pairs = [list(pair) for pair in itertools.combinations(range(4), 2)]
    codes, prior = CODES[:4], PRIOR[:4]
    means = [of(codes[a], prior[b]) for a in pairs for b in pairs]
    assert np.mean(means) == pytest.approx(float(of(codes, prior)), abs=1e-6)


def test_mmd_draws_codes_to_the_prior():
    """Codes that lie to one side of it have a slope back; the median itself has none."""
    for kernel in (InverseMultiquadric(), GaussianKernel()):
        prior = PRIOR.astype(np.float32)
        slope = jax.jit(
            jax.grad(
                lambda shift, p=prior, k=kernel: jnp.mean(
                    CodeMmd(1.0, k)(view_of(p + shift, prior=p))
                )
            )
        )(jnp.float32(1.0))
        assert float(slope) > 0.01
    # With a median that moved along, a common scale would change nothing.
    scale = jax.jit(
        jax.grad(
            lambda s: jnp.mean(
                CodeMmd(1.0, GaussianKernel())(
                    view_of(CODES * s, prior=PRIOR.astype(np.float32) * s)
                )
            )
        )
    )(jnp.float32(1.0))
    assert abs(float(scale)) > 1e-3


def test_decoder_norm():
    """Weights and biases of the decoder, and of nothing else."""
    expected = 0.1 * (np.square(WEIGHT).sum() + 2 * 9.0)
    np.testing.assert_allclose(values(DecoderNorm(0.1)), np.full(6, expected), rtol=1e-6)


def test_decoder_slope():
    """Over all directions of signs the mean is the square of the whole Jacobian."""
    slopes = 1 - np.tanh(CODES @ WEIGHT) ** 2  # J = diag(slopes) W'
    exact = np.einsum("np,dp->n", slopes**2, WEIGHT**2)
    signs = np.array(list(itertools.product((-1.0, 1.0), repeat=3)))
    with jax.enable_x64(True):
        change = jax.jit(lambda v: squared_changes(decode, jnp.asarray(CODES), v))
        along = [change(np.broadcast_to(sign, CODES.shape)) for sign in signs]
    np.testing.assert_allclose(np.mean(along, axis=0), exact, rtol=1e-10)
    few, many = values(DecoderSlope(0.5)), values(DecoderSlope(0.5, directions=600))
    np.testing.assert_allclose(many, 0.5 * exact, rtol=0.15)
    possible = 0.5 * np.array(along)
    assert np.isclose(few, possible, rtol=1e-8).any(axis=0).all()
    np.testing.assert_allclose(values_on_devices(DecoderSlope(0.5)), few, rtol=1e-10)
    # Codes have directions of their own.
    assert len({int(np.argmin(np.abs(possible[:4, i] - few[i]))) for i in range(6)}) > 1


def test_what_is_refused():
    def of(batch_size, term, **changes):
        model = tiny.vae().model.__class__(
            tiny.vae().model.encoder, tiny.vae().model.decoder, regularizers=(term,), **changes
        )
        return build(tiny.vae(batch_size=batch_size, model=model))

    point = {"posterior": Point(), "bound": Reconstruction()}
    of(2, CodeMmd(), **point)
    for term in (CodeMmd(), DipI()):
        with pytest.raises(ConfigError, match=f"{type(term).__name__} compares the images"):
            of(1, term)
    with pytest.raises(ConfigError, match="DipII reads means and log variances"):
        of(2, DipII(), **point)
    for bad, complaint in (
        (lambda: CodeMmd(0.0), "weight = 0"),
        (lambda: InverseMultiquadric(0.0), "scale = 0"),
        (lambda: GaussianKernel(-1.0), "variance = -1"),
        (lambda: DipI(diagonal=-1.0), "diagonal = -1"),
        (lambda: DecoderNorm(0.0), "weight = 0"),
        (lambda: DecoderSlope(-1.0), "weight = -1"),
        (lambda: DecoderSlope(directions=0), "directions = 0"),
    ):
        with pytest.raises(ValueError, match=complaint):
            bad()


def test_examples():
    results = [doctest.testmod(module) for module in (code_mmd, dip)]
    assert all(result.attempted >= 1 and result.failed == 0 for result in results)
