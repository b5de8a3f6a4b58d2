"""VAEs with terms of whole batches of codes, and a smooth autoencoder without noise."""

import dataclasses

from cases.vae import PLAIN
from discovery import Case, experiment

from jaxgan.networks.mlp import MlpGenerator
from jaxgan.objectives.vae.bounds import Reconstruction
from jaxgan.objectives.vae.code_mmd import CodeMmd, GaussianKernel
from jaxgan.objectives.vae.decoder_penalties import DecoderNorm, DecoderSlope
from jaxgan.objectives.vae.dip import DipI, DipII
from jaxgan.objectives.vae.posteriors import Point
from jaxgan.objectives.vae.total_correlation import (
    DimensionwiseKl,
    MutualInformation,
    TotalCorrelation,
)

# All at once: each by itself has tests of its own.
TERMS = (
    TotalCorrelation(2.0, examples=40, stratified=True),
    MutualInformation(0.5, examples=40),
    DimensionwiseKl(0.5, examples=40),
    DipI(0.1, 0.1),
    DipII(0.1, 0.1),
    CodeMmd(1.0),
)
SMOOTH = dataclasses.replace(
    PLAIN,
    decoder=MlpGenerator((8,), bounded=False, weight_norm="spectral"),
    posterior=Point(),
    bound=Reconstruction(),
    regularizers=(CodeMmd(1.0, GaussianKernel()), DecoderNorm(0.01), DecoderSlope(0.01)),
)

CASES = {
    "Vae-code-terms": Case(experiment(dataclasses.replace(PLAIN, regularizers=TERMS)), slow=True),
    "Vae-smooth": Case(experiment(SMOOTH), slow=True),
}
