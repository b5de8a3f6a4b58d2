"""Which parts of a GAN do not go together, said in one line before anything is trained."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import flax.linen as nn

from jaxgan.algorithms.augmentation_checks import augmentation_warnings, check_augmentations
from jaxgan.algorithms.auxiliary_checks import (
    check_auxiliaries,
    check_codes,
    check_labels,
    check_twins,
)
from jaxgan.algorithms.loss_checks import check_features, check_range, check_zero_sum
from jaxgan.algorithms.penalty_checks import check_norm, check_unrolled, penalty_warnings
from jaxgan.config import ConfigError, Experiment, config_errors
from jaxgan.networks.claims import claims, core
from jaxgan.networks.resnet import ResnetFeatures
from jaxgan.objectives.gan import consistency
from jaxgan.objectives.gan.auxiliaries import Auxiliary
from jaxgan.objectives.gan.began import Began
from jaxgan.objectives.gan.consistency import BalancedConsistency, Consistency
from jaxgan.objectives.gan.ebgan import Ebgan, PullAway
from jaxgan.objectives.gan.losses import Hinge
from jaxgan.objectives.gan.mmd import Mmd, RepulsiveMmd
from jaxgan.objectives.gan.penalties import Penalty

_ENERGETIC = (Began, Ebgan, PullAway)
"""What reads the energies or the codes of an autoencoding discriminator."""


def check_model(model: Any) -> None:
    """Refuses a `jaxgan.algorithms.gan.Gan` whose parts do not go together, whatever the data.

    Raises:
        ConfigError: says what does not, and what would.
    """
    if model.n_critic < 1:
        raise ConfigError(f"n_critic = {model.n_critic}: must be at least 1")
    if model.unrolled_steps < 0:
        raise ConfigError(f"unrolled_steps = {model.unrolled_steps}: must be at least 0")
    check_parts(model.discriminator, model.penalties, model.auxiliaries)
    check_augmentations(model.augmentations)
    check_twins(model.auxiliaries)
    check_unrolled(model)
    check_pack(model)
    check_zero_sum(innermost(model.loss))
    check_answers(model)
    check_range(innermost(model.loss), model.discriminator)
    check_features(innermost(model.loss), model.discriminator, model.auxiliaries)


def check_experiment(experiment: Experiment, model: Any) -> None:
    """Refuses a `jaxgan.algorithms.gan.Gan` that cannot be trained on an experiment's data.

    Raises:
        ConfigError: says why, and what would do.
    """
    data, batch, pack = experiment.data, experiment.batch_size, model.pack
    if batch % pack:
        raise ConfigError(
            f"pack = {pack} does not divide the batch of {batch} images: packs are whole; set"
            f" --batch-size {max(batch // pack, 1) * pack}"
        )
    if isinstance(innermost(model.loss), Mmd | RepulsiveMmd) and batch < 2:
        raise ConfigError(
            f"a batch of {batch} has no pairs, and MMD-GAN compares pairs: set --batch-size 64"
        )
    for one in model.augmentations:
        one.check(data.image_shape, data.dtype)
    with config_errors():
        check_norm(data.image_shape, model.discriminator)
    check_labels(model)
    check_codes(data.image_shape, model)
    check_auxiliaries(experiment, model)
    for penalty in model.penalties:
        if isinstance(penalty, Consistency | BalancedConsistency):
            with config_errors():
                consistency.check_size(data.image_shape)


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
    if by_example and claims(discriminator).batch_norm:
        own = "batch_norm" in {field.name for field in dataclasses.fields(discriminator)}
        raise ConfigError(
            "a gradient penalty holds for each example by itself, and batch norm mixes them"
            " (layer and instance norm do not):"
            f" set --model.discriminator.{'' if own else 'body.'}no-batch-norm"
        )


def innermost(loss: Any) -> Any:
    """The loss itself, where another one such as top-k holds it."""
    while hasattr(loss, "loss"):
        loss = loss.loss
    return loss


def check_answers(model: Any) -> None:
    """Refuses losses and terms that read what the discriminator does not say.

    Raises:
        ConfigError: energies are wanted of a discriminator that is no autoencoder, or embeddings of
            one that makes none.
    """
    own, loss = type(model.discriminator).__name__, innermost(model.loss)
    energetic = [one for one in (loss, *model.auxiliaries) if isinstance(one, _ENERGETIC)]
    if energetic and not claims(model.discriminator).autoencodes:
        raise ConfigError(
            f"{type(energetic[0]).__name__} is about an autoencoder's errors and codes, and {own}"
            " is none: use MlpAutoencoder, DcganAutoencoder or BeganDiscriminator (one of your own"
            " says so by autoencodes = True)"
        )
    if isinstance(loss, Mmd | RepulsiveMmd) and not claims(model.discriminator).embeds:
        raise ConfigError(
            f"{type(loss).__name__} compares vectors, and {own} gives none: use"
            " VectorMlpDiscriminator or VectorDcganDiscriminator (one of your own says so by"
            " embeds = True)"
        )


def check_pack(model: Any) -> None:
    """Refuses packs of images whose labels would have to be packed as well.

    Raises:
        ConfigError: there are labels or auxiliary terms, which are of single images.
    """
    if model.pack < 1:
        raise ConfigError(f"pack = {model.pack}: must be at least 1")
    if model.pack > 1 and (model.prior.conditional or model.auxiliaries):
        what = "labels" if model.prior.conditional else "auxiliary terms"
        raise ConfigError(
            f"pack = {model.pack} with {what}, which are of single images: set --model.pack 1"
        )


def warnings(model: Any) -> tuple[str, ...]:
    """What can be trained, and mostly not for long.

    Args:
        model: a `jaxgan.algorithms.gan.Gan`.
    """
    judging = core(model.discriminator)
    unbounded = isinstance(judging, ResnetFeatures) and judging.weight_norm != "spectral"
    found = (*augmentation_warnings(model), *penalty_warnings(model))
    if unbounded and isinstance(model.loss, Hinge) and not model.penalties:
        return (
            *found,
            "a residual discriminator under the hinge loss, with neither spectral normalization nor"
            " a gradient penalty: nothing bounds its slope, and such games tend to diverge"
            " (--model.discriminator.weight-norm spectral)",
        )
    return found
