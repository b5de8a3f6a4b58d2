"""A linear VAE is probabilistic PCA (Tipping and Bishop 1999; Lucas et al. 2019), on digits.

With a weight ``beta`` and pixels of variance ``s2``, dimension j of the principal components is
used where its variance is above the level ``beta s2``. The rate is the sum of ``log(variance /
level) / 2`` over those, the squared error that of ``min(variance, level)`` over all: reverse
water-filling, the rate-distortion function of a Gaussian source (Cover and Thomas, Elements of
Information Theory, theorem 10.3.3).
"""

import dataclasses
import math

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from linear_gan import as_numbers
from scipy import stats
from sklearn.datasets import load_digits

from jaxgan.algorithms.vae import Vae
from jaxgan.config import Experiment
from jaxgan.data.pipeline import Data
from jaxgan.data.sources.gaussians import Ring
from jaxgan.objectives.vae.bounds import Beta
from jaxgan.objectives.vae.gaussian_scales import LearnedGaussian, log_scale_above
from jaxgan.objectives.vae.likelihoods import Gaussian
from jaxgan.objectives.vae.posteriors import DiagonalGaussian, Drawn
from jaxgan.optim import Adam, Schedule
from jaxgan.program import compile_program

PIXELS = 64
DIGITS = load_digits().data / 16
CENTERED = DIGITS - DIGITS.mean(0)
VARIANCES, AXES = (each[..., ::-1] for each in np.linalg.eigh(CENTERED.T @ CENTERED / len(DIGITS)))
BATCH = {"image": CENTERED.reshape(-1, 1, 1, PIXELS).astype(np.float32)}

LEVELS = {
    1.0: (0, 0.0, 4.693),
    0.1: (12, 5.479, 2.211),
    0.05: (18, 10.647, 1.486),
    0.02: (30, 21.676, 0.792),
    0.01: (39, 33.544, 0.455),
    0.005: (46, 48.255, 0.245),
}
"""From levels to dimensions used, rate in nats and squared error, as published for this data."""
OPTIMA = {2: (0.05412, 0.006), 8: (0.02733, 14.210), 16: (0.014725, 23.929), 32: (0.004935, 35.247)}
"""From the length of a code to the best variance of pixels, and log-likelihood an image in nats."""


class Affine(nn.Module):
    """``x W + b``."""

    size: int

    @nn.compact
    def __call__(self, values):
        weight = self.param("w", nn.initializers.normal(0.1), (values.shape[-1], self.size))
        return values @ weight + self.param("b", nn.initializers.zeros, (self.size,))


class Encoder(nn.Module):
    """Affine means; one log variance for all examples."""

    @nn.compact
    def __call__(self, images, *, latent_size, train, axis_name=None):
        mean = Affine(latent_size, name="mean")(images.reshape(len(images), -1))
        log_variance = self.param("s", nn.initializers.zeros, (latent_size,))
        return mean, jnp.broadcast_to(log_variance, mean.shape)


class Decoder(nn.Module):
    """Affine."""

    @nn.compact
    def __call__(self, latent, *, image_shape, train, axis_name=None):
        return Affine(math.prod(image_shape), name="image")(latent).reshape(-1, *image_shape)


@dataclasses.dataclass(frozen=True)
class Undrawn(DiagonalGaussian):
    """Decodes the mean in place of a draw, for the test."""

    def draw(self, params, encoded, noise, step):
        return Drawn(encoded.mean, self.log_prob(params, encoded, encoded.mean))


def program_of(size, steps=10, **changes):
    model = Vae(
        Encoder(), Decoder(), latent_size=size, optimizer=Adam(1e-2, schedule=Schedule("cosine"))
    )
    data = Data(source=Ring(), image_size=1, channels=PIXELS)
    experiment = Experiment(
        name="pca",
        model=dataclasses.replace(model, **changes),
        data=data,
        steps=steps,
        batch_size=len(DIGITS),
    )
    return compile_program(experiment, "none")


def trained(size, steps, **changes):
    """Parameters after steps on all digits at once, as float64."""
    program, batch = program_of(size, steps, **changes), jax.device_put(BATCH)
    state = program.init(0, batch)
    for _ in range(steps):
        state, _ = program.phases[0].streaming_step(state, batch, np.uint32(0))
    return as_numbers(jax.device_get(state.players["autoencoder"].params))


def measured(params):
    """KL of each dimension and squared error, averaged over images; expectations in closed form."""
    mean, log_variance = params["encoder"]["mean"], params["encoder"]["s"]
    codes = CENTERED @ mean["w"] + mean["b"]
    kl = 0.5 * (codes**2 + np.exp(log_variance) - 1 - log_variance).mean(0)
    image = params["decoder"]["image"]
    bias = ((CENTERED - codes @ image["w"] - image["b"]) ** 2).sum(1).mean()
    return kl, bias + np.exp(log_variance) @ (image["w"] ** 2).sum(1)


