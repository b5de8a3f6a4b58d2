"""Steps of VAEs whose bounds weigh codes that were drawn: gradients by hand, linear networks."""

import numpy as np
import pytest
from linear_gan import close
from linear_vae import (
    BETA,
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
from scipy import special, stats

from jaxgan.config import ConfigError
from jaxgan.objectives.vae.bounds import Beta
from jaxgan.objectives.vae.capacity import Capacity
from jaxgan.objectives.vae.free_bits import FreeBits
from jaxgan.objectives.vae.importance import Ciwae, DReG, Iwae, Miwae, Piwae
from jaxgan.objectives.vae.monte_carlo import MonteCarloElbo, StickingTheLanding
from jaxgan.objectives.vae.posteriors import Point

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


def weights_of(log_w):
    """What each of four codes counts for the model and for the encoder, by name."""
    each, normalized = np.full_like(log_w, 0.25), special.softmax(log_w, axis=0)
    halves = np.concatenate([special.softmax(half, axis=0) / 2 for half in np.split(log_w, 2)])
    reparameterized = BETA * normalized**2 + (1 - BETA) * normalized
    return {
        "monte_carlo": (each, each),
        "sticking": (each, each),
        "iwae": (normalized, normalized),
        "dreg": (normalized, reparameterized),
        "ciwae": (0.3 * each + 0.7 * normalized,) * 2,
        "miwae": (halves, halves),
        "piwae": (normalized, halves),
    }


def value_of(name, log_w):
    """The mean bound over the batch."""
    elbo, iwae = log_w.mean(), (special.logsumexp(log_w, axis=0) - np.log(4)).mean()
    halves = [special.logsumexp(half, axis=0) - np.log(2) for half in np.split(log_w, 2)]
    return {"ciwae": 0.3 * elbo + 0.7 * iwae, "miwae": np.mean(halves)}.get(
        name, elbo if name in ("monte_carlo", "sticking") else iwae
    )


BOUNDS = {
    "monte_carlo": MonteCarloElbo(4),
    "sticking": StickingTheLanding(4),
    "iwae": Iwae(4),
    "dreg": DReG(4),
    "ciwae": Ciwae(4, share=0.3),
    "miwae": Miwae(2, 2),
    "piwae": Piwae(2, 2),
}
FAST = {"sticking", "dreg", "piwae"}
"""Each does what the others do, and something besides."""


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=() if n in FAST else pytest.mark.slow) for n in BOUNDS]
)
def test_a_step_by_hand(name):
    """What each code counts for either network, and which slopes of the posterior there are."""
    before, after, metrics, codes = stepped(bound=BOUNDS[name], beta=Beta(BETA))
    noise, likelihood, prior, posterior = drawn(before, codes)
    log_w = likelihood - BETA * (posterior - prior)
    close(metrics["loss/autoencoder"], -value_of(name, log_w))
    model, encoder = (part[..., None] / ROWS for part in weights_of(log_w)[name])
    given, decoder = before["encoder"], before["decoder"]
    parts, deviation = codes.reshape(4, ROWS, LATENT_SIZE), np.exp(given["s"] / 2)
    # log q = -|noise|^2 / 2 - log deviation: at moving codes it depends on the deviation alone; at
    # fixed parameters its slope by a code is -noise / deviation.
    path = name in ("sticking", "dreg")
    slopes = encoder * by_codes(before, parts, BETA, noise / deviation if path else 0.0)
    close(after["encoder"]["bias"], given["bias"] - RATE * slopes.sum((0, 1)))
    close(after["encoder"]["a"], given["a"] - RATE * INPUTS.T @ slopes.sum(0))
    by_s = (slopes * noise * deviation / 2).sum((0, 1)) - (0.0 if path else BETA / 2)
    close(after["encoder"]["s"], given["s"] - RATE * by_s)
    outputs = parts @ decoder["b"] + decoder["bias"]
    slope = np.einsum("kni,knj->ij", parts, model * (outputs - TARGETS) / SCALE**2)
    close(after["decoder"]["b"], decoder["b"] - RATE * slope)


def test_weights_that_do_not_go_with_the_rest():
    with pytest.raises(ConfigError, match="FreeBits has 3 groups, and a code has 2 dimensions"):
        experiment_of(beta=FreeBits(groups=3))
    for weight in (Capacity(), FreeBits()):
        with pytest.raises(ConfigError, match=r"Iwae, weighs single codes, and .* is no number"):
            experiment_of(bound=Iwae(), beta=weight)
    with pytest.raises(ConfigError, match="DReG, needs densities of codes, and Point gives none"):
        experiment_of(bound=DReG(), posterior=Point())
