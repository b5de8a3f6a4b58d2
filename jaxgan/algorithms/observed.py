"""What an autoencoder sees of images whose likelihood is one of draws from them."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, UInt32

from jaxgan import rng
from jaxgan.objectives.vae.likelihoods import Observing
from jaxgan.typing import Batch, Images, PRNGKey


def observe(
    likelihood: Any, batch: Batch, key: PRNGKey | None = None, axis_name: str | None = None
) -> Batch:
    """A batch of what a likelihood is one of; of most, of the images as they are.

    Args:
        likelihood: of `jaxgan.objectives.vae.likelihoods.Observing`, or any other.
        batch: its images, of which some may be draws already.
        key: of this batch's draws; None: an image gives the same draw everywhere, whatever else is
            in its batch, so that all that is measured of a held-out image is of one draw.
        axis_name: mapped axis over which the batch is sharded.
    """
    if not isinstance(likelihood, Observing):
        return batch
    images = jnp.asarray(batch["image"])
    if key is None:
        own = rng.role_key(rng.base_key(0), "observed")
        keys = jax.vmap(lambda number: jax.random.fold_in(own, number))(_numbers(images))
    else:
        keys = rng.per_example(lambda one: one, key, len(images), axis_name)
    return {**batch, "image": jax.vmap(likelihood.observed)(images, keys)}


def _numbers(images: Images) -> UInt32[Array, "batch"]:
    """A number for each image that follows from its pixels: their sum, each times its own odd."""
    flat = images.reshape(len(images), -1).astype(jnp.uint32)
    places = jnp.arange(flat.shape[1], dtype=jnp.uint32)
    # Knuth's multiplicative hash spreads the factors over all 32 bits.
    factors = (places * jnp.uint32(2654435761)) | jnp.uint32(1)
    return jnp.sum(flat * factors, axis=1, dtype=jnp.uint32)
