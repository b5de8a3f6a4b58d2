"""Projection of images into the space of a generator's styles, as StyleGAN2's projector does it.

One ``w`` for all layers, and the noise maps, are found by gradient descent. Constants are those of
the authors' code (``projector.py`` of stylegan2-ada-pytorch), which agree with the paper's but for
one: the paper multiplies averages of noise by 2, as remembered, and the code does not.

References:
    Karras et al., Analyzing and Improving the Image Quality of StyleGAN, 2020, section 5 and
    appendix D.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.tree_util import Partial
from jaxtyping import Array, Float

from jaxgan import rng
from jaxgan.typing import Pixels, PRNGKey, Scalar

STEPS = 1000
"""Steps of gradient descent."""

LEARNING_RATE = 0.1
"""Of Adam (0.9, 0.999) between its rise in the first twentieth and its fall in the last quarter."""

NOISE = 0.05
"""Noise that is added to w at first, as a share of w's own spread."""

WEIGHT = 1e5
"""Of the noise maps' autocorrelation, beside the distance."""

MAPPED = 10_000
"""Latents whose w say where to start, and how widely w is spread."""

SMALLEST = 8
"""Side of the smallest map that a larger one is averaged down to."""

Maps: TypeAlias = Any
"""Noise maps of all layers: a pytree of arrays ``(n, side, side)``."""


class Projection(NamedTuple):
    """What was found for each image."""

    w: Float[Array, "n units"]
    """Mapped latents."""
    maps: Maps
    """Noise maps, of mean 0 and mean square 1 each."""
    images: Float[Array, "n height width channels"]
    """What they make: unbounded, most pixels from 0 to 1."""
    by_step: Float[Array, "steps n"]
    """The distance at each step, from what was made with the noise of that step."""
    distances: Float[Array, " n"]
    """The distance of ``images``."""


def rate(done: Float[Array, ""] | float) -> Scalar:
    """The learning rate after a share ``t`` of the steps, as a factor of the largest.

    ``(1 - cos(pi min(1, 4 (1 - t)))) / 2``, times ``20 t`` in the first twentieth: the first step
    of all changes nothing.
    """
    fall = 0.5 - 0.5 * jnp.cos(jnp.pi * jnp.minimum(1.0, (1.0 - done) / 0.25))
    return fall * jnp.minimum(1.0, done / 0.05)


def noise(done: Float[Array, ""] | float) -> Scalar:
    """Size of the noise on w after a share ``t`` of the steps, as a factor of w's spread.

    ``0.05 max(0, 1 - t / 0.75)^2``.
    """
    return NOISE * jnp.square(jnp.maximum(0.0, 1.0 - done / 0.75))


def spread(w: Float[Array, "n units"]) -> tuple[Float[Array, " units"], Scalar]:
    """The mean of mapped latents, and the root of their mean squared distance from it."""
    mean = jnp.mean(w, axis=0)
    return mean, jnp.sqrt(jnp.mean(jnp.sum(jnp.square(w - mean), axis=1)))


