"""Whether a generator can make given images: the latents that come closest are looked for.

Recall as in "Are GANs Created Equal? A Large-Scale Study" (Lucic et al. 2018): a test image ``x``
is recalled if for some latent ``z``, ``||x - G(z)||`` is not above a threshold. The minimum over
``z`` is approached by gradient descent, so that the distance found is too large where that gets
stuck, and the recall is a lower bound. It starts from latents of the prior whose images are
nearest.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.tree_util import Partial
from jaxtyping import Array, Float, Float32, Int, Num

from jaxgan import rng
from jaxgan.typing import Latents, Pixels, PRNGKey

STEPS = 150
"""Steps of gradient descent from each start."""

RESTARTS = 3
"""Starts of each image."""

BANK = 4096
"""Latents of the prior among whose images the starts are the nearest."""

LEARNING_RATE = 0.05
"""Of Adam at the first step; it falls to zero along a half cosine."""

_PRECISION = jax.lax.Precision.HIGHEST

# Values may leave [0, 1] by this much.
_ROUNDING = 1e-5

# Descents at once, and images made at once for the bank.
_BLOCK = 192


class Inverted(NamedTuple):
    """What was found for each image."""

    distances: Float32[np.ndarray, " n"]
    """Euclidean, of pixels from 0 to 1, between an image and the closest one that was made."""
    latents: Float32[np.ndarray, "n latent"]
    """What it was made from."""


def invert(
    generate: Callable[[Latents], Pixels],
    prior: Callable[[PRNGKey, int], Latents],
    images: Num[np.ndarray | Array, "n h w c"],
    *,
    project: Callable[[Latents], Latents] | None = None,
    restarts: int = RESTARTS,
    steps: int = STEPS,
    bank: int = BANK,
    learning_rate: float = LEARNING_RATE,
    seed: int = 0,
) -> Inverted:
    """Looks for the latents whose images are closest to given ones.

    Args:
        generate: images with values from 0 to 1 of latents, differentiable, each image from its own
            latent alone. A `jax.tree_util.Partial` of a function and its weights is compiled once
            for all weights, another function once for each call.
        prior: latents drawn from a key, as many as asked for.
        images: uint8, or floats from 0 to 1; of test data.
        project: brings latents back to where the prior has any, such as a clip to [-1, 1] for the
            uniform prior; None: they go anywhere.
        restarts: descents for each image, from as many of the nearest latents.
        steps: of each descent.
        bank: latents that are drawn to choose the starts from.
        learning_rate: of the first step.
        seed: of everything random.

    Raises:
        ValueError: there are no images, or they are not of the generator's shape or range; or a
            number is out of range.
    """
    pixels = to_unit(images)
    if len(pixels) == 0:
        raise ValueError("inversion: there are no images")
    if restarts < 1 or steps < 1 or bank < restarts:
        raise ValueError(
            "inversion needs at least one restart and one step, and as many latents to choose from "
            f"as restarts; got {restarts} restarts, {steps} steps and {bank} latents"
        )
    make = generate if isinstance(generate, Partial) else Partial(generate)
    keep = project if project is not None else _anywhere
    latents = keep(prior(rng.role_key(rng.base_key(seed), "bank"), bank))
    made = _made(make, latents, pixels.shape[1:])
    flat = made.reshape(bank, -1)
    size = min(max(1, _BLOCK // restarts), len(pixels))
    found = []
    for start in range(0, len(pixels), size):
        part = pixels[start : start + size]
        # The last one is filled up: one shape, hence one compilation.
        block = np.pad(part, ((0, size - len(part)), (0, 0), (0, 0), (0, 0)))
        chosen = latents[_nearest(jnp.asarray(block), flat, restarts)]
        results = _descend(
            make, keep, steps, jnp.asarray(block), chosen, jnp.float32(learning_rate)
        )
        found.append([np.asarray(result)[: len(part)] for result in results])
    distances, closest = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return Inverted(distances, closest)


def to_unit(images: Num[np.ndarray | Array, "n h w c"]) -> Float32[np.ndarray, "n h w c"]:
    """Images as floats from 0 to 1, checked.

    Raises:
        ValueError: they are neither uint8 nor floats from 0 to 1.
    """
    pixels = np.asarray(images)
    if pixels.dtype == np.uint8:
        return pixels.astype(np.float32) / np.float32(255)
    # Comparisons with NaN are false.
    inside = (pixels >= -_ROUNDING) & (pixels <= 1 + _ROUNDING)
    if pixels.dtype.kind != "f" or not inside.all():
        raise ValueError("images must be uint8, or floats from 0 to 1 without NaN")
    return pixels.astype(np.float32)


def _anywhere(latents: Latents) -> Latents:
    return latents


def _made(generate: Partial, latents: Latents, shape: tuple[int, ...]) -> Float[Array, "n h w c"]:
    """Images of many latents, checked."""
    count = len(latents)
    parts = []
    for start in range(0, count, _BLOCK):
        part = latents[start : start + _BLOCK]
        whole = jnp.pad(part, ((0, _BLOCK - len(part)), (0, 0)))
        parts.append(_run(generate, whole)[: len(part)])
    images = jnp.concatenate(parts)
    if images.shape != (count, *shape):
        raise ValueError(
            f"inversion: the generator's images are {images.shape[1:]}, those to be made {shape}"
        )
    low, high = float(jnp.min(images)), float(jnp.max(images))
    if not (images.dtype == jnp.float32 and low >= -_ROUNDING and high <= 1 + _ROUNDING):
        raise ValueError(
            "inversion needs a generator of float32 images from 0 to 1, this one's are "
            f"{images.dtype} from {low:g} to {high:g}"
        )
    return images


@jax.jit
def _run(generate: Partial, latents: Latents) -> Array:
    return generate(latents)


@partial(jax.jit, static_argnums=2)
def _nearest(
    images: Float[Array, "n h w c"], bank: Float[Array, "bank d"], count: int
) -> Int[Array, "n count"]:
    """The rows of a bank of images that are nearest to each image."""
    products = jnp.matmul(images.reshape(len(images), -1), bank.T, precision=_PRECISION)
    return jax.lax.top_k(2 * products - jnp.sum(bank**2, axis=1), count)[1]


@partial(jax.jit, static_argnums=(1, 2))
def _descend(
    generate: Partial,
    project: Callable[[Latents], Latents],
    steps: int,
    images: Float[Array, "n h w c"],
    starts: Float[Array, "n restarts latent"],
    learning_rate: Float[Array, ""],
) -> tuple[Float[Array, " n"], Float[Array, "n latent"]]:
    """Distances and latents of the closest images met on the way."""
    count, restarts, _ = starts.shape
    targets = jnp.repeat(images, restarts, axis=0)
    optimizer = optax.adam(optax.cosine_decay_schedule(learning_rate, steps))

    def squared(latents: Latents) -> tuple[Array, Array]:
        each = jnp.sum((generate(latents) - targets) ** 2, axis=(1, 2, 3))
        return jnp.sum(each), each

    def step(carry: tuple, _: None) -> tuple[tuple, None]:
        latents, state, best, least = carry
        (_, each), slope = jax.value_and_grad(squared, has_aux=True)(latents)
        better = each < least
        best = jnp.where(better[:, None], latents, best)
        updates, state = optimizer.update(slope, state)
        return (project(latents + updates), state, best, jnp.where(better, each, least)), None

    latents = starts.reshape(count * restarts, -1)
    begun = (latents, optimizer.init(latents), latents, jnp.full(len(latents), jnp.inf))
    # The last step only looks where the one before has led.
    (_, _, best, least), _ = jax.lax.scan(step, begun, length=steps + 1)
    least, best = least.reshape(count, restarts), best.reshape(count, restarts, -1)
    rows, chosen = jnp.arange(count), jnp.argmin(least, axis=1)
    return jnp.sqrt(least[rows, chosen]), best[rows, chosen]
