"""Likelihood and surgery of the VAE experiments, trained on digits for some hundred steps."""

import functools
from pathlib import Path

import jax
import numpy as np
import pytest
from scipy import stats
from tiny import train

from jaxgan.data import splits
from jaxgan.evaluation.likelihood.importance import importance_log_likelihood
from jaxgan.evaluation.likelihood.posteriors import encode
from jaxgan.evaluation.likelihood.surgery import active_units, surgery
from jaxgan.program import compile_program
from jaxgan.run import experiment_file

EXPERIMENTS = Path(__file__).parents[2] / "experiments"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["vae", "conv_beta_vae"])
def test_bounds_and_terms_of_a_trained_vae(name):
    experiment = experiment_file.load_experiment(EXPERIMENTS / f"{name}.py")
    state, _ = train(experiment, "none", 400)
    program = compile_program(experiment, "none")
    posterior = functools.partial(program.posterior, state)
    log_likelihood = functools.partial(program.log_likelihood, state)
    images = splits.in_memory(experiment.data, "test")["image"]
    batches = [{"image": images[start : start + 100]} for start in range(0, len(images), 100)]

    few, many = (
        importance_log_likelihood(posterior, log_likelihood, batches, samples=samples)
        for samples in (4, 256)
    )
    assert len(many.per_image.elbo) == len(images) == 297
    # The bounds rise with the draws, by far more than the draws leave open.
    gap = many.per_image.log_likelihood - many.per_image.elbo
    assert gap.mean() > max(0.2, 10 * stats.sem(gap))
    assert (gap > 0).mean() > 0.95
    gain = many.per_image.log_likelihood - few.per_image.log_likelihood
    assert gain.mean() > 3 * stats.sem(gain)
    assert (many.per_image.effective_samples > 1).all()

    # The ELBO is what the algorithm itself reports, with one code an image.
    sums = [program.evaluate(state, batch, jax.random.key(i)) for i, batch in enumerate(batches)]
    reported = sum(float(part["elbo"][0]) for part in sums) / len(images)
    assert reported == pytest.approx(many.elbo.value, abs=0.7)
    kl = sum(float(part["kl"][0]) for part in sums) / len(images)
    assert many.kl.value == pytest.approx(kl, rel=1e-4)

    codes = encode(posterior, batches)
    parts = surgery(codes)
    assert parts.kl.value == pytest.approx(many.kl.value, rel=1e-6)
    terms = (parts.mutual_information, parts.total_correlation, parts.dimension_wise_kl)
    assert sum(term.value for term in terms) == pytest.approx(parts.kl.value, rel=1e-9)
    assert 1 < parts.mutual_information.value < parts.ceiling + 0.05
    assert parts.total_correlation.value > 0
    assert parts.dimension_wise_kl_by_dimension.min() > -0.05
    # Whatever one dimension tells of the images, all of them tell.
    alone = parts.kl_by_dimension - parts.dimension_wise_kl_by_dimension
    assert np.max(alone) < parts.mutual_information.value + 0.05
    units = active_units(codes.mean)
    assert 1 <= units.count.low <= units.count.value <= units.count.high <= 10
    # Units that tell nothing cost nothing.
    assert (parts.kl_by_dimension[units.active].min() > 0.01).all()