def autocorrelation(maps: Float[Array, "n side side"]) -> Float[Array, " n"]:
    """How much neighbors of noise maps are alike, summed over resolutions.

    Of a map ``x``, ``(mean x_ij x_i,j+1)^2 + (mean x_ij x_i+1,j)^2``, indices going around; to
    which the same of the map averaged over 2x2 pixels is added, down to a side of 8.
    """
    total = jnp.zeros(len(maps))
    while True:
        for axis in (1, 2):
            products = maps * jnp.roll(maps, 1, axis=axis)
            total = total + jnp.square(jnp.mean(products, axis=(1, 2)))
        count, side, _ = maps.shape
        if side <= SMALLEST:
            return total
        maps = maps.reshape(count, side // 2, 2, side // 2, 2).mean(axis=(2, 4))


def normalized(maps: Float[Array, "n side side"]) -> Float[Array, "n side side"]:
    """Maps of mean 0 and mean square 1."""
    centered = maps - jnp.mean(maps, axis=(1, 2), keepdims=True)
    return centered * jax.lax.rsqrt(jnp.mean(jnp.square(centered), axis=(1, 2), keepdims=True))


def project(
    synthesize: Callable[[Float[Array, "n units"], Maps], Pixels],
    features: Callable[[Pixels], Float[Array, "n d"]],
    images: Float[Array | np.ndarray, "n height width channels"],
    mapped: Float[Array | np.ndarray, "_mapped units"],
    sides: Any,
    *,
    steps: int = STEPS,
    learning_rate: float = LEARNING_RATE,
    weight: float = WEIGHT,
    seed: int = 0,
) -> Projection:
    """Looks for styles and noise maps whose images have the features of given ones.

    All images at once, each by itself: what is found for one depends on its place, and on no other.
    All start from the mean of ``mapped``, and maps from N(0, 1).

    Args:
        synthesize: images of w and noise maps, each from its own, differentiable, from 0 to 1 where
            they are in range. A `jax.tree_util.Partial` of a function and its weights is compiled
            once for all weights, another function once for each call.
        features: of images from 0 to 1; the distance is that of features, squared and summed. Also
            a ``Partial``, or compiled anew.
        images: from 0 to 1.
        mapped: w of latents of the prior, such as `MAPPED` of them.
        sides: of the noise maps, a pytree of whole numbers.
        steps: of gradient descent.
        learning_rate: the largest.
        weight: of `autocorrelation`, summed over an image's maps.
        seed: of all noise.

    Raises:
        ValueError: there are no images, no w, or no steps.
    """
    if not len(images) or not len(mapped) or steps < 1:
        raise ValueError(
            "projection needs images, mapped latents and at least one step; got"
            f" {len(images)} images, {len(mapped)} mapped latents and {steps} steps"
        )
    make, look = (
        one if isinstance(one, Partial) else Partial(one) for one in (synthesize, features)
    )
    key = rng.base_key(seed)
    leaves, structure = jax.tree.flatten(sides)
    maps = jax.tree.unflatten(
        structure,
        [_drawn(rng.role_key(key, "map", i), len(images), (n, n)) for i, n in enumerate(leaves)],
    )
    numbers = jnp.float32(learning_rate), jnp.float32(weight)
    return _descend(make, look, steps, jnp.asarray(images), jnp.asarray(mapped), maps, numbers, key)


def _drawn(key: PRNGKey, count: int, shape: tuple[int, ...]) -> Array:
    return rng.per_example(lambda one: jax.random.normal(one, shape), key, count)


@partial(jax.jit, static_argnums=2)
def _descend(
    synthesize: Partial,
    features: Partial,
    steps: int,
    images: Float[Array, "n height width channels"],
    mapped: Float[Array, "_mapped units"],
    maps: Maps,
    numbers: tuple[Scalar, Scalar],
    key: PRNGKey,
) -> Projection:
    (learning_rate, weight), count = numbers, len(images)
    mean, size = spread(mapped)
    wanted = features(images)
    adam = optax.scale_by_adam(b1=0.9, b2=0.999)

    def distances(made: Pixels) -> Float[Array, " n"]:
        return jnp.sum(jnp.square(features(made) - wanted), axis=1)

    def step(carry: Any, index: Array) -> tuple[Any, Array]:
        (w, maps), state = carry
        done = index / steps
        own = jax.random.fold_in(rng.role_key(key, "w"), index)
        added = _drawn(own, count, mean.shape) * (size * noise(done))

        def objective(found: tuple[Array, Maps]) -> tuple[Scalar, Array]:
            each = distances(synthesize(found[0] + added, found[1]))
            alike = sum(jnp.sum(autocorrelation(one)) for one in jax.tree.leaves(found[1]))
            return jnp.sum(each) + weight * alike, each

        slopes, each = jax.grad(objective, has_aux=True)((w, maps))
        updates, state = adam.update(slopes, state)
        factor = -learning_rate * rate(done)
        w, maps = jax.tree.map(lambda a, b: a + factor * b, (w, maps), updates)
        return ((w, jax.tree.map(normalized, maps)), state), each

    start = (jnp.broadcast_to(mean, (count, *mean.shape)), maps)
    ((w, maps), _), by_step = jax.lax.scan(step, (start, adam.init(start)), jnp.arange(steps))
    made = synthesize(w, maps)
    return Projection(w, maps, made, by_step, distances(made))
