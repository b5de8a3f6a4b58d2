"""What InfoGANs are held to the laws with: codes of both kinds, and of one alone."""

from discovery import LATENT_SIZE, Case, experiment

from jaxgan.algorithms.infogan import InfoGan
from jaxgan.networks.dcgan import DcganGenerator
from jaxgan.networks.information import (
    CodesGenerator,
    InformationDcganDiscriminator,
    InformationMlpDiscriminator,
)
from jaxgan.networks.mlp import MlpGenerator
from jaxgan.objectives.codes import Codes
from jaxgan.objectives.gan.information import Information
from jaxgan.objectives.priors import Normal, Uniform

BOTH = InfoGan(
    CodesGenerator(MlpGenerator((8,))),
    InformationMlpDiscriminator((8,), categories=(3, 2), hidden=4),
    prior=Codes(Normal(LATENT_SIZE), categories=(3, 2)),
    auxiliaries=(Information(continuous=0.5),),
)
CONTINUOUS = InfoGan(
    CodesGenerator(DcganGenerator(width=4)),
    InformationDcganDiscriminator(width=4, categories=(), continuous=1, hidden=4),
    prior=Codes(Uniform(LATENT_SIZE), categories=(), continuous=1),
)

CASES = {
    "InfoGan-both": Case(experiment(BOTH)),
    "InfoGan-continuous": Case(experiment(CONTINUOUS), slow=True),
}
