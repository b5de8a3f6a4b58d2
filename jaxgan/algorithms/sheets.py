"""What is worth showing of a model that draws from a prior."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp

from jaxgan import rng
from jaxgan.algorithms.base import Sheet
from jaxgan.objectives.priors import Prior
from jaxgan.typing import Latents, PRNGKey

ROWS, COLUMNS = 8, 8


def sheets_of(
    prior: Prior, classes: int, draw: Callable[[PRNGKey, int], Latents], key: PRNGKey
) -> dict[str, Sheet]:
    """Paths between pairs of latents and, where there are labels, one class a row.

    Args:
        prior: whose latents they are.
        classes: of the data set.
        draw: from a key and a count to latents of the prior.
        key: of the latents.

    Returns:
        ``interpolation``: a row a pair, along the prior's own path between two latents.
        ``classes``: a row a class; the images of a column share their noise.
    """
    starts, ends = (draw(rng.role_key(key, role), ROWS) for role in ("start", "end"))

    def repeated(leaf: jax.Array) -> jax.Array:
        return jnp.repeat(leaf, COLUMNS, axis=0)

    a, b = jax.tree.map(repeated, starts), jax.tree.map(repeated, ends)
    path = prior.between(a, b, jnp.tile(jnp.linspace(0.0, 1.0, COLUMNS), ROWS))
    found = {"interpolation": Sheet(path, COLUMNS)}
    if prior.conditional:
        once = draw(rng.role_key(key, "classes"), COLUMNS)
        tiled = jax.tree.map(lambda leaf: jnp.concatenate([leaf] * classes), once)
        labels = jnp.repeat(jnp.arange(classes, dtype=jnp.int32), COLUMNS)
        found["classes"] = Sheet({**tiled, "label": labels}, COLUMNS)
    return found
