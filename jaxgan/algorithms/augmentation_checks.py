"""Which augmentations do not go with a GAN's other parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp

from jaxgan.config import ConfigError
from jaxgan.objectives.gan.ada import Ada
from jaxgan.objectives.gan.apa import Apa
from jaxgan.objectives.gan.augmentations import Augmentation
from jaxgan.objectives.gan.losses import Reader, StatefulLoss


def check_augmentations(augmentations: Sequence[Augmentation]) -> None:
    """Refuses two augmentations of one class.

    What the one does can be said by the other's settings, and what both would log has one name.

    Raises:
        ConfigError: names the class.
    """
    names = [type(one).__name__ for one in augmentations]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigError(
            f"two augmentations are {twice[0]}, which would be logged under one name: keep one"
        )


def augmentation_warnings(model: Any) -> tuple[str, ...]:
    """What can be trained, though it does not do what it is for.

    Args:
        model: a `jaxgan.algorithms.gan.Gan`.
    """
    steered = [type(one).__name__ for one in model.augmentations if isinstance(one, Ada | Apa)]
    if steered and not has_signs(model.loss):
        return (
            f"{steered[0]} follows the sign of D(real), which {type(model.loss).__name__} leaves"
            " open: its strength says nothing of overfitting (--augment scheduled_ada depends on no"
            " sign)",
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
