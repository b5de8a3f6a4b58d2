"""What a VQ-VAE is made of: its two networks as one, and codes drawn one after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from jaxgan.algorithms import apply
from jaxgan.typing import PerExample, Pixels


class Quantized(nn.Module):
    """Encoder and decoder under one roof, so that their variables form one tree."""

    encoder: nn.Module
    decoder: nn.Module

    def __call__(
        self, images: Pixels, *, size: int, train: bool, axis_name: Any = None, **how: Any
    ):
        """Both, to make their variables."""
        grid = self.encode(images, size=size, train=train, axis_name=axis_name)
        return grid, self.decode(grid, train=train, axis_name=axis_name, **how)

    def encode(self, images: Pixels, *, size: int, **how: Any) -> Float[Array, "b rows columns d"]:
        """A grid of vectors.

        Raises:
            ConfigError: it is none.
        """
        apply.check_arguments("encoder", self.encoder, 1, {"latent_size": size, **how})
        grid = self.encoder(images, latent_size=size, **how)
        shape = getattr(grid, "shape", ())
        places = shape[1:3] if len(shape) == 4 else ("rows", "columns")
        apply.check_shape("encoder", self.encoder, grid, (images.shape[0], *places, size))
        return grid

    def decode(self, grid: Float[Array, "b rows columns d"], *, image_shape: Any, **how: Any):
        """What the decoder makes of a grid.

        Raises:
            ConfigError: it is no decoder.
        """
        apply.check_arguments("decoder", self.decoder, 1, {"image_shape": image_shape, **how})
        made = self.decoder(grid, image_shape=image_shape, **how)
        apply.check_shape("decoder", self.decoder, made, (grid.shape[0], *image_shape))
        return made


def log_probability(
    logits: Float[Array, "batch rows columns codes"], indices: Int[Array, "batch rows columns"]
) -> PerExample:
    """``log p(c)`` of the codes at all places, each under the logits of its place, in nats."""
    chosen = jnp.take_along_axis(jax.nn.log_softmax(logits), indices[..., None], axis=-1)
    return jnp.sum(chosen, axis=(1, 2, 3))


def drawn(
    predict: Callable[[Array], Array], uniform: Float[Array, "batch rows columns"]
) -> Int[Array, "batch rows columns"]:
    """Codes in reading order, each drawn given those before it.

    Args:
        predict: from codes to logits of the code at each place, which depend on the places before
            it alone; what is given at the others is arbitrary.
        uniform: from U(0, 1); the code at a place is where the cumulative distribution reaches its
            number.
    """
    _, rows, columns = uniform.shape

    def one(place: Any, found: Array) -> Array:
        row, column = place // columns, place % columns
        below = jnp.cumsum(jax.nn.softmax(predict(found)[:, row, column]), axis=-1)
        # A sum that rounding has left below 1 is the whole, all the same.
        reached = uniform[:, row, column, None] * below[:, -1:]
        return found.at[:, row, column].set(jnp.sum(below <= reached, axis=-1, dtype=jnp.int32))

    return jax.lax.fori_loop(0, rows * columns, one, jnp.zeros(uniform.shape, jnp.int32))
