"""A VAE annealed in cycles. Fu et al., Cyclical Annealing Schedule, 2019.

    python experiments/cyclical_vae.py
    python experiments/cyclical_vae.py --beta.cycles 1 --beta.cycle-steps 5000

The weight of the KL rises from 0 to 1 four times, each time in the first half of 750 steps, and
stays at 1 after the fourth. In the paper, which is about texts, four cycles fill the training.
Networks of vae.py.

Measured on digits with seeds 0-2, 300 steps (two cores of an AMD EPYC that others shared;
fid[digits-cnn,train1500,gen1000,q8,ema], KL and ELBO in nats on 297 held-out images):

    fid 12.5 to 13.3, KL 6.54 to 6.85, ELBO -27.4 to -27.2
"""

from jaxgan.algorithms.vae import Vae
from jaxgan.cli import run_experiment
from jaxgan.config import Experiment
from jaxgan.data.pipeline import Data
from jaxgan.networks.mlp import MlpDecoder, MlpEncoder
from jaxgan.objectives.vae.cyclical import Cyclical
from jaxgan.objectives.vae.likelihoods import Bernoulli
from jaxgan.optim import Adam

experiment = Experiment(
    name="cyclical_vae",
    model=Vae(
        encoder=MlpEncoder(widths=(500,)),
        decoder=MlpDecoder(widths=(500,)),
        likelihood=Bernoulli(),
        latent_size=10,
        beta=Cyclical(cycle_steps=750, cycles=4),
        optimizer=Adam(learning_rate=1e-3, b1=0.9),
    ),
    data=Data(),
    steps=5000,
    batch_size=64,
)

if __name__ == "__main__":
    run_experiment(experiment, __file__)
