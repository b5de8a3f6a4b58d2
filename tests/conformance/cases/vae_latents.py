"""Latent variables other than the diagonal Gaussian that VAEs are held to the laws with."""

import dataclasses

from cases.vae import CONDITIONAL, PLAIN
from discovery import Case, experiment

from jaxgan.objectives.vae.gumbel_softmax import (
    GumbelSoftmax,
    StraightThroughGumbel,
    UniformCategorical,
)
from jaxgan.objectives.vae.inverse_autoregressive_flow import InverseAutoregressiveFlow
from jaxgan.objectives.vae.monte_carlo import MonteCarloElbo
from jaxgan.objectives.vae.planar_flow import PlanarFlow
from jaxgan.objectives.vae.von_mises_fisher import UniformSphere, VonMisesFisher


def of(model=PLAIN, **changes):
    return Case(experiment(dataclasses.replace(model, **changes)), slow=True)


CASES = {
    "Vae-planar-flow": of(posterior=PlanarFlow(2), bound=MonteCarloElbo(samples=2)),
    "Vae-autoregressive-flow": of(
        posterior=InverseAutoregressiveFlow(2, units=6, context=3), bound=MonteCarloElbo()
    ),
    "Vae-directions": of(posterior=VonMisesFisher(), code_prior=UniformSphere()),
    "Vae-categories": of(
        posterior=GumbelSoftmax(3, annealing=0.1), code_prior=UniformCategorical(3)
    ),
    "Vae-conditional-categories": of(
        CONDITIONAL, posterior=StraightThroughGumbel(3), code_prior=UniformCategorical(3)
    ),
}
