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
from jaxgan.objectives.truncation import within
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
    for name, none in (("truncation", 1), ("threshold", 0)):
        asked = getattr(evaluation, name)
        if asked != none and (generation is None or generation.truncate is None):
            raise ConfigError(
                f"evaluation.{name} = {asked}: the model has no Gaussian latents that could be"
                f" truncated; leave it at {none}"
            )
    weights = evaluation.weights
    held = state.ema if weights == "ema" else {n: state.players[n].params for n in state.ema}
    if state.ema and not jax.tree.leaves(held):
        raise ConfigError(f"evaluation.weights = {weights!r}: the file holds the other ones alone")
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
    4.1). Their latents follow from the seed, and are not those of the samples. All batches have
    the evaluation's batch size, as in the code of BigGAN's author, or with ``standing_random`` any
    size up to it, each as likely, as in StudioGAN; a program is compiled for each size.

    Raises:
        ConfigError: as `check`.
    """
    check(program.algorithm, state, evaluation)
    if evaluation.weights == "raw":
        state = state.raw
    if not evaluation.batch_norm.startswith("standing") or program.normalized is None:
        return state
    base = rng.role_key(rng.base_key(seed), "standing")
    total: Any = None
    for index in range(STANDING_BATCHES):
        key = jax.random.fold_in(base, index)
        size = evaluation.batch_size
        if evaluation.batch_norm == "standing_random":
            size = int(jax.random.randint(rng.role_key(key, "size"), (), 1, size + 1))
        latents = latents_of(program, key, size, evaluation)
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
        latents = latents_of(program, key, count, evaluation, labels=labels)
        if evaluation.batch_norm == "batch" and normalized is not None:
            # The batch is what is normalized, so it may not be filled up.
            if count % devices:
                return normalized(state, latents, rng.role_key(key, "dropout"))[0]
            dropout = on_every_device(rng.role_key(key, "dropout"))
            return normalized(everywhere, shared(latents), dropout)[0]
        return generate(everywhere, shared(filled(latents, -count % devices)))[:count]

    return sample


def latents_of(
    program: Program,
    key: PRNGKey,
    count: int,
    evaluation: Evaluation | None = None,
    *,
    labels: Any = None,
) -> Latents:
    """Latents from the prior, on the host.

    Args:
        program: of an experiment whose model draws samples.
        key: of the draw.
        count: how many.
        evaluation: says how they are truncated; None: not at all.
        labels: their classes; None: the prior's own, where the model has any.
    """
    generation = program.algorithm.generation
    assert generation is not None
    assert program.prior is not None
    latents = program.prior(key, count)
    if evaluation is not None and generation.truncate is not None:
        latents = _truncated(latents, generation.truncate, evaluation)
    if labels is not None:
        assert generation.with_labels is not None
        latents = generation.with_labels(latents, jnp.asarray(labels, jnp.int32))
    return jax.tree.map(_on_host, latents)


def _truncated(
    latents: Latents, truncate: Callable[[Latents, float], Latents], evaluation: Evaluation
) -> Latents:
    """Latents truncated by a threshold, and then by a factor."""
    if threshold := evaluation.threshold:
        # What a factor would change is Gaussian; labels and codes are not.
        latents = jax.tree.map(
            lambda leaf, less: (
                jnp.where(less == leaf, leaf, within(leaf, threshold))
                if jnp.issubdtype(leaf.dtype, jnp.floating)
                else leaf
            ),
            latents,
            truncate(latents, 0.5),
        )
    return latents if evaluation.truncation == 1 else truncate(latents, evaluation.truncation)


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
