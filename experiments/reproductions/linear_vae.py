"""Linear VAEs are probabilistic PCA, and lie on a rate-distortion curve. Lucas et al., Don't Blame
the ELBO! A Linear VAE Perspective on Posterior Collapse, 2019.

    python experiments/reproductions/linear_vae.py

Encoder ``V (x - mu)`` with one diagonal variance for all images, decoder ``W z + mu``, and
scikit-learn's 1,797 digits (pixels from 0 to 1; their covariance, by 1/N, has the eigenvalues l).
The bound, the posterior and the likelihoods are those of runs.

- With the noise s^2 learned and q latents, the bound's optimum is that of probabilistic PCA: s^2 is
  the mean of the 64 - q smallest l, and the value is the maximum likelihood.
- With s^2 fixed and any weight beta of the KL, latent j is used if and only if ``l_j > beta s^2``;
  the rate is ``sum 1/2 log(l_j / (beta s^2))`` over those, and the squared error, of draws,
  ``sum min(l_j, beta s^2)``: reverse water-filling. So a unit-variance VAE collapses here.

Every term is a polynomial of second degree in the image and in the noise of its code together, so
its mean is that over any pairs of the same mean and covariance: `pairs`, of which there are at most
128, while training, and all images with draws of +-1 each at the end. Nothing is estimated. L-BFGS
in double precision replaces the authors' Adam, from random weights; the parameters are V and W in
the basis of the covariance, where all directions are of one size.

The paper's own run, on 1,000 images of MNIST, is not repeated here. All values were derived from
the laws by another program. All lines agree, after 64 seconds of the processor
(`experiments/results/reproductions/linear_vae.json`); the random weights have one fixed seed.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import shelf
from jax.flatten_util import ravel_pytree

from jaxgan.objectives.vae.bounds import Beta, Elbo, Terms
from jaxgan.objectives.vae.code_priors import StandardNormal
from jaxgan.objectives.vae.gaussian_scales import LearnedGaussian
from jaxgan.objectives.vae.likelihoods import Gaussian, Likelihood
from jaxgan.objectives.vae.posteriors import DiagonalGaussian, Encoded

OPTIMA = {2: (0.05412, 0.006), 8: (0.02733, 14.210), 16: (0.014725, 23.929), 32: (0.004935, 35.247)}
"""By q: s^2, and nats an image."""
CURVE = {
    1.0: (0, 0.0, 4.693), 0.1: (12, 5.479, 2.211), 0.05: (18, 10.647, 1.486),
    0.02: (30, 21.676, 0.792), 0.01: (39, 33.544, 0.455), 0.005: (46, 48.255, 0.245),
}  # fmt: skip
"""By beta s^2: latents used, nats, squared error."""
BETAS = {1.0: 1.0, 0.1: 2.0, 0.05: 1.0, 0.02: 0.5, 0.01: 1.0, 0.005: 4.0}
"""Which beta makes it; s^2 is the rest."""
LATENTS = {1.0: 15, 0.1: 15, 0.05: 31, 0.02: 31, 0.01: 50, 0.005: 50}
"""That there are; more than are used."""
ITERATIONS = 10_000
"""At most; a search ends where an iteration gains less than 1e-11 of the value."""
USED = 1e-3
"""Nats of KL from which a latent is used; the last one above a threshold here has 0.003."""


def signs(count: int) -> np.ndarray:
    """Points ``(points, count)`` of +-1 with mean 0 and covariance I, from Hadamard's matrix."""
    from scipy.linalg import hadamard

    # Its first column has no minus.
    return hadamard(2 ** count.bit_length())[:, 1 : count + 1].astype(np.float64)


class Data(NamedTuple):
    """Images as vectors.

    Attributes:
        images: ``(N, 64)``.
        mean: of all.
        basis: eigenvectors times the roots of their eigenvalues, ``(rank, 64)``.
    """

    images: np.ndarray
    mean: np.ndarray
    basis: np.ndarray


@functools.cache
def digits() -> Data:
    """scikit-learn's digits at their own 17 levels."""
    from sklearn.datasets import load_digits

    images = load_digits(return_X_y=True)[0] / 16.0
    mean = images.mean(0)
    values, vectors = np.linalg.eigh((images - mean).T @ (images - mean) / len(images))
    # Some pixels are the same in all images.
    used = values > 1e-12
    basis = np.sqrt(values[used])[:, None] * vectors[:, used].T
    return Data(images, mean, basis)


def pairs(latents: int) -> tuple[np.ndarray, np.ndarray]:
    """Few images and their draws, with the moments of all images and of standard normal draws.

    Returns:
        Images ``(points, 64)``, and one draw for each, ``(1, points, latents)``.
    """
    data = digits()
    # Along eigenvectors images have covariance I, as draws have, and neither tells of the other.
    both = signs(len(data.basis) + latents)
    along, draws = np.split(both, [len(data.basis)], axis=1)
    return data.mean + along @ data.basis, draws[None]


class Means(NamedTuple):
    """Of all images given.

    Attributes:
        bound: what is maximized, in nats.
        kl: of each latent, in nats.
        error: squared distance to what is decoded from a draw.
    """

    bound: jax.Array
    kl: jax.Array
    error: jax.Array


Objective = Callable[[Any, np.ndarray, np.ndarray], Means]
"""Of parameters, images and draws, ``(draws, images or 1, latents)``."""


