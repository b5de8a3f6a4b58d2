"""What a model, its data set and its feature extractor offer to metrics, found out in one place."""

from __future__ import annotations

from collections.abc import Sequence

import jax

from jaxgan.algorithms.base import Algorithm, Generation
from jaxgan.config import ConfigError, Evaluation, Experiment, config_errors
from jaxgan.data.pipeline import Data
from jaxgan.data.splits import open_data
from jaxgan.evaluation import metrics, needs
from jaxgan.evaluation.features.load import default_backbone, load_backbone
from jaxgan.evaluation.model_metrics import MODEL_METRICS
from jaxgan.evaluation.needs import Need


def backbone_name(data: Data, evaluation: Evaluation) -> str:
    """The feature extractor that the settings name, or that is shipped for the data set."""
    if evaluation.backbone != "auto":
        return evaluation.backbone
    return default_backbone(open_data(data).info.name)


def has(algorithm: Algorithm) -> frozenset[Need]:
    """What a model can do, of what metrics need."""
    generation, encoding, density = algorithm.generation, algorithm.encoding, algorithm.density
    found: set[Need] = set()
    if encoding is not None and encoding.codes is not None:
        found.add("codes")
        if generation is None or generation.labels is None:
            found.add("images alone")
        if density is not None and density.log_likelihood is not None:
            found.add("likelihood")
    if encoding is not None and encoding.posterior is not None:
        found |= {"encoder", "code densities"}
    if density is not None and density.log_weight is not None:
        found.add("code densities")
    if (density is not None and density.log_prior is not None) or _normal(generation):
        found.add("annealing")
    if generation is not None:
        found.add("samples")
        if generation.gradients and generation.labels is None:
            # Labels are no numbers that could follow a gradient.
            found.add("generator")
        if generation.labels is not None and generation.with_labels is not None:
            found.add("labels")
    return frozenset(found)


def _normal(generation: Generation | None) -> bool:
    """Whether latents are standard normal vectors, whose images have slopes."""
    if generation is None or generation.labels is not None or generation.truncate is None:
        return False
    latents = jax.eval_shape(lambda key: generation.prior(key, 1), jax.random.key(0))
    return generation.gradients and isinstance(latents, jax.ShapeDtypeStruct)


def check_samples(names: Sequence[str], experiment: Experiment, count: int) -> None:
    """Refuses metrics of samples that need more of them.

    Args:
        names: of metrics that `check` knows.
        experiment: its data and evaluation settings apply.
        count: samples that would be drawn.

    Raises:
        ConfigError: says how many the metric needs.
    """
    data, evaluation = experiment.data, experiment.evaluation
    backbone = load_backbone(backbone_name(data, evaluation), data.image_shape)
    for name in names:
        if name not in metrics.SAMPLE_METRICS:
            continue
        if line := metrics.shortage(name, count, backbone.name, backbone.dimension):
            raise ConfigError(f"{line}: evaluation.samples says how many are drawn")


def check(names: Sequence[str], experiment: Experiment, algorithm: Algorithm) -> None:
    """Refuses metrics that need what the model, its data or the feature extractor do not have.

    Args:
        names: of the metrics.
        experiment: its data and evaluation settings apply.
        algorithm: built from it.

    Raises:
        ConfigError: there is no such metric or feature extractor, or the metric needs what is not
            there; names both.
    """
    data, evaluation = experiment.data, experiment.evaluation
    with config_errors():
        metrics.check_names(names)
        backbone = load_backbone(backbone_name(data, evaluation), data.image_shape)
    info = open_data(data).info
    there = has(algorithm) | needs.of_data(info, data.image_shape) | needs.of_backbone(backbone)
    for name in names:
        wanted: set[Need] = {*metrics.needs_of(name)}
        if name in metrics.SAMPLE_METRICS:
            wanted.add("samples")
        if line := needs.lacking(name, wanted, there, shape=info.shape, backbone=backbone.name):
            raise ConfigError(line)
        of_model = MODEL_METRICS.get(name)
        if of_model is None or not of_model.generates:
            continue
        truncated = evaluation.truncation != 1 or evaluation.threshold
        if truncated or evaluation.batch_norm == "batch":
            raise ConfigError(
                f"{name} looks at all that the model can generate, one image at a time: leave"
                " truncation at 1, threshold at 0, and batch_norm at running or standing"
            )
