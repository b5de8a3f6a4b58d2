"""Real images that no model was trained on, measured as if they were samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from jaxgan.config import Experiment
from jaxgan.data.splits import SplitName, images_of, labels_of, open_data, split_of
from jaxgan.evaluation import metrics, scores
from jaxgan.evaluation.manifolds import mixtures
from jaxgan.evaluation.protocol import short_name
from jaxgan.evaluation.reference import Reference
from jaxgan.measurement import pictures, scoring
from jaxgan.measurement.available import backbone_name


class RealImages(NamedTuple):
    """What a model that draws new real images would score."""

    split: SplitName
    """Where they are from."""
    images: int
    """How many."""
    samples: int
    """As many images as each model is measured by."""
    compared_with: str
    """The real images of the distances, such as ``train1500``."""
    metrics: dict[str, float]
    """By short name."""


def real_images(
    experiment: Experiment, names: Sequence[str]
) -> tuple[RealImages, np.ndarray] | None:
    """Measures real images by the metrics of samples, against the reference of the samples.

    They are of the test split or, where the samples are compared with that, of the training split;
    as many as a model is measured by, or all where there are fewer.

    Args:
        experiment: its data and evaluation settings apply.
        names: of metrics; those of models, and those of what was seen in training, are left out, as
            are those that cannot be taken of so few images.

    Returns:
        The numbers, and a picture of some of the images, uint8 ``(height, width, channels)``; None
        where nothing is left to measure.
    """
    data, compared = experiment.data, scoring.final_split(experiment)
    split: SplitName = "train" if compared == "test" else "test"
    of_samples = [name for name in names if name in metrics.SAMPLE_METRICS]
    wanted = [name for name in of_samples if not metrics.SAMPLE_METRICS[name].unseen]
    knows = open_data(data).info.knows
    if not (wanted or "mixture" in knows):
        return None
    by_class = any("classes" in metrics.needs_of(name) for name in of_samples)
    # The very reference that the models are measured against, which is computed once.
    real = scoring.reference(data, backbone_name(data, experiment.evaluation), compared, by_class)
    samples = experiment.evaluation.samples or real.protocol.sample_count
    count = min(samples, len(split_of(data, split)))
    real = real.under(sample_count=count, weights="none")
    images = np.concatenate(list(images_of(data, split, count=count)))
    labels = labels_of(data, split, count) if by_class else None
    found = _measured(images, real, wanted, labels)
    if "mixture" in knows:
        of_mixture = mixtures.mixture_metrics(
            images.reshape(count, -1), data.source.modes, data.source.std, replicates=2
        )
        found |= {short_name(name): value.value for name, value in of_mixture.items()}
    if not found:
        return None
    against = f"{real.protocol.split}{real.protocol.real_count}"
    shown = pictures.picture(data, images[: pictures.SAMPLES], 8)
    return RealImages(split, count, samples, against, found), shown


def _measured(
    images: np.ndarray, real: Reference, names: Sequence[str], labels: np.ndarray | None
) -> dict[str, float]:
    """Values by short name; those that cannot be taken of these images are left out."""
    if not names:
        return {}
    try:
        found = scores.results([images], real, names, labels=labels, replicates=0)
    except ValueError:
        if len(names) == 1:
            return {}
        parts = [_measured(images, real, [name], labels) for name in names]
        return {name: value for part in parts for name, value in part.items()}
    return {short_name(name): result.value.value for name, result in found.items()}
