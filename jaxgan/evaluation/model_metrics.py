"""Metrics that look at a model itself, on images it was not trained on, by name.

Each needs something that not every model or data set has, and declares it: see
`jaxgan.evaluation.needs`.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from jaxgan.evaluation.likelihood.annealed import Annealing, annealed_log_likelihood
from jaxgan.evaluation.likelihood.bidirectional import gap
from jaxgan.evaluation.likelihood.targets import Target
from jaxgan.evaluation.needs import Need
from jaxgan.evaluation.protocol import Protocol, pixels_digest
from jaxgan.evaluation.statistics.intervals import Estimate
from jaxgan.typing import Measure

RECALLED = 200
"""Test images that a generator is inverted for, at most: the first ones, since data sets whose
manifold is known are drawn, image by image."""

ON_MANIFOLD = 1000
"""Samples whose distance to the manifold is taken, at most."""


class Model(NamedTuple):
    """A trained model, and the held-out images that it is measured on."""

    source: Any
    """The data set, of `jaxgan.data.source.Source`."""
    batches: Sequence[Mapping[str, np.ndarray]]
    """All held-out images; rows whose ``mask`` is 0 do not count."""
    draws: int
    """Codes drawn for each image where a likelihood is estimated."""
    seed: int
    image_shape: tuple[int, ...] = ()
    codes: Callable[[Any], Any] | None = None
    """From a batch to one vector an image."""
    posterior: Callable[[Any], Any] | None = None
    """From a batch to means and log variances of its codes."""
    log_likelihood: Callable[[Any, Any], Any] | None = None
    """From a batch and one code an image to ``log p(x|z)``."""
    log_weights: Callable[[Any, Any], Any] | None = None
    """From a batch and one key a draw to ``log p(x|z) + log p(z) - log q(z|x)`` of each."""
    measure: Callable[[np.ndarray], Measure] | None = None
    """What the likelihood of images is the log of."""
    likelihood: str = ""
    """Kind of the density, for the protocol of likelihoods; empty: it is not told."""
    pixels: Callable[[Any], Any] | None = None
    """From latents to images from 0 to 1, with gradients."""
    prior: Callable[[Any, int], Any] | None = None
    """From a key and a count to latents."""
    to_support: Callable[[Any], Any] | None = None
    """Latents brought back to where the prior has any; None: it has some everywhere."""
    samples: Callable[[int], np.ndarray] | None = None
    """So many generated images."""
    sample_count: int = 0
    """As many as the settings ask for."""
    target: Target | None = None
    """A decoder of codes from a density, whose images have slopes."""
    annealing: Annealing = Annealing()
    """How long chains are that tell its likelihood."""
    log: Callable[[str], None] = lambda line: None
    """Gets a line now and then, where it takes long."""
    singular_values: Callable[[], Mapping[str, Mapping[str, float]]] | None = None
    """Of each player, the largest singular value of each of its weights, by the weight's path."""

    def images(self, count: int | None = None) -> np.ndarray:
        """The held-out images, the first ``count`` of them (in the order of the files) or all."""
        found, left = [], math.inf if count is None else count
        for batch in self.batches:
            real = batch["image"][batch["mask"] > 0]
            found.append(real[: int(min(left, len(real)))])
            left -= len(found[-1])
            if left <= 0:
                break
        return np.concatenate(found)


Numbers = dict[str, Estimate]
"""Results by short name."""


class ModelMetric(NamedTuple):
    """A metric of a model."""

    compute: Callable[[Model], Numbers]
    gives: tuple[str, ...]
    """Short names of its results; some models get fewer."""
    needs: frozenset[Need]
    """What the model and its data set have to have."""
    protocol: Callable[[Protocol, Model], Protocol] = lambda protocol, model: protocol
    """From the protocol of all held-out images to the metric's own."""
    generates: bool = False
    """Whether it looks at generated images."""


def _likelihood(model: Model) -> Numbers:
    from jaxgan.evaluation.likelihood.summaries import bits_per_dim, mean_over_images
    from jaxgan.evaluation.likelihood.weights import log_likelihood_of

    of_images = log_likelihood_of(
        model.batches, posterior=model.posterior, log_likelihood=model.log_likelihood,
        log_weights=model.log_weights, samples=model.draws, seed=model.seed,
    )  # fmt: skip
    found = mean_over_images(of_images)
    images = model.images()
    measure = None if model.measure is None else model.measure(images)
    if measure != "mass":
        # What is no probability of the pixels has no bits (see `Measure`).
        return {"likelihood": found}
    bits = bits_per_dim(found, dimensions=images[0].size, measure=measure)
    return {"likelihood": found, "bits_per_dim": bits}


def _of_codes(protocol: Protocol, model: Model) -> Protocol:
    return dataclasses.replace(protocol, draws=model.draws, likelihood=model.likelihood)


