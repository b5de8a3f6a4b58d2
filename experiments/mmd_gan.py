"""MMD-GAN. Binkowski, Sutherland, Arbel and Gretton, Demystifying MMD GANs, 2018.

    python experiments/mmd_gan.py
    python experiments/mmd_gan.py --loss repulsive_mmd

The discrepancy of 16 outputs under a mixture of rational quadratic kernels (section 2.1). What
differs from the paper: spectral normalization instead of its gradient penalty, as in the paper of
the repulsive loss (Wang, Sun and Halgamuge 2019), one critic update a step instead of five, and
networks of DCGAN without batch norm in the critic.

Measured on digits (seed 0, two cores of an AMD EPYC, busy):

    2,000 steps: fid[digits-cnn,train1500,gen1500,q8,ema] 2.30, kid 0.039
    --steps 1000 --evaluation.samples 1000: fid[digits-cnn,train1500,gen1000,q8,ema] 3.82, and 1.72
    with --loss repulsive_mmd; 17 and 14 s
"""

from jaxgan.algorithms.gan import Gan
from jaxgan.cli import run_experiment
from jaxgan.config import Experiment
from jaxgan.data.pipeline import Data
from jaxgan.networks.dcgan import DcganGenerator
from jaxgan.networks.vectors import VectorDcganDiscriminator
from jaxgan.objectives.gan.kernels import RationalQuadratic
from jaxgan.objectives.gan.mmd import Mmd
from jaxgan.objectives.priors import Normal
from jaxgan.optim import Adam

experiment = Experiment(
    name="mmd_gan",
    model=Gan(
        generator=DcganGenerator(width=64),
        discriminator=VectorDcganDiscriminator(width=64, batch_norm=False, weight_norm="spectral"),
        loss=Mmd((RationalQuadratic(),)),
        generator_optimizer=Adam(learning_rate=2e-4, b1=0.5),
        discriminator_optimizer=Adam(learning_rate=2e-4, b1=0.5),
        prior=Normal(100),
    ),
    data=Data(),
    steps=2000,
    batch_size=64,
)

if __name__ == "__main__":
    run_experiment(experiment, __file__)
