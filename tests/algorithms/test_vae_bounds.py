"""Steps of VAEs whose bounds weigh codes that were drawn: gradients by hand, linear networks."""

import numpy as np
import pytest
from linear_gan import close
from linear_vae import (
    IMAGES,
    LATENT_SIZE,
    RATE,
    ROWS,
    SCALE,
    batch_of,
    experiment_of,
    inputs_and_targets,
    stepped,
    terms,
)
from scipy import stats

from jaxgan.config import ConfigError
from jaxgan.objectives.vae.bounds import Beta
from jaxgan.objectives.vae.free_bits import FreeBits
from jaxgan.objectives.vae.monte_carlo import MonteCarloElbo, StickingTheLanding

BATCH = batch_of(IMAGES)
INPUTS, TARGETS = inputs_and_targets(BATCH)


def drawn(before, codes):
    """Noise, log-likelihood, log prior and log posterior of each code: (samples, batch, ...)."""
    parts = codes.reshape(-1, ROWS, LATENT_SIZE)
    deviation = np.exp(before["encoder"]["s"] / 2)
    likelihood = np.array([terms(before, BATCH, part)[0] for part in parts])
    mean = INPUTS @ before["encoder"]["a"] + before["encoder"]["bias"]
    prior = stats.norm.logpdf(parts).sum(-1)
    posterior = stats.norm(mean, deviation).logpdf(parts).sum(-1)
    return (parts - mean) / deviation, likelihood, prior, posterior


def by_codes(before, parts, beta, path):
    """Slope of ``beta (log q - log p(z)) - log p(x|z)`` by each code; ``path``: of -log q."""
    decoder = before["decoder"]
    outputs = parts @ decoder["b"] + decoder["bias"]
    slope = (outputs - TARGETS) / SCALE**2 @ decoder["b"].T + beta * parts
    return slope - beta * path


@pytest.mark.parametrize("bound", [MonteCarloElbo, StickingTheLanding])
def test_drawn_codes_estimate_the_kl(bound):
    """The same value; without the posterior's own slope, in one case along the codes alone."""
    before, after, metrics, codes = stepped(bound=bound(samples=2), beta=Beta(3.0))
    noise, likelihood, prior, posterior = drawn(before, codes)
    close(
        metrics["loss/autoencoder"], np.mean(3.0 * (posterior - prior) - likelihood, axis=0).mean()
    )
    encoder, parts = before["encoder"], codes.reshape(2, ROWS, LATENT_SIZE)
    deviation = np.exp(encoder["s"] / 2)
    # log q = -|noise|^2 / 2 - log deviation: at moving codes it depends on the deviation alone; at
    # fixed parameters its slope by a code is -noise / deviation.
    path = noise / deviation if bound is StickingTheLanding else 0.0
    direct = 0.0 if bound is StickingTheLanding else -0.5 * 3.0
    slopes = by_codes(before, parts, 3.0, path) / (2 * ROWS)
    close(after["encoder"]["bias"], encoder["bias"] - RATE * slopes.sum((0, 1)))
    by_s = (slopes * noise * deviation / 2).sum((0, 1)) + direct
    close(after["encoder"]["s"], encoder["s"] - RATE * by_s)
    close(after["encoder"]["a"], encoder["a"] - RATE * INPUTS.T @ slopes.sum(0))


def test_weights_that_do_not_go_with_the_rest():
    with pytest.raises(ConfigError, match="FreeBits has 3 groups, and a code has 2 dimensions"):
        experiment_of(beta=FreeBits(groups=3))
