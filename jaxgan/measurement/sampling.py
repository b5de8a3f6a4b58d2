"""How samples are drawn from a trained state: which weights, normalization and truncation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxgan import rng
from jaxgan.algorithms.base import Algorithm, Generated, State
from jaxgan.config import ConfigError, Evaluation
from jaxgan.machine.devices import on_every_device, shared
from jaxgan.program import Program
from jaxgan.typing import PRNGKey

SEED = 0
"""Of the evaluation's own randomness: the same latents for every model and training seed."""

STANDING_BATCHES = 16
"""Batches that standing statistics are averaged over."""


def check(algorithm: Algorithm, state: State, evaluation: Evaluation) -> None:
    """Finds out whether a model's samples can be drawn as asked.

    Args:
        algorithm: of the model.
        state: its state, or one of shapes alone.
        evaluation: says how.

    Raises:
        ConfigError: they cannot.
    """
    if evaluation.weights == "raw" and algorithm.raw is None:
        raise ConfigError("evaluation.weights = 'raw': this model has one kind of weights only")
    if evaluation.truncation != 1 and algorithm.truncate is None:
        raise ConfigError(
            f"evaluation.truncation = {evaluation.truncation}: the latents are not Gaussian;"
            " set --model.prior normal, or leave it at 1"
        )
    if evaluation.batch_norm == "running":
        return
    if algorithm.batch_normalized is None or not jax.tree.leaves(
        getattr(state, "ema", {}).get("batch_stats", {})
    ):
        raise ConfigError(
            f"evaluation.batch_norm = {evaluation.batch_norm!r}: the model that samples has no"
            " batch normalization"
        )


def prepared(program: Program, state: State, evaluation: Evaluation) -> State:
    """The state whose evaluation weights and statistics are those to be measured.

    Standing statistics are the averages, over `STANDING_BATCHES` batches of latents, of the batch
    statistics in train mode (Brock, Donahue and Simonyan 2019, "Large Scale GAN Training", section
    4.1). Their latents are not those of the samples.

    Raises:
        ConfigError: as `check`.
    """
    algorithm = program.algorithm
    check(algorithm, state, evaluation)
    if evaluation.weights == "raw" and algorithm.raw is not None:
        state = algorithm.raw(state)
    if evaluation.batch_norm != "standing":
        return state
    if program.batch_normalized is None or algorithm.with_statistics is None:
        return state
    base = rng.role_key(rng.base_key(0), "standing")
    total: Any = None
    for index in range(STANDING_BATCHES):
        key = jax.random.fold_in(base, index)
        latents = _latents(program, key, evaluation.batch_size, evaluation.truncation)
        _, found = program.batch_normalized(state, latents, rng.role_key(key, "dropout"))
        total = found if total is None else jax.tree.map(jnp.add, total, found)
    average = jax.tree.map(lambda leaf: leaf / STANDING_BATCHES, total)
    return algorithm.with_statistics(state, average)


def sampler(
    program: Program, state: State, evaluation: Evaluation
) -> Callable[[PRNGKey, int], Generated]:
    """Samples from a key and a count, made on all devices of this process.

    What is drawn does not depend on the number of devices, but for rounding.

    Args:
        program: of the experiment.
        state: on one device, as `prepared` returns it.
        evaluation: says how.
    """
    everywhere = on_every_device(state)
    devices = len(jax.local_devices())

    def sample(key: PRNGKey, count: int) -> Generated:
        latents = _latents(program, key, count, evaluation.truncation)
        if evaluation.batch_norm == "batch" and program.batch_normalized is not None:
            # The batch is what is normalized, so it may not be filled up.
            if count % devices:
                return program.batch_normalized(state, latents, rng.role_key(key, "dropout"))[0]
            dropout = on_every_device(rng.role_key(key, "dropout"))
            return program.batch_normalized(everywhere, shared(latents), dropout)[0]
        missing = -count % devices
        padded = shared(jnp.pad(latents, [(0, missing), (0, 0)]))
        return program.generate(everywhere, padded)[:count]

    return sample


def _latents(program: Program, key: PRNGKey, count: int, psi: float) -> Any:
    latents = program.prior(key, count)
    truncate = program.algorithm.truncate
    if psi != 1 and truncate is not None:
        latents = truncate(latents, psi)
    return np.asarray(latents)
