"""What R3GAN is held to the laws with: pairs with labels, schedules that move in three steps."""

from discovery import LATENT_SIZE, Case, experiment

from jaxgan.algorithms.cosine import Cosine
from jaxgan.algorithms.r3gan import R3Gan
from jaxgan.networks.r3gan import ConditionalR3GanDiscriminator, ConditionalR3GanGenerator
from jaxgan.objectives.gan.ada_pipe import AdaPipe
from jaxgan.objectives.priors import Labelled, Normal

MODEL = R3Gan(
    ConditionalR3GanGenerator(widths=(4,), blocks=1, group_width=4, embedding=2),
    ConditionalR3GanDiscriminator(widths=(4,), blocks=1, group_width=4),
    prior=Labelled(Normal(LATENT_SIZE)),
    gamma=Cosine(0.5, 0.1),
    half_life=Cosine(0.0, 16.0),
    # Parts that are quickly compiled.
    pipes=(AdaPipe(blit=0.0, geom=0.0, color=0.0, cutout=1.0),),
    strength=Cosine(0.0, 0.8),
    decay_images=20.0,
)

CASES = {
    "R3Gan": Case(experiment(MODEL), quiet=("schedule/gamma", "schedule/half_life", "schedule/p"))
}
