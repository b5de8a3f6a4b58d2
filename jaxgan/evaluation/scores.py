"""Samples measured against real images, by any metrics of `jaxgan.evaluation.metrics`."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Int, Num

from jaxgan.evaluation.features.by_channel import EACH
from jaxgan.evaluation.features.extraction import extract
from jaxgan.evaluation.metrics import (
    REPLICATES,
    SAMPLE_METRICS,
    Measured,
    Numbers,
    SampleMetric,
    check_names,
    shortage,
)
from jaxgan.evaluation.needs import Need, lacking, of_backbone
from jaxgan.evaluation.protocol import Protocol
from jaxgan.evaluation.ranges import range_of
from jaxgan.evaluation.reference import Reference, pixels_digest
from jaxgan.evaluation.statistics.intervals import Estimate
from jaxgan.evaluation.statistics.ranges import within


class Result(NamedTuple):
    """One number, and how it was measured."""

    value: Estimate
    protocol: Protocol


def results(
    samples: Iterable[Num[np.ndarray | jax.Array, "_batch h w c"]],
    reference: Reference,
    metrics: Sequence[str] = ("fid", "kid"),
    *,
    labels: Int[np.ndarray, "_labels"] | None = None,
    training: Num[np.ndarray, "_train h w c"] | None = None,
    held_out: Num[np.ndarray, "_held_out h w c"] | None = None,
    replicates: int = REPLICATES,
) -> dict[str, Result]:
    """Measures samples against the real images.

    Args:
        samples: batches of any size, from `jaxgan.evaluation.reference.draw` or from elsewhere,
            such as a folder of images.
        reference: the real side, and the protocol that the samples were drawn under.
        metrics: names from `SAMPLE_METRICS`.
        labels: classes of the samples, where they were made for one.
        training: all images that the generator was trained on, for ``memorization``.
        held_out: images of the same kind that it was not trained on, for the same.
        replicates: sets drawn again for intervals that need it; 0: leave those out (NaN).

    Returns:
        Values with 95% intervals and protocols under full names, such as ``fid[digits-cnn,...]``.
        Metrics of pixels have no backbone in their names.

    Raises:
        ValueError: there is no such metric; there are more or fewer samples than the protocol says;
            they do not have the backbone's shape; they are rounded to 8 bits where the real images
            are not, or the reverse; a metric needs what is not there; or features are not finite.
    """
    check_names(metrics, samples_only=True)
    wanted = {name: SAMPLE_METRICS[name] for name in metrics}
    protocol = reference.protocol
    unseen = training is not None and held_out is not None
    for name in wanted:
        check_needs(name, reference, labels=labels is not None, unseen=unseen)
    logits = any("class scores" in metric.needs for metric in wanted.values())
    generated = extract(reference.backbone, samples, which="generated", logits=logits)
    if len(generated.images) != protocol.sample_count:
        raise ValueError(
            f"the protocol {protocol.short} is for {protocol.sample_count} samples, "
            f"got {len(generated.images)}"
        )
    if generated.quantized != protocol.quantized:
        expected = "uint8" if protocol.quantized else "float32"
        raise ValueError(f"the real images are {expected}, samples must be {expected} as well")
    measured = Measured(reference, generated, labels, training, held_out, replicates)
    found = {}
    for metric in wanted.values():
        how = _protocol(metric, measured)
        for name, value in metric.compute(measured).items():
            # Intervals from resampling may leave the range of the metric.
            found[how.name(name)] = Result(within(value, range_of(name)), how)
    return found


def check_needs(name: str, reference: Reference, *, labels: bool, unseen: bool) -> None:
    """Refuses a metric that needs what is not there.

    Args:
        name: of the metric.
        reference: the real side.
        labels: whether the generated images have classes.
        unseen: whether the images of training, and others, are known.

    Raises:
        ValueError: says what is missing.
    """
    metric, backbone = SAMPLE_METRICS[name], reference.backbone
    there: set[Need] = {*of_backbone(backbone)}
    if reference.labels is not None:
        there.add("classes")
    if labels:
        there.add("labels")
    if reference.protocol.quantized:
        there.add("8 bits")
    if backbone.channels == EACH:
        there.add("stacked")
    if "labels" in metric.needs and "classes" in there and not labels:
        # Samples may come from elsewhere: of a model, it is known before they are drawn.
        raise ValueError(f"{name} needs images of known classes, and the generated ones have none")
    if line := lacking(name, metric.needs, there, backbone=backbone.name):
        raise ValueError(line)
    if line := shortage(name, reference.protocol.sample_count, backbone.name, backbone.dimension):
        raise ValueError(line)
    if metric.unseen and not unseen:
        raise ValueError(f"{name} needs the images of training, and others that were held out")


def _protocol(metric: SampleMetric, measured: Measured) -> Protocol:
    protocol = measured.reference.protocol
    if metric.pixels:
        protocol = dataclasses.replace(protocol, backbone="", backbone_digest="")
    if metric.unseen and measured.training is not None and measured.held_out is not None:
        protocol = dataclasses.replace(
            protocol,
            split="train",
            real_count=len(measured.training),
            real_digest=pixels_digest([measured.training, measured.held_out]),
            subset="",
        )
    return protocol


def score(
    samples: Iterable[Num[np.ndarray | jax.Array, "_batch h w c"]],
    reference: Reference,
    metrics: Sequence[str] = ("fid", "kid"),
    **options: Any,
) -> Numbers:
    """The values of `results`, with the same arguments."""
    found = results(samples, reference, metrics, **options)
    return {name: result.value for name, result in found.items()}
