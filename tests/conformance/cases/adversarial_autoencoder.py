"""What adversarial autoencoders are held to the laws with: points, and drawn codes beside a KL."""

from cases.vae import PLAIN
from discovery import LATENT_SIZE, Case, experiment

from jaxgan.algorithms.adversarial_autoencoder import AdversarialAutoencoder
from jaxgan.networks.code_discriminator import CodeDiscriminator
from jaxgan.objectives.gan.relativistic import RelativisticAverageHinge
from jaxgan.objectives.vae.bounds import Elbo
from jaxgan.objectives.vae.posteriors import DiagonalGaussian

POINT = AdversarialAutoencoder(
    PLAIN.encoder,
    PLAIN.decoder,
    latent_size=LATENT_SIZE,
    discriminator=CodeDiscriminator((8,), dropout=0.2),
)
DRAWN = AdversarialAutoencoder(
    PLAIN.encoder,
    PLAIN.decoder,
    latent_size=LATENT_SIZE,
    bound=Elbo(),
    posterior=DiagonalGaussian(),
    discriminator=CodeDiscriminator((8,)),
    loss=RelativisticAverageHinge(),
)

CASES = {
    "AdversarialAutoencoder": Case(experiment(POINT), slow=True),
    "AdversarialAutoencoder-drawn": Case(experiment(DRAWN), slow=True),
}
