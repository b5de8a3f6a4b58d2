"""A VAE with free bits. Kingma et al., Improved Variational Inference with Inverse ..., 2016.

    python experiments/free_bits_vae.py
    python experiments/free_bits_vae.py --beta.nats 0.5 --beta.groups 5

Each of 10 dimensions of a code may cost a quarter of a nat for free, on average over the batch. The
paper has groups of dimensions, and a flow as posterior (see iaf_vae.py). Networks of vae.py.

Measured on digits with seeds 0-2, 300 steps (two cores of an AMD EPYC that others shared;
fid[digits-cnn,train1500,gen1000,q8,ema], KL and ELBO in nats on 297 held-out images):

    fid 14.0 to 15.1, KL 4.69 to 4.78, ELBO -26.8 to -26.6
"""

from jaxgan.algorithms.vae import Vae
from jaxgan.cli import run_experiment
from jaxgan.config import Experiment
from jaxgan.data.pipeline import Data
from jaxgan.networks.mlp import MlpDecoder, MlpEncoder
from jaxgan.objectives.vae.free_bits import FreeBits
from jaxgan.objectives.vae.likelihoods import Bernoulli
from jaxgan.optim import Adam

experiment = Experiment(
    name="free_bits_vae",
    model=Vae(
        encoder=MlpEncoder(widths=(500,)),
        decoder=MlpDecoder(widths=(500,)),
        likelihood=Bernoulli(),
        latent_size=10,
        beta=FreeBits(nats=0.25),
        optimizer=Adam(learning_rate=1e-3, b1=0.9),
    ),
    data=Data(),
    steps=5000,
    batch_size=64,
)

if __name__ == "__main__":
    run_experiment(experiment, __file__)
