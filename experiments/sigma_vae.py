"""Sigma-VAE. Rybkin, Daniilidis and Levine, Simple and Effective VAE Training ..., 2021.

    python experiments/sigma_vae.py
    python experiments/sigma_vae.py --dataset fashion-mnist --steps 20000
    python experiments/sigma_vae.py --likelihood pixel_gaussian

Gaussian pixels whose one standard deviation is learned with the networks: what a weight of the KL
would have to be searched for, the likelihood finds by itself. The networks are those of vae.py.

Measured on digits, 5,000 steps (`jaxgan compare` of discretized_vae.py, continuous_bernoulli_vae.py
and sigma_vae.py with `--images 320000 --seeds 0 1 2 --metrics fid kid likelihood`; 95% intervals;
two cores of an AMD EPYC; [digits-cnn,train1500,gen1500,q8,ema], nats of 297 held-out images):

    fid 3.76 (3.36 to 4.21), kid 0.154 +- 0.024, ELBO 38.3 +- 1.5, log p(x) 42.8 +- 1.8
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
