"""Consistency regularization: what is almost the same image gets almost the same score."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from jaxgan.objectives.gan.generator_penalties import GeneratorView
from jaxgan.objectives.gan.penalties import View, check_settings
from jaxgan.typing import Latents, PerExample, Pixels, PRNGKey, Scalar


def shifted(image: Float[Array, "h w c"], place: Int[Array, "3"]) -> Float[Array, "h w c"]:
    """An image moved by whole pixels; what comes in is the image reflected at its border.

    The reflection does not repeat the pixel at the border, as NumPy's ``reflect``.

    >>> row = jnp.arange(4.0).reshape(1, 4, 1)
    >>> shifted(row, jnp.array([0, 0, 2])).ravel().tolist()
    [2.0, 1.0, 0.0, 1.0]
    >>> shifted(row, jnp.array([1, 0, 0])).ravel().tolist()
    [3.0, 2.0, 1.0, 0.0]

    Args:
        image: pixels.
        place: whether it is flipped left to right first (0 or 1), and how far it goes down and
            right; less than its height and width.
    """
    flip, down, right = place

    def sources(length: int, shift: Array) -> Array:
        place = jnp.abs(jnp.arange(length) - shift)
        return (length - 1) - jnp.abs((length - 1) - place)

    image = jnp.where(flip == 1, image[:, ::-1], image)
    return image[sources(image.shape[0], down)][:, sources(image.shape[1], right)]


def check_size(shape: tuple[int, ...]) -> None:
    """Refuses images that are too small to be shifted by a pixel, as points are.

    Args:
        shape: height and width of an image, first.

    Raises:
        ValueError: says how large they are and must be.
    """
    height, width = shape[:2]
    if min(height, width) < 8:
        raise ValueError(
            "consistency regularization shifts images by up to an eighth of their size: they must"
            f" have 8 pixels a side, and have {height}x{width}"
        )


def transformed(images: Pixels, view: View, role: str, *, flips: bool) -> Pixels:
    """Images shifted by up to an eighth of their size, uniformly, and flipped if asked to.

    Args:
        images: of the view.
        view: draws one place an image.
        role: of the draw.
        flips: half of the images, from left to right.

    Raises:
        ValueError: images are too small to be shifted by a pixel.
    """
    check_size(images.shape[1:3])
    down, right = (length // 8 for length in images.shape[1:3])

    def place(key: PRNGKey) -> Array:
        low = jnp.array([0, -down, -right])
        high = jnp.array([2 if flips else 1, down + 1, right + 1])
        return jax.random.randint(key, (3,), low, high)

    return jax.vmap(shifted)(images, view.draw(role, place))


@dataclasses.dataclass(frozen=True)
class Consistency:
    """CR: ``weight (D(x) - D(T(x)))^2`` at real images.

    ``T`` shifts an image by up to an eighth of its size, with what is reflected at the border
    coming in, and flips it from left to right with probability 1/2 if asked to: a digit that is
    flipped is no digit. ``D(x)`` is what the update itself has computed.

    >>> Consistency(flips=True).weight
    10.0

    Raises:
        ValueError: for a weight that is not positive and finite, or ``every`` below 1; when called,
            for images of less than 8 pixels a side.

    References:
        Zhang et al., Consistency Regularization for Generative Adversarial Networks, 2020.
    """

    name: ClassVar[str] = "consistency"
    per_example: ClassVar[bool] = False

    weight: float = 10.0
    """Factor of the square (lambda); 10 in the paper."""
    flips: bool = False
    """Whether T also flips images from left to right, as in the paper."""
    every: int = 1
    """Discriminator updates from one penalty to the next."""

    def __post_init__(self) -> None:
        check_settings(self.weight, self.every)

    def init(self) -> tuple[()]:
        """No state."""
        return ()

    def __call__(self, view: View, state: Any) -> tuple[PerExample, Any]:
        """``weight (D(x) - D(T(x)))^2`` for each real image; draws ``consistency-real``."""
        images = transformed(view.real, view, "consistency-real", flips=self.flips)
        change = view.on_real.logits - view.critic(images).logits
        return self.weight * jnp.square(change), state


@dataclasses.dataclass(frozen=True)
class BalancedConsistency:
    """bCR: `Consistency` at real and at generated images.

    ``real_weight (D(x) - D(T(x)))^2 + fake_weight (D(G(z)) - D(T(G(z))))^2``. With that of real
    images alone, a generator may learn to make what ``T`` does to images.

    >>> BalancedConsistency()
    BalancedConsistency(real_weight=10.0, fake_weight=10.0, flips=False, every=1)

    Raises:
        ValueError: for a weight that is not positive and finite, or ``every`` below 1; when called,
            for images of less than 8 pixels a side.

    References:
        Zhao et al., Improved Consistency Regularization for GANs, 2021.
    """

    name: ClassVar[str] = "balanced_consistency"
    per_example: ClassVar[bool] = False

    real_weight: float = 10.0
    """Factor of the square of real images (lambda_real)."""
    fake_weight: float = 10.0
    """Factor of the square of generated images (lambda_fake)."""
    flips: bool = False
    """As in `Consistency`."""
    every: int = 1
    """Discriminator updates from one penalty to the next."""

    def __post_init__(self) -> None:
        check_settings(self.real_weight, self.every, "real_weight")
        check_settings(self.fake_weight, self.every, "fake_weight")

    def init(self) -> tuple[()]:
        """No state."""
        return ()

    def __call__(self, view: View, state: Any) -> tuple[PerExample, Any]:
        """Both terms of each pair; draws ``consistency-real`` and ``consistency-fake``."""
        of_real, _ = Consistency(self.real_weight, self.flips)(view, ())
        images = transformed(view.fake, view, "consistency-fake", flips=self.flips)
        change = view.on_fake.logits - view.fake_critic(images).logits
        return of_real + self.fake_weight * jnp.square(change), state


def perturbed(view: View | GeneratorView, role: str, noise: float | Scalar) -> Latents:
    """The latents of an update with noise added to all that is no label.

    Args:
        view: has the latents, and draws once for each image, or for each pack of images.
        role: of the draw.
        noise: standard deviation.
    """

    def moved(path: Any, latent: Array) -> Array:
        if not jnp.issubdtype(latent.dtype, jnp.inexact):
            return latent
        of_one = (latent.shape[0] // view.real.shape[0], *latent.shape[1:])
        own = role + jax.tree_util.keystr(path, simple=True, separator="/")
        draws = view.draw(own, lambda key: jax.random.normal(key, of_one, latent.dtype))
        return latent + noise * draws.reshape(latent.shape)

    return jax.tree_util.tree_map_with_path(moved, view.latents)


def check_noise(noise: float) -> None:
    """Refuses noise that changes nothing.

    Raises:
        ValueError: it is not positive and finite.
    """
    if not 0.0 < noise < math.inf:
        raise ValueError(f"noise = {noise}: must be above 0 and finite")


@dataclasses.dataclass(frozen=True)
class LatentConsistency:
    """zCR, the discriminator's half: ``weight (D(G(z)) - D(G(z + e)))^2``, ``e ~ N(0, noise^2 I)``.

    The generator's half, `jaxgan.objectives.gan.latent_spread.LatentSpread`, wants its images to
    differ; without it this one asks for a generator that does not look at its latents.

    >>> LatentConsistency()
    LatentConsistency(weight=20.0, noise=0.05, every=1)

    Raises:
        ValueError: for a weight or noise that is not positive and finite, or ``every`` below 1.

    References:
        Zhao et al., Improved Consistency Regularization for GANs, 2021.
    """

    name: ClassVar[str] = "latent_consistency"
    per_example: ClassVar[bool] = False

    weight: float = 20.0
    """Factor of the square (lambda_dis)."""
    noise: float = 0.05
    """Standard deviation of what is added to latents."""
    every: int = 1
    """Discriminator updates from one penalty to the next."""

    def __post_init__(self) -> None:
        check_settings(self.weight, self.every)
        check_noise(self.noise)

    def init(self) -> tuple[()]:
        """No state."""
        return ()

    def __call__(self, view: View, state: Any) -> tuple[PerExample, Any]:
        """The square of each generated image; draws ``latent-consistency``."""
        latents = perturbed(view, "latent-consistency", self.noise)
        images = jax.lax.stop_gradient(view.generate(latents))
        change = view.on_fake.logits - view.fake_critic(images).logits
        return self.weight * jnp.square(change), state
