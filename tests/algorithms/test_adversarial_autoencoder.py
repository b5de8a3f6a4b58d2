"""An adversarial autoencoder of linear networks: the game on its codes, by hand."""

import functools

import jax
import numpy as np
import pytest
from code_games import RATE, ROWS, close, experiment_of, numbers, reconstruction_slopes, stepped
from scipy.special import expit, log_expit

from jaxgan.algorithms.adversarial_autoencoder import AdversarialAutoencoder
from jaxgan.config import ConfigError
from jaxgan.objectives.gan.began import Began
from jaxgan.objectives.gan.losses import LeastSquares
from jaxgan.objectives.gan.mmd import Mmd

WEIGHT = 2.5


@functools.cache
def ran():
    return stepped(AdversarialAutoencoder, weight=WEIGHT)


def test_a_step_by_hand():
    """Draws of the prior are real; the encoder then moves against the updated discriminator."""
    _, (before, after, metrics), x, judged = ran()
    v, w, a, c = numbers(before)
    z, prior = x @ v, judged[0]
    close(judged[1], z)
    # The same draws and codes again in the encoder's part.
    assert len(judged) == 4
    close(judged[2], prior)
    close(judged[3], z)
    assert len(np.unique(np.round(prior, 5))) == prior.size
    real, fake = prior @ a + c, z @ a + c
    r, f = -expit(-real) / ROWS, expit(fake) / ROWS
    new_v, new_w, new_a, new_c = numbers(after)
    close(new_a, a - RATE * (r @ prior + f @ z))
    close(new_c, c - RATE * (r.sum() + f.sum()))
    close(metrics["loss/discriminator"], -np.mean(log_expit(real) + log_expit(-fake)))
    close([metrics["logits/real"], metrics["logits/fake"]], [real.mean(), fake.mean()])
    by_codes, by_w = reconstruction_slopes(x, v, w)
    again = z @ new_a + new_c
    by_codes = by_codes - WEIGHT * expit(-again)[:, None] * new_a / ROWS
    close(new_v, v - RATE * x.T @ by_codes)
    close(new_w, w - RATE * by_w)
    close(metrics["adversarial"], -WEIGHT * log_expit(again).mean())


def test_evaluation_counts_decisions():
    algorithm, (_, after, _), x, _ = ran()
    batch = {"image": x.reshape(-1, 1, 1, 2), "mask": np.ones(ROWS, np.float32)}
    sums = algorithm.evaluate(after, batch, jax.random.key(0))
    v = after.ema["autoencoder"]["params"]["encoder"]["v"]
    _, _, a, c = numbers(after)
    found = float(sums["discriminator_accuracy_fake"][0])
    assert found == (x @ v @ a + c < 0).sum()
    assert sums.keys() >= {"reconstruction", "discriminator_accuracy_real"}
    assert sums.keys().isdisjoint({"kl", "elbo"})


def test_what_it_says_of_itself_and_refuses():
    model = experiment_of(AdversarialAutoencoder, loss=LeastSquares()).model
    assert model.objective() == (
        "Reconstruction(), Gaussian(scale=0.7), Point(), 10 LeastSquares() of codes"
    )
    assert model.optimizers.keys() == {"autoencoder", "discriminator"}
    for loss in (Began(), Mmd()):
        with pytest.raises(ConfigError, match=f"{type(loss).__name__}, reads more than logits"):
            experiment_of(AdversarialAutoencoder, loss=loss)
    with pytest.raises(ConfigError, match="weight = -1"):
        experiment_of(AdversarialAutoencoder, weight=-1.0)
