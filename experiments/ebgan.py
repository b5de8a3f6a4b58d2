"""EBGAN. Zhao, Mathieu and LeCun, Energy-Based Generative Adversarial Networks, 2017.

    python experiments/ebgan.py
    python experiments/ebgan.py --auxiliary none

The margin loss of section 2.1 with the pull-away term of section 2.4 at the paper's weight, 0.1.
What differs from the paper: the networks are the pyramids of DCGAN at 8 pixels a side, codes are
vectors of 32 numbers, and the margin is 1, which is above the energies that digits start with.

Measured on digits (seeds 0 to 2, two cores of an AMD EPYC, busy;
fid[digits-cnn,train1500,gen1500,q8,ema] and kid likewise):

    2,000 steps, 15 to 23 s a seed: fid 0.81, 0.73 and 0.74, kid 0.009, 0.003 and 0.005
"""

from jaxgan.algorithms.gan import Gan
from jaxgan.cli import run_experiment
from jaxgan.config import Experiment
from jaxgan.data.pipeline import Data
from jaxgan.networks.autoencoder import DcganAutoencoder
from jaxgan.networks.dcgan import DcganGenerator
from jaxgan.objectives.gan.ebgan import Ebgan, PullAway
from jaxgan.objectives.priors import Normal
from jaxgan.optim import Adam

experiment = Experiment(
    name="ebgan",
    model=Gan(
        generator=DcganGenerator(width=64),
        discriminator=DcganAutoencoder(width=64, code_size=32),
        loss=Ebgan(margin=1.0),
        generator_optimizer=Adam(learning_rate=2e-4, b1=0.5),
        discriminator_optimizer=Adam(learning_rate=2e-4, b1=0.5),
        prior=Normal(100),
        auxiliaries=(PullAway(weight=0.1),),
    ),
    data=Data(),
    steps=2000,
    batch_size=64,
)

if __name__ == "__main__":
    run_experiment(experiment, __file__)
