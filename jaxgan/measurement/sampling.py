"""How samples are drawn from a trained state: which weights, normalization, truncation, classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxgan import rng
from jaxgan.algorithms.base import Algorithm, Generated
from jaxgan.algorithms.state import State
from jaxgan.config import ConfigError, Evaluation
from jaxgan.evaluation.protocol import Weights
from jaxgan.machine.devices import on_every_device, shared
from jaxgan.program import Program
from jaxgan.typing import Latents, PRNGKey

SEED = 0
"""Of the evaluation's own randomness: the same latents for every model and training seed."""

SELECTION_SEED = 1
"""Of measurements while training. A state that is selected by them is lucky with their latents; the
final numbers are taken with others, so that they owe nothing to that luck."""

STANDING_BATCHES = 16
"""Batches that standing statistics are averaged over."""


def weights_of(state: State, evaluation: Evaluation) -> Weights:
    """The weights that are measured: ``raw`` ones, where the state has no average."""
    return evaluation.weights if state.ema else "raw"


def check(algorithm: Algorithm, state: State, evaluation: Evaluation) -> None:
    """Finds out whether a model's samples can be drawn as asked.

    Args:
        algorithm: of the model.
        state: its state, or one of shapes alone.
        evaluation: says how.

    Raises:
        ConfigError: they cannot.
    """
    generation = algorithm.generation
    if evaluation.truncation != 1 and (generation is None or generation.truncate is None):
        raise ConfigError(
            f"evaluation.truncation = {evaluation.truncation}: the model has no Gaussian latents"
            " that could be truncated; leave it at 1"
        )
    if evaluation.labels != "uniform" and (generation is None or generation.labels is None):
        raise ConfigError(f"evaluation.labels = {evaluation.labels!r}: the model takes no labels")
    if evaluation.batch_norm == "running":
        return
    if generation is None or generation.normalized is None or not state.is_batch_normalized:
        raise ConfigError(
            f"evaluation.batch_norm = {evaluation.batch_norm!r}: the model that samples has no"
            " batch normalization"
        )


def prepared(program: Program, state: State, evaluation: Evaluation, *, seed: int = SEED) -> State:
    """The state whose evaluation weights and statistics are those to be measured.

    Standing statistics are the averages, over `STANDING_BATCHES` batches of latents, of the batch
    statistics in train mode (Brock, Donahue and Simonyan 2019, "Large Scale GAN Training", section
    4.1). Their latents follow from the seed, and are not those of the samples.

    Raises:
        ConfigError: as `check`.
    """
    check(program.algorithm, state, evaluation)
    if evaluation.weights == "raw":
        state = state.raw
    if evaluation.batch_norm != "standing" or program.normalized is None:
        return state
    base = rng.role_key(rng.base_key(seed), "standing")
    total: Any = None
    for index in range(STANDING_BATCHES):
        key = jax.random.fold_in(base, index)
        latents = latents_of(program, key, evaluation.batch_size, psi=evaluation.truncation)
        _, found = program.normalized(state, latents, rng.role_key(key, "dropout"))
        total = found if total is None else jax.tree.map(jnp.add, total, found)
    average = jax.tree.map(lambda leaf: leaf / STANDING_BATCHES, total)
    return state.with_statistics(average)


def sampler(program: Program, state: State, evaluation: Evaluation) -> Callable[..., Generated]:
    """Samples from a key, a count and, for models with labels, as many classes; made on all devices
    of this process.

    What is drawn does not depend on the number of devices, but for rounding.

    Args:
        program: of the experiment, whose model draws samples.
        state: on one device, as `prepared` returns it.
        evaluation: says how.
    """
    everywhere = on_every_device(state)
    devices = len(jax.local_devices())
    assert program.generate is not None
    generate, normalized = program.generate, program.normalized

    def sample(key: PRNGKey, count: int, labels: Any = None) -> Generated:
        latents = latents_of(program, key, count, labels=labels, psi=evaluation.truncation)
        if evaluation.batch_norm == "batch" and normalized is not None:
            # The batch is what is normalized, so it may not be filled up.
            if count % devices:
                return normalized(state, latents, rng.role_key(key, "dropout"))[0]
            dropout = on_every_device(rng.role_key(key, "dropout"))
            return normalized(everywhere, shared(latents), dropout)[0]
        return generate(everywhere, shared(filled(latents, -count % devices)))[:count]

    return sample


def latents_of(
    program: Program, key: PRNGKey, count: int, *, labels: Any = None, psi: float = 1.0
) -> Latents:
    """Latents from the prior, on the host.

    Args:
        program: of an experiment whose model draws samples.
        key: of the draw.
        count: how many.
        labels: their classes; None: the prior's own, where the model has any.
        psi: factor of the truncation; 1: none.
    """
    generation = program.algorithm.generation
    assert generation is not None
    assert program.prior is not None
    latents = program.prior(key, count)
    if psi != 1 and generation.truncate is not None:
        latents = generation.truncate(latents, psi)
    if labels is not None:
        assert generation.with_labels is not None
        latents = generation.with_labels(latents, jnp.asarray(labels, jnp.int32))
    return jax.tree.map(_on_host, latents)


def _on_host(leaf: Any) -> Any:
    # Typed random keys, which a latent may hold, have no form on the host.
    return leaf if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key) else np.asarray(leaf)


def filled(latents: Latents, missing: int) -> Latents:
    """So many rows more, which are copies of the first."""
    if not missing:
        return latents
    return jax.tree.map(
        lambda leaf: jnp.concatenate([jnp.asarray(leaf), jnp.repeat(leaf[:1], missing, axis=0)]),
        latents,
    )
