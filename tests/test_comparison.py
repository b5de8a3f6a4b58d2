"""How a comparison's table calls the objective of an experiment."""

import dataclasses

import pytest
import tiny

from jaxgan.comparison import _objective
from jaxgan.objectives.regularizers import GradientPenalty

PENALIZED = dataclasses.replace(
    tiny.gan().model, gradient_penalty=GradientPenalty(weight=2.5), n_critic=1
)


@pytest.mark.parametrize(
    ("experiment", "expected"),
    [
        (tiny.gan(), "NonSaturating(), 2 critic updates a step"),
        (tiny.gan(precision="bfloat16"), "NonSaturating(), 2 critic updates a step, bfloat16"),
        (tiny.gan(model=PENALIZED), "NonSaturating(), gradient penalty 2.5"),
        (tiny.vae(), "ELBO, Bernoulli(), beta = 1"),
        (tiny.vae(precision="bfloat16"), "ELBO, Bernoulli(), beta = 1, bfloat16"),
        (tiny.vae(model=tiny.Regression()), "Regression"),
        (tiny.vae(model=tiny.Regression(), precision="bfloat16"), "Regression, bfloat16"),
    ],
)
def test_objectives(experiment, expected):
    assert _objective(experiment) == expected
