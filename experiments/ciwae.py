"""CIWAE. Rainforth et al., Tighter Variational Bounds are Not Necessarily Better, 2018.

    python experiments/ciwae.py
    python experiments/ciwae.py --bound.share 0.05 --bound.samples 50

Half of the bound of vae.py and half of that of iwae.py, of the same 5 codes an image.

Measured on digits with seeds 0-2, 300 steps (two cores of an AMD EPYC that others shared;
fid[digits-cnn,train1500,gen1000,q8,ema], ELBO in nats on 297 held-out images):

    fid 15.5 to 16.7, ELBO -26.6 to -26.3
"""

from jaxgan.algorithms.vae import Vae
from jaxgan.cli import run_experiment
from jaxgan.config import Experiment
from jaxgan.data.pipeline import Data
from jaxgan.networks.mlp import MlpDecoder, MlpEncoder
from jaxgan.objectives.vae.importance import Ciwae
from jaxgan.objectives.vae.likelihoods import Bernoulli
from jaxgan.optim import Adam

experiment = Experiment(
    name="ciwae",
    model=Vae(
        encoder=MlpEncoder(widths=(500,)),
        decoder=MlpDecoder(widths=(500,)),
        likelihood=Bernoulli(),
        latent_size=10,
        bound=Ciwae(samples=5, share=0.5),
        optimizer=Adam(learning_rate=1e-3, b1=0.9),
    ),
    data=Data(),
    steps=5000,
    batch_size=64,
)

if __name__ == "__main__":
    run_experiment(experiment, __file__)
