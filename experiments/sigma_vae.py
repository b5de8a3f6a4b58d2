"""Sigma-VAE. Rybkin, Daniilidis and Levine, Simple and Effective VAE Training ..., 2021.

    python experiments/sigma_vae.py
    python experiments/sigma_vae.py --dataset fashion-mnist --steps 20000
    python experiments/sigma_vae.py --likelihood pixel_gaussian

Gaussian pixels whose one standard deviation is learned with the networks: what a weight of the KL
would have to be searched for, the likelihood finds by itself. The networks are those of vae.py.
"""

from jaxgan.algorithms.vae import Vae
from jaxgan.cli import run_experiment
from jaxgan.config import Experiment
from jaxgan.data.pipeline import Data
from jaxgan.networks.mlp import MlpDecoder, MlpEncoder
from jaxgan.objectives.vae.gaussian_scales import LearnedGaussian
from jaxgan.optim import Adam

experiment = Experiment(
    name="sigma_vae",
    model=Vae(
        encoder=MlpEncoder(widths=(500,)),
        decoder=MlpDecoder(widths=(500,)),
        likelihood=LearnedGaussian(),
        latent_size=10,
        optimizer=Adam(learning_rate=1e-3, b1=0.9),
    ),
    data=Data(),
    steps=5000,
    batch_size=64,
)

if __name__ == "__main__":
    run_experiment(experiment, __file__)