def _surgery(model: Model) -> Numbers:
    from jaxgan.evaluation.likelihood.posteriors import encode
    from jaxgan.evaluation.likelihood.surgery import active_units, surgery

    assert model.posterior is not None
    codes = encode(model.posterior, model.batches)
    found = surgery(codes, seed=model.seed)
    return {
        "mutual_information": found.mutual_information,
        "total_correlation": found.total_correlation,
        "dimension_wise_kl": found.dimension_wise_kl,
        "marginal_kl": found.marginal_kl,
        "active_units": active_units(codes.mean).count,
    }


def _disentanglement(model: Model) -> Numbers:
    from jaxgan.evaluation.disentanglement.scores import disentanglement_scores

    codes = model.codes
    assert codes is not None
    return disentanglement_scores(
        lambda images: codes({"image": images}), model.source, seed=model.seed
    )


def _of_factors(protocol: Protocol, model: Model) -> Protocol:
    from jaxgan.evaluation.disentanglement.scores import SAMPLES

    # Which images those are follows from the data set, the count and the seed.
    digest = hashlib.sha256(repr(model.source).encode()).hexdigest()[:12]
    return dataclasses.replace(
        protocol, split="factors", real_count=SAMPLES + SAMPLES // 2, real_digest=digest
    )


def _manifold(model: Model) -> Numbers:
    from jaxgan.evaluation.manifolds import lucic_triangles, triangles
    from jaxgan.evaluation.manifolds.inversion import invert

    published = model.source.info().name == "lucic-triangles"
    closest = lucic_triangles.closest if published else triangles.closest
    assert model.pixels is not None
    assert model.prior is not None
    assert model.samples is not None
    test = model.images(RECALLED)
    recalled = invert(model.pixels, model.prior, test, project=model.to_support, seed=model.seed)
    made = closest(model.samples(min(model.sample_count, ON_MANIFOLD)), seed=model.seed)
    found = triangles.scores(made.distances, recalled.distances)
    return {f"manifold_{name}": value for name, value in found._asdict().items()}


def _of_manifold(protocol: Protocol, model: Model) -> Protocol:
    test = model.images(RECALLED)
    return dataclasses.replace(
        protocol,
        real_count=len(test),
        real_digest=pixels_digest([test]),
        sample_count=min(model.sample_count, ON_MANIFOLD),
    )


def _ais(model: Model) -> Numbers:
    from jaxgan.evaluation.likelihood.summaries import mean_over_images

    assert model.target is not None
    found = annealed_log_likelihood(
        model.target, model.batches, model.annealing, seed=model.seed, log=model.log
    )
    numbers = {"ais": mean_over_images(found.log_likelihood)}
    if model.annealing.simulated and model.target.simulate is not None:
        between = gap(model.target, model.batches, model.annealing, seed=model.seed, log=model.log)
        numbers["ais_gap"] = mean_over_images(between)
    return numbers


def _of_annealing(protocol: Protocol, model: Model) -> Protocol:
    images, how = model.images(model.annealing.images), model.annealing
    return dataclasses.replace(
        protocol, real_count=len(images), real_digest=pixels_digest([images]), draws=how.chains,
        nfe=how.evaluations, likelihood=model.likelihood or f"Gaussian({how.scale:g})",
    )  # fmt: skip


def _sigma(model: Model) -> Numbers:
    assert model.singular_values is not None
    found = {player: max(values.values()) for player, values in model.singular_values().items()}
    # What nothing was drawn for has no interval.
    return {f"sigma_{k}": Estimate(v, math.nan, math.nan) for k, v in found.items()}


MODEL_METRICS: Mapping[str, ModelMetric] = {
    "likelihood": ModelMetric(
        _likelihood, ("likelihood", "bits_per_dim"), frozenset({"likelihood", "code densities"}),
        _of_codes,
    ),
    "ais": ModelMetric(
        _ais, ("ais", "ais_gap"), frozenset({"annealing"}), _of_annealing, generates=True
    ),
    "surgery": ModelMetric(
        _surgery,
        ("mutual_information", "total_correlation", "dimension_wise_kl", "marginal_kl",
         "active_units"),
        frozenset({"codes", "encoder"}),
    ),
    "disentanglement": ModelMetric(
        _disentanglement,
        ("beta_vae_metric", "factor_vae_metric", "mig", "dci_disentanglement", "dci_completeness",
         "dci_informativeness", "sap", "sap_svm", "modularity", "explicitness"),
        # Images are drawn for their factors, and reach the encoder as they are.
        frozenset({"codes", "images alone", "factors", "native images"}),
        _of_factors,
    ),
    "manifold": ModelMetric(
        _manifold,
        ("manifold_precision", "manifold_recall", "manifold_f1"),
        frozenset({"manifold", "native images", "generator"}),
        _of_manifold, generates=True,
    ),
    "sigma": ModelMetric(_sigma, ("sigma_generator", "sigma_discriminator"), frozenset()),
}  # fmt: skip
"""Metrics of models, on held-out images."""