def objective(likelihood: Likelihood, beta: float, spread: float = 1.0) -> Objective:
    """Means of a linear VAE with parameters ``encoder``, ``log_variance``, ``decoder``, ``raw``.

    In the basis of the data: ``V = encoder basis / l`` and ``W = decoder basis``.

    Args:
        likelihood: of the pixels.
        beta: weight of the KL.
        spread: of draws about the mean, 1; 0 decodes the mean, which is wrong.
    """
    posterior, weight = DiagonalGaussian(), Beta(beta)
    mean, basis = digits().mean, digits().basis
    into = basis.T / np.square(basis).sum(axis=1)

    def means(params: Any, images: np.ndarray, draws: np.ndarray) -> Means:
        code_means = (images - mean) @ into @ params["encoder"]
        encoded = Encoded(code_means, jnp.broadcast_to(params["log_variance"], code_means.shape))
        targets = jnp.asarray(images)[:, None, None]

        def one(draw: jax.Array) -> tuple[jax.Array, jax.Array]:
            noise = jnp.broadcast_to(spread * draw, code_means.shape)
            codes = posterior.draw({}, encoded, noise, None).codes
            decoded = (codes @ (params["decoder"] @ basis) + mean)[:, None, None]
            raw = jnp.broadcast_to(params["raw"], (*decoded.shape[:-1], len(params["raw"])))
            outputs = jnp.concatenate([decoded, raw], axis=-1)
            value = likelihood.log_prob(outputs=outputs, targets=targets)
            return value, jnp.square(decoded - targets).sum(axis=(1, 2, 3))

        log_likelihood, error = jax.vmap(one)(jnp.asarray(draws))
        kl = posterior.kl({}, encoded, StandardNormal())
        bound = Elbo(len(draws))(
            Terms(log_likelihood, None, None, kl),
            lambda kl: weight(kl, step=jnp.zeros((), int), mean=lambda value: value),
        )
        return Means(jnp.mean(bound), jnp.mean(kl, axis=0), jnp.mean(error))

    return means


def optimum(of: Objective, latents: int, raw: Sequence[float] = ()) -> tuple[Any, Means]:
    """Parameters where the bound is largest, and the means of all images there.

    Args:
        of: as `objective` makes it.
        latents: how many.
        raw: first values of what the likelihood learns.
    """
    from scipy.optimize import minimize

    draws, data = np.random.default_rng(0), digits()
    size = len(data.basis)
    first = {
        "encoder": draws.normal(0.0, 0.1, (size, latents)),
        "decoder": draws.normal(0.0, 0.1, (latents, size)),
        "log_variance": np.zeros(latents),
        "raw": np.array(raw),
    }
    flat, back = ravel_pytree(jax.tree.map(jnp.asarray, first))
    few = pairs(latents)

    @jax.jit
    def loss(values: jax.Array) -> tuple[jax.Array, jax.Array]:
        return jax.value_and_grad(lambda v: -of(back(v), *few).bound)(values)

    found = minimize(
        lambda values: tuple(map(np.asarray, loss(values))), np.asarray(flat), jac=True,
        method="L-BFGS-B",
        options={"maxiter": ITERATIONS, "maxfun": 2 * ITERATIONS, "maxcor": 40, "ftol": 1e-11,
                 "gtol": 1e-7},
    )  # fmt: skip
    params = jax.tree.map(np.asarray, back(jnp.asarray(found.x)))
    return params, jax.jit(of)(params, data.images, signs(latents)[:, None])


def learned_noise(q: int) -> list[shelf.Row]:
    """s^2 and the value at the optimum of q latents."""
    likelihood = LearnedGaussian(floor=1e-4)
    params, means = optimum(objective(likelihood, 1.0), q, likelihood.learned(1))
    # What the likelihood makes of its raw number: a scale above the floor.
    least = math.log(likelihood.floor)
    scale = math.exp(least + np.logaddexp(0.0, params["raw"].item() - least))
    noise, nats = OPTIMA[q]
    return [
        shelf.Row(f"s^2 learned, q = {q}", noise, scale**2, 5e-6, source="derived"),
        shelf.Row(f"nats an image, q = {q}", nats, float(means.bound), 1e-3, source="derived",
                  headline=q == 32),
    ]  # fmt: skip


def fixed_noise(level: float, of: Callable[..., Objective] = objective) -> list[shelf.Row]:
    """Latents used, rate and error at one beta s^2."""
    beta = BETAS[level]
    _, means = optimum(of(Gaussian(math.sqrt(level / beta)), beta), LATENTS[level])
    used, rate, error = CURVE[level]
    told = f"beta s^2 = {level:g}"
    return [
        shelf.Row(f"latents used, {told}", used, int((means.kl > USED).sum()), source="derived"),
        shelf.Row(f"rate, {told}", rate, float(means.kl.sum()), 1e-3, source="derived",
                  headline=level == 0.01),
        shelf.Row(f"squared error, {told}", error, float(means.error), 1e-3, source="derived",
                  headline=level == 0.01),
    ]  # fmt: skip


def reproduce() -> shelf.Reproduction:
    """All lines."""
    with jax.enable_x64(True):
        rows = [row for q in OPTIMA for row in learned_noise(q)]
        rows += [row for level in CURVE for row in fixed_noise(level)]
    return shelf.Reproduction(
        name="linear_vae",
        paper="Lucas et al., Don't Blame the ELBO! A Linear VAE Perspective on Posterior Collapse,"
        " 2019",
        what="linear VAE on digits: probabilistic PCA, reverse water-filling",
        rows=tuple(rows),
        settings={"precision": "float64", "optimizer": "L-BFGS"},
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints and writes the table."""
    shelf.run(reproduce, __doc__, arguments)


if __name__ == "__main__":
    main()
