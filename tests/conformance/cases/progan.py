"""What growing GANs are held to the laws with: all three stages of two levels within four steps."""

import dataclasses

from discovery import LATENT_SIZE, Case, experiment

from jaxgan.algorithms.progan import ProGan
from jaxgan.networks.progan import ProganDiscriminator, ProganGenerator
from jaxgan.objectives.priors import Normal
from jaxgan.optim import Sgd

# Under larger steps, rounding grows from one to the next: a penalty on slopes, and norms of pixels
# of few channels.
SLOW = Sgd(learning_rate=0.002, momentum=0.5)
MODEL = ProGan(
    ProganGenerator(width_base=16, width=8),
    ProganDiscriminator(width_base=16, width=8),
    prior=Normal(LATENT_SIZE),
    # A batch of 8 images, and two in which the finer level fades in.
    steady_kimg=0.008,
    fade_kimg=0.016,
)
EXPERIMENT = experiment(MODEL)

CASES = {
    "ProGan": Case(
        dataclasses.replace(
            EXPERIMENT,
            model=dataclasses.replace(
                EXPERIMENT.model, generator_optimizer=SLOW, discriminator_optimizer=SLOW
            ),
        ),
        steps=4,
        quiet=("growth/levels",),
    )
}
