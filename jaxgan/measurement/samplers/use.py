"""Samplers fitted to a trained model's codes, and models that draw by them."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from jaxgan import rng
from jaxgan.algorithms.base import Encoding, Generation
from jaxgan.config import ConfigError
from jaxgan.data.splits import held_out_batches
from jaxgan.measurement import sampling
from jaxgan.measurement.samplers.sampler import Fitted, Log, Sampler, mark
from jaxgan.measurement.trained import Trained
from jaxgan.run.restore import digest
from jaxgan.typing import Latents, PRNGKey


def check(trained: Trained) -> Encoding:
    """Refuses models whose codes no sampler could stand for.

    Raises:
        ConfigError: the model has no codes, or does not decode them alone.
    """
    encoding = trained.program.algorithm.encoding
    if encoding is None or encoding.draw is None or encoding.decode is None:
        raise ConfigError(
            f"{trained.experiment.name} cannot draw by a sampler of codes: it has no encoder, its"
            " decoder is given labels too, or not every vector is a code"
        )
    return encoding


def fit(trained: Trained, sampler: Sampler, log: Log = lambda line: None) -> Fitted:
    """Fits a sampler to codes of all training images, drawn from their posteriors.

    Args:
        trained: the run; its experiment's evaluation settings apply.
        sampler: settings.
        log: gets a line before what may take long.

    Raises:
        ConfigError: as `check`; or there are too few images, or the codes are not finite.
    """
    check(trained)
    experiment, program = trained.experiment, trained.program
    evaluation = experiment.evaluation
    state = sampling.prepared(program, trained.state, evaluation)
    assert program.draw is not None
    key, parts = rng.role_key(rng.base_key(sampler.seed), "sampler"), []
    log(f"{sampler.name}: codes of the training images, {sampler.draws} each")
    for number in range(sampler.draws):
        batches = held_out_batches(experiment.data, "train", evaluation.batch_size)
        for place, (batch, count) in enumerate(batches):
            own = jax.random.fold_in(jax.random.fold_in(key, number), place)
            parts.append(np.asarray(program.draw(state, batch, own), np.float32)[:count])
    codes = np.concatenate(parts)
    if not np.isfinite(codes).all():
        raise ConfigError(f"codes of {experiment.name} are not finite: no sampler can be fitted")
    return Fitted(
        sampler, sampler.fit(codes, log), trained.step, digest(trained.state),
        sampling.weights_of(trained.state, evaluation),
    )  # fmt: skip


def using(trained: Trained, fitted: Fitted) -> Trained:
    """The same run, whose samples are decoded from a sampler's codes.

    Its metrics have the sampler in their brackets (`jaxgan.evaluation.protocol.Protocol.sampler`);
    likelihoods are still those of the model under its own prior.

    Args:
        trained: the run; its experiment's evaluation settings apply.
        fitted: to its state.

    Raises:
        ConfigError: as `check`; the weights are not those that the sampler was fitted with; or it
            is no sampler of this model's codes.
    """
    encoding, evaluation = check(trained), trained.experiment.evaluation
    if (weights := sampling.weights_of(trained.state, evaluation)) != fitted.weights:
        raise ConfigError(
            f"weights = {weights!r}: the sampler {fitted.sampler.name} was fitted to codes of the"
            f" {fitted.weights!r} weights; fit it again with these"
        )
    truncated = evaluation.truncation != 1 or evaluation.threshold
    if truncated or evaluation.batch_norm != "running":
        raise ConfigError(
            f"the sampler {fitted.sampler.name} draws every code as it was fitted: leave truncation"
            " at 1, threshold at 0 and batch_norm at running (samplers have a temperature of their"
            " own)"
        )
    arrays: dict[str, Any] = {name: np.asarray(array) for name, array in fitted.arrays.items()}

    def prior(key: PRNGKey, count: int) -> Latents:
        return rng.per_example(lambda k: fitted.sampler.draw(arrays, k), key, count)

    decode = encoding.decode
    assert decode is not None
    try:
        jax.eval_shape(lambda key: decode(trained.state, prior(key, 2)), rng.base_key(0))
    except Exception as error:
        line = " ".join(str(error).split())[:200]
        raise ConfigError(
            f"the sampler {fitted.sampler.name} draws no codes of {trained.experiment.name}"
            f" ({line}): fit it again"
        ) from error
    generation = Generation(prior, decode, gradients=False, sampler=mark(fitted.sampler))
    program = trained.program
    changed = program._replace(
        algorithm=program.algorithm._replace(generation=generation),
        prior=jax.jit(prior, static_argnums=1),
        generate=program.decode,
        normalized=None,
    )
    return trained._replace(program=changed)
