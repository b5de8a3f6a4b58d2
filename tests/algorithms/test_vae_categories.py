"""VAEs whose codes are categories: between them in training, whole where they are measured."""

import jax
import numpy as np
import pytest
from linear_gan import close
from linear_vae import CODES, IMAGES, batch_of, experiment_of, recorded_step

from jaxgan.algorithms.base import build
from jaxgan.config import ConfigError
from jaxgan.objectives.vae.gumbel_softmax import (
    GumbelSoftmax,
    StraightThroughGumbel,
    UniformCategorical,
)
from jaxgan.objectives.vae.monte_carlo import MonteCarloElbo, StickingTheLanding
from jaxgan.program import compile_program

PARTS = {"posterior": GumbelSoftmax(2), "code_prior": UniformCategorical(2)}


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            {"code_prior": UniformCategorical(4), "latent_size": 4},
            "groups of 2 categories, and those of UniformCategorical groups of 4",
        ),
        ({"latent_size": 3}, "latent_size = 3: codes are groups of 2 categories"),
        ({"bound": MonteCarloElbo()}, "MonteCarloElbo, needs densities of codes, and GumbelS"),
        (
            {"bound": StickingTheLanding(), "posterior": StraightThroughGumbel(2)},
            "StickingTheLanding, needs the density of any code",
        ),
    ],
)
def test_what_categories_do_not_go_with(changes, line):
    with pytest.raises(ConfigError, match=line):
        experiment_of(**{**PARTS, **changes})


def test_a_vae_trains_on_relaxed_codes_and_is_measured_on_whole_ones():
    batch, program = batch_of(IMAGES), compile_program(experiment_of(**PARTS), "none")
    state, metrics, codes = recorded_step(program, program.init(1, batch), batch, 7)
    close(codes.sum(1), np.ones(len(codes)))
    assert ((codes > 0) & (codes < 1)).all()
    CODES.clear()
    sums = jax.jit(program.algorithm.evaluate)(state, batch, jax.random.key(4))
    jax.effects_barrier()
    (codes,) = CODES
    assert np.isin(codes, (0, 1)).all()
    close(codes.sum(1), np.ones(len(codes)))
    assert {"elbo", "kl"} <= sums.keys() & metrics.keys()
    assert program.algorithm.density.log_weight is None
    through = experiment_of(**{**PARTS, "posterior": StraightThroughGumbel(2)})
    assert build(through).density.log_weight is not None
