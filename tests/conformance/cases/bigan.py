"""What bidirectional GANs are held to the laws with: one code an image, and a drawn one."""

from discovery import LATENT_SIZE, Case, experiment

from jaxgan.algorithms.bigan import BiGan
from jaxgan.data.pipeline import Data
from jaxgan.networks.bidirectional import DcganCoder, PairDcganDiscriminator, PairMlpDiscriminator
from jaxgan.networks.dcgan import DcganGenerator
from jaxgan.networks.mlp import MlpEncoder, MlpGenerator
from jaxgan.objectives.gan.losses import Wasserstein
from jaxgan.objectives.priors import Normal, Uniform

DRAWN = BiGan(
    MlpGenerator((8,)),
    MlpEncoder((8,)),
    PairMlpDiscriminator((8,), dropout=0.2),
    prior=Normal(LATENT_SIZE),
)
# Batch statistics in all players.
CONVOLUTIONAL = BiGan(
    DcganGenerator(width=4),
    DcganCoder(width=4),
    PairDcganDiscriminator(width=4, hidden=8),
    loss=Wasserstein(),
    prior=Uniform(LATENT_SIZE),
)

CASES = {
    "BiGan-drawn": Case(experiment(DRAWN), with_generator=("encoder",)),
    "BiGan-convolutional": Case(
        experiment(CONVOLUTIONAL, Data(image_size=16, resize="bilinear")),
        slow=True,
        with_generator=("encoder",),
    ),
}
