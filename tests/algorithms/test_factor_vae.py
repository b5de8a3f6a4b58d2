"""A FactorVAE of linear networks: its two losses, and who sees which codes, by hand."""

import functools

import jax
import numpy as np
import pytest
from code_games import RATE, ROWS, close, experiment_of, numbers, reconstruction_slopes, stepped
from scipy.special import expit, log_expit

from jaxgan.algorithms.base import build
from jaxgan.algorithms.factor_vae import FactorVae
from jaxgan.config import ConfigError
from jaxgan.objectives.vae.bounds import Beta

GAMMA, BETA = 3.0, 0.5


@functools.cache
def ran():
    return stepped(FactorVae, gamma=GAMMA, beta=Beta(BETA))


def test_a_step_by_hand():
    """The autoencoder moves against the old discriminator, which learns from the old codes."""
    _, (before, after, metrics), images, judged = ran()
    first, second = images[::2], images[1::2]
    v, w, a, c = numbers(before)
    z = first @ v
    by_codes, by_w = reconstruction_slopes(first, v, w)
    by_codes = by_codes + (BETA * z + GAMMA * a) / ROWS
    new_v, new_w, new_a, new_c = numbers(after)
    close(new_v, v - RATE * first.T @ by_codes)
    close(new_w, w - RATE * by_w)
    close(metrics["total_correlation"], GAMMA * np.mean(z @ a + c))
    # Codes of the first batch are judged twice, and then those of the second, permuted.
    assert len(judged) == 3
    close(judged[0], z)
    close(judged[1], z)
    others, permuted = second @ v, judged[2]
    close(np.sort(permuted, axis=0), np.sort(others, axis=0))
    orders = [
        np.argmin(np.abs(permuted[:, None, d] - others[None, :, d]), axis=1) for d in range(3)
    ]
    assert len({tuple(order) for order in orders}) == 3
    # A logit says that a code is one of an image; half of the sum of both cross-entropies.
    real, fake = z @ a + c, permuted @ a + c
    r, f = -0.5 * expit(-real) / ROWS, 0.5 * expit(fake) / ROWS
    close(new_a, a - RATE * (r @ z + f @ permuted))
    close(new_c, c - RATE * (r.sum() + f.sum()))
    close(metrics["loss/discriminator"], -0.5 * np.mean(log_expit(real) + log_expit(-fake)))
    close([metrics["logits/codes"], metrics["logits/permuted"]], [real.mean(), fake.mean()])


def test_evaluation_tells_the_total_correlation():
    algorithm, (_, after, _), images, _ = ran()
    batch = {"image": images.reshape(-1, 1, 1, 2), "mask": np.ones(2 * ROWS, np.float32)}
    sums = algorithm.evaluate(after, batch, jax.random.key(0))
    v = after.ema["autoencoder"]["params"]["encoder"]["v"]
    _, _, a, c = numbers(after)
    close(sums["total_correlation"], [(images @ v @ a + c).sum(), 2 * ROWS])
    assert sums.keys() >= {"elbo", "kl", "reconstruction"}


def test_what_it_says_of_itself_and_refuses():
    model = experiment_of(FactorVae, gamma=GAMMA).model
    assert model.objective() == "ELBO, Gaussian(scale=0.7), beta = 1, gamma = 3"
    assert model.mark() == "\N{GREEK SMALL LETTER GAMMA} = 3"
    assert model.batches_per_step == 2
    assert model.optimizers.keys() == {"autoencoder", "discriminator"}
    with pytest.raises(ConfigError, match="gamma = 0"):
        experiment_of(FactorVae, gamma=0.0)
    experiment = experiment_of(FactorVae)
    with pytest.raises(ConfigError, match=r"exchanges dimensions .* batch_size = 1"):
        build(experiment.__class__(**{**vars(experiment), "batch_size": 1}))
