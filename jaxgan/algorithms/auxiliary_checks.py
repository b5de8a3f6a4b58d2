"""Which networks, priors and auxiliary terms of a GAN miss something that another part has not."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from jaxgan.algorithms import apply
from jaxgan.config import ConfigError, Experiment
from jaxgan.objectives.codes import Codes
from jaxgan.objectives.gan.auxiliaries import Auxiliary, AuxiliaryClassifier
from jaxgan.objectives.gan.class_terms import TwinClassifier
from jaxgan.objectives.gan.verdict import Verdict, verdict
from jaxgan.typing import ImageShape


def check_labels(model: Any) -> None:
    """Refuses networks that are given labels where there are none.

    Raises:
        ConfigError: names the network, and the prior.
    """
    for role in ("generator", "discriminator"):
        network = getattr(model, role)
        if "classes" in inspect.signature(type(network).__call__).parameters and not (
            model.prior.conditional
        ):
            raise ConfigError(
                f"the {role}, {type(network).__name__}, is given labels, and the prior,"
                f" {type(model.prior).__name__}, draws none: set --prior labelled"
            )


def check_twins(auxiliaries: Sequence[Auxiliary]) -> None:
    """Refuses a twin classifier without the classifier that it is the twin of.

    Raises:
        ConfigError: there is none, and the generator would only be driven away from its classes.
    """
    kinds = {type(term) for term in auxiliaries}
    if TwinClassifier in kinds and AuxiliaryClassifier not in kinds:
        raise ConfigError(
            "TwinClassifier alone drives generated images away from their classes, and nothing"
            " draws them there: add AuxiliaryClassifier (--auxiliary classifier --auxiliary"
            " twin_classifier)"
        )


def check_codes(image_shape: ImageShape, model: Any) -> None:
    """Refuses a generator that makes nothing of noise and codes.

    It is traced with what the prior draws.

    Raises:
        ConfigError: names the generator, and says what takes several vectors.
    """
    prior, network = model.prior, model.generator
    if not isinstance(prior, Codes):
        return
    key, settings = jax.random.key(0), {"image_shape": image_shape, "train": False}
    apply.check_arguments("generator", network, 1, {**settings, "axis_name": None})

    def make() -> Any:
        latents = jax.tree.map(lambda leaf: leaf[None], prior.draw(key, 0))
        return network.init_with_output({"params": key, "dropout": key}, latents, **settings)[0]

    try:
        jax.eval_shape(make)
    except (AttributeError, TypeError) as error:
        own = type(network).__name__
        raise ConfigError(
            f"the generator, {own}, takes one vector an image, and the prior, Codes, draws noise"
            f" and codes: wrap it, CodesGenerator({own}(...)), or set --prior normal"
        ) from error


def check_auxiliaries(experiment: Experiment, model: Any) -> None:
    """Refuses auxiliary terms that miss something: labels, codes, or a head of the discriminator.

    Each part of each term is traced for a batch; what it complains of is passed on.

    Raises:
        ConfigError: with the complaint, or the discriminator's.
    """
    if not model.auxiliaries:
        return
    data, prior, network = experiment.data, model.prior, model.discriminator
    classes = data.classes if prior.conditional else 0
    key, rows = jax.random.key(0), experiment.batch_size
    latents = jax.eval_shape(
        lambda: jax.vmap(lambda k: prior.draw(k, classes))(jax.random.split(key, rows))
    )
    images = jax.ShapeDtypeStruct((rows, *data.image_shape), jnp.float32)
    labels = jax.ShapeDtypeStruct((rows,), jnp.int32) if prior.conditional else None
    given = (images,) if labels is None else (images, labels)
    settings = {**({"classes": classes} if prior.conditional else {}), "train": False}
    apply.check_arguments("discriminator", network, len(given), {**settings, "axis_name": None})

    def judge(*given: Any) -> Verdict:
        keys = {"params": key, "dropout": key}
        return verdict(network.init_with_output(keys, *given, **settings)[0])

    judged = jax.eval_shape(judge, *given)
    for term in model.auxiliaries:
        for part, known in (
            (term.real, {"label": labels}),
            (term.fake, latents),
            (term.generator, latents),
        ):
            try:
                jax.eval_shape(part, judged, known)
            except ValueError as error:
                raise ConfigError(str(error)) from error
