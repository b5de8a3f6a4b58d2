"""Whether a run's result can be measured as asked, found out before any training."""

from __future__ import annotations

import jax
import numpy as np

from jaxgan import rng
from jaxgan.algorithms.base import State
from jaxgan.config import ConfigError, Experiment
from jaxgan.data.source import DataError
from jaxgan.data.splits import SplitName, split_of
from jaxgan.evaluation import metrics
from jaxgan.evaluation.features.load import load_backbone
from jaxgan.evaluation.likelihood import summaries
from jaxgan.measurement import held_out, sampling
from jaxgan.measurement.scoring import backbone_name, final_split
from jaxgan.program import Program, example_batch


def check(experiment: Experiment, program: Program) -> None:
    """Finds out before any training whether its result can be measured.

    Raises:
        DataError: a split is too small for distances.
        ConfigError: samples cannot be drawn as asked, a metric needs what the model or the data do
            not have, or the run would be selected by one that is not measured.
        ValueError: there is no such feature extractor or metric, or the extractor does not read the
            data's images.
    """
    data, evaluation = experiment.data, experiment.evaluation
    backbone = load_backbone(backbone_name(data, evaluation), data.image_shape)
    names: list[SplitName] = [final_split(experiment)]
    if evaluation.every:
        names.append("validation" if data.validation else "train")
    for name in names:
        if (count := len(split_of(data, name))) < 2:
            raise DataError(f"the {name} split has {count} image: distances need at least 2")
    metrics.check_names(evaluation.metrics)
    held_out.check(evaluation.metrics, program, experiment)
    for name in evaluation.metrics:
        metric = metrics.SAMPLE_METRICS.get(name)
        if metric is not None and metric.labels:
            raise ConfigError(f"{name} needs samples of given classes, and this model draws none")
        if metric is not None and metric.logits and backbone.logits is None:
            raise ConfigError(f"{name} needs class scores, and backbone {backbone.name} gives none")
    blank = example_batch(experiment)
    state = jax.eval_shape(program.init, 0, blank)
    sampling.check(program.algorithm, state, evaluation)
    if metric := experiment.early_stopping.metric:
        known = _monitored(experiment, program, state)
        if metric not in known:
            raise ConfigError(
                f"early_stopping.metric = {metric!r} is not measured; there are"
                f" {', '.join(sorted(known))}"
            )


def _monitored(experiment: Experiment, program: Program, state: State) -> set[str]:
    """Short names of all that is measured while training."""
    batch = {**example_batch(experiment), "mask": np.ones(1, np.float32)}
    sums = jax.eval_shape(program.evaluate, state, batch, rng.base_key(0))
    blank = dict.fromkeys(sums, (0.0, 1.0))
    names = set(summaries.finalize(blank)) if blank else set()
    names = {name for name in names if not (name.endswith("_se") and name[:-3] in names)}
    for name in experiment.evaluation.metrics:
        if name in metrics.SAMPLE_METRICS:
            names |= set(metrics.SAMPLE_METRICS[name].gives)
    if hasattr(experiment.data.source, "modes"):
        names |= {"modes", "high_quality", "reverse_kl"}
    return names
