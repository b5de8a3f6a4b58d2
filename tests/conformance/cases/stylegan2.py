"""What StyleGAN2 is held to the laws with: regularizers of both players, and labels."""

from discovery import Case, experiment

from jaxgan.algorithms.ramped_ema import RampedEma
from jaxgan.algorithms.stylegan2 import StyleGan2
from jaxgan.networks.stylegan2 import LabelledStyleGan2Generator
from jaxgan.networks.stylegan2_discriminator import LabelledStyleGan2Discriminator
from jaxgan.objectives.gan.path_length import PathLength
from jaxgan.objectives.gan.penalties import R1
from jaxgan.objectives.priors import Labelled, Normal

# Few layers, because each law compiles all four updates.
LABELLED = StyleGan2(
    LabelledStyleGan2Generator(width=4, units=4, mapping_layers=1, average_decay=0.5),
    LabelledStyleGan2Discriminator(width=4, mapping_layers=1),
    prior=Labelled(Normal(3)),
    penalties=(R1(weight=0.1, every=2),),
    # Eight devices have an image each.
    path_lengths=(PathLength(shrink=1, every=2),),
    mixing=0.5,
    ema=RampedEma(decay=0.9, ramp=0.5),
)

CASES = {
    "StyleGan2": Case(
        experiment(LABELLED),
        # An update of a player by a regularizer is none of its loss.
        estimated=True,
        slow=True,
    ),
}
