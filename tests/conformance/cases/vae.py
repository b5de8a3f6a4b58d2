"""What VAEs are held to the laws with: every likelihood, batch statistics, warm-up, labels."""

import dataclasses

from discovery import LATENT_SIZE, Case, experiment, likelihoods

from jaxgan.algorithms.vae import Vae
from jaxgan.networks.conditional import LabelledDecoder, LabelledEncoder
from jaxgan.networks.mlp import MlpDecoder, MlpEncoder
from jaxgan.networks.vae import ConvDecoder, ConvEncoder
from jaxgan.objectives.vae.bounds import Beta, Elbo, Reconstruction
from jaxgan.objectives.vae.code_norm import CodeNorm
from jaxgan.objectives.vae.free_bits import FreeBits
from jaxgan.objectives.vae.importance import DReG, Piwae
from jaxgan.objectives.vae.mixtures import MixtureOfGaussians
from jaxgan.objectives.vae.monte_carlo import MonteCarloElbo
from jaxgan.objectives.vae.posteriors import Point
from jaxgan.objectives.vae.vamp_prior import VampPrior

PLAIN = Vae(MlpEncoder((8,)), MlpDecoder((8,)), latent_size=LATENT_SIZE)
CONVOLUTIONAL = Vae(
    ConvEncoder(width=4, batch_norm=True),
    ConvDecoder(width=4, batch_norm=True),
    latent_size=LATENT_SIZE,
    beta=Beta(value=2.0, warmup_steps=5),
)
CONDITIONAL = Vae(
    LabelledEncoder(MlpEncoder((8,))),
    LabelledDecoder(MlpDecoder((8,))),
    latent_size=LATENT_SIZE,
    conditional=True,
)

# What others are made of too, and what draws beside the codes.
FAST = ("Bernoulli", "Gaussian", "DynamicBernoulli")

CASES = {
    **{
        f"Vae-{name}": Case(
            experiment(dataclasses.replace(PLAIN, likelihood=likelihood)), slow=name not in FAST
        )
        for name, likelihood in likelihoods().items()
    },
    "Vae-convolutional": Case(experiment(CONVOLUTIONAL)),
    "Vae-conditional": Case(experiment(CONDITIONAL)),
    "Vae-three-codes": Case(
        experiment(dataclasses.replace(CONDITIONAL, bound=Elbo(samples=3))), slow=True
    ),
    "Vae-free-bits": Case(
        experiment(dataclasses.replace(PLAIN, beta=FreeBits(0.1, groups=2))), slow=True
    ),
    "Vae-dreg": Case(
        experiment(dataclasses.replace(PLAIN, bound=DReG(3))), slow=True, estimated=True
    ),
    "Vae-piwae": Case(
        experiment(dataclasses.replace(PLAIN, bound=Piwae(2, 2))), slow=True, estimated=True
    ),
    "Vae-vamp-prior": Case(
        experiment(
            dataclasses.replace(PLAIN, bound=MonteCarloElbo(), code_prior=VampPrior(components=3))
        ),
        slow=True,
    ),
    "Vae-conditional-mixture": Case(
        experiment(
            dataclasses.replace(
                CONDITIONAL, bound=MonteCarloElbo(), code_prior=MixtureOfGaussians(components=3)
            )
        ),
        slow=True,
    ),
    "Vae-conditional-vamp-prior": Case(
        experiment(
            dataclasses.replace(
                CONDITIONAL, bound=MonteCarloElbo(), code_prior=VampPrior(components=3)
            )
        ),
        slow=True,
    ),
    "Vae-point": Case(
        experiment(
            dataclasses.replace(
                PLAIN, posterior=Point(), bound=Reconstruction(), regularizers=(CodeNorm(),)
            )
        ),
        slow=True,
    ),
}
