"""Probabilistic PCA, whose evidence and posterior are known (Tipping and Bishop 1999).

``x = W z + b + s e``: then ``x ~ N(b, W W' + s^2 I)``, and the posterior has the precision
``I + W'W / s^2``, which is diagonal here because the columns of ``W`` are orthogonal.
"""

import jax
import jax.numpy as jnp
import numpy as np
from scipy import stats

NOISE = 0.6
WEIGHTS = np.array(
    [[1.0, 0.5, 0.0], [1.0, -0.5, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 1.5], [-1.2, 0.0, 0.0]]
)
BIAS = np.array([0.2, -0.4, 1.0, 0.0, 0.7])
PIXELS, LATENT = WEIGHTS.shape
VARIANCE = 1 / (1 + (WEIGHTS**2).sum(0) / NOISE**2)
assert np.count_nonzero(WEIGHTS.T @ WEIGHTS - np.diag((WEIGHTS**2).sum(0))) == 0


def images_of(count, seed=0):
    draws = np.random.default_rng(seed)
    codes = draws.normal(size=(count, LATENT))
    rows = codes @ WEIGHTS.T + BIAS + NOISE * draws.normal(size=(count, PIXELS))
    return rows.reshape(count, 1, 1, PIXELS).astype(np.float32)


def evidence(images):
    covariance = WEIGHTS @ WEIGHTS.T + NOISE**2 * np.eye(PIXELS)
    rows = np.float64(images).reshape(-1, PIXELS)
    return stats.multivariate_normal(BIAS, covariance).logpdf(rows)


def proposal(shift=0.0, widen=1.0):
    """The exact posterior, or one with a shifted mean and standard deviations times ``widen``."""

    @jax.jit
    def posterior(batch):
        rows = jnp.asarray(batch["image"]).reshape(-1, PIXELS)
        gain = jnp.asarray(VARIANCE[:, None] * WEIGHTS.T / NOISE**2, jnp.float32)
        mean = (rows - jnp.asarray(BIAS, jnp.float32)) @ gain.T + shift
        log_variance = jnp.log(jnp.asarray(VARIANCE * widen**2, jnp.float32))
        return mean, jnp.broadcast_to(log_variance, mean.shape)

    return posterior


def lost(shift, widen):
    """``KL(proposal || posterior)``, which is what the ELBO lacks of the evidence."""
    return 0.5 * (widen**2 + shift**2 / VARIANCE - 1 - np.log(widen**2)).sum()


@jax.jit
def log_likelihood(batch, latents):
    rows = jnp.asarray(batch["image"]).reshape(-1, PIXELS)
    means = latents @ jnp.asarray(WEIGHTS.T, jnp.float32) + jnp.asarray(BIAS, jnp.float32)
    constant = np.log(NOISE) + 0.5 * np.log(2 * np.pi)
    return -jnp.sum(0.5 * jnp.square((rows - means) / NOISE) + constant, axis=-1)
