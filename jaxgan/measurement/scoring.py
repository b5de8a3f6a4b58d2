"""What is measured of a trained state: its samples, and the model on held-out images."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from jaxgan.algorithms.state import State
from jaxgan.config import Experiment, config_errors
from jaxgan.data.pipeline import Data
from jaxgan.data.splits import SplitName, images_of, labels_of, open_data, split_of
from jaxgan.evaluation import metrics, scores
from jaxgan.evaluation.features.load import load_backbone
from jaxgan.evaluation.likelihood.annealed import USUAL, Annealing
from jaxgan.evaluation.manifolds import mixtures
from jaxgan.evaluation.protocol import Protocol, Weights, bracket
from jaxgan.evaluation.reference import Reference, classes_of, draw, reference_statistics
from jaxgan.evaluation.statistics.intervals import Estimate
from jaxgan.measurement import available, held_out, sampling
from jaxgan.measurement.available import backbone_name
from jaxgan.measurement.sampling import SEED
from jaxgan.program import Program
from jaxgan.run.finite import DIVERGED, NonFiniteError

LIMIT = 10_000
"""Real images that distances use at most (the kernel distance is quadratic in their number), and
samples of an evaluation that does not say how many. Of a larger split it is a random subset that is
always the same one: the first images would lack the last classes of a folder."""


class Numbers(NamedTuple):
    """Metrics of a state, each under a name that says how it was measured."""

    metrics: dict[str, float]
    intervals: dict[str, list[float]]
    """Low and high ends of the 95% intervals of those that have one."""
    protocols: dict[str, dict[str, Any]]
    """What stands in a metric's brackets, to every field of its protocol and their digest."""
    warnings: list[str]
    """What a reader has to know of them; most numbers have none."""


def final_split(experiment: Experiment) -> SplitName:
    """The split that the final distances are taken against.

    Where the state was selected by validation images, it is the test split: the training split was
    seen in training, and the validation split in the selection.
    """
    return "test" if experiment.early_stopping.metric else experiment.evaluation.split


@functools.lru_cache(maxsize=8)
def reference(data: Data, backbone: str, name: SplitName, labels: bool = False) -> Reference:
    """The real side of the sample metrics, for as many samples; measured once for all models.

    Args:
        data: its images, `LIMIT` at most.
        backbone: name of the feature extractor.
        name: of the split.
        labels: whether classes are wanted.
    """
    there = len(split_of(data, name))
    count = min(there, LIMIT)
    return reference_statistics(
        load_backbone(backbone, data.image_shape),
        images_of(data, name, count=count),
        split=name,
        sample_count=count,
        labels=labels_of(data, name, count) if labels else None,
        seed=SEED,
        subset="real" if count < there else "",
        use_cache=True,
    )


def reference_for(
    experiment: Experiment,
    name: SplitName,
    names: Sequence[str] | None = None,
    *,
    weights: Weights = "ema",
    labels: bool = False,
    seed: int = SEED,
    sampler: str = "",
) -> Reference:
    """The real side for the samples that an experiment's evaluation asks for.

    Args:
        experiment: its data and evaluation settings apply.
        name: of the split.
        names: of the metrics; None: those of the settings.
        weights: that samples are drawn with.
        labels: whether the model draws samples of given classes.
        seed: of the samples.
        sampler: how they are drawn, as in `jaxgan.algorithms.base.Generation`.
    """
    evaluation = experiment.evaluation
    wanted = [name for name in names or evaluation.metrics if name in metrics.SAMPLE_METRICS]
    by_class = any("classes" in metrics.needs_of(name) for name in wanted)
    # Shares of the real classes may be asked for where no metric looks at classes.
    by_class |= labels and evaluation.labels == "real"
    backbone = backbone_name(experiment.data, evaluation)
    return reference(experiment.data, backbone, name, by_class).under(
        sample_count=evaluation.samples or None,
        weights=weights,
        batch_norm=evaluation.batch_norm,
        batch_size=0 if evaluation.batch_norm == "running" else evaluation.batch_size,
        truncation=float(evaluation.truncation),
        threshold=float(evaluation.threshold),
        labels=evaluation.labels if labels else "",
        seed=seed,
        sampler=sampler,
    )


def samples_of(experiment: Experiment, name: SplitName) -> int:
    """Samples that are compared with a split: as many as the settings say, or as are real."""
    return experiment.evaluation.samples or min(len(split_of(experiment.data, name)), LIMIT)


