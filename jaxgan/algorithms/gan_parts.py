"""How the parts of a GAN are applied: networks, augmentations, penalties, auxiliary terms."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgan import rng
from jaxgan.algorithms import apply
from jaxgan.config import ConfigError
from jaxgan.objectives.gan.augmentations import Augmentation
from jaxgan.objectives.gan.auxiliaries import Auxiliary
from jaxgan.objectives.gan.penalties import Penalty, View
from jaxgan.objectives.gan.verdict import Verdict, verdict
from jaxgan.typing import ImageShape, Latents, Metrics, Params, PerExample, PRNGKey, Variables

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
        metrics: of the update.
    """

    batch: Mapping[str, Any]
    latents: Latents
    fake: Any
    pull_back: Callable[[Any], tuple[Params]]
    generator_state: Params
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


def augmented(
    augmentations: Sequence[Augmentation],
    states: Sequence[Any],
    images: Any,
    keys_of: Callable[[str], Any],
) -> Any:
    """Images as the discriminator sees them.

    Args:
        augmentations: applied one after the other.
        states: theirs.
        images: in [-1, 1].
        keys_of: from the name of a draw to one key an example.
    """
    for index, (one, state) in enumerate(zip(augmentations, states, strict=True)):
        images = one(images, keys_of(f"augmentation-{index}"), state)
    return images


def penalized(
    penalties: Sequence[Penalty], states: Sequence[Any], view: View, done: Any
) -> tuple[Any, Metrics, tuple[Any, ...]]:
    """The sum of the penalties that are due, their metrics, and their states afterwards.

    A lazy penalty is taken every so many updates, and counts as many times as much then (Karras et
    al., Analyzing and Improving the Image Quality of StyleGAN, 2020, appendix B).

    Args:
        penalties: of the discriminator.
        states: theirs.
        view: what they see.
        done: discriminator updates done before this one.
    """
    total: Any = 0.0
    metrics: Metrics = {}
    kept = []
    for penalty, before in zip(penalties, states, strict=True):

        def due(state: Any, penalty: Penalty = penalty) -> tuple[PerExample, Any]:
            values, state = penalty(view, state)
            return (values if penalty.every == 1 else penalty.every * values), state

        def skipped(state: Any) -> tuple[PerExample, Any]:
            return jnp.zeros(view.real.shape[0]), state

        if penalty.every == 1:
            values, state = due(before)
        else:
            values, state = jax.lax.cond(done % penalty.every == 0, due, skipped, before)
        total = total + values
        metrics[f"penalty/{penalty.name}"] = jnp.mean(values)
        kept.append(state)
    return total, metrics, tuple(kept)


def auxiliary(
    terms: Sequence[Auxiliary], judged: Verdict, given: Any, *, real: bool
) -> dict[str, PerExample]:
    """Auxiliary terms by name: those on real images, or those on generated ones."""
    return {one.name: one(judged, given) for one in terms if one.real or not real}


def check_parts(
    discriminator: nn.Module, penalties: Sequence[Penalty], auxiliaries: Sequence[Auxiliary]
) -> None:
    """Refuses parts that do not go together.

    Raises:
        ConfigError: two terms have one name, under which only one of them would be told; or batch
            norm mixes examples that a penalty wants apart.
    """
    names = [term.name for term in (*penalties, *auxiliaries)]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigError(f"two penalties or auxiliary terms are called {twice[0]!r}")
    by_example = any(penalty.per_example for penalty in penalties)
    if by_example and getattr(discriminator, "batch_norm", False):
        own = "batch_norm" in {field.name for field in dataclasses.fields(discriminator)}
        raise ConfigError(
            "a gradient penalty holds for each example by itself, and batch norm mixes them:"
            f" set --model.discriminator.{'' if own else 'body.'}no-batch-norm"
        )


def keys_of(key: PRNGKey, role: str, update: int, count: int, axis_name: str | None) -> Any:
    """From the name of a draw on ``real`` or ``fake`` images to one key an example."""

    def keys(name: str) -> Any:
        own = rng.role_key(key, f"{role}-{name}", update)
        return rng.per_example(lambda k: k, own, count, axis_name)

    return keys
