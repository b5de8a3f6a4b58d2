"""DRAGAN. Kodali et al., On Convergence and Stability of GANs, 2017.

    python experiments/dragan.py
    python experiments/dragan.py --dataset fashion-mnist --steps 3000

The game of DCGAN with a gradient penalty around real images, of weight 10 and target 1: the
discriminator has no batch normalization, which would mix the images that the penalty wants apart.
The noise is Gaussian, as in the paper; its scale, half of the standard deviation of the pixels, is
that of the authors' code. Networks and optimizers are those of experiments/dcgan.py, but for the
discriminator's first weights, which are scaled by fan-in: from N(0, 0.02) a discriminator without
batch normalization starts nearly flat, and in 600 steps nothing was learned (fid 38).

Measured on digits after 1,000 steps, seeds 0 to 2, by tests/end_to_end/learning.py
(fid of 1,000 samples, features digits-cnn; a generator that is never updated has 42):

    fid 10.2, 11.2, 9.1; 15 s of processor time, mostly compilation; AMD EPYC

After 3,000 steps, seed 0, a minute or two on busy cores (python experiments/dragan.py):
fid[digits-cnn,train1500,gen1500,q8,ema] 3.28 (3.13 to 3.44), kid 0.053.
"""

from jaxgan.algorithms.gan import Gan
from jaxgan.cli import run_experiment
from jaxgan.config import Experiment
from jaxgan.data.pipeline import Data
from jaxgan.networks.dcgan import DcganDiscriminator, DcganGenerator
from jaxgan.objectives.gan.dragan import Dragan
from jaxgan.objectives.gan.losses import NonSaturating
from jaxgan.objectives.priors import Normal
from jaxgan.optim import Adam

experiment = Experiment(
    name="dragan",
    model=Gan(
        generator=DcganGenerator(width=64),
        discriminator=DcganDiscriminator(width=64, batch_norm=False, init_std=None),
        loss=NonSaturating(),
        generator_optimizer=Adam(learning_rate=2e-4, b1=0.5),
        discriminator_optimizer=Adam(learning_rate=2e-4, b1=0.5),
        prior=Normal(100),
        penalties=(Dragan(weight=10.0, noise=0.5),),
    ),
    data=Data(),
    steps=3000,
    batch_size=64,
)

if __name__ == "__main__":
    run_experiment(experiment, __file__)
