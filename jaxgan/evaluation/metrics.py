"""Metrics that compare generated images with real ones, by name: what each needs and gives.

Those that look at the model itself are in `jaxgan.evaluation.model_metrics`. A metric may give
several numbers, as ``prdc`` does.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Int, Num

from jaxgan.evaluation.features.extraction import Extracted
from jaxgan.evaluation.model_metrics import MODEL_METRICS
from jaxgan.evaluation.needs import Need
from jaxgan.evaluation.reference import Reference
from jaxgan.evaluation.statistics.intervals import Estimate, normal_estimate

REPLICATES = 200
"""Sets drawn again for an interval."""


class Measured(NamedTuple):
    """Both sides of a measurement."""

    reference: Reference
    generated: Extracted
    labels: Int[np.ndarray, "_labels"] | None = None
    """Classes of the generated images, where they were made for one."""
    training: Num[np.ndarray, "_train h w c"] | None = None
    """All images that the generator was trained on."""
    held_out: Num[np.ndarray, "_held_out h w c"] | None = None
    """Images that it was not trained on."""
    replicates: int = REPLICATES
    """Sets drawn again where an interval needs it; 0: no such intervals."""

    def name(self, metric: str) -> str:
        """The metric's full name, for messages."""
        return self.reference.protocol.name(metric)


Numbers = dict[str, Estimate]
"""Results by short name."""


class SampleMetric(NamedTuple):
    """A metric of samples."""

    compute: Callable[[Measured], Numbers]
    gives: tuple[str, ...]
    """Short names of its results."""
    needs: frozenset[Need] = frozenset()
    """What has to be there, besides samples and real images."""
    unseen: bool = False
    """Whether it looks at the images of training, and others."""
    pixels: bool = False
    """Whether it looks at pixels, whatever the backbone."""
    per_feature: int = 0
    """Samples that it needs for each dimension of the features."""


def estimated(value: float) -> Estimate:
    """A number whose interval nobody computed."""
    return Estimate(float(value), math.nan, math.nan)


# The real images are fixed by the protocol: where a metric can tell, its interval covers only which
# samples were drawn.


def _fid(measured: Measured) -> Numbers:
    from jaxgan.evaluation.distances.fid_infinity import frechet_estimate

    moments, features = measured.reference.moments, measured.generated.features
    return {"fid": frechet_estimate(moments, features, metric=measured.name("fid"))}


def _fid_inf(measured: Measured) -> Numbers:
    from jaxgan.evaluation.distances.fid_infinity import fid_infinity

    found = fid_infinity(
        measured.reference.moments,
        measured.generated.features,
        seed=measured.reference.protocol.seed,
        metric=measured.name("fid_inf"),
    )
    return {"fid_inf": found}


def _kid(measured: Measured) -> Numbers:
    from jaxgan.evaluation.distances.kid import kernel_distance

    reference = measured.reference
    found = kernel_distance(
        reference.features,
        measured.generated.features,
        real_sums=reference.kernel_sums,
        metric=measured.name("kid"),
    )
    return {
        "kid": normal_estimate(found.value, found.standard_error),
        "kid_se": estimated(found.standard_error),
    }


def _is(measured: Measured) -> Numbers:
    from jaxgan.evaluation.distances.inception_score import inception_score

    assert measured.generated.logits is not None
    found = inception_score(measured.generated.logits, metric=measured.name("is"))
    return {"is": found.interval}


def _prdc(measured: Measured) -> Numbers:
    from jaxgan.evaluation.distances.precision_recall import prdc

    return prdc(measured.reference.features, measured.generated.features)._asdict()


def _cfid(measured: Measured) -> Numbers:
    from jaxgan.evaluation.distances.class_conditional import class_conditional_fid

    assert measured.reference.labels is not None
    assert measured.labels is not None
    found = class_conditional_fid(
        measured.reference.features,
        measured.reference.labels,
        measured.generated.features,
        measured.labels,
        replicates=min(measured.replicates, 50),
        seed=measured.reference.protocol.seed,
        metric=measured.name("cfid"),
    )
    return {"cfid": found.value}


def _cas(measured: Measured) -> Numbers:
    from jaxgan.evaluation.distances.classification import classification_accuracy

    assert measured.reference.labels is not None
    assert measured.labels is not None
    found = classification_accuracy(
        measured.reference.images, measured.reference.labels,
        measured.generated.images, measured.labels,
        classes=1 + int(max(measured.reference.labels.max(), measured.labels.max())),
    )  # fmt: skip
    return {"cas": found.accuracy}


def _memorization(measured: Measured) -> Numbers:
    from jaxgan.evaluation.distances.memorization import memorization

    assert measured.training is not None
    assert measured.held_out is not None
    found = memorization(
        measured.training,
        measured.held_out,
        measured.generated.images,
        replicates=max(measured.replicates, 2),
        seed=measured.reference.protocol.seed,
    )
    return {"memorization": found.closer, "memorization_close": found.close}


