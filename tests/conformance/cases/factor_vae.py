"""What FactorVAEs are held to the laws with: dropout and batch statistics in the second player."""

from cases.vae import PLAIN
from discovery import LATENT_SIZE, Case, experiment

from jaxgan.algorithms.factor_vae import FactorVae
from jaxgan.networks.code_discriminator import CodeDiscriminator

CASES = {
    "FactorVae": Case(
        experiment(
            FactorVae(
                PLAIN.encoder,
                PLAIN.decoder,
                latent_size=LATENT_SIZE,
                discriminator=CodeDiscriminator((8, 8), dropout=0.2),
            )
        )
    ),
}
