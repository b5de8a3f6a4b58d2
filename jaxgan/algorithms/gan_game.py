"""What both players' updates in a step of a GAN have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax

from jaxgan import rng
from jaxgan.algorithms import apply
from jaxgan.algorithms.gan_parts import adversarial, augmented, packed
from jaxgan.objectives.gan.losses import GanLoss, StatefulLoss
from jaxgan.objectives.gan.verdict import Verdict, verdict
from jaxgan.typing import ImageShape, Latents, Metrics, Params, PRNGKey, Scalar, Variables

if TYPE_CHECKING:
    from jaxgan.algorithms.gan import Gan

DRAWS = ("latent", "generator-dropout", "real-dropout", "fake-dropout", "penalty-dropout")
"""Roles of the random keys of one discriminator update, besides those that its parts draw from."""


class Round(NamedTuple):
    """What a discriminator update leaves for the generator's.

    Attributes:
        batch: the real images, in [-1, 1], and their labels.
        latents: of the generated images.
        fake: the generated images.
        pull_back: from a gradient with respect to ``fake`` to one of the generator's parameters.
        generator_state: the generator's other collections after making ``fake``.
        seen: what the loss read of the real and of the generated images.
        metrics: of the update.
    """

    batch: Mapping[str, Any]
    latents: Latents
    fake: Any
    pull_back: Callable[[Any], tuple[Params]]
    generator_state: Params
    seen: tuple[Any, Any]
    metrics: Metrics


class Networks(NamedTuple):
    """Both networks of a GAN, called alike wherever they are.

    Attributes:
        making: the generator.
        judging: the discriminator.
        image_shape: of one image.
        classes: of the data, for players with labels; 0: there are no labels.
        axis_name: mapped axis over which the batch is sharded; None on one device.
    """

    making: nn.Module
    judging: nn.Module
    image_shape: ImageShape
    classes: int
    axis_name: str | None

    @property
    def labelled(self) -> dict[str, int]:
        """Static arguments that networks with labels get besides those of all networks."""
        return {"classes": self.classes} if self.classes else {}

    def labels_of(self, latents: Latents) -> Any:
        """The classes in latents; None where there are none."""
        return latents["label"] if self.classes else None

    def generator(
        self, variables: Variables, latents: Latents, key: PRNGKey | None = None, train: bool = True
    ) -> tuple[Any, Params]:
        """Images, and the changed collections."""
        images, changed = apply.call(
            "generator", self.making, variables, latents, train=train, axis_name=self.axis_name,
            key=key, method=None, image_shape=self.image_shape, **self.labelled,
        )  # fmt: skip
        count = jax.tree.leaves(latents)[0].shape[0]
        apply.check_shape("generator", self.making, images, (count, *self.image_shape))
        return images, changed

    def discriminator(
        self,
        variables: Variables,
        images: Any,
        labels: Any,
        key: PRNGKey | None = None,
        train: bool = True,
    ) -> tuple[Verdict, Params]:
        """What is said of images, and the changed collections."""
        given = (images, labels) if self.classes else (images,)
        found, changed = apply.call(
            "discriminator", self.judging, variables, *given, train=train,
            axis_name=self.axis_name, key=key, method=None, **self.labelled,
        )  # fmt: skip
        judged = verdict(found)
        apply.check_shape("discriminator", self.judging, judged.logits, (images.shape[0],))
        return judged, changed


class Game(NamedTuple):
    """What does not change from step to step.

    Attributes:
        model: the settings.
        networks: of both players.
        optimizers: by player.
        draw: from a key, a count and an axis to latents.
        batch_size: images of one update, on all devices.
    """

    model: Gan
    networks: Networks
    optimizers: dict[str, optax.GradientTransformation]
    draw: Callable[[PRNGKey, int, str | None], Latents]
    batch_size: int

    @property
    def over(self) -> apply.Reduce:
        """Reductions over the devices."""
        return apply.reduce(self.networks.axis_name)

    def loss_at(self, extras: Any) -> GanLoss:
        """The loss that holds now."""
        loss = self.model.loss
        return loss.at(extras["loss"]) if isinstance(loss, StatefulLoss) else loss

    def seen(self, images: Any, key: PRNGKey, role: str, update: int, extras: Any) -> Any:
        """Images as the discriminator sees them: augmented, each in its own way, and packed."""
        keys = keys_of(key, role, update, images.shape[0], self.networks.axis_name)
        shown = augmented(self.model.augmentations, extras["augmentations"], images, keys)
        return packed(shown, self.model.pack)

    def losses(self, loss: GanLoss, verdicts: tuple[Verdict, Verdict]) -> tuple[Scalar, Scalar]:
        """Both players' losses, means over this device's rows; of real and of fake verdicts."""
        d, g = (
            jnp.mean(adversarial(one, loss, self.over, *verdicts))
            for one in (loss.discriminator, loss.generator)
        )
        return d, g


def keys_of(key: PRNGKey, role: str, update: int, count: int, axis_name: str | None) -> Any:
    """From the name of a draw on ``real`` or ``fake`` images to one key an example."""

    def keys(name: str) -> Any:
        own = rng.role_key(key, f"{role}-{name}", update)
        return rng.per_example(lambda k: k, own, count, axis_name)

    return keys