def _swd(measured: Measured) -> Numbers:
    from jaxgan.evaluation.distances.sliced_wasserstein import sliced_wasserstein

    seed = measured.reference.protocol.seed
    images = measured.generated.images
    return {"swd": sliced_wasserstein(measured.reference.images, images, seed=seed)}


def _ms_ssim(measured: Measured) -> Numbers:
    from jaxgan.evaluation.distances.ms_ssim import diversity

    seed = measured.reference.protocol.seed
    return {"ms_ssim": diversity(measured.generated.images, measured.labels, seed=seed).value}


def _modes(measured: Measured) -> Numbers:
    from jaxgan.evaluation.manifolds.stacks import stack_metrics

    generated, real = measured.generated.logits, measured.reference.logits
    assert generated is not None
    assert real is not None
    seed = measured.reference.protocol.seed
    return stack_metrics(generated, real, replicates=measured.replicates, seed=seed)


_LABELED: frozenset[Need] = frozenset({"classes", "labels"})
_PIXELS: frozenset[Need] = frozenset({"8 bits"})

SAMPLE_METRICS: Mapping[str, SampleMetric] = {
    "fid": SampleMetric(_fid, ("fid",)),
    # As many as its line needs to be straight: see `distances.fid_infinity`.
    "fid_inf": SampleMetric(_fid_inf, ("fid_inf",), per_feature=5),
    "kid": SampleMetric(_kid, ("kid", "kid_se")),
    "is": SampleMetric(_is, ("is",), frozenset({"class scores"})),
    "prdc": SampleMetric(_prdc, ("precision", "recall", "density", "coverage")),
    "cfid": SampleMetric(_cfid, ("cfid",), _LABELED),
    "cas": SampleMetric(_cas, ("cas",), _LABELED | _PIXELS, pixels=True),
    "memorization": SampleMetric(
        _memorization, ("memorization", "memorization_close"), _PIXELS, unseen=True, pixels=True
    ),
    "swd": SampleMetric(_swd, ("swd",), _PIXELS, pixels=True),
    "ms_ssim": SampleMetric(_ms_ssim, ("ms_ssim",), _PIXELS, pixels=True),
    "modes": SampleMetric(
        _modes, ("modes", "mode_kl", "mode_kl_floor"), frozenset({"stacked", "class scores"})
    ),
}
"""Metrics that compare generated images with real ones."""


def check_names(names: Iterable[str], *, samples_only: bool = False) -> None:
    """Refuses metrics that do not exist.

    Raises:
        ValueError: names the first that does not, similar ones, and all there are.
    """
    known = [*SAMPLE_METRICS] if samples_only else [*SAMPLE_METRICS, *MODEL_METRICS]
    for name in names:
        if name in known:
            continue
        if name in MODEL_METRICS:
            raise ValueError(f"metric {name} is taken of a model; image files have none")
        close = difflib.get_close_matches(name, known, n=2)
        hint = f": did you mean {' or '.join(close)}? There are" if close else "; there are"
        raise ValueError(f"there is no metric {name!r}{hint} {', '.join(known)}")


def shortage(name: str, samples: int, backbone: str, dimension: int) -> str | None:
    """Why a metric cannot be taken of so few samples, in one line; None: it can.

    >>> shortage("fid_inf", 100, "digits-cnn", 64)
    'fid_inf needs 320 samples, 5 for each of the 64 features of digits-cnn, and there are 100'

    Args:
        name: of a metric of samples.
        samples: how many.
        backbone: name of the feature extractor.
        dimension: of its features.
    """
    each = SAMPLE_METRICS[name].per_feature
    if samples >= each * dimension:
        return None
    return (
        f"{name} needs {each * dimension} samples, {each} for each of the {dimension} features of"
        f" {backbone}, and there are {samples}"
    )


def warnings_of(names: Iterable[str], samples: int, real: int, dimension: int) -> tuple[str, ...]:
    """What a reader of the numbers has to know, one line each.

    Args:
        names: of the metrics.
        samples: how many generated images.
        real: how many real ones.
        dimension: of the features.
    """
    few = min(samples, real)
    if "fid" not in names or few > dimension:
        return ()
    which = "samples" if samples <= real else "real images"
    return (
        f"fid of {few} {which} with {dimension} features each: their covariance has not even full"
        " rank, and the distance is far too large; compare it at equal counts alone, or take kid",
    )


def needs_of(name: str) -> frozenset[Need]:
    """What a metric needs, of samples or of a model; `check_names` is for names that may be wrong.

    Raises:
        KeyError: there is no such metric.
    """
    metric = SAMPLE_METRICS.get(name)
    return MODEL_METRICS[name].needs if metric is None else metric.needs
