"""Wasserstein GAN with weight clipping. Arjovsky, Chintala and Bottou, Wasserstein GAN, 2017.

    python experiments/wgan.py
    python experiments/wgan.py --dataset fashion-mnist --steps 10000

Algorithm 1 of the paper: RMSProp, clipping at 0.01, five critic updates a step, each on its own
batch. The networks are those of DCGAN. The learning rate is ten times the paper's, for a budget of
thousands of steps instead of hundreds of thousands.

Measured on digits by compare_digits.py (seeds 0-2, 95% intervals, two cores of an AMD EPYC;
fid[digits-cnn,train1500,gen1500,q8,ema] and kid likewise, ELBO in nats on 297 held-out images):

    1,000 steps, 7 s a seed: fid 2.88 (2.56 to 3.24), kid 0.0448 +- 0.0104
"""

from jaxgan.algorithms.gan import Gan
from jaxgan.cli import run_experiment
from jaxgan.config import Experiment
from jaxgan.data.pipeline import Data
from jaxgan.networks.dcgan import DcganDiscriminator, DcganGenerator
from jaxgan.objectives.gan.constraints import Clip
from jaxgan.objectives.gan.losses import Wasserstein
from jaxgan.objectives.priors import Normal
from jaxgan.optim import RmsProp

experiment = Experiment(
    name="wgan",
    model=Gan(
        generator=DcganGenerator(width=64),
        discriminator=DcganDiscriminator(width=64),
        loss=Wasserstein(),
        generator_optimizer=RmsProp(learning_rate=5e-4),
        discriminator_optimizer=RmsProp(learning_rate=5e-4),
        prior=Normal(100),
        n_critic=5,
        constraints=(Clip(0.01),),
    ),
    data=Data(),
    steps=3000,
    batch_size=64,
)

if __name__ == "__main__":
    run_experiment(experiment, __file__)
