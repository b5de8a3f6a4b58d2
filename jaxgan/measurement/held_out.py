"""What is measured of a model itself, on real images that it was not trained on."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from jax.tree_util import Partial

from jaxgan import rng
from jaxgan.algorithms.state import State
from jaxgan.config import ConfigError, Experiment
from jaxgan.data.splits import SplitName, held_out_batches
from jaxgan.evaluation.likelihood import summaries
from jaxgan.evaluation.likelihood.annealed import USUAL, Annealing
from jaxgan.evaluation.likelihood.targets import (
    Target,
    noise_on,
    noisy,
    standard_normal,
)
from jaxgan.evaluation.model_metrics import MODEL_METRICS, ON_MANIFOLD, Model
from jaxgan.evaluation.protocol import Protocol
from jaxgan.evaluation.ranges import range_of
from jaxgan.evaluation.reference import draw
from jaxgan.evaluation.statistics.intervals import Estimate
from jaxgan.evaluation.statistics.ranges import within
from jaxgan.measurement import available, sampling
from jaxgan.measurement.sampling import SEED
from jaxgan.networks.layers.spectral import singular_values
from jaxgan.program import Program

DRAWS = 1000
"""Codes drawn for each image where a likelihood is estimated, unless said otherwise."""

MOST_DRAWS = 1_000_000
"""More are refused: 200 times those of Burda et al. 2016, they are a slip of the keyboard."""


def measure(
    program: Program,
    state: State,
    experiment: Experiment,
    split: SplitName,
    names: Sequence[str],
    draws: int,
    log: Callable[[str], None],
    *,
    seed: int = SEED,
    annealing: Annealing = USUAL,
) -> dict[str, tuple[Estimate, Protocol]]:
    """What the algorithm's ``evaluate`` gives, and the metrics of models that are asked for.

    Args:
        program: of the experiment.
        state: on one device, as `jaxgan.measurement.sampling.prepared` returns it.
        experiment: its data and evaluation settings apply.
        split: of the real images.
        names: metrics; those of samples are left to others.
        draws: codes drawn for each image where a likelihood is estimated.
        log: gets a line before what may take long.
        seed: of all that is drawn.
        annealing: for ``ais``.

    Returns:
        Values and protocols under full names.

    Raises:
        ConfigError: a metric cannot be taken of these images.
    """
    key = rng.role_key(rng.base_key(seed), "held-out")
    sha = hashlib.sha256()
    parts, batches, count = [], [], 0
    for batch, size in held_out_batches(experiment.data, split, experiment.evaluation.batch_size):
        parts.append(program.evaluate(state, batch, jax.random.fold_in(key, count)))
        sha.update(batch["image"][:size].tobytes())
        batches.append(batch)
        count += size
    protocol = Protocol(
        backbone="",
        backbone_digest="",
        split=split,
        real_count=count,
        real_digest=sha.hexdigest()[:12],
        sample_count=0,
        weights=sampling.weights_of(state, experiment.evaluation),
        seed=seed,
        image="x".join(map(str, experiment.data.image_shape)),
        likelihood=density.kind if (density := program.algorithm.density) else "",
    )
    means = summaries.finalize(summaries.merge_all(parts)) if parts and parts[0] else {}
    found = {protocol.name(metric): (value, protocol) for metric, value in means.items()}
    wanted = [name for name in names if name in MODEL_METRICS]
    model = model_of(program, state, experiment, batches, draws, seed)
    target = target_of(program, state, annealing)
    model = model._replace(target=target, annealing=annealing, log=log)
    for name in wanted:
        of_model = MODEL_METRICS[name]
        how = of_model.protocol(protocol, model)
        if of_model.generates and experiment.evaluation.batch_norm.startswith("standing"):
            size = experiment.evaluation.batch_size
            how = dataclasses.replace(
                how, batch_norm=experiment.evaluation.batch_norm, batch_size=size
            )
        codes = f", {draws:,} codes each (--draws)" if how.draws and not how.nfe else ""
        log(f"{name}: {how.real_count:,} images{codes}")
        try:
            computed = of_model.compute(model)
        except ValueError as error:
            raise ConfigError(f"{how.name(name)}: {error}") from error
        found |= {
            how.name(short): (within(value, range_of(short)), how)
            for short, value in computed.items()
        }
    return found


def target_of(program: Program, state: State, annealing: Annealing) -> Target | None:
    """What chains of codes look at: the model's own likelihood, or its images with normal noise."""
    algorithm = program.algorithm
    if "annealing" not in available.has(algorithm):
        return None
    density, generation = algorithm.density, algorithm.generation
    if density is not None and density.log_prior is not None:
        assert density.log_likelihood is not None
        assert density.draw is not None
        # Compiled once for all states, as functions of a tree are.
        likelihood, prior = (
            Partial(each, state) for each in (density.log_likelihood, density.log_prior)
        )
        drawn = None if density.simulate is None else Partial(density.simulate, state)
        return Target(likelihood, prior, functools.partial(density.draw, state), drawn)
    assert generation is not None
    assert program.prior is not None
    pixels = Partial(generation.pixels, state)
    return Target(
        noisy(pixels, annealing.scale), standard_normal, program.prior,
        noise_on(pixels, annealing.scale),
    )  # fmt: skip


def model_of(
    program: Program,
    state: State,
    experiment: Experiment,
    batches: Sequence[dict[str, np.ndarray]],
    draws: int,
    seed: int = SEED,
) -> Model:
    """What metrics of models look at."""
    algorithm, evaluation = program.algorithm, experiment.evaluation
    generation, density = algorithm.generation, algorithm.density

    def bound(function: Any) -> Any:
        return None if function is None else functools.partial(function, state)

    def samples(count: int) -> np.ndarray:
        sample = sampling.sampler(program, state, evaluation)
        how = Protocol("", "", "test", 0, "", count, seed=seed)
        return np.concatenate(list(draw(sample, how, evaluation.batch_size)))

    return Model(
        source=experiment.data.source,
        batches=batches,
        draws=draws,
        seed=seed,
        image_shape=experiment.data.image_shape,
        codes=bound(program.codes),
        posterior=bound(program.posterior),
        log_likelihood=bound(program.log_likelihood),
        log_weights=bound(program.log_weights),
        measure=density and density.measure,
        likelihood=density.kind if density else "",
        # Compiled once for all states: functions of a tree are told apart by their weights.
        pixels=generation and Partial(generation.pixels, state),
        prior=program.prior,
        to_support=generation and generation.project,
        samples=samples,
        sample_count=evaluation.samples or ON_MANIFOLD,
        singular_values=lambda: {
            player: singular_values(state.evaluated(player)) for player in state.players
        },
    )
