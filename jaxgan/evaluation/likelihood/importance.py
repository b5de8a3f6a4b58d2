"""Test log-likelihood by importance sampling, with the encoder as the proposal.

The prior is the standard normal. All results are in nats an image.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float64

from jaxgan import rng
from jaxgan.evaluation.likelihood import posteriors
from jaxgan.evaluation.likelihood.posteriors import Codes, Posterior
from jaxgan.evaluation.likelihood.summaries import mean_over_images
from jaxgan.evaluation.statistics.intervals import Estimate
from jaxgan.typing import Batch, Latents, PerExample

LogLikelihood: TypeAlias = Callable[[dict[str, jax.Array], Latents], PerExample]
"""From a batch and one latent an image to ``log p(x|z)`` of each image."""

SAMPLES = 5000
"""Draws an image, as in Burda et al. 2016."""

CHUNK = 16
"""Draws of every image of a batch in one call, by default."""


class PerImage(NamedTuple):
    """What was found of each image, in the order of the batches, in float64."""

    log_likelihood: Float64[np.ndarray, "images"]
    """``log 1/K sum_k p(x|z_k) p(z_k) / q(z_k|x)``."""
    reconstruction: Float64[np.ndarray, "images"]
    """Mean of ``log p(x|z_k)``."""
    kl: Float64[np.ndarray, "images"]
    """``KL(q(z|x) || p(z))`` in closed form."""
    effective_samples: Float64[np.ndarray, "images"]
    """``(sum w)^2 / sum w^2``, between 1 and K. Where few of the draws carry all the weight, the
    estimate is probably far below the truth: take more."""

    @property
    def elbo(self) -> Float64[np.ndarray, "images"]:
        """``reconstruction - kl``."""
        return self.reconstruction - self.kl


class Importance(NamedTuple):
    """Means over the images with 95% intervals, in nats an image.

    The intervals cover the drawing of the test images and of the codes; not the training seed, nor
    how far ``log_likelihood`` still lies below the truth.
    """

    log_likelihood: Estimate
    elbo: Estimate
    reconstruction: Estimate
    kl: Estimate
    per_image: PerImage
    samples: int
    """Draws an image."""


def importance_log_likelihood(
    posterior: Posterior,
    log_likelihood: LogLikelihood,
    batches: Iterable[Batch],
    *,
    samples: int = SAMPLES,
    chunk: int = CHUNK,
    seed: int = 0,
) -> Importance:
    """A lower bound of ``log p(x)`` that rises with the number of draws and reaches it.

    Of each image, ``log 1/K sum_k p(x|z_k) p(z_k) / q(z_k|x)`` with ``z_k`` from ``q(z|x)``. For
    one draw its expectation is the ELBO; for ``q`` the true posterior it is ``log p(x)`` exactly,
    whatever the draws. Log weights are made in float32 on the device (their error is that of the
    sum over pixels, about 1e-6 of its size) and added up in float64 on the host, by a running
    log-sum-exp, so that memory does not grow with ``samples``.

    Args:
        posterior: of the trained model.
        log_likelihood: of the same model; it gets batches of ``chunk`` times as many rows.
        batches: images and what else the functions read; rows with ``mask`` 0 do not count.
        samples: draws an image, K.
        chunk: draws of every image of a batch in one call; memory and speed depend on it, the
            result does not.
        seed: of the draws.

    Raises:
        ValueError: ``samples`` or ``chunk`` is below 1, there are no images, or a posterior or a
            log-likelihood is not finite.

    References:
        Burda, Grosse and Salakhutdinov, Importance Weighted Autoencoders, 2016, equation 8 and
        section 5. Kong 1992 (effective sample size).
    """
    if samples < 1 or chunk < 1:
        raise ValueError(f"samples = {samples}, chunk = {chunk}: both must be at least 1")
    chunk = min(chunk, samples)
    key = rng.role_key(rng.base_key(seed), "importance")
    found: list[PerImage] = []
    count = 0
    for batch, kept in posteriors.padded(batches):
        codes = Codes(*(np.asarray(part, np.float32) for part in posterior(batch)))
        posteriors.check(Codes(codes.mean[kept], codes.log_variance[kept]), first=count)
        # Numbered without the rows that do not count, so that padding moves no draw.
        places = count + np.maximum(np.cumsum(kept) - 1, 0)
        part = _batch(log_likelihood, batch, codes, places, key, samples, chunk)
        found.append(PerImage(*(values[kept] for values in part)))
        _check(found[-1], first=count)
        count += int(kept.sum())
    if not count:
        raise ValueError("there are no images to take the log-likelihood of")
    whole = PerImage(*(np.concatenate(parts) for parts in zip(*found, strict=True)))
    return Importance(
        log_likelihood=mean_over_images(whole.log_likelihood),
        elbo=mean_over_images(whole.elbo),
        reconstruction=mean_over_images(whole.reconstruction),
        kl=mean_over_images(whole.kl),
        per_image=whole,
        samples=samples,
    )


def _batch(
    log_likelihood: LogLikelihood,
    batch: dict[str, np.ndarray],
    codes: Codes,
    places: np.ndarray,
    key: jax.Array,
    samples: int,
    chunk: int,
) -> PerImage:
    """The estimates of one batch, padding included."""
    rows = len(codes.mean)
    tiled = {name: _tiled(array, chunk) for name, array in batch.items()}
    on_device = [jnp.asarray(part) for part in (*codes, places.astype(np.int32))]
    # Logs of the sums of weights and of squared weights.
    total, squares = np.full(rows, -np.inf), np.full(rows, -np.inf)
    reconstruction = np.zeros(rows)
    for start in range(0, samples, chunk):
        latents, noise = posteriors.draw(key, *on_device, np.int32(start), count=chunk)
        ratio = _log_prior_over_posterior(latents, noise, on_device[1])
        values = log_likelihood(tiled, latents.reshape(chunk * rows, -1))
        # The last call draws a whole chunk like the others, lest it be compiled for its size alone.
        wanted = min(chunk, samples - start)
        values = np.asarray(values, np.float64).reshape(chunk, rows)[:wanted]
        weights = values + np.asarray(ratio, np.float64)[:wanted]
        reconstruction += values.sum(0)
        with np.errstate(invalid="ignore"):  # what is not finite is refused later, by its image
            total = np.logaddexp(total, np.logaddexp.reduce(weights, axis=0))
            squares = np.logaddexp(squares, np.logaddexp.reduce(2 * weights, axis=0))
    with np.errstate(invalid="ignore"):
        effective_samples = np.exp(2 * total - squares)
    return PerImage(
        log_likelihood=total - math.log(samples),
        reconstruction=reconstruction / samples,
        kl=posteriors.kl_by_dimension(codes).sum(-1),
        effective_samples=effective_samples,
    )


def _tiled(array: np.ndarray, times: int) -> jax.Array:
    return jnp.asarray(np.tile(array, (times,) + (1,) * (array.ndim - 1)))


@jax.jit
def _log_prior_over_posterior(
    latents: Float[Array, "draws batch latent"],
    noise: Float[Array, "draws batch latent"],
    log_variance: Float[Array, "batch latent"],
) -> Float[Array, "draws batch"]:
    """``log p(z) - log q(z|x)``; by the noise, since ``z - mean`` would have lost its decimals."""
    return 0.5 * jnp.sum(jnp.square(noise) + log_variance - jnp.square(latents), axis=-1)


def _check(part: PerImage, first: int) -> None:
    finite = np.isfinite(part.log_likelihood) & np.isfinite(part.reconstruction)
    if not finite.all():
        where = int(np.argmin(finite))
        raise ValueError(
            f"the log-likelihood of image {first + where} is {part.log_likelihood[where]}"
            f" (reconstruction {part.reconstruction[where]}): the model's output is not finite"
        )
