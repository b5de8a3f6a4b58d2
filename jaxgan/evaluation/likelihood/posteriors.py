"""Encoded data sets: the diagonal Gaussian posteriors of all images, and draws from them.

The prior is the standard normal throughout. Draws follow from (seed, place of the image in the data
set, number of the draw), so they do not depend on how images or draws are put into batches.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Float32, Float64, Int32, Integer

from jaxgan.typing import Batch, Latents, PRNGKey

Posterior: TypeAlias = Callable[[dict[str, np.ndarray]], tuple[Latents, Latents]]
"""From a batch to means and log variances of its codes."""


class Codes(NamedTuple):
    """Posteriors ``N(mean, exp(log_variance))`` of a data set, one row an image."""

    mean: Float32[np.ndarray, "images latent"]
    log_variance: Float32[np.ndarray, "images latent"]


def padded(
    batches: Iterable[Batch],
) -> Iterator[tuple[dict[str, np.ndarray], Bool[np.ndarray, "batch"]]]:
    """Batches of one size, so that functions of them compile once, and which rows of them count.

    Args:
        batches: dictionaries of arrays with a row an image. Rows where ``mask`` is 0 do not count.

    Yields:
        A batch without ``mask``, filled up to the size of the largest so far with copies of its
        last row, and a mask.
    """
    size = 0
    for batch in batches:
        arrays = {name: np.asarray(array) for name, array in batch.items()}
        mask = arrays.pop("mask", None)
        rows = len(arrays["image"])
        if not rows:
            continue
        size = max(size, rows)
        kept = np.ones(rows, bool) if mask is None else mask != 0
        fill = np.minimum(np.arange(size), rows - 1)
        full = {name: array[fill] for name, array in arrays.items()}
        yield full, np.pad(kept, (0, size - rows))


def encode(posterior: Posterior, batches: Iterable[Batch]) -> Codes:
    """The posteriors of a whole data set.

    Raises:
        ValueError: there are no images, or a posterior is not finite.
    """
    found: list[Codes] = []
    for batch, kept in padded(batches):
        mean, log_variance = (np.asarray(part, np.float32)[kept] for part in posterior(batch))
        found.append(Codes(mean, log_variance))
    if not sum(len(codes.mean) for codes in found):
        raise ValueError("there are no images to encode")
    codes = Codes(*(np.concatenate(parts) for parts in zip(*found, strict=True)))
    check(codes)
    return codes


def check(codes: Codes, first: int = 0) -> None:
    """Refuses posteriors that are no distributions.

    Args:
        codes: means and log variances.
        first: place of the first row in the data set, for the message.

    Raises:
        ValueError: a mean or log variance is not finite; names the first such image.
    """
    finite = np.isfinite(codes.mean).all(-1) & np.isfinite(codes.log_variance).all(-1)
    if not finite.all():
        raise ValueError(
            f"the posterior of image {first + int(np.argmin(finite))} is not finite: a mean or log"
            " variance is NaN or infinite"
        )


def kl_by_dimension(codes: Codes) -> Float64[np.ndarray, "images latent"]:
    """``KL(q(z_d|x) || N(0, 1))`` of each image and dimension, in nats, in closed form.

    References:
        Kingma and Welling, Auto-Encoding Variational Bayes, 2013, appendix B.
    """
    mean, log_variance = (np.asarray(part, np.float64) for part in codes)
    return 0.5 * (np.square(mean) + np.expm1(log_variance) - log_variance)


@functools.partial(jax.jit, static_argnames="count")
def draw(
    key: PRNGKey,
    mean: Float[Array, "batch latent"],
    log_variance: Float[Array, "batch latent"],
    places: Integer[Array, "batch"],
    start: Int32[Array, ""],
    *,
    count: int,
) -> tuple[Float[Array, "draws batch latent"], Float[Array, "draws batch latent"]]:
    """Codes drawn from posteriors, and the standard normal noise that they are made of.

    Args:
        key: of the draws.
        mean: of the posteriors.
        log_variance: of the posteriors.
        places: of the images in the data set.
        start: number of the first draw.
        count: draws an image.
    """

    def noise_of(number: Array, place: Array) -> Array:
        own = jax.random.fold_in(jax.random.fold_in(key, place), number)
        return jax.random.normal(own, mean.shape[1:])

    numbers = start + jnp.arange(count, dtype=jnp.int32)
    noise = jax.vmap(jax.vmap(noise_of, (None, 0)), (0, None))(numbers, places)
    return mean + jnp.exp(0.5 * log_variance) * noise, noise
