"""Ladder VAE of two levels. Sønderby et al., Ladder Variational Autoencoders, 2016.

    python experiments/ladder_vae.py
    python experiments/ladder_vae.py --beta.warmup-steps 0

Encoder and generator share the network that makes a lower code's prior of an upper code. The KL's
weight rises over the first thousand steps. The networks are perceptrons of the size of vae.py's;
those of the paper are larger and batch-normalized.

Measured on digits, 5,000 steps, seeds 0 to 2, as tests/end_to_end/learning.py does
(FID of 1,000 samples from the training split, digits-cnn; ELBO in nats on 297 held-out images; two
cores of an AMD EPYC): FID 3.5 to 3.7, ELBO -23.7 to -23.4, of which the KL is 3.9.
"""

from jaxgan.algorithms.ladder_vae import LadderVae
from jaxgan.cli import run_experiment
from jaxgan.config import Experiment
from jaxgan.data.pipeline import Data
from jaxgan.networks.mlp import MlpDecoder, MlpEncoder
from jaxgan.objectives.vae.bounds import Beta
from jaxgan.objectives.vae.likelihoods import Bernoulli
from jaxgan.optim import Adam

experiment = Experiment(
    name="ladder_vae",
    model=LadderVae(
        encoder=MlpEncoder(widths=(500,)),
        decoder=MlpDecoder(widths=(500,)),
        upper_encoder=MlpEncoder(widths=(100,)),
        upper_decoder=MlpEncoder(widths=(100,)),
        likelihood=Bernoulli(),
        latent_size=10,
        upper_size=5,
        beta=Beta(warmup_steps=1000),
        optimizer=Adam(learning_rate=1e-3, b1=0.9),
    ),
    data=Data(),
    steps=5000,
    batch_size=64,
)

if __name__ == "__main__":
    run_experiment(experiment, __file__)
