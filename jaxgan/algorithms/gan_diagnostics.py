"""Numbers that tell how a GAN's training goes, for the log: ``--model.diagnostics``.

All are computed from what the step has at hand, but for the slope of the discriminator, which costs
one more pass through it and is taken now and then. None of them changes what is trained.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float

from jaxgan.objectives.gan.verdict import Verdict
from jaxgan.typing import Metrics, Params, Pixels, Scalar

PREFIX = "diagnostics/"
"""Start of the names, by which logs keep them from the terminal."""
EVERY = 16
"""One in so many updates of the discriminator is the one whose slope is taken."""


def of_verdicts(real: Verdict, fake: Verdict) -> Metrics:
    """How far the discriminator tells real from generated images.

    ``gap``: mean logit of real images minus that of generated ones. ``real_sign``: mean sign of the
    real images' logits, which a discriminator that memorizes them brings to 1; the controller of
    ADA holds it at 0.6 (Karras et al., Training Generative Adversarial Networks with Limited Data,
    2020, section 3).

    Args:
        real: of this device's real images in a discriminator's update.
        fake: of the generated ones.
    """
    on_real, on_fake = (judged.logits.astype(jnp.float32) for judged in (real, fake))
    return {
        f"{PREFIX}gap": jnp.mean(on_real) - jnp.mean(on_fake),
        f"{PREFIX}real_sign": jnp.mean(jnp.sign(on_real)),
    }


def slope_squared(
    critic: Callable[[Pixels], Verdict], real: Pixels, before: Scalar, done: Any
) -> Scalar:
    """The mean over real images of the squared norm of ``grad_x D(x)``, now and then.

    What R1 penalizes (Mescheder et al., Which Training Methods for GANs do actually Converge?,
    2018, section 4.1), without its weight. Where batch statistics mix the examples, the gradient is
    that of all logits together. It costs a pass through the discriminator, so it is that of the
    last update whose number `EVERY` divides.

    Args:
        critic: from images to verdicts.
        real: this device's real images.
        before: what was found last.
        done: the discriminator's updates so far.
    """

    def found() -> Scalar:
        slope = jax.grad(lambda images: jnp.sum(critic(images).logits.astype(jnp.float32)))(real)
        squares = jnp.square(slope.astype(jnp.float32)).reshape(slope.shape[0], -1)
        return jnp.mean(jnp.sum(squares, axis=1))

    return jax.lax.cond(done % EVERY == 0, found, lambda: before)


def of_spread(real: Pixels, fake: Pixels, mean: Callable[[Any], Any]) -> Metrics:
    """``spread``: how much generated images vary within a batch, as a share of real ones.

    The standard deviation over the batch of each pixel, averaged over the pixels, of generated
    images by that of real ones: 0 where all are one image.

    Args:
        real: this device's real images.
        fake: its generated ones.
        mean: over the devices.
    """
    return {f"{PREFIX}spread": _spread(fake, mean) / _spread(real, mean)}


def of_update(player: str, before: Params, after: Params) -> Metrics:
    """``generator_update``: the norm of an update by that of the parameters before it.

    Args:
        player: by its name in the state.
        before: its parameters.
        after: the same after the update, constraints included.
    """
    moved = jax.tree.map(jnp.subtract, after, before)
    return {f"{PREFIX}{player}_update": optax.tree.norm(moved) / optax.tree.norm(before)}


def _spread(images: Float[Array, "batch ..."], mean: Callable[[Any], Any]) -> Scalar:
    images = images.astype(jnp.float32)
    center = mean(jnp.mean(images, axis=0))
    variance = mean(jnp.mean(jnp.square(images - center), axis=0))
    return jnp.mean(jnp.sqrt(variance))
