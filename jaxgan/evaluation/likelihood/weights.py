"""Test log-likelihood by importance sampling, of models that give the log weights themselves.

Whatever prior and posterior are, as long as both have densities. Where the posterior is a diagonal
Gaussian and the prior the standard normal, `jaxgan.evaluation.likelihood.importance` tells more.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float64, Key

from jaxgan import rng
from jaxgan.evaluation.likelihood import posteriors
from jaxgan.evaluation.likelihood.importance import (
    CHUNK,
    SAMPLES,
    LogLikelihood,
    importance_log_likelihood,
)
from jaxgan.evaluation.likelihood.posteriors import Posterior
from jaxgan.typing import Batch, PRNGKey

LogWeights: TypeAlias = Callable[
    [dict[str, np.ndarray], Key[Array, "draws"]], Float[Array, "draws batch"]
]
"""From a batch and one key a draw to ``log p(x|z) + log p(z) - log q(z|x)``, in nats."""


class Weighted(NamedTuple):
    """What was found of each image, in the order of the batches."""

    log_likelihood: Float64[np.ndarray, "images"]
    """``log 1/K sum_k w_k``, in nats."""
    effective_samples: Float64[np.ndarray, "images"]
    """``(sum w)^2 / sum w^2``, between 1 and K."""


def weighted_log_likelihood(
    log_weights: LogWeights,
    batches: Iterable[Batch],
    *,
    samples: int = SAMPLES,
    chunk: int = CHUNK,
    seed: int = 0,
) -> Weighted:
    """A lower bound of ``log p(x)`` that rises with the number of draws and reaches it.

    As `jaxgan.evaluation.likelihood.importance.importance_log_likelihood`; draws follow from the
    seed, the place of the batch's first image, the image's row and the number of the draw, so they
    depend on how images are put into batches.

    Args:
        log_weights: of the trained model.
        batches: images and what else the function reads; rows with ``mask`` 0 do not count.
        samples: draws an image, K.
        chunk: draws of every image of a batch in one call; the result does not depend on it.
        seed: of the draws.

    Raises:
        ValueError: ``samples`` or ``chunk`` is below 1, there are no images, or an estimate is not
            finite.

    References:
        Burda, Grosse and Salakhutdinov, Importance Weighted Autoencoders, 2016, equation 8.
    """
    if samples < 1 or chunk < 1:
        raise ValueError(f"samples = {samples}, chunk = {chunk}: both must be at least 1")
    chunk = min(chunk, samples)
    key = rng.role_key(rng.base_key(seed), "importance")
    found: list[Weighted] = []
    count = 0
    for batch, kept in posteriors.padded(batches):
        own = jax.random.fold_in(key, count)
        total, squares = np.full(len(kept), -np.inf), np.full(len(kept), -np.inf)
        for start in range(0, samples, chunk):
            keys = _keys(own, np.int32(start), count=chunk)
            # The last call draws a whole chunk like the others, lest it be compiled for its size.
            values = np.asarray(log_weights(batch, keys), np.float64)[: samples - start]
            with np.errstate(invalid="ignore"):  # refused below, by its image
                total = np.logaddexp(total, np.logaddexp.reduce(values, axis=0))
                squares = np.logaddexp(squares, np.logaddexp.reduce(2 * values, axis=0))
        with np.errstate(invalid="ignore"):
            part = Weighted(total - math.log(samples), np.exp(2 * total - squares))
        found.append(Weighted(*(values[kept] for values in part)))
        _check(found[-1], first=count)
        count += int(kept.sum())
    if not count:
        raise ValueError("there are no images to take the log-likelihood of")
    return Weighted(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def log_likelihood_of(
    batches: Iterable[Batch],
    *,
    posterior: Posterior | None,
    log_likelihood: LogLikelihood | None,
    log_weights: LogWeights | None,
    samples: int = SAMPLES,
    seed: int = 0,
) -> Float64[np.ndarray, "images"]:
    """The bound of each image, by the posterior where it is Gaussian, else by the log weights.

    Args:
        batches: images and what else the functions read.
        posterior: of the model; None where it is no diagonal Gaussian, or the prior not standard.
        log_likelihood: of the model.
        log_weights: of the model; None where it has none.
        samples: draws an image.
        seed: of the draws.

    Raises:
        ValueError: as `weighted_log_likelihood`.
    """
    if posterior is not None and log_likelihood is not None:
        return importance_log_likelihood(
            posterior, log_likelihood, batches, samples=samples, seed=seed
        ).per_image.log_likelihood
    assert log_weights is not None
    return weighted_log_likelihood(log_weights, batches, samples=samples, seed=seed).log_likelihood


@functools.partial(jax.jit, static_argnames="count")
def _keys(key: PRNGKey, start: Array, *, count: int) -> Key[Array, "draws"]:
    return jax.vmap(functools.partial(jax.random.fold_in, key))(start + jnp.arange(count))


def _check(part: Weighted, first: int) -> None:
    finite = np.isfinite(part.log_likelihood)
    if not finite.all():
        where = int(np.argmin(finite))
        raise ValueError(
            f"the log-likelihood of image {first + where} is {part.log_likelihood[where]}: the"
            " model's output is not finite"
        )
