"""ADA's pipeline of transformations, of a strength that is given."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from jaxgan import rng
from jaxgan.objectives.gan import ada_color, ada_corruptions, ada_geometry
from jaxgan.objectives.gan.ada_draws import Draws, draw
from jaxgan.typing import ImageShape, Pixels


@dataclasses.dataclass(frozen=True)
class AdaPipe:
    """The transformations, each of which happens to an image with probability p times a field.

    What is 0 is left out. The defaults are the pipeline ``bgc`` of the paper. Images are in
    [-1, 1], and may leave it.

    >>> pipe = AdaPipe(blit=0.0, geom=0.0, color=0.0, cutout=1.0)
    >>> images, keys = jnp.ones((2, 8, 8, 1)), jax.random.split(jax.random.key(0), 2)
    >>> sorted(set(jax.jit(pipe)(images, keys, jnp.float32(1.0)).ravel().tolist()))
    [0.0, 1.0]

    Raises:
        ValueError: nothing is on, or a field is negative.

    References:
        Karras et al., Training Generative Adversarial Networks with Limited Data, 2020, appendix B.
    """

    blit: float = 1.0
    """Mirror, quarter turns, whole-pixel shifts."""
    geom: float = 1.0
    """Scale, stretch, rotations, other shifts."""
    color: float = 1.0
    """Brightness, contrast, luma flip; hue and saturation of images with three channels."""
    filter: float = 0.0
    """Amplified bands of frequencies."""
    noise: float = 0.0
    """Added to pixels."""
    cutout: float = 0.0
    """A rectangle of half the size is 0."""

    def __post_init__(self) -> None:
        fields = dataclasses.asdict(self)
        if negative := [name for name, value in fields.items() if value < 0]:
            raise ValueError(f"{negative[0]} = {fields[negative[0]]}: must not be negative")
        if not any(fields.values()):
            raise ValueError("no part is on: no augmentation is said by leaving ADA out")

    def check(self, image_shape: ImageShape, dtype: str) -> None:
        """See `Augmentation`.

        Raises:
            ValueError: points, or images of neither one nor three channels under ``color``.
        """
        if dtype != "uint8" or min(image_shape[:2]) < 2:
            raise ValueError("ADA is for images, and these are points: leave it out")
        if self.color and image_shape[-1] not in (1, 3):
            raise ValueError(
                f"ADA's color is for 1 or 3 channels, not {image_shape[-1]}: set color = 0"
            )

    def __call__(self, images: Pixels, keys: Key[Array, "batch"], p: Float[Array, ""]) -> Pixels:
        """Augmented images.

        Args:
            images: in [-1, 1].
            keys: one an image.
            p: strength.
        """

        def noise(key: Key[Array, ""]) -> Array:
            return jax.random.normal(rng.role_key(key, "noise"), images.shape[1:])

        # Pixels of noise are drawn where there may be noise.
        return self.apply(
            images, jax.vmap(draw)(keys), p, jax.vmap(noise)(keys) if self.noise else None
        )

    def apply(
        self, images: Pixels, draws: Draws, p: Float[Array, ""], noise: Pixels | None = None
    ) -> Pixels:
        """What `__call__` makes of images with given draws.

        Args:
            images: in [-1, 1].
            draws: of each image.
            p: strength.
            noise: of N(0, 1), shaped as images; None where the part is off.
        """
        height, width, channels = images.shape[1:]
        if self.blit or self.geom:

            def source(one: Draws) -> Array:
                found = jnp.eye(3)
                if self.blit:
                    found = ada_geometry.blit(one, self.blit * p, height, width)
                if self.geom:
                    after = ada_geometry.geometry(one, self.geom * p, height, width)
                    found = ada_geometry.product(found, after)
                return found

            images = ada_geometry.warped(images, jax.vmap(source)(draws))
        if self.color:
            maps = jax.vmap(lambda one: ada_color.color(one, self.color * p, channels))(draws)
            images = ada_color.colored(images, maps)
        if self.filter:
            factors = jax.vmap(lambda one: ada_corruptions.gains(one, self.filter * p))(draws)
            images = ada_corruptions.filtered(images, factors)
        if self.noise and noise is not None:
            scale = jax.vmap(lambda one: ada_corruptions.noise_scale(one, self.noise * p))(draws)
            images = images + scale[:, None, None, None] * noise
        if self.cutout:
            kept = jax.vmap(lambda one: ada_corruptions.kept(one, self.cutout * p, height, width))(
                draws
            )
            images = jnp.where(kept[..., None], images, 0.0)
        return images
