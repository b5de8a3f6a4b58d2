"""GANs with class information beside the auxiliary classifier, one case a discriminator."""

import dataclasses

from discovery import LATENT_SIZE, Case, experiment

from jaxgan.algorithms.gan import Gan
from jaxgan.networks.class_information import EmbeddingMlpDiscriminator, TwinMlpDiscriminator
from jaxgan.networks.conditional import LabelledGenerator
from jaxgan.networks.mlp import MlpGenerator
from jaxgan.objectives.gan.auxiliaries import AuxiliaryClassifier
from jaxgan.objectives.gan.class_terms import HingeClassifier, TwinClassifier
from jaxgan.objectives.gan.contrastive import ConditionalContrastive, DataToDataCrossEntropy
from jaxgan.objectives.priors import Labelled, Normal

PAIRS = Gan(
    LabelledGenerator(MlpGenerator((8,))),
    EmbeddingMlpDiscriminator((8,), embedding=4),
    prior=Labelled(Normal(LATENT_SIZE)),
    auxiliaries=(ConditionalContrastive(), DataToDataCrossEntropy()),
)
TWINS = dataclasses.replace(
    PAIRS,
    discriminator=TwinMlpDiscriminator((8,)),
    auxiliaries=(AuxiliaryClassifier(), TwinClassifier(), HingeClassifier()),
)

CASES = {
    "Gan-pairs": Case(experiment(PAIRS), slow=True),
    "Gan-twins": Case(experiment(TWINS), slow=True),
}
