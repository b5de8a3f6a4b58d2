"""The VAE of the study. Lucic et al., Are GANs Created Equal? A Large-Scale Study, 2018.

    python experiments/reproductions/lucic_2018/vae.py
    python experiments/reproductions/lucic_2018/vae.py --dataset fashion-mnist --steps 15625

The discriminator's trunk for an encoder, the generator (with plain rectifiers) for a decoder,
Bernoulli pixels, codes of 64 numbers.
"""

from jaxgan.algorithms.vae import Vae
from jaxgan.cli import run_experiment
from jaxgan.config import Evaluation, Experiment
from jaxgan.data.pipeline import Data
from jaxgan.networks.infogan_autoencoders import InfoGanDecoder, InfoGanEncoder
from jaxgan.objectives.vae.likelihoods import Bernoulli
from jaxgan.optim import Adam

experiment = Experiment(
    name="vae",
    model=Vae(
        encoder=InfoGanEncoder(slope=0.2),
        decoder=InfoGanDecoder(),
        likelihood=Bernoulli(),
        latent_size=64,
        optimizer=Adam(learning_rate=1e-4, b1=0.5),
    ),
    data=Data(),
    steps=2000,
    batch_size=64,
    evaluation=Evaluation(weights="raw"),
)

if __name__ == "__main__":
    run_experiment(experiment, __file__)