def filled(level):
    """Dimensions used, rate and squared error of reverse water-filling."""
    used = level < VARIANCES
    rate = 0.5 * np.log(VARIANCES[used] / level).sum()
    return used.sum(), rate, np.minimum(VARIANCES, level).sum()


def test_water_filling_has_the_published_numbers():
    for level, expected in LEVELS.items():
        np.testing.assert_allclose(filled(level), expected, atol=6e-4)


@pytest.mark.parametrize("size", OPTIMA)
def test_at_the_optimum_every_weight_is_the_evidence(size):
    """Maximum likelihood (Tipping and Bishop 1999, eq. 7), its encoder's posterior is exact."""
    noise, nats = OPTIMA[size]
    variance = VARIANCES[size:].mean()
    assert variance == pytest.approx(noise, rel=2e-4)
    scales = np.sqrt(VARIANCES[:size] - variance)
    decoder = AXES[:, :size] * scales
    params = {
        "encoder": {
            "mean": {"w": decoder / VARIANCES[:size], "b": np.zeros(size)},
            "s": np.log(variance / VARIANCES[:size]),
        },
        "decoder": {"image": {"w": decoder.T, "b": np.zeros(PIXELS)}},
    }
    evidence = stats.multivariate_normal(
        np.zeros(PIXELS), decoder @ decoder.T + variance * np.eye(PIXELS)
    ).logpdf(CENTERED)
    assert evidence.mean() == pytest.approx(nats, abs=6e-4)
    kl, error = measured(params)
    elbo = -kl.sum() - error / (2 * variance) - PIXELS / 2 * math.log(2 * math.pi * variance)
    assert elbo == pytest.approx(nats, abs=6e-4)
    if size == 8:
        program = program_of(size, likelihood=Gaussian(math.sqrt(variance)))
        state = program.init(0, BATCH)
        known = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float32), params)
        state = state.replace(ema={"autoencoder": {**state.ema["autoencoder"], "params": known}})
        log_weight = jax.jit(program.algorithm.density.log_weight)
        # Three terms of up to a hundred nats, in float32.
        np.testing.assert_allclose(
            log_weight(state, BATCH, jax.random.key(0)), evidence, rtol=1e-5, atol=1e-4
        )


@pytest.mark.slow
@pytest.mark.usefixtures("full_compilation")
@pytest.mark.parametrize(("beta", "variance", "size"), [(2.0, 0.05, 20), (0.5, 0.1, 24)])
def test_training_fills_the_water(beta, variance, size):
    """Used dimensions, rate and error of the level ``beta s2``, whatever either of them is.

    Means over pixels would have a level 64 times as high; a KL that is half or double what it
    should be, one half or double as high.
    """
    level = beta * variance
    used, rate, error = LEVELS[level]
    kl, got = measured(trained(size, 2000, beta=Beta(beta), likelihood=Gaussian(variance**0.5)))
    # Lucas et al. 2019, section 5: a dimension is not used where its KL is near 0.
    assert (kl > 0.01).sum() == used
    assert kl.sum() == pytest.approx(rate, abs=0.05)
    assert got == pytest.approx(error, rel=0.005)
    assert filled(64 * level)[0] == 0
    for wrong in (level / 2, 2 * level):
        other = filled(wrong)
        assert other[0] != used
        assert abs(other[1] - rate) > 1.0
        assert abs(other[2] - error) > 0.1 * error


@pytest.mark.slow
@pytest.mark.usefixtures("full_compilation")
def test_training_finds_the_variance_of_pixels():
    """That of the dimensions left out, and with it the maximum likelihood."""
    likelihood = LearnedGaussian()
    params = trained(8, 2000, likelihood=likelihood)
    raw = jnp.asarray(np.ravel(params["likelihood"])[0])
    variance = math.exp(2 * float(log_scale_above(raw, likelihood.floor)))
    noise, nats = OPTIMA[8]
    assert variance == pytest.approx(noise, rel=0.005)
    kl, error = measured(params)
    elbo = -kl.sum() - error / (2 * variance) - PIXELS / 2 * math.log(2 * math.pi * variance)
    assert elbo == pytest.approx(nats, abs=0.02)


@pytest.mark.slow
@pytest.mark.usefixtures("full_compilation")
def test_a_mean_for_a_draw_is_seen():
    """Codes without noise cost nothing where they are small: the error of draws explodes."""
    kl, got = measured(trained(20, 500, likelihood=Gaussian(0.1**0.5), posterior=Undrawn()))
    _, rate, error = LEVELS[0.1]
    assert kl.sum() < rate - 1.0
    assert got > 2 * error
