"""What VAE-GANs are held to the laws with: three players, and batch statistics in all of them."""

from discovery import LATENT_SIZE, Case, experiment

from jaxgan.algorithms.vae_gan import VaeGan
from jaxgan.data.pipeline import Data
from jaxgan.networks.dcgan import DcganGenerator
from jaxgan.networks.features import FeatureDcganDiscriminator, FeatureMlpDiscriminator
from jaxgan.networks.mlp import MlpEncoder, MlpGenerator
from jaxgan.networks.vae import ConvEncoder

PLAIN = VaeGan(
    MlpEncoder((8,)),
    MlpGenerator((8,)),
    FeatureMlpDiscriminator((8,), dropout=0.2),
    latent_size=LATENT_SIZE,
)
CONVOLUTIONAL = VaeGan(
    ConvEncoder(width=4, batch_norm=True),
    DcganGenerator(width=4),
    FeatureDcganDiscriminator(width=4),
    latent_size=LATENT_SIZE,
    saturating=True,
)

CASES = {
    "VaeGan": Case(experiment(PLAIN), slow=True),
    "VaeGan-convolutional": Case(
        experiment(CONVOLUTIONAL, Data(image_size=16, resize="bilinear")), slow=True
    ),
}
