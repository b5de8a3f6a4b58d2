"""A VAE with path gradients. Roeder, Wu and Duvenaud, Sticking the Landing, 2017.

    python experiments/sticking_the_landing.py
    python experiments/sticking_the_landing.py --bound monte_carlo_elbo
    python experiments/sticking_the_landing.py --bound.samples 4

The KL of vae.py is estimated by the code that was drawn, and the density of the posterior is
differentiated through the code alone. Networks of vae.py.

Measured on digits with seeds 0-2, 300 steps (two cores of an AMD EPYC that others shared;
fid[digits-cnn,train1500,gen1000,q8,ema], KL and ELBO in nats on 297 held-out images):

    fid 15.4 to 16.7, KL 4.14 to 4.28, ELBO -26.6 to -26.4
"""

from jaxgan.algorithms.vae import Vae
from jaxgan.cli import run_experiment
from jaxgan.config import Experiment
from jaxgan.data.pipeline import Data
from jaxgan.networks.mlp import MlpDecoder, MlpEncoder
from jaxgan.objectives.vae.likelihoods import Bernoulli
from jaxgan.objectives.vae.monte_carlo import StickingTheLanding
from jaxgan.optim import Adam

experiment = Experiment(
    name="sticking_the_landing",
    model=Vae(
        encoder=MlpEncoder(widths=(500,)),
        decoder=MlpDecoder(widths=(500,)),
        likelihood=Bernoulli(),
        latent_size=10,
        bound=StickingTheLanding(),
        optimizer=Adam(learning_rate=1e-3, b1=0.9),
    ),
    data=Data(),
    steps=5000,
    batch_size=64,
)

if __name__ == "__main__":
    run_experiment(experiment, __file__)
