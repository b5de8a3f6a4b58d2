"""Decoders whose images have a likelihood, and a density of codes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.tree_util import Partial
from jaxtyping import Array, Float

from jaxgan.typing import PRNGKey


class Target(NamedTuple):
    """A decoder with a prior. Functions are `jax.tree_util.Partial`, their weights arguments.

    Attributes:
        log_likelihood: from a batch and one code a row to ``log p(x|z)``, in nats.
        log_prior: from codes to ``log p(z)``, in nats.
        draw: from a key and a count to codes of the prior.
        simulate: from a batch, whose images do not count, codes and a key to images drawn from
            ``p(x|z)``, that ``log_likelihood`` takes in place of the batch's; None: there is none.
    """

    log_likelihood: Callable[[Any, Any], Any]
    log_prior: Callable[[Any], Any]
    draw: Callable[[PRNGKey, int], Any]
    simulate: Callable[[Any, Any, PRNGKey], Any] | None = None


def noisy(pixels: Any, scale: float) -> Any:
    """``log N(x; pixels(z), scale^2)`` of images from 0 to 1, for generators without a likelihood.

    Args:
        pixels: from latents to images from 0 to 1 (or points), a `jax.tree_util.Partial`.
        scale: standard deviation.
    """
    return Partial(_noisy, pixels, scale)


def _noisy(pixels: Any, scale: Any, batch: Any, latents: Any) -> Any:
    images = jnp.asarray(batch["image"])
    real = images.astype(jnp.float32) / 255.0 if images.dtype == jnp.uint8 else images
    distance = jnp.square((real - pixels(latents)) / scale)
    constant = 2.0 * jnp.log(scale) + math.log(2.0 * math.pi)
    return -0.5 * jnp.sum(distance + constant, axis=(1, 2, 3))


def noise_on(pixels: Any, scale: float) -> Any:
    """Images drawn from what `noisy` is the log-density of, not cut off at black and white."""
    return Partial(_noise_on, pixels, scale)


def _noise_on(pixels: Any, scale: Any, batch: Any, latents: Any, key: PRNGKey) -> Any:
    del batch
    made = pixels(latents)
    return made + scale * jax.random.normal(key, made.shape)


@Partial
def standard_normal(codes: Float[Array, "rows latent"]) -> Float[Array, "rows"]:
    """``log N(z; 0, I)``."""
    return -0.5 * jnp.sum(jnp.square(codes) + math.log(2.0 * math.pi), axis=-1)
