"""Which augmentations do not go with a GAN's other parts."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from jaxgan.objectives.gan.ada import Ada
from jaxgan.objectives.gan.losses import Reader, StatefulLoss


def augmentation_warnings(model: Any) -> tuple[str, ...]:
    """What can be trained, though it does not do what it is for.

    Args:
        model: a `jaxgan.algorithms.gan.Gan`.
    """
    if any(isinstance(one, Ada) for one in model.augmentations) and not has_signs(model.loss):
        return (
            f"Ada follows the sign of D(real), which {type(model.loss).__name__} leaves open: its"
            " strength says nothing of overfitting (--augment scheduled_ada depends on no sign)",
        )
    return ()


def has_signs(loss: Any) -> bool:
    """Whether a loss says which logits are those of real images: 0 stands between them.

    A loss of differences of logits, such as Wasserstein's or a relativistic one, is the same when a
    number is added to all of them; and one that reads something else leaves logits alone.

    Args:
        loss: a `jaxgan.objectives.gan.losses.GanLoss`.
    """
    if isinstance(loss, StatefulLoss):
        loss = loss.at(loss.init())
    if isinstance(loss, Reader):
        return False
    real, fake = jnp.array([0.5, -1.0]), jnp.array([0.25, 2.0])
    here = loss.discriminator(real=real, fake=fake)
    there = loss.discriminator(real=real + 8, fake=fake + 8)
    return not bool(jnp.allclose(here, there, atol=1e-4))
