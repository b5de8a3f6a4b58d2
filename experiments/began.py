"""BEGAN. Berthelot, Schumm and Metz, Boundary Equilibrium Generative Adversarial Networks, 2017.

    python experiments/began.py
    python experiments/began.py --loss.gamma 0.7

The losses and the equilibrium of sections 3.3 and 3.4, on multilayer perceptrons. What differs from
the paper: the networks (its convolutional ones are `jaxgan.networks.began`), batch norm in the
generator, a generator that learns five times faster than the discriminator, k's rate of 0.01
instead of 0.001 because runs are short, and gamma = 1. On digits smaller ones trade diversity away:
without batch norm in the generator it collapsed at every gamma tried from 0.5 to 1.

Measured on digits (``--steps 1500 --evaluation.samples 1000``, seeds 0 to 2, two cores of an AMD
EPYC, busy; fid[digits-cnn,train1500,gen1000,q8,ema]):

    1,500 steps, 5 to 16 s a seed: fid 2.0 to 3.8 (seed 0 with --loss.gamma 0.7: 12.2)
"""

from jaxgan.algorithms.gan import Gan
from jaxgan.cli import run_experiment
from jaxgan.config import Experiment
from jaxgan.data.pipeline import Data
from jaxgan.networks.autoencoder import MlpAutoencoder
from jaxgan.networks.mlp import MlpGenerator
from jaxgan.objectives.gan.began import Began
from jaxgan.objectives.priors import Normal
from jaxgan.optim import Adam

experiment = Experiment(
    name="began",
    model=Gan(
        generator=MlpGenerator(widths=(256, 256), batch_norm=True),
        discriminator=MlpAutoencoder(widths=(256,), code_size=16, exponent=1),
        loss=Began(gamma=1.0, rate=0.01),
        generator_optimizer=Adam(learning_rate=1e-3, b1=0.5),
        discriminator_optimizer=Adam(learning_rate=2e-4, b1=0.5),
        prior=Normal(32),
    ),
    data=Data(),
    steps=3000,
    batch_size=64,
)

if __name__ == "__main__":
    run_experiment(experiment, __file__)
