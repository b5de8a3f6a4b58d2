"""What is measured of a model itself, on real images that it was not trained on."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import numpy as np
from jax.tree_util import Partial

from jaxgan import rng
from jaxgan.algorithms.base import State
from jaxgan.config import ConfigError, Experiment
from jaxgan.data.pipeline import Data
from jaxgan.data.splits import SplitName, images_of
from jaxgan.evaluation.likelihood import summaries
from jaxgan.evaluation.metrics import estimated
from jaxgan.evaluation.model_metrics import MODEL_METRICS, ON_MANIFOLD, Model
from jaxgan.evaluation.protocol import Protocol
from jaxgan.evaluation.reference import draw
from jaxgan.evaluation.statistics.intervals import Estimate, normal_estimate
from jaxgan.measurement import sampling
from jaxgan.measurement.sampling import SEED
from jaxgan.program import Program

DRAWS = 1000
"""Codes drawn for each image where a likelihood is estimated, unless said otherwise."""


def check(names: Sequence[str], program: Program, experiment: Experiment) -> None:
    """Refuses metrics of models that need what the model or the data set does not have.

    Raises:
        ConfigError: names the metric, and what it needs.
    """
    blank = model_of(program, None, experiment, (), 0)
    evaluation = experiment.evaluation
    for name in names:
        metric = MODEL_METRICS.get(name)
        if metric is None:
            continue
        if lacking := metric.lacks(blank):
            raise ConfigError(f"{name} needs {lacking}")
        if metric.generates and (evaluation.truncation != 1 or evaluation.batch_norm == "batch"):
            raise ConfigError(
                f"{name} looks at all that the model can generate, one image at a time: leave"
                " truncation at 1, and batch_norm at running or standing"
            )


def measure(
    program: Program,
    state: State,
    experiment: Experiment,
    split: SplitName,
    names: Sequence[str],
    draws: int,
    say: Callable[[str], None],
) -> dict[str, tuple[Estimate, Protocol]]:
    """What the algorithm's ``evaluate`` gives, and the metrics of models that are asked for.

    Args:
        program: of the experiment.
        state: on one device, as `jaxgan.measurement.sampling.prepared` returns it.
        experiment: its data and evaluation settings apply.
        split: of the real images.
        names: metrics; those of samples are left to others.
        draws: codes drawn for each image where a likelihood is estimated.
        say: gets a line before what may take long.

    Returns:
        Values and protocols under full names.

    Raises:
        ConfigError: a metric cannot be taken of these images.
    """
    key = rng.role_key(rng.base_key(SEED), "held-out")
    sha = hashlib.sha256()
    parts, batches, count = [], [], 0
    for batch, size in _batches(experiment.data, split, experiment.evaluation.batch_size):
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
        weights=experiment.evaluation.weights,
        seed=SEED,
        image="x".join(map(str, experiment.data.image_shape)),
    )
    means = summaries.finalize(summaries.merge_all(parts)) if parts and parts[0] else {}
    found: dict[str, tuple[Estimate, Protocol]] = {}
    for metric, value in means.items():
        if metric.endswith("_se") and metric[:-3] in means:
            continue
        error = means.get(f"{metric}_se")
        estimate = estimated(value) if error is None else normal_estimate(value, error)
        found[protocol.name(metric)] = (estimate, protocol)
    wanted = [name for name in names if name in MODEL_METRICS]
    model = model_of(program, state, experiment, batches, draws)
    for name in wanted:
        of_model = MODEL_METRICS[name]
        how = of_model.protocol(protocol, model)
        if of_model.generates and experiment.evaluation.batch_norm == "standing":
            size = experiment.evaluation.batch_size
            how = dataclasses.replace(how, batch_norm="standing", batch_size=size)
        codes = f", {draws:,} codes each (--draws)" if how.draws else ""
        say(f"{name}: {how.real_count:,} images{codes}")
        try:
            computed = of_model.compute(model)
        except ValueError as error:
            raise ConfigError(f"{how.name(name)}: {error}") from error
        found |= {how.name(short): (value, how) for short, value in computed.items()}
    return found


def model_of(
    program: Program,
    state: State,
    experiment: Experiment,
    batches: Sequence[dict[str, np.ndarray]],
    draws: int,
) -> Model:
    """What metrics of models look at."""
    algorithm, evaluation = program.algorithm, experiment.evaluation

    def bound(function: Any) -> Any:
        return None if function is None else functools.partial(function, state)

    def samples(count: int) -> np.ndarray:
        sample = sampling.sampler(program, state, evaluation)
        how = Protocol("", "", "test", 0, "", count, seed=SEED)
        return np.concatenate(list(draw(sample, how, evaluation.batch_size)))

    return Model(
        source=experiment.data.source,
        batches=batches,
        draws=draws,
        seed=SEED,
        image_shape=experiment.data.image_shape,
        posterior=bound(program.posterior),
        log_likelihood=bound(program.log_likelihood),
        measure=algorithm.measure,
        # Compiled once for all states: functions of a tree are told apart by their weights.
        pixels=None if algorithm.pixels is None else Partial(algorithm.pixels, state),
        prior=program.prior,
        to_support=algorithm.to_support,
        samples=samples,
        sample_count=evaluation.samples or ON_MANIFOLD,
    )


def _batches(data: Data, name: SplitName, size: int) -> Iterator[tuple[dict[str, np.ndarray], int]]:
    """A split in batches of one size, the last filled up and masked; and how many of each count."""
    for images in images_of(data, name):
        for start in range(0, len(images), size):
            chunk = images[start : start + size]
            mask = (np.arange(size) < len(chunk)).astype(np.float32)
            padding = [(0, size - len(chunk))] + [(0, 0)] * (chunk.ndim - 1)
            yield {"image": np.pad(chunk, padding), "mask": mask}, len(chunk)
