"""IWAE. Burda, Grosse and Salakhutdinov, Importance Weighted Autoencoders, 2016.

    python experiments/iwae.py
    python experiments/iwae.py --dataset fashion-mnist --bound.samples 50 --steps 20000

The bound of 5 codes an image, the paper's smaller number, with the networks of vae.py; the paper
has two hidden layers of 200 units and codes of 50 dimensions for MNIST.

Measured on digits with seeds 0-2, 300 steps (two cores of an AMD EPYC that others shared;
fid[digits-cnn,train1500,gen1000,q8,ema], ELBO in nats on 297 held-out images; those of vae.py
after as many steps are 15.3 to 16.9 and -26.6 to -26.4):

    fid 16.7 to 17.6, ELBO -28.5 to -27.4
"""

from jaxgan.algorithms.vae import Vae
from jaxgan.cli import run_experiment
from jaxgan.config import Experiment
from jaxgan.data.pipeline import Data
from jaxgan.networks.mlp import MlpDecoder, MlpEncoder
from jaxgan.objectives.vae.importance import Iwae
from jaxgan.objectives.vae.likelihoods import Bernoulli
from jaxgan.optim import Adam

experiment = Experiment(
    name="iwae",
    model=Vae(
        encoder=MlpEncoder(widths=(500,)),
        decoder=MlpDecoder(widths=(500,)),
        likelihood=Bernoulli(),
        latent_size=10,
        bound=Iwae(samples=5),
        optimizer=Adam(learning_rate=1e-3, b1=0.9),
    ),
    data=Data(),
    steps=5000,
    batch_size=64,
)

if __name__ == "__main__":
    run_experiment(experiment, __file__)
