"""A VAE of controlled capacity. Burgess et al., Understanding Disentangling in beta-VAE, 2018.

    python experiments/capacity_vae.py
    python experiments/capacity_vae.py --beta.most 25 --beta.weight 1000

The KL is drawn to a capacity that rises to 12 nats over half of the training, with a weight of 20.
The paper has 25 nats over 100,000 steps and 1,000, for images of 64 pixels. Networks of vae.py.

Measured on digits with seeds 0-2, 1,000 steps, where the capacity is 4.8 nats (two cores of an AMD
EPYC that others shared; fid[digits-cnn,train1500,gen1000,q8,ema], KL and ELBO in nats on 297
held-out images):

    fid 10.8 to 12.5, KL 4.01 to 4.07, ELBO -26.0 to -25.7
"""

from jaxgan.algorithms.vae import Vae
from jaxgan.cli import run_experiment
from jaxgan.config import Experiment
from jaxgan.data.pipeline import Data
from jaxgan.networks.mlp import MlpDecoder, MlpEncoder
from jaxgan.objectives.vae.capacity import Capacity
from jaxgan.objectives.vae.likelihoods import Bernoulli
from jaxgan.optim import Adam

experiment = Experiment(
    name="capacity_vae",
    model=Vae(
        encoder=MlpEncoder(widths=(500,)),
        decoder=MlpDecoder(widths=(500,)),
        likelihood=Bernoulli(),
        latent_size=10,
        beta=Capacity(weight=20.0, most=12.0, steps=2500),
        optimizer=Adam(learning_rate=1e-3, b1=0.9),
    ),
    data=Data(),
    steps=5000,
    batch_size=64,
)

if __name__ == "__main__":
    run_experiment(experiment, __file__)
