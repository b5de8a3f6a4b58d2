"""What ladder VAEs are held to the laws with: one code an image, and several of labelled ones."""

import dataclasses

from discovery import LATENT_SIZE, Case, experiment

from jaxgan.algorithms.ladder_vae import LadderVae
from jaxgan.networks.conditional import LabelledDecoder, LabelledEncoder
from jaxgan.networks.mlp import MlpDecoder, MlpEncoder
from jaxgan.objectives.vae.bounds import Beta
from jaxgan.objectives.vae.importance import Iwae

PLAIN = LadderVae(
    MlpEncoder((8,)),
    MlpDecoder((8,)),
    MlpEncoder((6,)),
    MlpEncoder((5,)),
    latent_size=LATENT_SIZE,
    upper_size=2,
    features=5,
    beta=Beta(value=2.0, warmup_steps=5),
)
CONDITIONAL = dataclasses.replace(
    PLAIN,
    encoder=LabelledEncoder(PLAIN.encoder),
    decoder=LabelledDecoder(PLAIN.decoder),
    conditional=True,
    bound=Iwae(samples=2),
)

CASES = {
    "LadderVae": Case(experiment(PLAIN), slow=True),
    "LadderVae-conditional": Case(experiment(CONDITIONAL), slow=True),
}
