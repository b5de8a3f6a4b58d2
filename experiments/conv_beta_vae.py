"""Convolutional beta-VAE. Higgins et al., beta-VAE, 2017.

    python experiments/conv_beta_vae.py
    python experiments/conv_beta_vae.py --dataset fashion-mnist --steps 5000
    python experiments/conv_beta_vae.py --model.beta.value 1

The objective is equation 4 of the paper; the networks are the trunk of DCGAN without batch
normalization. The weight of the KL rises over the first steps.

Measured on digits by compare_digits.py (seeds 0-2, 95% intervals, two cores of an AMD EPYC;
fid[digits-cnn,train1500,gen1500,q8,ema] and kid likewise, ELBO in nats on 297 held-out images):

    conv_vae, 5,000 steps, 5 s a seed:
        fid 6.67 (6.48 to 6.86), kid 0.2707 +- 0.0233, ELBO -24.36 +- 0.12
    conv_beta_vae, 5,000 steps, 5 s a seed:
        fid 15.26 (14.37 to 16.22), kid 0.5071 +- 0.0204, ELBO -25.39 +- 0.06
"""

from jaxgan.algorithms.vae import Vae
from jaxgan.cli import run_experiment
from jaxgan.config import Experiment
from jaxgan.data.pipeline import Data
from jaxgan.networks.vae import ConvDecoder, ConvEncoder
from jaxgan.objectives.vae.bounds import Beta
from jaxgan.objectives.vae.likelihoods import Bernoulli
from jaxgan.optim import Adam

experiment = Experiment(
    name="conv_beta_vae",
    model=Vae(
        encoder=ConvEncoder(width=32),
        decoder=ConvDecoder(width=32),
        likelihood=Bernoulli(),
        latent_size=10,
        beta=Beta(value=2.0, warmup_steps=500),
        optimizer=Adam(learning_rate=1e-3, b1=0.9),
    ),
    data=Data(),
    steps=3000,
    batch_size=64,
)

if __name__ == "__main__":
    run_experiment(experiment, __file__)