def measure(
    program: Program,
    state: State,
    experiment: Experiment,
    *,
    distances: SplitName,
    held_out_split: SplitName | None,
    names: Sequence[str] | None = None,
    intervals: bool = False,
    draws: int = held_out.DRAWS,
    seed: int = SEED,
    log: Callable[[str], None] = lambda line: None,
    annealing: Annealing = USUAL,
) -> Numbers:
    """All numbers of a state.

    Args:
        program: of the experiment.
        state: on one device.
        experiment: its data and evaluation settings apply.
        distances: split that samples are compared with.
        held_out_split: split that likelihoods and accuracies are taken on; None: not at all.
        names: metrics; None: those of the evaluation settings.
        intervals: whether intervals are wanted that take longer than the metric itself.
        draws: codes drawn for each held-out image where a likelihood is estimated.
        seed: of the latents, and of all else that is drawn.
        log: gets a line before what may take long.
        annealing: how long chains of ``ais`` are.

    Raises:
        ConfigError: samples cannot be drawn as asked, or a metric needs what is not there.
        NonFiniteError: samples or a metric are NaN or infinite.
    """
    names = experiment.evaluation.metrics if names is None else names
    available.check(names, experiment, program.algorithm)
    available.check_samples(names, experiment, samples_of(experiment, distances))
    state = sampling.prepared(program, state, experiment.evaluation, seed=seed)
    found: dict[str, Estimate] = {}
    protocols: dict[str, Protocol] = {}
    undefined: dict[str, Estimate] = {}
    of_samples = [name for name in names if name in metrics.SAMPLE_METRICS]
    warnings: tuple[str, ...] = ()
    mixture = program.generate is not None and "mixture" in open_data(experiment.data).info.knows
    if of_samples or mixture:
        drawn, real, labels = _drawn(program, state, experiment, distances, of_samples, seed, log)
        if not all(np.isfinite(batch).all() for batch in drawn):
            raise NonFiniteError(f"samples are not finite at step {state.step}: {DIVERGED}")
        with config_errors():
            measured = scores.results(
                drawn,
                real,
                of_samples,
                labels=labels,
                replicates=metrics.REPLICATES if intervals else 0,
                **_unseen(experiment.data, of_samples, held_out_split or "test"),
            )
        found = {name: result.value for name, result in measured.items()}
        protocols = {name: result.protocol for name, result in measured.items()}
        if mixture:
            undefined = _mixture(drawn, experiment, real.protocol.weights)
            protocols |= dict.fromkeys(undefined, real.protocol)
        warnings = _warnings(real, of_samples)
    if held_out_split is not None:
        held = held_out.measure(
            program, state, experiment, held_out_split, names, draws, log,
            seed=seed, annealing=annealing,
        )  # fmt: skip
        found |= {name: value for name, (value, _) in held.items()}
        protocols |= {name: protocol for name, (_, protocol) in held.items()}
    for name, value in found.items():
        if not np.isfinite(value.value):
            raise NonFiniteError(f"{name} is {value.value} at step {state.step}: {DIVERGED}")
    return numbers(found | undefined, protocols, warnings)


def _drawn(
    program: Program,
    state: State,
    experiment: Experiment,
    split: SplitName,
    names: Sequence[str],
    seed: int,
    log: Callable[[str], None],
) -> tuple[list[np.ndarray], Reference, np.ndarray | None]:
    """Samples in batches, the real side, and the samples' classes where the model takes any."""
    evaluation = experiment.evaluation
    labelled = "labels" in available.has(program.algorithm)
    with config_errors():
        real = reference_for(
            experiment,
            split,
            names,
            weights=sampling.weights_of(state, evaluation),
            labels=labelled,
            seed=seed,
            sampler=generation.sampler if (generation := program.algorithm.generation) else "",
        )
        labels = classes_of(real.protocol, experiment.data.classes, real.labels)
    log(f"{', '.join(names)}: {real.protocol.sample_count:,} samples")
    for line in _warnings(real, names):
        log(line)
    sample = sampling.sampler(program, state, evaluation)
    return list(draw(sample, real.protocol, evaluation.batch_size, labels)), real, labels


def _mixture(
    samples: Sequence[np.ndarray], experiment: Experiment, weights: Weights
) -> dict[str, Estimate]:
    """Scores of points from a mixture; a divergence is undefined where no sample is near a mode."""
    data = experiment.data
    points = np.concatenate(samples).reshape(-1, data.channels)
    return mixtures.mixture_metrics(points, data.source.modes, data.source.std, weights=weights)


def _unseen(data: Data, names: Sequence[str], held_out: SplitName) -> dict[str, np.ndarray]:
    """The images of training, and those of another split, if a metric asks for them."""
    if not any(metrics.SAMPLE_METRICS[name].unseen for name in names):
        return {}
    return {
        "training": np.concatenate(list(images_of(data, "train"))),
        "held_out": np.concatenate(list(images_of(data, held_out))),
    }


def _warnings(real: Reference, names: Sequence[str]) -> tuple[str, ...]:
    how = real.protocol
    return metrics.warnings_of(names, how.sample_count, how.real_count, real.backbone.dimension)


def numbers(
    found: dict[str, Estimate], protocols: dict[str, Protocol], warnings: Sequence[str] = ()
) -> Numbers:
    """Plain data of estimates under full names."""
    return Numbers(
        metrics={name: value.value for name, value in found.items()},
        intervals={
            name: [value.low, value.high]
            for name, value in found.items()
            if np.isfinite(value.low) and np.isfinite(value.high)
        },
        protocols={bracket(name): protocol.document() for name, protocol in protocols.items()},
        warnings=list(warnings),
    )
