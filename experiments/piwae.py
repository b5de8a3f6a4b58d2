"""PIWAE and MIWAE. Rainforth et al., Tighter Variational Bounds are Not Necessarily Better, 2018.

    python experiments/piwae.py
    python experiments/piwae.py --bound miwae
    python experiments/piwae.py --bound.averages 8 --bound.inside 8

The decoder maximizes the bound of all 8 codes of an image, the encoder the mean of 2 bounds of 4
codes each, whose gradients are less noisy. The paper has 8 of 8 for MNIST. With ``--bound miwae``
both maximize the mean. The networks are those of vae.py.

Measured on digits with seeds 0-2, 300 steps (two cores of an AMD EPYC that others shared;
fid[digits-cnn,train1500,gen1000,q8,ema], ELBO in nats on 297 held-out images):

    fid 16.3 to 17.0, ELBO -28.3 to -27.4
"""

from jaxgan.algorithms.vae import Vae
from jaxgan.cli import run_experiment
from jaxgan.config import Experiment
from jaxgan.data.pipeline import Data
from jaxgan.networks.mlp import MlpDecoder, MlpEncoder
from jaxgan.objectives.vae.importance import Piwae
from jaxgan.objectives.vae.likelihoods import Bernoulli
from jaxgan.optim import Adam

experiment = Experiment(
    name="piwae",
    model=Vae(
        encoder=MlpEncoder(widths=(500,)),
        decoder=MlpDecoder(widths=(500,)),
        likelihood=Bernoulli(),
        latent_size=10,
        bound=Piwae(averages=2, inside=4),
        optimizer=Adam(learning_rate=1e-3, b1=0.9),
    ),
    data=Data(),
    steps=5000,
    batch_size=64,
)

if __name__ == "__main__":
    run_experiment(experiment, __file__)
