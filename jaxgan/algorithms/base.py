"""The contract between an algorithm and everything that runs it.

An algorithm is a record of pure functions; what a model can do besides training is said by further
records that are there or not: `Generation`, `Encoding`, `Density`, `Translation`. Everything is a
function of its arguments, so an algorithm can be jitted, pmapped, vmapped over seeds, or run
through ``jax.eval_shape``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

import flax.linen as nn
import numpy as np
from jaxtyping import Array, Num

from jaxgan.algorithms import micro_batches
from jaxgan.algorithms.rematerialization import computing_again
from jaxgan.algorithms.state import State
from jaxgan.config import ConfigError, Experiment, Precision
from jaxgan.typing import (
    Batch,
    Labels,
    Latents,
    Measure,
    Metrics,
    Params,
    PerExample,
    Pixels,
    PRNGKey,
    Sums,
)

Generated: TypeAlias = Num[Array, "batch height width channels"]
"""uint8 images, or float32 points."""


class Phase(NamedTuple):
    """A stretch of training with one train step.

    Attributes:
        until: steps done when it ends; that of the last phase is the experiment's ``steps``.
        train_step: one generator (or autoencoder) update; takes the key of the step.
        enter: what happens to the state before the phase's first step, such as new optimizer states
            (an Adam whose count is large and whose moments are zero makes a first update that is
            far too large). It keeps the state's structure, shapes and types.
    """

    until: int
    train_step: Callable[[State, Batch, PRNGKey], tuple[State, Metrics]]
    enter: Callable[[State], State] | None = None


class Sheet(NamedTuple):
    """Latents whose images are worth looking at side by side.

    Attributes:
        latents: of all images, row by row.
        columns: images a row.
    """

    latents: Latents
    columns: int


def no_sheets(key: PRNGKey) -> dict[str, Sheet]:
    """Nothing but samples is worth showing."""
    del key
    return {}


class Generation(NamedTuple):
    """Images from a prior. Latents are a pytree; axis 0 of every leaf is the example.

    Attributes:
        prior: latents of the given number of samples.
        pixels: images from 0 to 1 (or points) of given latents, each from its own latent alone,
            under the evaluation weights.
        normalized: as ``pixels``, but normalized by this batch's own statistics, with those
            statistics by player (`State.with_statistics`); the key is for dropout, which is then
            on, as in training. None where nothing is known of it.
        gradients: whether ``pixels`` has useful gradients, so that it can be inverted.
        labels: the classes that latents hold; None for models without.
        with_labels: latents with other classes in them; None for models without.
        truncate: latents nearer to the prior's mean by the factor ``psi``; None where the prior is
            not Gaussian.
        project: latents brought back to where the prior has any; None: it has some everywhere.
        between: latents on paths from one batch to another along which the prior has mass, for one
            number from 0 to 1 an example (`jaxgan.objectives.priors.Prior`); None: no paths known.
        sheets: what is worth showing besides samples: a class a row, a path, a traversal.
        sampler: how latents are drawn, where the model could draw them in several ways.
    """

    prior: Callable[[PRNGKey, int], Latents]
    pixels: Callable[[State, Latents], Pixels]
    normalized: Callable[[State, Latents, PRNGKey], tuple[Pixels, dict[str, Params]]] | None = None
    gradients: bool = True
    labels: Callable[[Latents], Labels] | None = None
    with_labels: Callable[[Latents, Labels], Latents] | None = None
    truncate: Callable[[Latents, float], Latents] | None = None
    project: Callable[[Latents], Latents] | None = None
    between: Callable[[Latents, Latents, Any], Latents] | None = None
    sheets: Callable[[PRNGKey], dict[str, Sheet]] = no_sheets
    sampler: str = ""


class Encoding(NamedTuple):
    """Codes of images, under the evaluation weights.

    Attributes:
        reconstruct: images from 0 to 1 (or points) decoded from the codes of others.
        codes: one vector an image, such as the mean of its posterior.
        posterior: mean and log variance of each image's code, where that is a diagonal Gaussian and
            the prior is the standard normal; None elsewhere.
        draw: a code of each image, drawn from its posterior with a key; None where ``codes`` is.
        decode: images from 0 to 1 (or points) of such codes; None where not every vector is a code,
            or a code does not say all.
    """

    reconstruct: Callable[[State, Batch], Pixels]
    codes: Callable[[State, Batch], Array] | None = None
    posterior: Callable[[State, Batch], tuple[Array, Array]] | None = None
    draw: Callable[[State, Batch, PRNGKey], Array] | None = None
    decode: Callable[[State, Array], Pixels] | None = None


class Density(NamedTuple):
    """A likelihood of images.

    Attributes:
        kind: its name, such as ``Bernoulli``; values of two kinds cannot be compared.
        measure: what a log-likelihood of these images is the log of.
        log_likelihood: ``log p(x|z)`` of each image under a code of its own, summed over pixels and
            channels, in nats, under the evaluation weights; None where there is none.
        log_weight: ``log p(x|z) + log p(z) - log q(z|x)`` of one code drawn from each image's
            posterior with a key; the mean of its exponential is ``p(x)``. None where posterior or
            prior have no density.
        log_prior: ``log p(z)`` of codes; None where not every vector is a code.
        draw: so many codes from the prior, with a key; None where ``log_prior`` is.
        simulate: an image drawn from ``p(x|z)`` of each code, with what a batch holds beside
            images, and a key; as floats, which ``log_likelihood`` takes as they are. None where the
            likelihood is not drawn from.
    """

    kind: str
    measure: Callable[[np.ndarray], Measure]
    log_likelihood: Callable[[State, Batch, Array], PerExample] | None = None
    log_weight: Callable[[State, Batch, PRNGKey], PerExample] | None = None
    log_prior: Callable[[State, Array], PerExample] | None = None
    draw: Callable[[State, PRNGKey, int], Array] | None = None
    simulate: Callable[[State, Batch, Array, PRNGKey], Pixels] | None = None


class Translation(NamedTuple):
    """Images of one domain made from those of another.

    Attributes:
        source: field of the batch that is translated.
        target: field that the result should look like.
        translate: from a batch to images from 0 to 1, under the evaluation weights.
    """

    source: str
    target: str
    translate: Callable[[State, Batch, PRNGKey], Pixels]


class Algorithm(NamedTuple):
    """Pure functions that train and evaluate one model, and what else it can do.

    Attributes:
        init: state from a key and one example batch, of which only shapes are used.
        phases: what is trained when; most algorithms have one.
        evaluate: mergeable ``(sum, count)`` pairs over one held-out batch; examples whose ``mask``
            is 0 do not count. May give nothing.
        generation: where images are drawn from a prior.
        encoding: where images have codes.
        density: where images have a likelihood.
        translations: by direction, such as ``"photo-map"``.
    """

    init: Callable[[PRNGKey, Batch], State]
    phases: tuple[Phase, ...]
    evaluate: Callable[[State, Batch, PRNGKey], Sums]
    generation: Generation | None = None
    encoding: Encoding | None = None
    density: Density | None = None
    translations: Mapping[str, Translation] = {}


def build(experiment: Experiment, *, axis_name: str | None = None) -> Algorithm:
    """The algorithm of an experiment, its networks at the experiment's precision.

    Args:
        experiment: whose ``model`` builds the algorithm.
        axis_name: mapped axis over which the batch is sharded; None on one device.

    Raises:
        ConfigError: parts of the model do not go together, the batch cannot be divided as asked, or
            the last phase does not end with the training.
    """
    micro_batches.check(experiment)
    model = at_precision(experiment.model, experiment.precision)
    algorithm = model.build(dataclasses.replace(experiment, model=model), axis_name=axis_name)
    ends = [phase.until for phase in algorithm.phases]
    if sorted({*ends}) != ends or not ends or ends[0] < 1 or ends[-1] != experiment.steps:
        raise ConfigError(
            f"the phases of {type(experiment.model).__name__} end at steps {ends}: they must rise,"
            f" and the last one must end with the training, at {experiment.steps}"
        )

    def stepping(train_step: Callable[..., Any]) -> Callable[..., Any]:
        again = computing_again(train_step, experiment.rematerialize)
        return micro_batches.in_parts(again, experiment.micro_batches)

    phases = tuple(
        phase._replace(train_step=stepping(phase.train_step)) for phase in algorithm.phases
    )
    return algorithm._replace(phases=phases)


def at_precision(model: Any, precision: Precision) -> Any:
    """The settings of a model, with the experiment's precision in networks that name none.

    Networks inside of networks and of tuples are reached too.

    Args:
        model: a dataclass; the fields that are networks are looked at.
        precision: number format of the networks' arithmetic.

    Raises:
        ConfigError: a network computes in float32 only.
    """
    if precision == "float32":
        return model
    return dataclasses.replace(model, **_networks_at_precision(model, precision))


def _networks_at_precision(owner: Any, precision: Precision) -> dict[str, Any]:
    """Those fields of a dataclass that are networks, or tuples with some."""
    found = {}
    for field in dataclasses.fields(owner):
        name, value = field.name, getattr(owner, field.name)
        if name != "parent" and isinstance(value, nn.Module):
            found[name] = _network_at_precision(name, value, precision)
        elif isinstance(value, tuple) and any(isinstance(part, nn.Module) for part in value):
            found[name] = tuple(
                _network_at_precision(f"{name}.{i}", part, precision)
                if isinstance(part, nn.Module)
                else part
                for i, part in enumerate(value)
            )
    return found


def _network_at_precision(name: str, network: nn.Module, precision: Precision) -> nn.Module:
    inner = _networks_at_precision(network, precision)
    changes: dict[str, Any] = dict(inner)
    fields = {field.name for field in dataclasses.fields(network)}
    if "dtype" in fields:
        changes["dtype"] = getattr(network, "dtype") or precision  # noqa: B009
    elif not inner:
        raise ConfigError(
            f"the {name}, {type(network).__name__}, has no field dtype and computes in float32"
            f" only: give it one, or leave out --precision {precision}"
        )
    return network.clone(**changes)


def classes_of(data: Any) -> int:
    """The number of classes of an experiment's data, for models that take labels.

    Raises:
        ConfigError: it is not said.
    """
    if not data.classes:
        raise ConfigError(
            "the model takes labels: say how many classes there are, --data.classes N"
        )
    return data.classes


def with_label(generation: Generation) -> Generation:
    """The same for latents that hold a ``label``: with ``labels`` and ``with_labels``."""
    return generation._replace(
        labels=lambda latents: latents["label"],
        with_labels=lambda latents, labels: {**latents, "label": labels},
    )
