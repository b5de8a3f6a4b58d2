"""Augmentations of what a discriminator sees, of real and generated images alike.

They are differentiable, because the generator learns through them, and applied in both players'
losses: a generator whose discriminator saw augmented reals only would learn to augment.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, Key

from jaxgan import rng
from jaxgan.objectives.gan.verdict import Verdict
from jaxgan.typing import ImageShape, Metrics, Pixels, PRNGKey


@runtime_checkable
class Augmentation(Protocol):
    """What an algorithm asks of an augmentation."""

    def init(self) -> Any:
        """What it carries from one update to the next, a pytree of arrays; ``()`` for nothing."""
        ...

    def __call__(self, images: Pixels, keys: Key[Array, "batch"], state: Any) -> Pixels:
        """Augmented images.

        Args:
            images: in [-1, 1].
            keys: one an image; what becomes of it depends on no other.
            state: as `init` and `update` give it.
        """
        ...

    def update(self, state: Any, verdict: Verdict, count: int) -> Any:
        """The state after one discriminator update.

        Args:
            state: that the update was made with.
            verdict: of the augmented real images.
            count: images in the global batch.
        """
        ...

    def metrics(self, state: Any) -> Metrics:
        """What is worth logging of the state; {} for nothing."""
        ...

    def check(self, image_shape: ImageShape, dtype: str) -> None:
        """Refuses data that it cannot augment.

        Args:
            image_shape: of one image.
            dtype: of the data: ``uint8`` for images, ``float32`` for points.

        Raises:
            ValueError: says what it wants.
        """
        ...


@runtime_checkable
class Replacing(Protocol):
    """What an augmentation that shows generated images as real ones has besides."""

    def replaced(self, keys: Key[Array, "batch"], state: Any) -> Bool[Array, "batch"]:
        """Which real images of a discriminator update are generated ones instead.

        Args:
            keys: one an image.
            state: as `init` and `update` give it.
        """
        ...


_Image = Float[Array, "height width channels"]


def _brightness(image: _Image, key: PRNGKey) -> _Image:
    return image + jax.random.uniform(key, (), image.dtype, -0.5, 0.5)


def _saturation(image: _Image, key: PRNGKey) -> _Image:
    if image.shape[2] != 3:
        return image  # What is no color has no saturation.
    gray = jnp.mean(image, axis=2, keepdims=True)
    return gray + (image - gray) * jax.random.uniform(key, (), image.dtype, 0.0, 2.0)


def _contrast(image: _Image, key: PRNGKey) -> _Image:
    mean = jnp.mean(image)
    return mean + (image - mean) * jax.random.uniform(key, (), image.dtype, 0.5, 1.5)


def _rounded(length: int, fraction: float) -> int:
    """A fraction of a length in whole pixels; a half is rounded up."""
    return int(length * fraction + 0.5)


def _within(
    places: Int[Array, "length"], start: int | Int[Array, ""], size: int
) -> Bool[Array, "length"]:
    return (places >= start) & (places < start + size)


def _translation(image: _Image, key: PRNGKey) -> _Image:
    height, width, _ = image.shape
    reach = jnp.array([_rounded(height, 1 / 8), _rounded(width, 1 / 8)])
    down, right = jax.random.randint(key, (2,), -reach, reach + 1)
    rows, columns = jnp.arange(height) - down, jnp.arange(width) - right
    seen = _within(rows, 0, height)[:, None] & _within(columns, 0, width)
    # Indices outside are wrapped or clipped, and what they read is not seen.
    moved = image[rows][:, columns]
    return jnp.where(seen[..., None], moved, 0.0)


def _cutout(image: _Image, key: PRNGKey) -> _Image:
    hidden = jnp.ones(image.shape[:2], bool)
    for axis, length in enumerate(image.shape[:2]):
        size = _rounded(length, 1 / 2)
        # The middle is anywhere in the image, between pixels for an even size.
        middle = jax.random.randint(jax.random.fold_in(key, axis), (), 0, length + 1 - size % 2)
        inside = _within(jnp.arange(length), middle - size // 2, size)
        hidden &= jnp.expand_dims(inside, 1 - axis)
    return jnp.where(hidden[..., None], 0.0, image)


_PARTS = {
    "color": {"brightness": _brightness, "saturation": _saturation, "contrast": _contrast},
    "translation": {"translation": _translation},
    "cutout": {"cutout": _cutout},
}


@dataclasses.dataclass(frozen=True)
class DiffAugment:
    """Random color, translation and cutout of every image, in this order.

    - color: a number of U(-0.5, 0.5) is added; where there are three channels, distances from their
      mean are multiplied by one of U(0, 2); distances from the mean over all pixels and channels by
      one of U(0.5, 1.5). Pixels may leave [-1, 1].
    - translation: by whole pixels, uniform up to an eighth of height and width either way; what
      comes in is 0, the middle gray.
    - cutout: a rectangle of half the height and width becomes 0. Its middle is anywhere in the
      image, so that a part of it may lie outside.

    >>> images, keys = jnp.zeros((2, 8, 8, 3)), jax.random.split(jax.random.key(0), 2)
    >>> augmented = DiffAugment(color=True, translation=False, cutout=False)(images, keys, ())
    >>> augmented.shape, len(set(augmented[0].ravel().tolist()))
    ((2, 8, 8, 3), 1)

    Raises:
        ValueError: for no part at all; when called, for points, which are images of one pixel.

    References:
        Zhao et al., Differentiable Augmentation for Data-Efficient GAN Training, 2020, section 3.
        The paper names the operations; their ranges are those of its published code.
    """

    color: bool = True
    """Random brightness, saturation and contrast."""
    translation: bool = True
    """Random shifts."""
    cutout: bool = True
    """A random rectangle hidden."""

    def __post_init__(self) -> None:
        if not (self.color or self.translation or self.cutout):
            raise ValueError("no part is on: no augmentation is said by leaving DiffAugment out")

    def init(self) -> tuple[()]:
        """No state."""
        return ()

    def __call__(self, images: Pixels, keys: Key[Array, "batch"], state: Any) -> Pixels:
        """See the class; ``state`` is not used."""
        del state
        height, width, channels = images.shape[1:]
        self.check((height, width, channels), "uint8")

        def augmented(image: _Image, key: PRNGKey) -> _Image:
            for part, operations in _PARTS.items():
                if getattr(self, part):
                    for role, operation in operations.items():
                        image = operation(image, rng.role_key(key, role))
            return image

        return jax.vmap(augmented)(images, keys)

    def update(self, state: Any, verdict: Verdict, count: int) -> Any:
        """The state as it is."""
        del verdict, count
        return state

    def metrics(self, state: Any) -> Metrics:
        """Nothing."""
        del state
        return {}

    def check(self, image_shape: ImageShape, dtype: str) -> None:
        """Refuses points, which are images of one pixel."""
        if dtype != "uint8" or min(image_shape[:2]) < 2:
            raise ValueError("DiffAugment is for images, and points have only one pixel")
