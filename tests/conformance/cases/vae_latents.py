"""Latent variables other than the diagonal Gaussian that VAEs are held to the laws with."""

import dataclasses

from cases.vae import PLAIN
from discovery import Case, experiment

from jaxgan.objectives.vae.inverse_autoregressive_flow import InverseAutoregressiveFlow
from jaxgan.objectives.vae.monte_carlo import MonteCarloElbo
from jaxgan.objectives.vae.planar_flow import PlanarFlow
from jaxgan.objectives.vae.von_mises_fisher import UniformSphere, VonMisesFisher


def of(**changes):
    return Case(experiment(dataclasses.replace(PLAIN, **changes)), slow=True)


CASES = {
    "Vae-planar-flow": of(posterior=PlanarFlow(2), bound=MonteCarloElbo(samples=2)),
    "Vae-autoregressive-flow": of(
        posterior=InverseAutoregressiveFlow(2, units=6, context=3), bound=MonteCarloElbo()
    ),
    "Vae-directions": of(posterior=VonMisesFisher(), code_prior=UniformSphere()),
}
